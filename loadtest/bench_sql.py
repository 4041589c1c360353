"""How long PostgreSQL takes for pages of tasks, for their index of words, and for the JSON of tasks.

Pages are measured also while that index is behind; the JSON is the one that is kept, made from a row, and from pairs;
writing a task is measured also as it was when PostgreSQL derived and checked it by itself (before migration 0012).

Usage: python -m loadtest.bench_sql. Starts Rondo on a new directory with 10,000 tasks; prints medians of round trips on
one connection, nothing else going on.
"""

from __future__ import annotations

import contextlib
import sys
import tempfile
import time
from pathlib import Path
from statistics import median
from typing import Any, Final
from uuid import UUID

import trio

from app.adapters.postgres import Database
from app.adapters.postgres.task_pages import page_statement
from app.domain.ids import AccountId
from app.domain.queries import TaskQuery, TaskSort
from app.domain.task import Priority
from loadtest.bench.stage import register
from loadtest.bench.store import INBOX, Store
from loadtest.process import Rondo

TASKS: Final = 10_000
# Events that the index of words has not come to.
BEHIND: Final = (200, 2_000)
# Rondo's own followers wait meanwhile, and nothing of it is kept.
HOLD_FOLLOWERS: Final = "SELECT FROM cursors WHERE consumer IN ('search', 'audit') ORDER BY consumer FOR UPDATE"
CHANGE: Final = """
    WITH changed AS (
        UPDATE tasks t SET description = 'Changed ' || md5(t.id::text) FROM tasks o
        WHERE t.id IN (SELECT id FROM tasks WHERE project_id = $1 ORDER BY md5(id::text) LIMIT $2) AND o.id = t.id
        RETURNING t.id, t.project_id, o.json AS before, t.json AS after
    )
    INSERT INTO events (position, id, type, project_id, task_id, occurred_at, before, after)
    SELECT (SELECT coalesce(max(position), 0) FROM events) + row_number() OVER (), gen_random_uuid(), 'task.updated',
           project_id, id, now(), before::jsonb, after::jsonb
    FROM changed
"""
# What is volatile is not put into another statement: it is one of its own for each event, as before migration 0014.
ONE_BY_ONE: Final = "ALTER FUNCTION changed_fields(jsonb, jsonb) VOLATILE"
# So many events are appended to the trail at a time.
AUDITED: Final = 100
APPENDED: Final = 5
ALTERNATIONS: Final = 10
# So many changed texts are indexed at a time.
AT_A_TIME: Final = (100, 1_000)
# Where the index of words was before: every new version of a task was an entry in it.
ON_TASKS: Final = """
    CREATE INDEX ON tasks USING gin (project_id, tag_keys, search_text gin_trgm_ops) WITH (gin_pending_list_limit = 64)
    WHERE deleted_at IS NULL
"""
OPEN_TASKS: Final = (
    "SELECT id FROM tasks WHERE project_id = $1 AND completed_at IS NULL ORDER BY md5(id::text) LIMIT $2"
)
COMPLETE: Final = "UPDATE tasks SET completed_at = now(), version = version + 1 WHERE id = $1"
COMPLETED: Final = 1_000
ROUNDS: Final = 60
PAGES: Final = {
    "by due date": TaskQuery(completed=False, sort=TaskSort.DUE_DATE),
    "high and urgent": TaskQuery(priorities=frozenset({Priority.HIGH, Priority.URGENT}), sort=TaskSort.PRIORITY),
    "by title, with a tag": TaskQuery(completed=False, tags=("home",), sort=TaskSort.TITLE),
    "a frequent part": TaskQuery(search="ounta"),
    "a part of one in thirteen": TaskQuery(search="arde"),
    "a rare part": TaskQuery(search="n 99"),
    "two rare letters": TaskQuery(search="qz"),
}
# As migration 0005 had it.
PAIRS: Final = """json_build_object(
    'id', t.id, 'title', t.title, 'description', t.description, 'completed', t.completed_at IS NOT NULL,
    'completedAt', instant_text(t.completed_at), 'priority', (ARRAY['low', 'medium', 'high', 'urgent'])[t.priority + 1],
    'tags', to_json(t.tags), 'dueDate', coalesce(t.due_on::text, instant_text(t.due_at)), 'timeZone', t.time_zone,
    'recurrence', CASE WHEN t.recurrence_rule IS NOT NULL THEN json_build_object(
        'rule', t.recurrence_rule, 'mode', t.recurrence_mode, 'missed', t.recurrence_missed) END,
    'reminders', '[]'::json, 'version', t.version, 'createdAt', instant_text(t.created_at),
    'updatedAt', instant_text(t.updated_at))"""
# As migrations 0001 and 0009 had it: what follows from a task, and what it may be, in texts that each write parses.
DERIVED_BY_POSTGRESQL: Final = """
    ALTER TABLE tasks DISABLE TRIGGER tasks_written_out;
    ALTER TABLE tasks
        ADD COLUMN g1 timestamptz GENERATED ALWAYS AS (coalesce(due_at, due_on::timestamp AT TIME ZONE 'UTC')) STORED,
        ADD COLUMN g2 text COLLATE "C" GENERATED ALWAYS AS (lower(title)) STORED,
        ADD COLUMN g3 text
            GENERATED ALWAYS AS (lower(title || E'\n' || description || E'\n' || lines_of(tags))) STORED,
        ADD CHECK (char_length(title) BETWEEN 1 AND 500),
        ADD CHECK (octet_length(description) <= 65536),
        ADD CHECK (priority BETWEEN 0 AND 3),
        ADD CHECK (cardinality(tags) <= 100),
        ADD CHECK (recurrence_mode IN ('schedule', 'afterCompletion')),
        ADD CHECK (recurrence_missed IN ('skip', 'keep')),
        ADD CHECK (due_on IS NULL OR due_at IS NULL),
        ADD CHECK ((recurrence_rule IS NULL) = (recurrence_mode IS NULL)),
        ADD CHECK ((recurrence_rule IS NULL) = (recurrence_missed IS NULL)),
        ADD CHECK ((recurrence_rule IS NULL) = (series_id IS NULL))
"""
WRITE: Final = "UPDATE tasks SET version = version + 1, updated_at = now() WHERE id = $1 RETURNING {json}"
OF_500: Final = "SELECT length(string_agg({}::text, ',')) FROM (SELECT * FROM tasks LIMIT 500) t"


def main() -> int:
    """Measure and print."""
    with tempfile.TemporaryDirectory(prefix="rondo-bench-") as folder:
        rondo = Rondo(data_dir=Path(folder) / "data")
        rondo.start()
        try:
            owner = register(rondo.port, ["owner"])[0].id
            with Store(rondo.data_dir) as store:
                store.fill(owner, TASKS)
                store.tidy()
                trio.run(_measure, store.url, AccountId(UUID(owner)))
        finally:
            rondo.stop()
    return 0


async def _measure(url: str, account_id: AccountId) -> None:
    async with trio.open_nursery() as nursery:
        database = Database(url, size=1)
        await nursery.start(database.run)
        async with database.connection() as connection:
            _say("SELECT 1", await _seconds(connection, "SELECT 1"))
            for name, query in PAGES.items():
                statement, values = page_statement(account_id, query, None)
                _say(f"50 tasks, {name}", await _seconds(connection, statement, *values))
            await _measure_behind(connection, account_id)
            await _measure_indexing(connection, account_id)
            await _measure_auditing(connection, account_id)
            await _measure_completing(connection, account_id)
            await _measure_writing(connection, account_id)
            for name, json in (("kept", "t.json"), ("from a row", "task_json(t, NULL)"), ("from pairs", PAIRS)):
                _say(f"JSON of 500 tasks, {name}", await _seconds(connection, OF_500.format(json)))
        nursery.cancel_scope.cancel()


async def _measure_behind(connection: Any, account_id: AccountId) -> None:
    statement, values = page_statement(account_id, PAGES["a rare part"], None)
    inbox = await connection.fetchval(INBOX, str(account_id))
    for behind in BEHIND:
        with contextlib.suppress(_UndoError):
            async with connection.transaction():
                await connection.execute(HOLD_FOLLOWERS)
                await connection.execute(CHANGE, inbox, behind)
                _say(f"50 tasks, a rare part, {behind:,} events behind", await _seconds(connection, statement, *values))
                raise _UndoError


async def _measure_indexing(connection: Any, account_id: AccountId) -> None:
    inbox = await connection.fetchval(INBOX, str(account_id))
    for batch in AT_A_TIME:
        with contextlib.suppress(_UndoError):
            async with connection.transaction():
                await connection.execute(HOLD_FOLLOWERS)
                await connection.execute(CHANGE, inbox, BEHIND[-1])
                began, handled = time.perf_counter(), 0
                while found := await connection.fetchval("SELECT handled FROM index_texts($1)", batch):
                    handled += found
                _say(f"to index a changed text, {batch:,} at a time", (time.perf_counter() - began) / handled)
                raise _UndoError


async def _measure_auditing(connection: Any, account_id: AccountId) -> None:
    inbox = await connection.fetchval(INBOX, str(account_id))
    variants = {"to append an event to the trail": "SELECT 1", "the same, a statement for each": ONE_BY_ONE}
    taken: dict[str, list[float]] = {what: [] for what in variants}
    for what, before in [*variants.items()] * ALTERNATIONS:  # in turn: the machine's speed changes within seconds
        with contextlib.suppress(_UndoError):
            async with connection.transaction():
                await connection.execute(HOLD_FOLLOWERS)
                await connection.execute(before)
                await connection.execute(CHANGE, inbox, AUDITED * APPENDED)
                for _ in range(APPENDED):
                    began = time.perf_counter()
                    appended = await connection.fetchval("SELECT appended FROM append_audit($1)", AUDITED)
                    taken[what].append((time.perf_counter() - began) / appended)
                raise _UndoError
    for what, seconds in taken.items():
        _say(what, median(seconds))


async def _measure_completing(connection: Any, account_id: AccountId) -> None:
    inbox = await connection.fetchval(INBOX, str(account_id))
    for index, what in ((None, "complete a task"), (ON_TASKS, "the same with words indexed in place")):
        with contextlib.suppress(_UndoError):
            async with connection.transaction():
                if index is not None:
                    await connection.execute(index)
                taken = []
                for row in await connection.fetch(OPEN_TASKS, inbox, COMPLETED):
                    began = time.perf_counter()
                    await connection.execute(COMPLETE, row["id"])
                    taken.append(time.perf_counter() - began)
                _say(f"{what}, mean", sum(taken) / len(taken))
                _say(f"{what}, p99", sorted(taken)[len(taken) * 99 // 100])
                raise _UndoError


async def _measure_writing(connection: Any, account_id: AccountId) -> None:
    inbox = await connection.fetchval(INBOX, str(account_id))
    for before, json, what in (
        ("SELECT 1", "json", "write a task"),
        (DERIVED_BY_POSTGRESQL, "task_json(tasks, reminders_of(id))::text", "the same, derived by PostgreSQL itself"),
    ):
        with contextlib.suppress(_UndoError):
            async with connection.transaction():
                await connection.execute(before)
                taken = []
                for row in await connection.fetch(OPEN_TASKS, inbox, COMPLETED):
                    began = time.perf_counter()
                    await connection.fetchrow(WRITE.format(json=json), row["id"])
                    taken.append(time.perf_counter() - began)
                _say(what, median(taken))
                raise _UndoError


class _UndoError(Exception):
    """Ends a transaction of which nothing is to be kept."""


async def _seconds(connection: Any, statement: str, *values: object) -> float:
    taken = []
    for _ in range(ROUNDS):
        began = time.perf_counter()
        await connection.fetchrow(statement, *values)
        taken.append(time.perf_counter() - began)
    return median(taken)


def _say(what: str, seconds: float) -> None:
    sys.stdout.write(f"{what:<48} {seconds * 1e3:7.3f} ms\n")


if __name__ == "__main__":
    sys.exit(main())
