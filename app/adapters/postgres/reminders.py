"""Reminders in SQL."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from app.adapters.postgres.connection import Connection
from app.adapters.postgres.database import Database
from app.domain.ids import AccountId, ReminderId, TaskId
from app.domain.reminder import Reminder, ReminderState
from app.ports.reminders import LockedReminder

OF_TASK: Final = """
    SELECT coalesce((SELECT json_agg(reminder_json(r) ORDER BY r.created_at, r.id)
                     FROM reminders r WHERE r.task_id = t.id AND r.deleted_at IS NULL), '[]'::json)::text
    FROM tasks t JOIN memberships m ON m.project_id = t.project_id AND m.account_id = $1
    WHERE t.id = $2 AND t.deleted_at IS NULL
"""
TASK_OF: Final = """
    SELECT r.task_id FROM reminders r JOIN memberships m ON m.project_id = r.project_id AND m.account_id = $1
    JOIN tasks t ON t.id = r.task_id AND t.deleted_at IS NULL
    WHERE r.id = $2 AND r.account_id = $1 AND r.deleted_at IS NULL
"""
DELIVERIES: Final = """
    SELECT coalesce((
        SELECT json_agg(json_build_object(
            'id', d.id, 'channel', d.channel, 'address', d.address, 'state', d.state,
            'attempt', coalesce(a.attempt, 0), 'at', instant_text(coalesce(a.started_at, d.created_at)),
            'finishedAt', instant_text(coalesce(a.finished_at, d.finished_at)), 'outcome', a.outcome,
            'response', coalesce(a.response, '')) ORDER BY d.created_at, d.id, a.attempt)
        FROM deliveries d LEFT JOIN delivery_attempts a ON a.delivery_id = d.id
        WHERE d.reminder_id = r.id), '[]'::json)::text
    FROM reminders r JOIN memberships m ON m.project_id = r.project_id AND m.account_id = $1
    JOIN tasks t ON t.id = r.task_id AND t.deleted_at IS NULL
    WHERE r.id = $2 AND r.account_id = $1 AND r.deleted_at IS NULL
"""
# The event tells of the task as well, so nobody may be changing it; and always the task first, as everywhere.
LOCK_TASK: Final = """
    SELECT t.id FROM tasks t JOIN reminders r ON r.task_id = t.id
    JOIN memberships m ON m.project_id = t.project_id AND m.account_id = $1
    WHERE r.id = $2 AND r.account_id = $1 AND t.deleted_at IS NULL FOR SHARE OF t
"""
LOCK: Final = "SELECT r.id FROM reminders r WHERE r.id = $1 AND r.deleted_at IS NULL FOR UPDATE OF r"
LOOK: Final = """
    SELECT r AS reminder, reminder_json(r)::text AS json, t.json AS task_json, t.version AS task_version,
           t.completed_at IS NULL AND t.deleted_at IS NULL AS task_is_open
    FROM reminders r JOIN tasks t ON t.id = r.task_id WHERE r.id = $1
"""
INSERT: Final = """
    INSERT INTO reminders (id, task_id, project_id, account_id, remind_at, before, before_seconds, channels, state,
                           fire_at, occurrence, created_at, updated_at)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)
    RETURNING reminder_json(reminders)::text
"""
SAVE: Final = """
    UPDATE reminders SET remind_at = $2, state = $3, fire_at = $4, occurrence = $5, fired_at = $6, acknowledged_at = $7,
        snoozed_until = $8, updated_at = $9
    WHERE id = $1
    RETURNING reminder_json(reminders)::text
"""
DELETE: Final = "UPDATE reminders SET deleted_at = $2, state = 'cancelled', updated_at = $2 WHERE id = $1"


@dataclass(frozen=True, slots=True)
class PostgresReminderReader:
    """Implements `app.ports.reminders.ReminderReader`."""

    database: Database

    async def of_task(self, account_id: AccountId, task_id: TaskId) -> str | None:
        """See the port."""
        json: str | None = await self.database.fetchval(OF_TASK, account_id, task_id)
        return json

    async def task_of(self, account_id: AccountId, reminder_id: ReminderId) -> TaskId | None:
        """See the port."""
        task_id: TaskId | None = await self.database.fetchval(TASK_OF, account_id, reminder_id)
        return task_id

    async def deliveries(self, account_id: AccountId, reminder_id: ReminderId) -> str | None:
        """See the port."""
        json: str | None = await self.database.fetchval(DELIVERIES, account_id, reminder_id)
        return json


@dataclass(frozen=True, slots=True)
class PostgresReminderStore:
    """Implements `app.ports.reminders.ReminderStore`."""

    connection: Connection

    async def lock(self, account_id: AccountId, reminder_id: ReminderId) -> LockedReminder | None:
        """See the port."""
        if await self.connection.fetchval(LOCK_TASK, account_id, reminder_id) is None:
            return None
        if await self.connection.fetchval(LOCK, reminder_id) is None:
            return None
        row = await self.connection.fetchrow(LOOK, reminder_id)
        return LockedReminder(
            reminder=reminder_of(row["reminder"]),
            json=row["json"],
            task_json=row["task_json"],
            task_version=row["task_version"],
            task_is_open=row["task_is_open"],
        )

    async def insert(self, reminder: Reminder) -> str:
        """See the port."""
        json: str = await self.connection.fetchval(INSERT, *_new_values(reminder))
        return json

    async def insert_many(self, reminders: Sequence[Reminder]) -> None:
        """See the port."""
        await self.connection.executemany(INSERT, [_new_values(reminder) for reminder in reminders])

    async def save(self, reminder: Reminder) -> str:
        """See the port."""
        json: str = await self.connection.fetchval(SAVE, *_values(reminder))
        return json

    async def save_many(self, reminders: Sequence[Reminder]) -> None:
        """See the port."""
        await self.connection.executemany(SAVE, [_values(reminder) for reminder in reminders])

    async def delete(self, reminder: Reminder) -> None:
        """See the port."""
        await self.connection.execute(DELETE, reminder.id, reminder.updated_at)


def reminder_of(row: Any) -> Reminder:
    """Return a row of the table as a value."""
    return Reminder(
        id=row["id"],
        task_id=row["task_id"],
        project_id=row["project_id"],
        account_id=row["account_id"],
        remind_at=row["remind_at"],
        before=row["before"],
        before_seconds=row["before_seconds"],
        channels=tuple(row["channels"]),
        state=ReminderState(row["state"]),
        fire_at=row["fire_at"],
        occurrence=row["occurrence"],
        fired_at=row["fired_at"],
        acknowledged_at=row["acknowledged_at"],
        snoozed_until=row["snoozed_until"],
        created_at=row["created_at"],
        updated_at=row["updated_at"],
    )


def _new_values(reminder: Reminder) -> tuple[object, ...]:
    return (
        reminder.id,
        reminder.task_id,
        reminder.project_id,
        reminder.account_id,
        reminder.remind_at,
        reminder.before,
        reminder.before_seconds,
        list(reminder.channels),
        reminder.state,
        reminder.fire_at,
        reminder.occurrence,
        reminder.created_at,
        reminder.updated_at,
    )


def _values(reminder: Reminder) -> tuple[object, ...]:
    return (
        reminder.id,
        reminder.remind_at,
        reminder.state,
        reminder.fire_at,
        reminder.occurrence,
        reminder.fired_at,
        reminder.acknowledged_at,
        reminder.snoozed_until,
        reminder.updated_at,
    )
