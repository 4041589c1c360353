"""Whole writes in one statement.

Each looks at the task as the statement's snapshot has it, and changes it only if it is still of that version when it
holds the row. So what was seen is what was changed, reminders included: a new reminder raises the version too.
"""

from dataclasses import dataclass
from typing import Final, TypeVar

import asyncpg

from app.adapters.postgres.database import Database
from app.adapters.postgres.tasks import COLUMNS, values_of
from app.domain.checks import folded
from app.domain.ids import TaskId
from app.domain.task import Task, TaskChanges
from app.domain.unset import Unset
from app.ports.shortcuts import Signature
from app.ports.tasks import TaskAnswer

_T = TypeVar("_T")

# Somebody has the key, stands in the way, or is gone: the transaction finds out what to answer.
_NOT_LIKE_THIS: Final = (
    asyncpg.IntegrityConstraintViolationError,
    asyncpg.DeadlockDetectedError,
    asyncpg.SerializationError,
)

# $1 … $6 are what `_signed` returns, in all statements.
_EVENT: Final = """
    INSERT INTO events (type, id, account_id, session_id, request_id, traceparent, occurred_at, project_id, task_id,
                        before, after, detail)
"""
_SIGNED: Final = "$1::uuid, $2::uuid, $3::uuid, $4::text, $5::text, $6::timestamptz, project_id, id"
_KEPT: Final = """
    INSERT INTO idempotency_keys (account_id, created_at, version, subject_id, key, request_hash, response)
    SELECT $2, $6, version, id
"""
# $7 and $8: key and hash, or NULL; from $9 on the columns.
CREATE: Final = f"""
    WITH written AS (
        INSERT INTO tasks ({COLUMNS})
        VALUES ($9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22, $23, $24, $25, $26, $27, $28,
                $29, $30, $31)
        RETURNING id, project_id, version, json
    ), told AS (
        {_EVENT} SELECT 'task.created', {_SIGNED}, NULL, json::jsonb, '{{}}' FROM written
    ), kept AS (
        {_KEPT}, $7::text, $8, json FROM written WHERE $7 IS NOT NULL
    )
    SELECT id, version, json FROM written
"""  # noqa: S608 # our own constants
# $7: the task; $8: the versions that are expected, or NULL.
_SEEN: Final = """
    WITH seen AS MATERIALIZED (
        SELECT t.json AS before, t.version AS seen_version
        FROM tasks t JOIN memberships m ON m.project_id = t.project_id AND m.account_id = $2 AND m.role <> 'viewer'
        WHERE t.id = $7 AND t.deleted_at IS NULL AND ($8::integer[] IS NULL OR t.version = ANY ($8))
    )
"""
_UNTOUCHED: Final = "FROM seen WHERE t.id = $7 AND t.version = seen_version"
_WITHOUT_RULES: Final = "AND t.recurrence_rule IS NULL AND t.reminders IS NULL"
# Not a floating task whose owner has moved since: it shows another instant now.
_AT_HOME: Final = """(t.time_zone IS NOT NULL OR t.due_at IS NULL OR EXISTS (
            SELECT FROM memberships o JOIN accounts a ON a.id = o.account_id
            WHERE o.project_id = t.project_id AND o.role = 'owner' AND a.time_zone = t.wall_zone))"""
_WRITTEN: Final = "RETURNING t.id, t.project_id, t.version, before, t.json"
EDIT: Final = f"""
    {_SEEN}, written AS (
        UPDATE tasks t SET title = coalesce($9, t.title), description = coalesce($10, t.description),
            priority = coalesce($11, t.priority), tags = coalesce($12, t.tags), tag_keys = coalesce($13, t.tag_keys),
            version = t.version + 1, updated_at = $6
        {_UNTOUCHED}
          AND (coalesce($9, t.title), coalesce($10, t.description), coalesce($11, t.priority), coalesce($12, t.tags))
              IS DISTINCT FROM (t.title, t.description, t.priority, t.tags)
        {_WRITTEN}
    ), told AS (
        {_EVENT} SELECT 'task.updated', {_SIGNED}, before::jsonb, json::jsonb, '{{}}' FROM written
    )
    SELECT id, version, json FROM written
"""  # noqa: S608 # our own constants
# $9 and $10: key and hash, or NULL.
COMPLETE: Final = f"""
    {_SEEN}, written AS (
        UPDATE tasks t SET completed_at = $6, version = t.version + 1, updated_at = $6
        {_UNTOUCHED} {_WITHOUT_RULES} AND t.completed_at IS NULL
        {_WRITTEN}
    ), told AS (
        {_EVENT} SELECT 'task.completed', {_SIGNED}, before::jsonb, json::jsonb, '{{"next": null}}' FROM written
    ), kept AS (
        {_KEPT}, $9::text, $10, '{{"task":' || json || ',"next":null}}' FROM written WHERE $9 IS NOT NULL
    )
    SELECT id, version, json FROM written
"""  # noqa: S608 # our own constants
REOPEN: Final = f"""
    {_SEEN}, written AS (
        UPDATE tasks t SET completed_at = NULL, version = t.version + 1, updated_at = $6
        {_UNTOUCHED} {_WITHOUT_RULES} AND t.completed_at IS NOT NULL
          AND NOT EXISTS (SELECT FROM tasks n WHERE n.generated_from = $7 AND n.deleted_at IS NULL)
          AND {_AT_HOME}
        {_WRITTEN}
    ), told AS (
        {_EVENT} SELECT 'task.reopened', {_SIGNED}, before::jsonb, json::jsonb, '{{}}' FROM written
    ), kept AS (
        {_KEPT}, $9::text, $10, json FROM written WHERE $9 IS NOT NULL
    )
    SELECT id, version, json FROM written
"""  # noqa: S608 # our own constants
DELETE: Final = f"""
    {_SEEN}, written AS (
        UPDATE tasks t SET deleted_at = $6, version = t.version + 1, updated_at = $6
        {_UNTOUCHED} {_WITHOUT_RULES}
        {_WRITTEN}
    ), told AS (
        {_EVENT} SELECT 'task.deleted', {_SIGNED}, before::jsonb, NULL, '{{}}' FROM written
    )
    SELECT id, version, json FROM written
"""  # noqa: S608 # our own constants


@dataclass(frozen=True, slots=True)
class PostgresTaskShortcuts:
    """Implements `app.ports.shortcuts.TaskShortcuts`."""

    database: Database

    async def create(self, task: Task, by: Signature) -> TaskAnswer | None:
        """See the port."""
        return await self._write(CREATE, *_signed(by), by.key, by.request_hash, *values_of(task))

    async def edit(
        self, task_id: TaskId, changes: TaskChanges, expected: frozenset[int] | None, by: Signature
    ) -> TaskAnswer | None:
        """See the port."""
        tags, priority = _named(changes.tags), _named(changes.priority)
        return await self._write(
            EDIT,
            *_signed(by),
            task_id,
            expected,
            _named(changes.title),
            _named(changes.description),
            None if priority is None else priority.rank,
            tags,
            None if tags is None else [folded(tag) for tag in tags],
        )

    async def complete(self, task_id: TaskId, expected: frozenset[int] | None, by: Signature) -> TaskAnswer | None:
        """See the port."""
        return await self._write(COMPLETE, *_signed(by), task_id, expected, by.key, by.request_hash)

    async def reopen(self, task_id: TaskId, expected: frozenset[int] | None, by: Signature) -> TaskAnswer | None:
        """See the port."""
        return await self._write(REOPEN, *_signed(by), task_id, expected, by.key, by.request_hash)

    async def delete(self, task_id: TaskId, expected: frozenset[int] | None, by: Signature) -> TaskAnswer | None:
        """See the port."""
        return await self._write(DELETE, *_signed(by), task_id, expected)

    async def _write(self, statement: str, *values: object) -> TaskAnswer | None:
        try:
            row = await self.database.fetchrow(statement, *values)
        except _NOT_LIKE_THIS:
            return None
        return None if row is None else TaskAnswer(id=row[0], version=row[1], json=row[2])


def _signed(by: Signature) -> tuple[object, ...]:
    return by.event_id, by.account_id, by.session_id, by.request_id, by.traceparent, by.at


def _named(value: _T | Unset) -> _T | None:
    return None if isinstance(value, Unset) else value
