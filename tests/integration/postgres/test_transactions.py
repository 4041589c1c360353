"""What a transaction promises: all or nothing, and the truth about which."""

from __future__ import annotations

from typing import TYPE_CHECKING

import asyncpg
import pytest

from app.ports.database import DatabaseUnavailableError

if TYPE_CHECKING:
    from app.adapters.postgres import Database


@pytest.fixture
async def things(database: Database) -> Database:
    await database.execute("CREATE TABLE things (id integer PRIMARY KEY)")
    return database


async def test_a_transaction_commits_when_its_block_ends(things: Database) -> None:
    async with things.transaction() as connection:
        await connection.execute("INSERT INTO things VALUES (1)")

    assert await things.fetchval("SELECT count(*) FROM things") == 1


async def test_a_transaction_rolls_back_when_an_exception_leaves_its_block(things: Database) -> None:
    with pytest.raises(LookupError):  # noqa: PT012 # the block is what is tested
        async with things.transaction() as connection:
            await connection.execute("INSERT INTO things VALUES (1)")
            raise LookupError

    assert await things.fetchval("SELECT count(*) FROM things") == 0


async def test_a_swallowed_failure_inside_a_transaction_is_not_acknowledged(things: Database) -> None:
    with pytest.raises(DatabaseUnavailableError, match="rolled back"):  # noqa: PT012 # as above
        async with things.transaction() as connection:
            await connection.execute("INSERT INTO things VALUES (1)")
            with pytest.raises(asyncpg.UniqueViolationError):
                await connection.execute("INSERT INTO things VALUES (1)")

    assert await things.fetchval("SELECT count(*) FROM things") == 0


async def test_a_failure_inside_a_savepoint_leaves_the_transaction_whole(things: Database) -> None:
    async with things.transaction() as connection:
        await connection.execute("INSERT INTO things VALUES (1)")
        with pytest.raises(asyncpg.UniqueViolationError):
            async with connection.savepoint():
                await connection.execute("INSERT INTO things VALUES (1)")
        async with connection.savepoint():
            await connection.execute("INSERT INTO things VALUES (2)")

    assert await things.fetchval("SELECT count(*) FROM things") == 2


async def test_a_failed_deferred_constraint_is_told_at_commit(things: Database) -> None:
    await things.execute("CREATE TABLE parts (thing integer REFERENCES things DEFERRABLE INITIALLY DEFERRED)")

    with pytest.raises(asyncpg.ForeignKeyViolationError):
        async with things.transaction() as connection:
            await connection.execute("INSERT INTO parts VALUES (7)")

    assert len(things.pool.idle) == things.pool.open


async def test_a_read_only_transaction_refuses_to_write(things: Database) -> None:
    with pytest.raises(DatabaseUnavailableError, match="read-only"):
        async with things.transaction(isolation="REPEATABLE READ", read_only=True) as connection:
            await connection.execute("INSERT INTO things VALUES (1)")


async def test_a_connection_given_back_inside_a_transaction_is_not_lent_again(things: Database) -> None:
    async with things.connection() as connection:
        await connection.execute("BEGIN")

    assert connection.raw.is_closed()
