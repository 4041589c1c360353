"""The durable followers' SQL: audit, recurring, reminder. Effect and cursor move in one transaction."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final
from uuid import UUID

import orjson

from app.adapters.postgres.dead_letters import Death, bury
from app.adapters.postgres.poison import Tries
from app.adapters.postgres.statements import name
from app.domain.ids import new_id
from monitoring import logs, metrics

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

    from app.adapters.postgres.connection import Connection
    from app.adapters.postgres.database import Database
    from app.domain.events import NewEvent, RecordedEvent

log = logs.get_logger("actors")

# For the transaction of a statement that says it: its commit does not wait for the disk, which those who wait for an
# answer have to themselves then. What is lost with the machine's power is done again from the events, which are on
# disk: the effect is lost together with the cursor, and comes out the same. Not for what tells somebody of it.
UNHURRIED: Final = "set_config('synchronous_commit', 'off', true)"

LOCK_CURSOR: Final = """
    INSERT INTO cursors (consumer) VALUES ($1)
    ON CONFLICT (consumer) DO UPDATE SET updated_at = now()
    RETURNING position, EXISTS (SELECT FROM requeued_events WHERE consumer = $1) AS requeued
"""
MOVE_CURSOR: Final = "UPDATE cursors SET position = $2, updated_at = now() WHERE consumer = $1"
COLUMNS: Final = """
    e.position, e.type, e.project_id, e.task_id, e.account_id, e.occurred_at, e.traceparent,
    e.before::text AS before, e.after::text AS after, e.detail::text AS detail
"""
# The cursor may be further by another process, which has passed the same events by.
PASS_BY: Final = f"""
    UPDATE cursors SET position = greatest(position, $3), updated_at = now()
    WHERE consumer = $1 AND position >= $2 AND NOT EXISTS (SELECT FROM requeued_events WHERE consumer = $1)
    RETURNING {UNHURRIED}
"""  # noqa: S608 - only our own constant is interpolated
NEXT_EVENTS: Final = f"""
    SELECT {COLUMNS} FROM events e WHERE e.position > $1 ORDER BY e.position LIMIT $2
"""  # noqa: S608 - only our own constant is interpolated
NEXT_REQUEUED: Final = """
    SELECT id, position, letter_id FROM requeued_events WHERE consumer = $1 ORDER BY requeued_at, id LIMIT 1 FOR UPDATE
"""
# Behind the cursor it comes in its turn anyway.
EVENT_AND_SINCE: Final = f"""
    SELECT {COLUMNS}
    FROM events first JOIN events e ON e.project_id = first.project_id AND e.position BETWEEN first.position AND $2
        AND (e.position = first.position OR e.task_id = first.task_id)
    WHERE first.position = $1 ORDER BY e.position
"""  # noqa: S608 - only our own constant is interpolated
APPEND: Final = name(
    f"SELECT appended, last_position, actions, {UNHURRIED} FROM append_audit($1)",  # noqa: S608 - as above
    operation="INSERT",
    table="audit_log",
)
TAKE_OFF: Final = "DELETE FROM requeued_events WHERE id = $1"

# See `record_occurrences`. As PostgreSQL writes the key; that it may stand inside a value as well does no harm.
_SERIES_KEY: Final = '"seriesId"'
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
    """One row in the audit trail per event, chained; the work is ``append_audit`` in migration 0003.

    It sets no event aside, however often it crashes: a trail that is late can be read in an hour, one with a hole is
    worth nothing. Readiness says that it does not run.
    """

    database: Database

    async def advance(self, limit: int) -> tuple[int, int]:
        """See ``app.ports.following.Follower``."""
        began = time.perf_counter()
        row = await self.database.fetchrow(APPEND, limit)  # one statement is a transaction
        if row["appended"]:
            metrics.AUDIT_LOG_WRITE_DURATION_SECONDS.observe(time.perf_counter() - began)
        for action in row["actions"]:
            metrics.AUDIT_LOG_WRITES_TOTAL.labels(action, "success").inc()
        return row["appended"], row["last_position"]


@dataclass(frozen=True, slots=True)
class _Step:
    """One transaction of a follower: how many events it handled, where it is now, whether the next may wait.

    `wrote` says whether it left events behind.
    """

    handled: int
    reached: int
    is_last: bool = True
    wrote: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class EventFollower:
    """Handles each event of a batch with a function, in the transaction that moves the cursor.

    An event that makes it crash again and again becomes a dead letter, in the transaction that moves the cursor behind
    it. What operators requeue comes first, with what happened to the same task since: ``handle`` does no harm when it
    sees an event again, and the order per task is kept.

    Attributes:
        handle: Returns whether it left events behind.
        concerns: Whether `handle` may do something about an event; see ``app.ports.following.Passing``.
        news: Called after the commit of a transaction with new events. Must not wait.
    """

    database: Database
    consumer: str
    handle: Callable[[Connection, Sequence[Any]], Awaitable[bool]]
    concerns: Callable[[RecordedEvent], bool] = lambda _event: True
    news: Callable[[], None] = lambda: None
    tries: Tries = field(default_factory=Tries)

    async def advance(self, limit: int) -> tuple[int, int]:
        """See ``app.ports.following.Follower``."""
        handled = 0
        while True:
            step = await self._step(limit)
            handled += step.handled
            if step.is_last:
                return handled, step.reached

    async def pass_by(self, since: int, reached: int) -> bool:
        """See ``app.ports.following.Passing``."""
        return await self.database.fetchrow(PASS_BY, self.consumer, since, reached) is not None

    async def _step(self, limit: int) -> _Step:
        death: Death | None = None
        async with self.database.transaction() as connection:
            cursor = await connection.fetchrow(LOCK_CURSOR, self.consumer)
            if cursor["requeued"]:
                step, death = await self._again(connection, cursor["position"])
            else:
                step, death = await self._next(connection, cursor["position"], limit)
        if death is not None:
            _tell(death)
        if step.wrote:
            self.news()
        return step

    async def _next(self, connection: Connection, position: int, limit: int) -> tuple[_Step, Death | None]:
        """Handle the next batch, or one event where the batch is suspect; or set that event aside."""
        alone = self.tries.suspects(position)
        events = await connection.fetch(NEXT_EVENTS, position, 1 if alone else limit)
        if not events:
            return _Step(0, position), None
        reached, death, wrote = events[-1]["position"], None, False
        if alone and self.tries.is_poison(position):
            death = await self._bury(connection, reached, new_id(events[0]["occurred_at"]))
        else:
            with self.tries.handling(position, reached, alone=alone or len(events) == 1):
                wrote = await self.handle(connection, events)
        await connection.execute(MOVE_CURSOR, self.consumer, reached)
        return _Step(len(events) - (death is not None), reached, is_last=not alone, wrote=wrote), death

    async def _again(self, connection: Connection, position: int) -> tuple[_Step, Death | None]:
        """Handle what was requeued, and what happened to its task since; or set it aside once more."""
        requeued = await connection.fetchrow(NEXT_REQUEUED, self.consumer)
        if requeued is None:
            return _Step(0, position, is_last=False), None  # another process was faster
        death, wrote = None, False
        if self.tries.is_poison(requeued["id"]):
            death = await self._bury(connection, requeued["position"], requeued["id"], requeued["letter_id"])
        else:
            events = await connection.fetch(EVENT_AND_SINCE, requeued["position"], position)
            with self.tries.handling(requeued["id"], 0, alone=True):
                wrote = await self.handle(connection, events)
        await connection.execute(TAKE_OFF, requeued["id"])
        return _Step(int(death is None), position, is_last=False, wrote=wrote), death

    async def _bury(
        self, connection: Connection, position: int, letter_id: UUID, requeued_from: UUID | None = None
    ) -> Death:
        tries = self.tries
        death = Death(
            id=letter_id,
            actor=self.consumer,
            position=position,
            attempts=tries.count,
            error=tries.error,
            stack=tries.stack,
            requeued_from=requeued_from,
        )
        await bury(connection, death)
        return death


def _tell(death: Death) -> None:
    metrics.DEAD_LETTERS_TOTAL.labels(death.actor, "crashed").inc()
    log.error(
        "An event was set aside as a dead letter",
        event="actor.dead_letter",
        letterId=str(death.id),
        position=death.position,
        attempts=death.attempts,
        error=death.error,
    )


def is_of_a_series(event: NewEvent) -> bool:
    """Return whether `record_occurrences` may do something about it."""
    return _SERIES_KEY in event.detail


async def record_occurrences(connection: Connection, events: Sequence[Any]) -> bool:
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
    return False


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
