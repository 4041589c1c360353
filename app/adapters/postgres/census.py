"""Counting what the dashboards show: open tasks, people, waiting reminders, the outbox. Off the request path."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from monitoring import metrics

if TYPE_CHECKING:
    from app.adapters.postgres.database import Database

COUNT: Final = """
    SELECT
        (SELECT count(*) FROM tasks WHERE deleted_at IS NULL AND completed_at IS NULL) AS tasks_open,
        (SELECT count(*) FROM tasks
         WHERE deleted_at IS NULL AND completed_at IS NULL AND due_sort < now()) AS tasks_overdue,
        (SELECT count(DISTINCT account_id) FROM sessions WHERE last_seen_at > now() - interval '1 day') AS users_day,
        (SELECT count(DISTINCT account_id) FROM sessions WHERE last_seen_at > now() - interval '7 days') AS users_week,
        (SELECT count(*) FROM reminders WHERE state = 'scheduled' AND deleted_at IS NULL) AS reminders_scheduled,
        (SELECT count(*) FROM deliveries WHERE state = 'pending') AS deliveries_pending,
        (SELECT count(*) FROM events WHERE position IS NULL) AS outbox_pending,
        (SELECT coalesce(extract(epoch FROM now() - min(occurred_at)), 0)::float8
         FROM events WHERE position IS NULL) AS outbox_age
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Census:
    """Sets the gauges that only the database can answer."""

    database: Database

    async def count(self) -> None:
        """Count once."""
        row = await self.database.fetchrow(COUNT)
        metrics.TASKS_OPEN.labels("open").set(row["tasks_open"])
        metrics.TASKS_OPEN.labels("overdue").set(row["tasks_overdue"])
        metrics.USERS_ACTIVE.labels("1d").set(row["users_day"])
        metrics.USERS_ACTIVE.labels("7d").set(row["users_week"])
        metrics.REMINDERS_PENDING.labels("scheduled").set(row["reminders_scheduled"])
        metrics.REMINDERS_PENDING.labels("delivering").set(row["deliveries_pending"])
        metrics.OUTBOX_PENDING_EVENTS.set(row["outbox_pending"])
        metrics.OUTBOX_OLDEST_PENDING_AGE_SECONDS.set(row["outbox_age"])
