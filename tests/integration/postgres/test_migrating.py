"""Migrations are applied once, in order, all or nothing."""

from __future__ import annotations

import json
import shutil
from typing import TYPE_CHECKING

import pytest
import trio

from app.adapters.postgres import Database, MigrationError, migrate
from app.adapters.postgres.migrator import DIRECTORY, pending
from tests.integration.services.world import UNTRUE_TASKS

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
async def empty(empty_postgres_url: str, nursery: trio.Nursery) -> Database:
    database = Database(empty_postgres_url, size=2, name="migrated")
    await nursery.start(database.run)
    return database


def write(directory: Path, **files: str) -> Path:
    for name, sql in files.items():
        (directory / f"{name[1:]}.sql").write_text(sql)
    return directory


TWO = {"_0001_things": "CREATE TABLE things (id integer)", "_0002_more": "ALTER TABLE things ADD name text"}

# Before 0012 nothing was kept of how a task is shown.
OLD_TASKS = """
    WITH who AS (
        INSERT INTO accounts (id, email, email_key, password_hash, created_at, updated_at)
        VALUES (gen_random_uuid(), 'a@example.org', 'a@example.org', '', now(), now()) RETURNING id
    ), inbox AS (
        INSERT INTO projects (id, name, kind, created_at) SELECT id, 'Inbox', 'inbox', now() FROM who RETURNING id
    ), task AS (
        INSERT INTO tasks (id, project_id, title, tags, tag_keys, due_on, created_at, updated_at)
        SELECT gen_random_uuid(), id, title, '{Büro}', '{büro}', '2026-12-01', now(), now()
        FROM inbox, unnest(ARRAY['With a reminder', 'Without']) AS title RETURNING id, title
    )
    INSERT INTO reminders (id, task_id, project_id, account_id, before, before_seconds, channels, state, created_at,
                           updated_at)
    SELECT gen_random_uuid(), task.id, who.id, who.id, 'PT1H', 3600, '{web}', 'waiting', now(), now()
    FROM task, who WHERE title = 'With a reminder'
"""


async def test_missing_migrations_are_applied_in_order_and_only_once(empty: Database, tmp_path: Path) -> None:
    directory = write(tmp_path, **TWO)

    first = await migrate(empty, directory)
    second = await migrate(empty, directory)

    assert (first, second) == (["0001_things", "0002_more"], [])
    assert await empty.fetchval("SELECT array_agg(name ORDER BY number) FROM schema_migrations") == first


async def test_what_is_pending_is_told_without_changing_anything(empty: Database, tmp_path: Path) -> None:
    directory = write(tmp_path, _0001_things=TWO["_0001_things"])

    before = await pending(empty, directory)
    await migrate(empty, directory)
    write(tmp_path, **TWO)

    assert (before, await pending(empty, directory)) == (["0001_things"], ["0002_more"])


async def test_of_two_processes_one_migrates_and_the_other_finds_nothing_to_do(empty: Database, tmp_path: Path) -> None:
    directory = write(tmp_path, _0001_slow="SELECT pg_sleep(0.1); CREATE TABLE things (id integer)")
    applied: list[list[str]] = []

    async def run() -> None:
        applied.append(await migrate(empty, directory))

    async with trio.open_nursery() as nursery:
        nursery.start_soon(run)
        nursery.start_soon(run)

    assert sorted(applied) == [[], ["0001_slow"]]


async def test_a_failing_migration_is_undone_and_named(empty: Database, tmp_path: Path) -> None:
    directory = write(tmp_path, **TWO, _0003_broken="CREATE TABLE half (id integer); SELECT nonsense")

    with pytest.raises(MigrationError, match=r"0003_broken.sql failed and was undone: .*nonsense"):
        await migrate(empty, directory)

    assert await empty.fetchval("SELECT to_regclass('half')") is None
    assert await empty.fetchval("SELECT max(number) FROM schema_migrations") == 2


async def test_an_edited_migration_is_refused(empty: Database, tmp_path: Path) -> None:
    await migrate(empty, write(tmp_path, **TWO))

    with pytest.raises(MigrationError, match=r"0001_things.sql was edited"):
        await migrate(empty, write(tmp_path, _0001_things="CREATE TABLE things (id bigint)"))


async def test_a_database_newer_than_the_code_is_refused(empty: Database, tmp_path: Path) -> None:
    await migrate(empty, write(tmp_path, **TWO))
    (tmp_path / "0002_more.sql").unlink()

    with pytest.raises(MigrationError, match="newer than this version of Rondo: it has migration 0002_more"):
        await migrate(empty, tmp_path)


async def test_a_database_with_a_hole_is_refused(empty: Database, tmp_path: Path) -> None:
    await migrate(empty, write(tmp_path, **TWO))
    await empty.execute("DELETE FROM schema_migrations WHERE number = 1")

    with pytest.raises(MigrationError, match="lacks migration 0001_things"):
        await migrate(empty, tmp_path)


@pytest.mark.parametrize(
    ("files", "message"),
    [
        ({"_0001_a": "", "_0003_c": ""}, "migration 0002 is missing"),
        ({"_0001_a": "", "_0001_b": ""}, "migration 0002 is missing or not alone"),
        ({"_first": ""}, "first.sql is not named like a migration"),
    ],
)
async def test_files_out_of_order_are_refused_before_anything_happens(
    empty: Database, tmp_path: Path, files: dict[str, str], message: str
) -> None:
    with pytest.raises(MigrationError, match=message):
        await migrate(empty, write(tmp_path, **files))


async def test_tasks_of_before_are_written_out_with_their_reminders(empty: Database, tmp_path: Path) -> None:
    for path in sorted(DIRECTORY.glob("*.sql"))[:11]:
        shutil.copy(path, tmp_path)
    await migrate(empty, tmp_path)
    await empty.execute(OLD_TASKS)

    await migrate(empty)

    assert await empty.fetchval(UNTRUE_TASKS) == 0
    shown = [json.loads(row["json"]) for row in await empty.fetch("SELECT json FROM tasks ORDER BY title")]
    assert [(task["title"], task["tags"], task["dueDate"], len(task["reminders"])) for task in shown] == [
        ("With a reminder", ["Büro"], "2026-12-01", 1),
        ("Without", ["Büro"], "2026-12-01", 0),
    ]


async def test_the_words_of_before_are_folded_in_tasks_and_in_the_index(empty: Database, tmp_path: Path) -> None:
    for path in sorted(DIRECTORY.glob("*.sql"))[:14]:
        shutil.copy(path, tmp_path)
    await migrate(empty, tmp_path)
    await empty.execute(OLD_TASKS.replace("Without", "Stra\u00dfe, cafe\u0301"))
    await empty.execute("INSERT INTO task_texts SELECT id, project_id, tag_keys, search_text FROM tasks")
    untouched = "SELECT ctid FROM tasks WHERE title = 'With a reminder'"
    place = await empty.fetchval(untouched)

    await migrate(empty)

    assert await empty.fetchval(UNTRUE_TASKS) == 0
    assert await empty.fetchval(untouched) == place
    for table in ("tasks", "task_texts"):
        found = await empty.fetch(f"SELECT search_text FROM {table} ORDER BY search_text")  # noqa: S608 # our own names
        assert [row["search_text"].partition("\n")[0] for row in found] == ["strasse, caf\u00e9", "with a reminder"]
