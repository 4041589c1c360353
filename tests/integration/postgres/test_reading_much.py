"""Who reads much takes turns on some of the connections; everybody else finds one."""

from __future__ import annotations

from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import pytest
import trio

from app.adapters.postgres import Database
from app.adapters.postgres.pool import turns_of
from app.ports.database import DatabaseUnavailableError
from tests.fixtures.waiting import eventually

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from app.adapters.postgres import Connection

# A page that takes as long as somebody else holds this lock.
PAGE = "SELECT pg_backend_pid() AS pid, pg_advisory_xact_lock_shared(1)"
HOLD = "SELECT pg_advisory_xact_lock(1)"
WAITING = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted"
END_ONE = "SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted LIMIT 1"


@pytest.fixture
async def database(postgres_url: str, nursery: trio.Nursery) -> Database:
    """Four connections, three of which may be used for pages."""
    return await opened(Database(postgres_url, size=4, turns=3, name="test"), nursery)


async def opened(database: Database, nursery: trio.Nursery) -> Database:
    """Return a database when all its connections are there."""
    await nursery.start(database.run)
    await eventually(lambda: len(database.pool.idle) == database.pool.size)
    return database


@asynccontextmanager
async def pages_held(database: Database) -> AsyncIterator[Connection]:
    """Let no page come to an end inside."""
    async with database.own_connection() as connection, connection.transaction():
        await connection.execute(HOLD)
        yield connection


async def until_they_wait(holder: Connection, database: Database, for_turns: int) -> None:
    """Wait until three pages have reached PostgreSQL and so many more wait for their turn."""
    await eventually(lambda: database.pool.waiting == for_turns)
    with trio.fail_after(10):
        while await holder.fetchval(WAITING) != 3:
            await trio.sleep(0.01)


def read(database: Database, nursery: trio.Nursery, count: int) -> list[str]:
    """Begin to read so many pages; return the list that will tell how it went."""
    told: list[str] = []

    async def read_one() -> None:
        try:
            await database.read_page(PAGE)
        except DatabaseUnavailableError as error:
            told.append(error.reason)
        else:
            told.append("read")

    for _ in range(count):
        nursery.start_soon(read_one)
    return told


async def test_three_of_four_connections_read_and_the_other_is_there(database: Database) -> None:
    async with trio.open_nursery() as nursery, pages_held(database) as holder:
        told = read(database, nursery, 5)
        await until_they_wait(holder, database, 2)
        busy = len(database.pool.lent)
        found = await database.fetchval("SELECT 1")
        idle = len(database.pool.idle)

    assert (busy, found, idle) == (3, 1, 1)
    assert (told, database.pool.waiting, len(database.pool.idle)) == (["read"] * 5, 0, 4)


async def test_who_waits_for_a_turn_is_refused_in_time(postgres_url: str, nursery: trio.Nursery) -> None:
    database = await opened(Database(postgres_url, size=4, turns=3, name="test", acquire_seconds=0.5), nursery)
    async with trio.open_nursery() as readers, pages_held(database):
        told = read(database, readers, 4)
        await eventually(lambda: told != [])
        refused = list(told)

    assert refused == ["no database connection became free in 0.5 s"]
    assert sorted(told) == sorted([*refused, *["read"] * 3])


async def test_who_stops_waiting_for_a_turn_leaves_the_queue(database: Database) -> None:
    async with trio.open_nursery() as nursery, pages_held(database):
        told = read(database, nursery, 3)
        await eventually(lambda: len(database.pool.lent) == 3)
        with trio.move_on_after(0.05) as scope:
            await database.read_page(PAGE)
        waiting = database.pool.waiting

    assert (scope.cancelled_caught, waiting, told) == (True, 0, ["read"] * 3)


async def test_the_turn_of_a_connection_that_is_lost_goes_to_the_next(database: Database) -> None:
    async with trio.open_nursery() as nursery, pages_held(database) as holder:
        told = read(database, nursery, 4)
        await until_they_wait(holder, database, 1)
        await holder.fetchval(END_ONE)
        await eventually(lambda: database.pool.waiting == 0)
        lost = list(told)

    assert len(lost) == 1
    assert lost != ["read"]
    assert told[1:] == ["read"] * 3


async def test_all_turns_come_back_from_cancelled_pages(database: Database) -> None:
    async with pages_held(database):
        for _ in range(20):
            with trio.move_on_after(0.01):
                await database.read_page(PAGE)

    async with trio.open_nursery() as nursery:
        told = read(database, nursery, 8)

    assert told == ["read"] * 8
    assert (database.pool.waiting, len(database.pool.lent)) == (0, 0)


@pytest.mark.parametrize(
    ("size", "processors", "turns"),
    [(8, 2, 3), (8, 1, 2), (8, 4, 5), (8, 64, 6), (4, 64, 3), (2, 64, 2), (100, 4, 5)],
)
def test_there_are_turns_for_three_of_four_connections_and_for_each_processor_and_one(
    size: int, processors: int, turns: int
) -> None:
    assert turns_of(size, processors) == turns
