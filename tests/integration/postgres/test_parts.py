"""The smaller parts: what a statement is called, what the server's log says, what asyncpg's rarer paths need."""

from __future__ import annotations

import ssl
from typing import TYPE_CHECKING

import asyncpg
import pytest
import trio
import trustme

from app.adapters.postgres import Database, connection, errors, opening, silence, statements
from app.adapters.postgres.driver import Crossing, drive
from app.adapters.postgres.opening import server_of
from app.adapters.postgres.server_log import LineReader, parse
from app.ports.database import DatabaseUnavailableError, OutcomeUnknownError
from tests.fixtures.tcp_proxy import TcpProxy

if TYPE_CHECKING:
    from pathlib import Path


def directory_of(url: str) -> str:
    return url.partition("host=")[2].partition("&")[0]


def through(proxy: TcpProxy, url: str, options: str = "sslmode=disable") -> str:
    """Return the URL of the same database, reached through the proxy."""
    name = url.partition("@/")[2].partition("?")[0]
    return f"postgresql://rondo@localhost:{proxy.port}/{name}?{options}"


def test_a_connection_that_breaks_inside_asyncpg_is_told_in_our_words() -> None:
    broken = errors.unavailable(asyncpg.InternalClientError("cannot switch to state 11; another operation (2)"))

    assert broken.reason == "PostgreSQL cannot be used: the connection broke"


@pytest.mark.parametrize(
    ("sql", "summary", "writes"),
    [
        ("SELECT 1", "SELECT", False),
        ('select * from only public."tasks" t', "SELECT tasks", False),
        ("-- insert into lies\nSELECT a FROM tasks /* update x */", "SELECT tasks", False),
        ("INSERT INTO events (id) SELECT id FROM tasks", "INSERT events", True),
        ("WITH old AS (SELECT 1 FROM a) UPDATE tasks SET x = 1", "UPDATE tasks", True),
        ("WITH a AS (SELECT 1 FROM tasks) SELECT * FROM a", "SELECT tasks", False),
        ("delete from only things", "DELETE things", True),
        ("MERGE INTO things USING x ON true", "MERGE things", True),
        ("CREATE TABLE x ()", "CREATE", True),
        ("", "", False),
    ],
)
def test_a_statement_is_called_by_what_it_does(sql: str, summary: str, writes: bool) -> None:  # noqa: FBT001 # a case
    described = statements.describe(sql)

    assert (described.summary, described.writes) == (summary, writes)
    assert statements.describe(sql) is described


def test_a_statement_may_be_given_a_name() -> None:
    sql = statements.name("SELECT do_it_all()", operation="UPDATE", table="tasks")

    assert statements.describe(sql).summary == "UPDATE tasks"
    assert statements.describe(sql).writes


@pytest.mark.parametrize(
    ("line", "level", "text"),
    [
        ("7|checkpointer|00000|LOG:  checkpoint starting", "INFO", "checkpoint starting"),
        ("7|client backend|23505|ERROR:  duplicate key", "DEBUG", "duplicate key"),
        ("7|autovacuum worker|XX001|ERROR:  bad page", "ERROR", "bad page"),
        (
            "7|startup|XX000|PANIC:  could not locate a valid checkpoint",
            "CRITICAL",
            "could not locate a valid checkpoint",
        ),
        ("7|postmaster|00000|DEBUG2:  hm", "DEBUG", "hm"),
        ("  cannot run it: no such file ", "WARNING", "cannot run it: no such file"),
    ],
)
def test_a_line_of_the_server_gets_our_level(line: str, level: str, text: str) -> None:
    parsed = parse(line)

    assert (parsed.level, parsed.text) == (level, text)


def test_lines_are_put_together_from_pieces() -> None:
    reader = LineReader()

    lines = [
        *reader.feed(b"7|postmaster|00000|LOG:  database system is rea"),
        *reader.feed(b"dy to accept connections\nla"),
    ]

    assert [line.is_ready for line in lines] == [True]
    assert [line.text for line in reader.feed(b"")] == ["la"]


def test_a_url_is_shown_without_user_and_password() -> None:
    assert server_of("postgresql://me:secret@db.example:5433/rondo?sslmode=require") == "db.example:5433/rondo"
    assert server_of("postgresql://me@/rondo?host=/run/pg") == "/run/pg/rondo"


def test_a_crossing_counts_its_cancellations_like_a_task() -> None:
    crossing = Crossing()

    crossing.cancel()

    assert (crossing.cancelling(), crossing.must_cancel) == (1, True)
    assert crossing.uncancel() == 0


async def test_copy_streams_with_back_pressure_both_ways(database: Database) -> None:
    received = bytearray()

    async def sink(data: bytes) -> None:  # noqa: ASYNC124 # asyncpg awaits it
        received.extend(data)

    async with database.connection() as lent:
        await lent.execute("CREATE TABLE big (id integer, text text)")
        rows = [(number, "x" * 1000) for number in range(5000)]
        await drive(lent._loop, lent.raw.copy_records_to_table("big", records=rows))
        await drive(lent._loop, lent.raw.copy_from_query("SELECT * FROM big", output=sink))

    assert received.count(b"\n") == 5000
    assert await database.fetchval("SELECT count(*) FROM big") == 5000


async def test_asyncpgs_own_time_limits_work_on_trios_clock(database: Database) -> None:
    async with database.connection() as lent:
        with pytest.raises(TimeoutError):
            await drive(lent._loop, lent.raw.fetchval("SELECT pg_sleep(60)", timeout=0.05))

        assert await lent.fetchval("SELECT 1") == 1
        await drive(lent._loop, lent.raw.close(timeout=1))

    assert lent.raw.is_closed()


async def test_two_tasks_on_one_connection_are_a_bug_and_told_so(database: Database) -> None:
    async with database.connection() as lent, trio.open_nursery() as nursery:
        nursery.start_soon(lent.fetchval, "SELECT pg_sleep(0.2)")
        await trio.testing.wait_all_tasks_blocked()

        with pytest.raises(asyncpg.InterfaceError, match="another operation is in progress"):
            await lent.fetchval("SELECT 1")


async def test_rows_of_many_megabytes_are_written_with_back_pressure(database: Database) -> None:
    await database.execute("CREATE TABLE big (text text)")

    await database.executemany("INSERT INTO big VALUES ($1)", [("x" * 100_000,) for _ in range(100)])

    assert await database.fetchval("SELECT sum(length(text)) FROM big") == 10_000_000


async def test_tls_may_begin_with_the_first_byte(nursery: trio.Nursery, postgres_url: str, tmp_path: Path) -> None:
    authority = trustme.CA()
    authority.cert_pem.write_to_path(tmp_path / "authority.pem")
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    authority.issue_cert("localhost").configure_cert(context)
    context.set_alpn_protocols(["postgresql"])
    proxy = TcpProxy(directory_of(postgres_url), context, direct=True)
    await nursery.start(proxy.run)
    options = f"sslmode=verify-full&sslrootcert={tmp_path}/authority.pem&sslnegotiation=direct"

    database = Database(through(proxy, postgres_url, options), size=1, name="direct")
    await nursery.start(database.run)

    assert await database.fetchval("SELECT 1") == 1


async def test_a_server_older_than_supported_is_refused(
    nursery: trio.Nursery, postgres_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(opening, "OLDEST_MAJOR_VERSION", 99)

    database = Database(postgres_url, size=1, name="old")
    await nursery.start(database.run)

    assert database.problem == "PostgreSQL 18 is too old: Rondo needs PostgreSQL 99 or newer"


async def test_a_name_that_no_host_has_is_told(nursery: trio.Nursery) -> None:
    database = Database("postgresql://rondo@no-such-host.invalid/x", size=1, name="nowhere")

    with trio.fail_after(5):
        await nursery.start(database.run)

    assert database.problem is not None
    assert "Name or service not known" in database.problem
    assert database.server == "no-such-host.invalid/x"  # told apart: anyone may read the problem


class TestWhenPostgresIsSilent:
    @pytest.fixture
    async def proxy(self, nursery: trio.Nursery, postgres_url: str) -> TcpProxy:
        proxy = TcpProxy(directory_of(postgres_url))
        await nursery.start(proxy.run)
        return proxy

    @pytest.fixture
    async def remote(self, nursery: trio.Nursery, proxy: TcpProxy, postgres_url: str) -> Database:
        database = Database(
            through(proxy, postgres_url),
            size=1,
            name="remote",
            statement_seconds=0.1,
            server_settings={"statement_timeout": "0"},
        )
        await nursery.start(database.run)
        await database.execute("CREATE TABLE IF NOT EXISTS facts (id integer)")
        return database

    async def test_a_commit_without_an_answer_ends_at_its_deadline(
        self, remote: Database, proxy: TcpProxy, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(connection, "BORDER_SECONDS", 0.1)

        with pytest.raises(OutcomeUnknownError):  # noqa: PT012 # the block is what is tested
            async with remote.transaction() as lent:
                await lent.execute("INSERT INTO facts VALUES (1)")
                proxy.hold()

        assert lent.raw.is_closed()
        proxy.flow()

    async def test_a_rollback_without_an_answer_cuts_the_connection(
        self, remote: Database, proxy: TcpProxy, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(connection, "BORDER_SECONDS", 0.1)

        with pytest.raises(LookupError):  # noqa: PT012 # the block is what is tested
            async with remote.transaction() as lent:
                proxy.hold()
                raise LookupError

        assert lent.raw.is_closed()
        proxy.flow()

    async def test_a_cancelled_statement_that_cannot_be_cancelled_costs_the_connection(
        self, remote: Database, proxy: TcpProxy, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(connection, "SETTLE_SECONDS", 0.1)

        async with remote.connection() as lent:
            proxy.hold()
            with trio.move_on_after(0.05) as scope:
                await lent.fetchval("SELECT 1")

        assert scope.cancelled_caught
        assert lent.raw.is_closed()
        proxy.flow()

    async def test_a_statement_that_outlives_its_limit_is_cut(
        self, remote: Database, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(silence, "SLACK_SECONDS", 0.0)

        with pytest.raises(DatabaseUnavailableError), trio.fail_after(5):
            await remote.fetchval("SELECT pg_sleep(60)")

    async def test_a_reconnect_into_silence_is_told_at_once(self, remote: Database, proxy: TcpProxy) -> None:
        proxy.hold()
        proxy.cut()

        with trio.fail_after(3):
            while remote.problem != silence.SILENT:  # noqa: ASYNC110 # the watch decides when
                await trio.sleep(0.01)

        proxy.flow()
        with trio.fail_after(10):
            await remote.wait_available()

    async def test_an_idle_connection_is_asked_for_a_sign_of_life(
        self, remote: Database, proxy: TcpProxy, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(silence, "IDLE_SECONDS", 0.0)
        monkeypatch.setattr(silence, "IDLE_ANSWER_SECONDS", 0.1)
        (idle,) = remote.pool.idle
        proxy.hold()

        with trio.fail_after(5):
            while not idle.raw.is_closed():  # noqa: ASYNC110 # the watch decides when
                await trio.sleep(0.01)

        proxy.flow()


async def test_a_transaction_whose_beginning_fails_gives_its_connection_back(database: Database) -> None:
    with pytest.raises(asyncpg.PostgresSyntaxError):
        async with database.transaction(isolation="NONSENSE"):  # type: ignore[arg-type] # on purpose
            pytest.fail("the block must not begin")

    assert len(database.pool.idle) == database.pool.open
