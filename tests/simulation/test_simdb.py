"""The faults of the simulated database: each does what a real one's does."""

from __future__ import annotations

from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import pytest
import trio

from app.ports.database import DatabaseUnavailableError, OutcomeUnknownError
from tests.simulation.simdb.client import Client
from tests.simulation.simdb.database import SimDb, Weather
from tests.simulation.simdb.errors import CrashError
from tests.simulation.surroundings import Surroundings

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from trio.testing import MockClock


@pytest.fixture
async def db(nursery: trio.Nursery) -> SimDb:
    """A database that runs."""
    around = Surroundings(seed="faults")
    await nursery.start(around.db.run)
    return around.db


@asynccontextmanager
async def writing(client: Client, key: str = "a") -> AsyncIterator[None]:
    """Write one row in a transaction."""
    async with client.transaction("test") as work:
        await work.statement("write")
        work.put("rows", key, key)
        yield


def rows(db: SimDb) -> list[str]:
    return sorted(db.store.rows("rows"))


async def write(client: Client, key: str = "a") -> None:
    async with writing(client, key):
        pass


async def test_a_lost_reply_leaves_the_write_and_the_doubt(autojump_clock: MockClock, db: SimDb) -> None:
    db.weather = Weather(lost_reply=1.0)

    with pytest.raises(OutcomeUnknownError):
        await write(Client(db))

    assert rows(db) == ["a"]


async def test_a_lost_commit_leaves_only_the_doubt(autojump_clock: MockClock, db: SimDb) -> None:
    db.weather = Weather(lost_commit=1.0)

    with pytest.raises(OutcomeUnknownError):
        await write(Client(db))

    assert rows(db) == []


async def test_an_exception_undoes_what_was_written(autojump_clock: MockClock, db: SimDb) -> None:
    with pytest.raises(RuntimeError, match="no"):
        async with writing(Client(db)):
            raise RuntimeError("no")

    assert rows(db) == []


async def test_a_crash_after_the_commit_leaves_the_write(autojump_clock: MockClock, db: SimDb) -> None:
    with pytest.raises(CrashError):
        async with writing(Client(db)):
            db.weather = Weather(crash=1.0)

    assert rows(db) == ["a"]


async def test_a_process_that_is_killed_while_it_commits_does_not_stop_the_commit(
    autojump_clock: MockClock, db: SimDb, nursery: trio.Nursery
) -> None:
    db.weather = Weather(slow_commit=1.0)
    client, outcomes = Client(db), list[type]()

    async def write_and_die() -> None:
        try:
            await write(client)
        except DatabaseUnavailableError as error:
            outcomes.append(type(error))

    nursery.start_soon(write_and_die)
    await trio.sleep(0.1)
    client.kill()
    await trio.sleep(0.1)
    meanwhile = rows(db)
    await trio.sleep(10)

    assert (outcomes, meanwhile, rows(db)) == ([OutcomeUnknownError], [], ["a"])


async def test_a_process_that_is_killed_before_it_commits_leaves_nothing(autojump_clock: MockClock, db: SimDb) -> None:
    client = Client(db)

    with pytest.raises(DatabaseUnavailableError):
        async with writing(client):
            client.kill()
    await trio.sleep(10)

    assert rows(db) == []


async def test_nobody_gets_through_while_the_database_is_away(autojump_clock: MockClock, db: SimDb) -> None:
    client = Client(db)
    await write(client, "before")

    with pytest.raises(DatabaseUnavailableError):
        async with writing(client, "during"):
            db.go_away()
    with pytest.raises(DatabaseUnavailableError):
        await write(client, "away")
    db.come_back()
    await write(client, "after")

    assert rows(db) == ["after", "before"]


async def test_a_statement_sees_what_was_committed_when_it_began(autojump_clock: MockClock, db: SimDb) -> None:
    client = Client(db)
    async with client.transaction() as reader:
        await reader.statement()
        await write(client)
        in_the_statement = list(reader.rows("rows"))
        await reader.statement()
        in_the_next = list(reader.rows("rows"))

    assert (in_the_statement, in_the_next) == ([], ["a"])


async def test_who_looks_before_having_the_lock_sees_what_was_before(autojump_clock: MockClock, db: SimDb) -> None:
    """The reason why the relay locks in one statement and assigns in the next."""
    client, seen = Client(db), list[tuple[list[str], list[str]]]()

    async def lock_and_look(key: str) -> None:
        async with client.transaction("test") as work:
            await work.statement("lock and look")
            await work.lock("relay_state", "the row")
            early = sorted(work.rows("rows"))
            await work.statement("look again")
            seen.append((early, sorted(work.rows("rows"))))
            work.put("rows", key, key)

    async with trio.open_nursery() as both:
        both.start_soon(lock_and_look, "a")
        both.start_soon(lock_and_look, "b")

    assert seen[0] == ([], [])
    assert seen[1] in (([], ["a"]), ([], ["b"]))
