"""Brings a database's schema to the state of the code: numbered SQL files, each applied once, in order.

The files are never edited after release: their checksums are kept in `schema_migrations` and compared at every start.
Each runs in a transaction of its own with its row in that table, so a crash leaves either both or none. An advisory
lock lets one process work while others wait, find nothing to do, and go on.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import asyncpg

import migrations
from monitoring import logs

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from app.adapters.postgres.connection import Connection
    from app.adapters.postgres.database import Database

log = logs.get_logger("migrator")

DIRECTORY = Path(migrations.__file__).parent
# "Rondo" as a number: any will do, as long as no other program on the same database takes it.
LOCK_KEY = 0x526F6E646F
# A migration that waits for a lock makes every later query on the table wait behind it.
LOCK_SECONDS = 10
STATEMENT_SECONDS = 600

_FILE_NAME = re.compile(r"(\d{4})_([a-z0-9_]+)\.sql")


class MigrationError(Exception):
    """The schema cannot be brought up to date; the message says why and what to do."""


@dataclass(frozen=True, slots=True)
class Migration:
    """One file.

    Attributes:
        number: Its place in the order, from 1, without gaps.
        name: The file's name without ``.sql``.
        sql: What it does.
        checksum: SHA-256 of the file, in hex.
    """

    number: int
    name: str
    sql: str
    checksum: str


async def migrate(database: Database, directory: Path = DIRECTORY) -> list[str]:
    """Apply what is missing and return the names of what was applied.

    Raises:
        MigrationError: A file was edited, is missing or fails, or the database is newer than this code.
        DatabaseUnavailableError: PostgreSQL is away. What was applied stays; run again.
    """
    known = read_files(directory)
    limits = {"statement_timeout": f"{STATEMENT_SECONDS}s", "lock_timeout": f"{LOCK_SECONDS}s"}
    async with database.own_connection(limits) as connection:
        await _lock(connection)
        await connection.execute(
            "CREATE TABLE IF NOT EXISTS schema_migrations (number integer PRIMARY KEY, name text NOT NULL,"
            " checksum text NOT NULL, applied_at timestamptz NOT NULL DEFAULT now())"
        )
        rows = await connection.fetch("SELECT number, name, checksum FROM schema_migrations ORDER BY number")
        missing = find_missing(known, {row["number"]: (row["name"], row["checksum"]) for row in rows})
        for migration in missing:
            await _apply(connection, migration)
    return [migration.name for migration in missing]


async def pending(database: Database, directory: Path = DIRECTORY) -> list[str]:
    """Return the names of what `migrate` would apply; changes nothing.

    Raises:
        MigrationError: As `migrate`.
        DatabaseUnavailableError: PostgreSQL is away.
    """
    known = read_files(directory)
    if await database.fetchval("SELECT to_regclass('schema_migrations')") is None:
        return [migration.name for migration in known]
    rows = await database.fetch("SELECT number, name, checksum FROM schema_migrations ORDER BY number")
    missing = find_missing(known, {row["number"]: (row["name"], row["checksum"]) for row in rows})
    return [migration.name for migration in missing]


def read_files(directory: Path) -> list[Migration]:
    """Return all migrations in order.

    Raises:
        MigrationError: A file has a wrong name, or the numbers have a gap or a double.
    """
    found = [_read(path) for path in sorted(directory.glob("*.sql"))]
    for expected, migration in enumerate(found, start=1):
        if migration.number != expected:
            raise MigrationError(f"migration {expected:04d} is missing or not alone: found {migration.name}.sql there")
    return found


def _read(path: Path) -> Migration:
    match = _FILE_NAME.fullmatch(path.name)
    if match is None:
        raise MigrationError(f"{path.name} is not named like a migration: NNNN_name.sql")
    content = path.read_bytes()
    return Migration(int(match.group(1)), path.stem, content.decode(), hashlib.sha256(content).hexdigest())


def find_missing(known: Sequence[Migration], applied: Mapping[int, tuple[str, str]]) -> list[Migration]:
    """Return what is still to be applied.

    Args:
        known: All migrations of this code.
        applied: Name and checksum by number, from the database.

    Raises:
        MigrationError: The two do not fit together.
    """
    newest = max(applied, default=0)
    if newest > len(known):
        raise MigrationError(
            f"the database is newer than this version of Rondo: it has migration {applied[newest][0]}, this version"
            f" knows {len(known)}. Start the newer version, or restore a backup made by this one."
        )
    for migration in known[:newest]:
        name, checksum = applied.get(migration.number, ("", ""))
        if not name:
            raise MigrationError(f"the database lacks migration {migration.name} but has later ones; restore a backup")
        if checksum != migration.checksum:
            raise MigrationError(
                f"{migration.name}.sql was edited after it had been applied; restore the file and put the change into"
                f" a new migration"
            )
    return list(known[newest:])


async def _lock(connection: Connection) -> None:
    """Wait until no other process migrates. The lock ends with the connection."""
    await connection.execute("SET lock_timeout = 0")
    await connection.fetchval("SELECT pg_advisory_lock($1)", LOCK_KEY)
    await connection.execute("RESET lock_timeout")


async def _apply(connection: Connection, migration: Migration) -> None:
    try:
        async with connection.transaction():
            await connection.execute(migration.sql)
            await connection.execute(
                "INSERT INTO schema_migrations (number, name, checksum) VALUES ($1, $2, $3)",
                migration.number,
                migration.name,
                migration.checksum,
            )
    except asyncpg.PostgresError as error:
        raise MigrationError(f"{migration.name}.sql failed and was undone: {error}") from error
    log.info("Applied a migration", event="database.migrated", migration=migration.name)
