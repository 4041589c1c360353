"""A cancelled statement is cancelled in PostgreSQL too, and its connection is clean afterwards."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

import pytest
import trio

if TYPE_CHECKING:
    from app.adapters.postgres import Connection, Database

STORM_SECONDS = 3.0
BUSY = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND state <> 'idle'"
IN_TRANSACTION = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND state ~ 'in transaction'"


async def _all_idle(database: Database) -> bool:
    """Wait until the pool is whole; return whether every connection answers and none is in a transaction."""
    with trio.fail_after(5):
        while len(database.pool.idle) < database.pool.size:
            await trio.testing.wait_all_tasks_blocked(0.01)
    return bool(await database.fetchval(IN_TRANSACTION) == 0)


async def test_a_cancelled_statement_stops_in_postgresql(database: Database) -> None:
    with trio.move_on_after(0.05) as scope:
        await database.fetchval("SELECT pg_sleep(60)")

    assert scope.cancelled_caught
    assert await database.fetchval(BUSY) == 1  # the question itself


async def test_the_connection_of_a_cancelled_statement_is_used_again(database: Database) -> None:
    async with database.connection() as connection:
        pid = connection.server_pid
        with trio.move_on_after(0.02):
            await connection.fetchval("SELECT pg_sleep(60)")

        assert await connection.fetchval("SELECT pg_backend_pid()") == pid


async def test_a_statement_cancelled_while_it_is_prepared_leaves_a_clean_connection(database: Database) -> None:
    await database.execute("CREATE TABLE locked (id integer)")
    async with database.transaction() as holder:
        await holder.execute("LOCK TABLE locked")  # parsing a statement about it must wait
        with trio.move_on_after(0.05) as scope:
            await database.fetchval("SELECT count(*) FROM locked WHERE id = $1", 1)

    assert scope.cancelled_caught
    assert await database.fetchval("SELECT count(*) FROM locked WHERE id = $1", 1) == 0


async def test_a_call_in_a_cancelled_scope_leaves_the_pool_whole(database: Database) -> None:
    assert await _all_idle(database)  # from here on the pool opens none by itself

    with trio.CancelScope() as scope:
        scope.cancel()
        await database.fetchval("SELECT 1")

    assert scope.cancelled_caught
    assert database.pool.open == len(database.pool.idle) == database.pool.size


async def test_a_cancelled_executemany_leaves_nothing_behind(database: Database) -> None:
    await database.execute("CREATE TABLE many (id integer)")

    with trio.move_on_after(0.02) as scope:
        await database.executemany("INSERT INTO many SELECT $1 FROM pg_sleep(0.001)", [(i,) for i in range(5000)])

    assert scope.cancelled_caught
    assert await database.fetchval("SELECT count(*) FROM many") == 0
    assert await _all_idle(database)


async def test_cancelling_while_waiting_for_a_connection_loses_none(database: Database) -> None:
    async def borrow(hold_seconds: float) -> None:
        with trio.move_on_after(hold_seconds):
            async with database.connection() as connection:
                await connection.fetchval("SELECT pg_sleep(0.005)")

    async with trio.open_nursery() as nursery:
        for number in range(60):
            nursery.start_soon(borrow, number / 2000)

    assert await _all_idle(database)
    assert (len(database.pool.lent), database.pool.waiting) == (0, 0)


async def test_a_transaction_cancelled_at_its_commit_is_committed(database: Database) -> None:
    await database.execute("CREATE TABLE facts (id integer)")

    with trio.CancelScope() as scope:
        async with database.transaction() as connection:
            await connection.execute("INSERT INTO facts VALUES (1)")
            scope.cancel()

    assert not scope.cancelled_caught  # nothing waited after the commit
    assert await database.fetchval("SELECT count(*) FROM facts") == 1


async def _seconds_of_a_crowd(database: Database) -> float:
    """Return how long twenty transactions at once take here."""

    async def use() -> None:
        async with database.transaction() as connection:
            await connection.fetchval("SELECT count(*) FROM writes")

    began = trio.current_time()
    async with trio.open_nursery() as nursery:
        for _ in range(20):
            nursery.start_soon(use)
    return trio.current_time() - began


@pytest.mark.accepts("C07")
async def test_a_storm_of_cancellations_loses_no_write_and_no_connection(database: Database) -> None:
    await database.execute("CREATE TABLE writes (id bigint GENERATED ALWAYS AS IDENTITY, task integer, round integer)")
    acknowledged: list[tuple[int, int]] = []
    started = 0
    longest = max(0.02, 2 * await _seconds_of_a_crowd(database))  # on a loaded machine 20 ms would spare nobody

    async def write(connection: Connection, task: int, number: int) -> None:
        await connection.execute("INSERT INTO writes (task, round) VALUES ($1, $2)", task, number)
        await connection.fetchval("SELECT count(*) FROM writes WHERE task = $1", task)

    async def work(task: int) -> None:
        nonlocal started
        chance = random.Random(task)  # the same storm every time
        number = 0
        while trio.current_time() < end:
            number += 1
            started += 1
            with trio.move_on_after(chance.uniform(0, longest)):
                async with database.transaction() as connection:
                    await write(connection, task, number)
                acknowledged.append((task, number))

    end = trio.current_time() + STORM_SECONDS
    async with trio.open_nursery() as nursery:
        for task in range(20):
            nursery.start_soon(work, task)

    assert await _all_idle(database)
    rows = await database.fetch("SELECT task, round FROM writes")
    assert sorted((row["task"], row["round"]) for row in rows) == sorted(acknowledged)
    assert started > len(acknowledged) > 0
