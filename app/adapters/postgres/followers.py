"""The durable followers' SQL: audit, recurring, reminder. Effect and cursor move in one transaction."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final
from uuid import UUID

import orjson

from monitoring import metrics

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

    from app.adapters.postgres.connection import Connection
    from app.adapters.postgres.database import Database

LOCK_CURSOR: Final = """
    INSERT INTO cursors (consumer) VALUES ($1)
    ON CONFLICT (consumer) DO UPDATE SET updated_at = now() RETURNING position
"""
MOVE_CURSOR: Final = "UPDATE cursors SET position = $2, updated_at = now() WHERE consumer = $1"
NEXT_EVENTS: Final = """
    SELECT position, type, project_id, task_id, account_id, occurred_at, traceparent,
           before::text AS before, after::text AS after, detail::text AS detail
    FROM events WHERE position > $1 ORDER BY position LIMIT $2
"""

RECORD_OCCURRENCE: Final = """
    INSERT INTO occurrences (series_id, occurrence, project_id, task_id, state, due, completed_at, account_id, position)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
    ON CONFLICT (series_id, occurrence) DO UPDATE SET task_id = excluded.task_id, state = excluded.state,
        due = excluded.due, completed_at = excluded.completed_at, account_id = excluded.account_id,
        position = excluded.position
"""
# A reopened task takes back what its completion said: itself, and the occurrences that were passed over with it. Found
# by the position of that completion: the rule may have been changed since, and pass over others today.
TAKE_BACK: Final = """
    DELETE FROM occurrences WHERE series_id = $1 AND position IN (
        SELECT position FROM occurrences WHERE series_id = $1 AND task_id = $2 AND state = 'done')
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditFollower:
    """One row in the audit trail per event, chained; the work is ``append_audit`` in migration 0003."""

    database: Database

    async def advance(self, limit: int) -> tuple[int, int]:
        """See ``app.ports.following.Follower``."""
        began = time.perf_counter()
        async with self.database.transaction() as connection:
            row = await connection.fetchrow("SELECT appended, last_position, actions FROM append_audit($1)", limit)
        if row["appended"]:
            metrics.AUDIT_LOG_WRITE_DURATION_SECONDS.observe(time.perf_counter() - began)
        for action in row["actions"]:
            metrics.AUDIT_LOG_WRITES_TOTAL.labels(action, "success").inc()
        return row["appended"], row["last_position"]


@dataclass(frozen=True, slots=True, kw_only=True)
class EventFollower:
    """Handles each event of a batch with a function, in the transaction that moves the cursor."""

    database: Database
    consumer: str
    handle: Callable[[Connection, Sequence[Any]], Awaitable[None]]

    async def advance(self, limit: int) -> tuple[int, int]:
        """See ``app.ports.following.Follower``."""
        async with self.database.transaction() as connection:
            position: int = await connection.fetchval(LOCK_CURSOR, self.consumer)
            events = await connection.fetch(NEXT_EVENTS, position, limit)
            if not events:
                return 0, position
            await self.handle(connection, events)
            reached: int = events[-1]["position"]
            await connection.execute(MOVE_CURSOR, self.consumer, reached)
            return len(events), reached


async def record_occurrences(connection: Connection, events: Sequence[Any]) -> None:
    """Write what became of each occurrence, from the events alone: a replay from 0 gives the same ledger (E10)."""
    for event in events:
        detail = orjson.loads(event["detail"])
        if "seriesId" not in detail:
            continue
        series_id, missed = UUID(detail["seriesId"]), detail.get("missed", [])
        if event["type"] == "task.reopened":
            await connection.execute(TAKE_BACK, series_id, event["task_id"])
        elif event["type"] == "task.completed":
            for passed in missed:
                await _record(connection, event, series_id, passed, "missed")
            await _record(connection, event, series_id, detail["occurrence"], "done")
        elif event["type"] == "task.deleted":
            await _record(connection, event, series_id, detail["occurrence"], "deleted")


async def _record(connection: Connection, event: Any, series_id: UUID, occurrence: str, state: str) -> None:
    done = state == "done"
    before = orjson.loads(event["before"] or "{}")
    due = (before.get("dueDate") if state != "missed" else None) or occurrence
    await connection.execute(
        RECORD_OCCURRENCE,
        series_id,
        occurrence,
        event["project_id"],
        event["task_id"] if state != "missed" else None,
        state,
        due,
        event["occurred_at"] if done else None,
        event["account_id"],
        event["position"],
    )  # fmt: skip - the columns in the order of the statement
