"""PostgreSQL goes away, comes back, falls silent: callers hear at once, and nothing has to be restarted."""

from __future__ import annotations

import os
import signal
from time import perf_counter
from typing import TYPE_CHECKING

import pytest
import trio
import trio.testing

from app.adapters.postgres import Database, silence
from app.adapters.postgres.connection import Connection
from app.adapters.postgres.embedded import EmbeddedPostgres, EmbeddedPostgresError
from app.ports.database import DatabaseUnavailableError, OutcomeUnknownError
from tests.fixtures.tcp_proxy import TcpProxy
from tests.fixtures.waiting import eventually

if TYPE_CHECKING:
    from pathlib import Path

SLEEPING = "SELECT pg_sleep(60)"


def through(proxy: TcpProxy, url: str, user: str = "rondo") -> str:
    """Return the URL of the same database, reached through the proxy."""
    name = url.partition("@/")[2].partition("?")[0]
    return f"postgresql://{user}@127.0.0.1:{proxy.port}/{name}?sslmode=disable"


@pytest.fixture
async def proxy(postgres_url: str, nursery: trio.Nursery) -> TcpProxy:
    directory = postgres_url.partition("host=")[2].partition("&")[0]
    proxy = TcpProxy(directory)
    await nursery.start(proxy.run)
    return proxy


@pytest.fixture
async def remote(proxy: TcpProxy, postgres_url: str, nursery: trio.Nursery) -> Database:
    """A pool whose connections pass the proxy; all are there, so that a cut meets none while it is being opened."""
    database = Database(through(proxy, postgres_url), size=3, name="remote", acquire_seconds=2, statement_seconds=3)
    await nursery.start(database.run)
    await database.execute("CREATE TABLE IF NOT EXISTS facts (id integer PRIMARY KEY)")
    await eventually(lambda: len(database.pool.idle) == 3)
    return database


async def test_while_postgresql_is_away_every_call_fails_at_once(remote: Database, proxy: TcpProxy) -> None:
    proxy.refuses = True
    proxy.cut()
    await eventually(lambda: remote.problem is not None)

    started = trio.current_time()
    for _ in range(20):
        with pytest.raises(DatabaseUnavailableError, match="PostgreSQL cannot be used"):
            await remote.fetchval("SELECT 1")

    assert trio.current_time() - started < 0.5


async def test_a_call_that_meets_the_loss_fails_within_a_second(remote: Database, proxy: TcpProxy) -> None:
    async with trio.open_nursery() as nursery:
        results: list[str] = []

        async def call() -> None:
            with trio.fail_after(1), pytest.raises(DatabaseUnavailableError):
                await remote.fetchval(SLEEPING)
            results.append("failed")

        for _ in range(6):  # three run, three wait
            nursery.start_soon(call)
        await eventually(lambda: remote.pool.waiting == 3)
        proxy.refuses = True
        proxy.cut()

    assert len(results) == 6


async def test_who_waits_goes_on_waiting_when_postgresql_goes_away_before_their_turn(
    postgres_url: str, nursery: trio.Nursery
) -> None:
    remote = Database(postgres_url, name="not run")  # one that runs would accept whenever a connection is open
    known: list[str | None] = []

    async def wait() -> None:
        await remote.wait_available()
        known.append(remote.problem)

    remote.pool.refuse("away")
    nursery.start_soon(wait)
    await trio.testing.wait_all_tasks_blocked()
    remote.pool.accept()
    remote.pool.refuse("away again")
    await trio.testing.wait_all_tasks_blocked()
    assert known == []

    remote.pool.accept()
    await trio.testing.wait_all_tasks_blocked()
    assert known == [None]


async def test_the_pool_is_whole_again_when_postgresql_is_back(remote: Database, proxy: TcpProxy) -> None:
    proxy.refuses = True
    proxy.cut()
    await eventually(lambda: remote.problem is not None)

    proxy.refuses = False

    with trio.fail_after(5):
        await remote.wait_available()
    assert await remote.fetchval("SELECT 1") == 1
    await eventually(lambda: len(remote.pool.idle) == 3)


async def test_a_database_that_is_away_at_the_start_does_not_stop_the_start(nursery: trio.Nursery) -> None:
    database = Database("postgresql://nobody@/nothing?host=/nonexistent", size=1, name="away")

    await nursery.start(database.run)

    assert database.problem is not None
    assert "No such file" in database.problem


@pytest.mark.accepts("C04")
async def test_a_terminated_backend_costs_its_transaction_and_nothing_else(database: Database) -> None:
    await database.execute("CREATE TABLE facts (id integer)")

    with pytest.raises(DatabaseUnavailableError) as caught:  # noqa: PT012 # the block is what is tested
        async with database.transaction() as connection:
            await connection.execute("INSERT INTO facts VALUES (1)")
            await database.execute("SELECT pg_terminate_backend($1)", connection.server_pid)
            await connection.execute("INSERT INTO facts VALUES (2)")

    assert not isinstance(caught.value, OutcomeUnknownError)
    assert await database.fetchval("SELECT count(*) FROM facts") == 0
    await eventually(lambda: len(database.pool.idle) == database.pool.size)


@pytest.mark.accepts("C04")
async def test_terminated_idle_backends_are_replaced_before_anyone_meets_them(database: Database) -> None:
    await eventually(lambda: len(database.pool.idle) == database.pool.size)
    others = "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE datname = current_database()"

    killed = await database.fetchval(f"{others} AND pid <> pg_backend_pid()")
    await trio.testing.wait_all_tasks_blocked(0.05)

    assert killed == 3
    for _ in range(8):
        assert await database.fetchval("SELECT 1") == 1
    await eventually(lambda: len(database.pool.idle) == database.pool.size)


async def test_who_stops_listening_does_not_wait_for_a_silent_postgresql(remote: Database, proxy: TcpProxy) -> None:
    async with remote.own_connection() as connection:
        proxy.hold()
        began = perf_counter()
        with trio.move_on_after(0.1) as stopped:
            await connection.listen("news", lambda _text: None)

    assert stopped.cancelled_caught
    assert perf_counter() - began < 1  # an actor that takes longer to stop counts as stuck


@pytest.mark.accepts("C05")
async def test_a_silent_postgresql_is_noticed_and_the_pool_heals(remote: Database, proxy: TcpProxy) -> None:
    proxy.hold()

    started = trio.current_time()
    with pytest.raises(DatabaseUnavailableError):
        await remote.fetchval("SELECT 1")
    noticed = trio.current_time() - started
    started = trio.current_time()
    with pytest.raises(DatabaseUnavailableError):
        await remote.fetchval("SELECT 1")

    assert noticed < 3
    assert trio.current_time() - started < 0.8
    longest = silence.LOOK_SECONDS + silence.SUSPICIOUS_SECONDS + silence.ANSWER_TURNS * silence.TURN_SECONDS
    assert longest <= 0.85  # a caller is told within a second
    proxy.flow()
    with trio.fail_after(10):
        await remote.wait_available()
    assert await remote.fetchval("SELECT 1") == 1


async def test_a_slow_statement_is_not_mistaken_for_silence(remote: Database) -> None:
    assert await remote.fetchval("SELECT 1 FROM pg_sleep(1.6)") == 1
    assert remote.problem is None


async def test_a_process_that_has_no_time_does_not_blame_postgresql(remote: Database) -> None:
    async def hog() -> None:
        for _ in range(3):
            until = perf_counter() + 0.6  # longer than PostgreSQL would have for its answer
            while perf_counter() < until:
                pass
            await trio.lowlevel.checkpoint()

    async with trio.open_nursery() as nursery:
        nursery.start_soon(hog)
        assert await remote.fetchval("SELECT 1 FROM pg_sleep(1.2)") == 1
        assert remote.problem is None


async def test_a_lost_connection_is_not_mistaken_for_a_lost_postgresql(
    remote: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def is_lost(_connection: object, _seconds: float) -> bool:
        await trio.lowlevel.checkpoint()
        return False

    monkeypatch.setattr(Connection, "is_alive", is_lost)

    assert await remote.fetchval("SELECT 1 FROM pg_sleep(1)") == 1
    assert remote.problem is None


async def test_postgresql_ends_a_statement_that_takes_too_long(nursery: trio.Nursery, postgres_url: str) -> None:
    database = Database(postgres_url, size=1, name="hasty", statement_seconds=0.05)
    await nursery.start(database.run)

    with pytest.raises(DatabaseUnavailableError, match="statement timeout"):
        await database.fetchval(SLEEPING)

    assert await database.fetchval("SELECT 1") == 1


@pytest.mark.accepts("C06")
async def test_a_commit_whose_answer_is_lost_is_of_unknown_outcome(remote: Database, proxy: TcpProxy) -> None:
    async def lose_the_connection() -> None:
        await proxy.swallowed.wait()
        proxy.cut()

    async with trio.open_nursery() as nursery:
        nursery.start_soon(lose_the_connection)
        with pytest.raises(OutcomeUnknownError):  # noqa: PT012 # the block is what is tested
            async with remote.transaction() as connection:
                await connection.execute("INSERT INTO facts VALUES (1)")
                proxy.swallow_answer_to(b"COMMIT")

    await remote.wait_available()
    assert await remote.fetchval("SELECT count(*) FROM facts") == 1  # it happened, and nobody claimed it had not


@pytest.mark.accepts("C06")
async def test_a_single_write_whose_answer_is_lost_is_of_unknown_outcome(remote: Database, proxy: TcpProxy) -> None:
    async def lose_the_connection() -> None:
        await proxy.swallowed.wait()
        proxy.cut()

    async with trio.open_nursery() as nursery:
        nursery.start_soon(lose_the_connection)
        proxy.swallow_answer_to(b"INSERT")
        with pytest.raises(OutcomeUnknownError):
            await remote.execute("INSERT INTO facts VALUES (2)")


async def test_waiting_for_a_connection_is_fair_and_limited(nursery: trio.Nursery, postgres_url: str) -> None:
    database = Database(postgres_url, size=1, name="narrow", acquire_seconds=0.2)
    await nursery.start(database.run)
    order: list[int] = []

    async def use(number: int) -> None:
        async with database.connection():
            order.append(number)

    async with trio.open_nursery() as crowd, database.connection():
        with pytest.raises(DatabaseUnavailableError, match="became free"):
            await database.fetchval("SELECT 1")
        for number in range(5):
            crowd.start_soon(use, number)
            await trio.testing.wait_all_tasks_blocked()

    assert order == [0, 1, 2, 3, 4]


@pytest.mark.accepts("C03")
@pytest.mark.parametrize("kill", [signal.SIGINT, signal.SIGQUIT, signal.SIGKILL])
async def test_a_restart_of_postgresql_under_load_loses_no_acknowledged_write(
    tmp_path: Path, kill: signal.Signals
) -> None:
    server = EmbeddedPostgres(tmp_path, settings={"fsync": "off"}, sync_new_files=False)
    acknowledged: list[int] = []
    unknown: list[int] = []

    async def run_twice() -> None:
        with pytest.raises(EmbeddedPostgresError, match="ended"):
            await server.run()
        await server.run()

    async def write(task: int) -> None:
        for number in range(task * 1_000_000, (task + 1) * 1_000_000):
            try:
                async with database.transaction() as connection:
                    await connection.execute("INSERT INTO facts VALUES ($1)", number)
                acknowledged.append(number)
            except OutcomeUnknownError:
                unknown.append(number)
            except DatabaseUnavailableError:
                await trio.sleep(0.01)

    async with trio.open_nursery() as nursery:
        nursery.start_soon(run_twice)
        database = Database(server.url, size=4, name="restarted")
        await nursery.start(database.run)
        await database.wait_available()
        await database.execute("CREATE TABLE facts (id integer PRIMARY KEY)")
        async with trio.open_nursery() as writers:
            for task in range(6):
                writers.start_soon(write, task)
            await eventually(lambda: len(acknowledged) > 100)
            (postmaster,) = await database.fetchrow("SELECT pg_read_file('postmaster.pid')")
            before = len(acknowledged)
            os.kill(int(postmaster.split()[0]), kill)
            await eventually(lambda: database.problem is not None or len(acknowledged) > before + 500)
            await database.wait_available()
            before = len(acknowledged)
            await eventually(lambda: len(acknowledged) > before + 100)
            writers.cancel_scope.cancel()

        rows = {row["id"] for row in await database.fetch("SELECT id FROM facts")}
        assert set(acknowledged) <= rows
        assert rows - set(acknowledged) <= set(unknown)
        await eventually(lambda: len(database.pool.idle) == 4)
        nursery.cancel_scope.cancel()
