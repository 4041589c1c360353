"""Firing reminders: the claim, the event and the ledger rows in one transaction, by the database's clock.

The index ``reminders_due`` is the heap (no timer wheel): the next one due is one step away however many wait.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final
from zoneinfo import ZoneInfo

from app.domain.account import QuietHours
from app.domain.ids import new_id
from app.ports.delivering import Firing
from monitoring import tracing

if TYPE_CHECKING:
    from datetime import datetime

    from app.adapters.postgres.connection import Connection
    from app.adapters.postgres.database import Database
    from app.ports.clock import Clock

# SKIP LOCKED: two processes never fire the same one, and a task that is being changed right now wins (R05); it is
# looked at again at the next ring. The share lock keeps the task in the event as new as the event.
CLAIM_DUE: Final = """
    SELECT r.id, r.project_id, r.task_id, r.account_id, r.occurrence, r.channels, r.fire_at,
           extract(epoch FROM now() - r.fire_at)::float8 AS late_seconds,
           reminder_json(r)::text AS before, a.email, a.time_zone, a.quiet_from, a.quiet_to, now() AS now
    FROM reminders r JOIN tasks t ON t.id = r.task_id JOIN accounts a ON a.id = r.account_id
    WHERE r.state = 'scheduled' AND r.deleted_at IS NULL AND r.fire_at <= now()
      AND t.completed_at IS NULL AND t.deleted_at IS NULL AND a.disabled_at IS NULL
    ORDER BY r.fire_at LIMIT $1 FOR UPDATE OF r SKIP LOCKED FOR SHARE OF t SKIP LOCKED
"""
FIRE: Final = """
    UPDATE reminders r SET state = 'fired', fired_at = now(), updated_at = now() WHERE id = ANY ($1)
    RETURNING r.id, reminder_json(r)::text AS after,
              (SELECT t.json FROM tasks t WHERE t.id = r.task_id) AS task
"""
RECORD_FIRED: Final = """
    INSERT INTO events (id, type, project_id, task_id, reminder_id, traceparent, occurred_at, before, after, detail)
    VALUES ($1, 'reminder.fired', $2, $3, $4, $5, now(), $6::jsonb, $7::jsonb, jsonb_build_object('task', $8::jsonb))
"""
OPEN_DELIVERY: Final = """
    INSERT INTO deliveries (id, reminder_id, occurrence, channel, address, due_at, next_attempt_at, message_id,
                            traceparent, created_at)
    VALUES ($1, $2, $3, $4, $5, $6, greatest($6, now()), $7, $8, now())
    ON CONFLICT (reminder_id, occurrence, channel) DO NOTHING
"""
SECONDS_TO_NEXT: Final = """
    SELECT greatest(extract(epoch FROM r.fire_at - now()), 0)::float8
    FROM reminders r JOIN tasks t ON t.id = r.task_id JOIN accounts a ON a.id = r.account_id
    WHERE r.state = 'scheduled' AND r.deleted_at IS NULL
      AND t.completed_at IS NULL AND t.deleted_at IS NULL AND a.disabled_at IS NULL
    ORDER BY r.fire_at LIMIT 1
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class PostgresReminderSchedule:
    """Implements ``app.ports.delivering.ReminderSchedule``."""

    database: Database
    clock: Clock

    async def fire_due(self, limit: int) -> Firing:
        """See the port."""
        async with self.database.transaction() as connection:
            due = await connection.fetch(CLAIM_DUE, limit)
            if not due:
                return Firing(reminder_ids=(), most_late_seconds=0.0, deliveries=0)
            fired = {row["id"]: row for row in await connection.fetch(FIRE, [row["id"] for row in due])}
            for row in due:
                await self._record(connection, row, fired[row["id"]])
        return Firing(
            reminder_ids=tuple(fired),
            most_late_seconds=max(row["late_seconds"] for row in due),
            deliveries=sum(len(row["channels"]) for row in due),
        )

    async def seconds_to_next(self) -> float | None:
        """See the port."""
        seconds: float | None = await self.database.fetchval(SECONDS_TO_NEXT)
        return seconds

    async def _record(self, connection: Connection, row: Any, fired: Any) -> None:
        traceparent = tracing.current_traceparent()
        await connection.execute(
            RECORD_FIRED,
            new_id(self.clock.now()),
            row["project_id"],
            row["task_id"],
            row["id"],
            traceparent,
            row["before"],
            fired["after"],
            fired["task"],
        )  # fmt: skip - the columns in the order of the statement
        for channel in row["channels"]:
            key = f"{row['id']}.{row['occurrence']}.{channel}"
            await connection.execute(
                OPEN_DELIVERY,
                new_id(self.clock.now()),
                row["id"],
                row["occurrence"],
                channel,
                row["email"],
                _deliver_at(row),
                key,
                traceparent,
            )  # fmt: skip - the columns in the order of the statement


def _deliver_at(row: Any) -> datetime:
    """Return when to tell the world outside: at once, or when the account's quiet hours are over."""
    if row["quiet_from"] is None:
        due: datetime = row["fire_at"]
        return due
    hours = QuietHours(start=row["quiet_from"], end=row["quiet_to"])
    over = hours.over(row["now"], ZoneInfo(row["time_zone"]))
    return over if over > row["now"] else row["fire_at"]
