"""Tasks in SQL. Whoever asks is part of every question, so a foreign task is never there."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any, Final

from app.adapters.postgres.connection import Connection
from app.adapters.postgres.database import Database
from app.adapters.postgres.reminders import reminder_of
from app.adapters.postgres.task_pages import page_statement
from app.domain.checks import folded
from app.domain.ids import AccountId, TaskId
from app.domain.queries import TaskQuery
from app.domain.task import Due, MissedPolicy, Priority, Recurrence, RecurrenceMode, RecurrenceSpec, Task
from app.ports.tasks import LockedTask, Place, TaskAnswer, TaskPage

GET: Final = """
    SELECT t.version, t.json
    FROM tasks t JOIN memberships m ON m.project_id = t.project_id AND m.account_id = $1
    WHERE t.id = $2 AND t.deleted_at IS NULL
"""
# First the lock, then the look: the second statement sees all that the one we waited for has committed.
LOCK: Final = """
    SELECT t.id FROM tasks t
    WHERE t.id = $2 AND t.deleted_at IS NULL
      AND EXISTS (SELECT FROM memberships m WHERE m.project_id = t.project_id AND m.account_id = $1)
    FOR UPDATE OF t
"""
# One that was completed and then deleted counts as well: the series went on behind it.
LOCK_NEXT: Final = """
    SELECT t.id FROM tasks t
    WHERE t.generated_from = $2
      AND (t.deleted_at IS NULL
           OR (t.completed_at IS NOT NULL AND t.series_id = (SELECT o.series_id FROM tasks o WHERE o.id = $2)))
      AND EXISTS (SELECT FROM memberships m WHERE m.project_id = t.project_id AND m.account_id = $1)
    ORDER BY t.deleted_at NULLS FIRST LIMIT 1
    FOR UPDATE OF t
"""
LOCK_FLOATING: Final = """
    SELECT t.id FROM tasks t
    WHERE t.time_zone IS NULL AND t.wall_zone <> $2 AND (t.due_at IS NOT NULL OR t.due_on IS NOT NULL)
      AND t.completed_at IS NULL AND t.deleted_at IS NULL
      AND t.project_id IN (SELECT m.project_id FROM memberships m WHERE m.account_id = $1 AND m.role = 'owner')
    ORDER BY t.id FOR UPDATE OF t
"""
LOOK: Final = """
    SELECT t.id, t.project_id, t.title, t.description, t.priority, t.tags, t.due_on, t.due_at, t.time_zone, t.wall_zone,
           t.recurrence_rule, t.recurrence_mode, t.recurrence_missed, t.recurrence_anchor, t.recurrence_current,
           t.recurrence_number, t.series_id, t.generated_from, t.completed_at, t.version, t.created_at, t.updated_at,
           m.role <> 'viewer' AS may_change,
           (SELECT a.time_zone FROM memberships o JOIN accounts a ON a.id = o.account_id
            WHERE o.project_id = t.project_id AND o.role = 'owner' ORDER BY a.id LIMIT 1) AS owner_zone,
           t.json,
           ARRAY(SELECT r FROM reminders r WHERE r.task_id = t.id AND r.deleted_at IS NULL
                 ORDER BY r.created_at, r.id) AS reminders
    FROM tasks t JOIN memberships m ON m.project_id = t.project_id AND m.account_id = $1
    WHERE t.id = ANY ($2) ORDER BY t.id
"""
# In the order of what `values_of` returns: $1 … $23, here and in SAVE.
COLUMNS: Final = """
    id, project_id, title, description, priority, tags, tag_keys, due_on, due_at, time_zone, wall_zone,
    recurrence_rule, recurrence_mode, recurrence_missed, recurrence_anchor, recurrence_current, recurrence_number,
    series_id, generated_from, completed_at, version, created_at, updated_at
"""
INSERT: Final = f"""
    INSERT INTO tasks ({COLUMNS})
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22, $23)
    RETURNING json
"""  # noqa: S608 # our own constant
SAVE: Final = """
    UPDATE tasks SET project_id = $2, title = $3, description = $4, priority = $5, tags = $6, tag_keys = $7,
        due_on = $8, due_at = $9, time_zone = $10, wall_zone = $11, recurrence_rule = $12, recurrence_mode = $13,
        recurrence_missed = $14, recurrence_anchor = $15, recurrence_current = $16, recurrence_number = $17,
        series_id = $18, generated_from = $19, completed_at = $20, version = $21 + 1, created_at = $22,
        updated_at = $23
    WHERE id = $1
    RETURNING json
"""
TOUCH: Final = """
    UPDATE tasks SET version = version + 1, updated_at = $2 WHERE id = $1
    RETURNING version, json
"""
JSON: Final = "SELECT t.json FROM tasks t WHERE t.id = $1"
READ_IN: Final = "UPDATE tasks SET wall_zone = $2 WHERE id = $1"
DELETE: Final = "UPDATE tasks SET deleted_at = $2, updated_at = $2, version = version + 1 WHERE id = $1"


@dataclass(frozen=True, slots=True)
class PostgresTaskReader:
    """Implements `app.ports.tasks.TaskReader`."""

    database: Database

    async def get(self, account_id: AccountId, task_id: TaskId) -> TaskAnswer | None:
        """See the port."""
        row = await self.database.fetchrow(GET, account_id, task_id)
        return None if row is None else TaskAnswer(id=task_id, version=row[0], json=row[1])

    async def page(self, account_id: AccountId, query: TaskQuery, after: Place | None) -> TaskPage:
        """See the port."""
        statement, arguments = page_statement(account_id, query, after)
        items, has_more, key, last_id = await self.database.read_page(statement, *arguments)
        return TaskPage(items=items, last=Place(key=key, id=last_id) if has_more else None)


@dataclass(frozen=True, slots=True)
class PostgresTaskStore:
    """Implements `app.ports.tasks.TaskStore`."""

    connection: Connection

    async def lock(self, account_id: AccountId, task_id: TaskId) -> LockedTask | None:
        """See the port."""
        return await self._lock_one(LOCK, account_id, task_id)

    async def lock_next(self, account_id: AccountId, task_id: TaskId) -> LockedTask | None:
        """See the port."""
        return await self._lock_one(LOCK_NEXT, account_id, task_id)

    async def lock_floating(self, account_id: AccountId, zone: str) -> Sequence[LockedTask]:
        """See the port."""
        ids = [row["id"] for row in await self.connection.fetch(LOCK_FLOATING, account_id, zone)]
        return [_locked(row) for row in await self.connection.fetch(LOOK, account_id, ids)] if ids else ()

    async def insert(self, task: Task) -> str:
        """See the port."""
        json: str = await self.connection.fetchval(INSERT, *values_of(task))
        return json

    async def save(self, task: Task) -> str:
        """See the port."""
        json: str = await self.connection.fetchval(SAVE, *values_of(task))
        return json

    async def touch(self, task_id: TaskId, now: datetime) -> tuple[int, str]:
        """See the port."""
        row = await self.connection.fetchrow(TOUCH, task_id, now)
        return row["version"], row["json"]

    async def json(self, task_id: TaskId) -> str:
        """See the port."""
        json: str = await self.connection.fetchval(JSON, task_id)
        return json

    async def delete(self, task_id: TaskId, now: datetime) -> None:
        """See the port."""
        await self.connection.execute(DELETE, task_id, now)

    async def read_in(self, task_id: TaskId, zone: str) -> None:
        """See the port."""
        await self.connection.execute(READ_IN, task_id, zone)

    async def _lock_one(self, statement: str, account_id: AccountId, task_id: TaskId) -> LockedTask | None:
        locked = await self.connection.fetchval(statement, account_id, task_id)
        if locked is None:
            return None
        return _locked(await self.connection.fetchrow(LOOK, account_id, [locked]))


def values_of(task: Task) -> tuple[object, ...]:
    """Return the values of `COLUMNS`."""
    due, recurrence = task.due, task.recurrence
    return (
        task.id,
        task.project_id,
        task.title,
        task.description,
        task.priority.rank,
        list(task.tags),
        [folded(tag) for tag in task.tags],
        None if isinstance(due, datetime) else due,
        due if isinstance(due, datetime) else None,
        task.time_zone,
        task.wall_zone,
        *_recurrence_values(recurrence),
        task.generated_from,
        task.completed_at,
        task.version,
        task.created_at,
        task.updated_at,
    )


def _recurrence_values(recurrence: Recurrence | None) -> tuple[object, ...]:
    if recurrence is None:
        return (None,) * 7
    return (
        recurrence.spec.rule,
        recurrence.spec.mode,
        recurrence.spec.missed,
        recurrence.anchor.isoformat(),
        recurrence.current.isoformat(),
        recurrence.number,
        recurrence.series_id,
    )


def _locked(row: Any) -> LockedTask:
    return LockedTask(
        task=_task(row),
        may_change=row["may_change"],
        owner_zone=row["owner_zone"],
        json=row["json"],
        reminders=tuple(reminder_of(reminder) for reminder in row["reminders"]),
    )


def _task(row: Any) -> Task:
    task = Task(
        id=row["id"],
        project_id=row["project_id"],
        title=row["title"],
        description=row["description"],
        priority=Priority.of_rank(row["priority"]),
        tags=tuple(row["tags"]),
        due=row["due_on"] if row["due_at"] is None else row["due_at"],
        time_zone=row["time_zone"],
        wall_zone=row["wall_zone"],
        generated_from=row["generated_from"],
        completed_at=row["completed_at"],
        version=row["version"],
        created_at=row["created_at"],
        updated_at=row["updated_at"],
    )
    return task if row["recurrence_rule"] is None else replace(task, recurrence=_recurrence(row))


def _recurrence(row: Any) -> Recurrence:
    return Recurrence(
        spec=RecurrenceSpec(
            rule=row["recurrence_rule"],
            mode=RecurrenceMode(row["recurrence_mode"]),
            missed=MissedPolicy(row["recurrence_missed"]),
        ),
        anchor=_local(row["recurrence_anchor"]),
        current=_local(row["recurrence_current"]),
        number=row["recurrence_number"],
        series_id=row["series_id"],
    )


def _local(text: str) -> Due:
    """Read a date, or a date and time on the wall clock."""
    return datetime.fromisoformat(text) if "T" in text else date.fromisoformat(text)
