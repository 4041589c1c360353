"""The durable followers on the simulated database: effect and cursor in one transaction.

In production their effects are SQL (`append_audit`, the ledger of occurrences), so here their contract is said again;
tests/simulation/test_twins.py compares both. What moves floating tasks is the real service.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol, cast
from uuid import UUID

import orjson

from app.adapters.postgres.followers import is_of_a_series
from app.adapters.postgres.rezoning import is_of_an_account
from app.domain.events import ACCOUNT_UPDATED, TASK_COMPLETED, TASK_DELETED, TASK_REOPENED
from app.services.context import Context
from tests.simulation.simdb.events import published_after
from tests.simulation.simdb.rows import AuditRow, EventRow, OccurrenceRow
from tests.simulation.simdb.unit_of_work import SimUnitOfWork

if TYPE_CHECKING:
    from collections.abc import Callable

    from app.domain.events import NewEvent
    from app.ports.clock import Clock
    from app.ports.unit_of_work import UnitOfWork
    from app.services.tasks import TaskService
    from tests.simulation.simdb.client import Client
    from tests.simulation.simdb.transaction import Transaction


class Effect(Protocol):
    """What a follower does with a batch of events."""

    def concerns(self, event: NewEvent) -> bool:
        """Return whether it may do something about an event."""
        ...

    async def handle(self, work: Transaction, events: list[EventRow]) -> None:
        """Do it, in the transaction that moves the cursor."""
        ...


@dataclass(frozen=True, slots=True)
class SimFollower:
    """Implements `app.ports.following.Follower` and `Passing`."""

    client: Client
    consumer: str
    effect: Effect
    news: Callable[[], None] = lambda: None

    async def advance(self, limit: int) -> tuple[int, int]:
        """See the port."""
        handled, reached = await self._advance(limit)
        if handled:
            self.news()
        return handled, reached

    async def _advance(self, limit: int) -> tuple[int, int]:
        async with self.client.transaction(self.consumer) as work:
            await work.statement(f"{self.consumer} lock cursor")
            await work.lock("cursors", self.consumer)
            position: int = work.newest("cursors", self.consumer) or 0
            await work.statement("next events")
            events = [row for row, _ in zip(published_after(work, position), range(limit), strict=False)]
            if not events:
                return 0, position
            await self.effect.handle(work, events)
            await work.statement("move cursor")
            reached = position + len(events)
            work.put("cursors", self.consumer, reached)
            work.purposes.append(f"to {reached}")
            return len(events), reached

    def concerns(self, event: NewEvent) -> bool:
        """See the port."""
        return self.effect.concerns(event)

    async def pass_by(self, since: int, reached: int) -> bool:
        """See the port."""
        async with self.client.transaction(self.consumer) as work:
            await work.statement(f"{self.consumer} pass by")
            await work.lock("cursors", self.consumer)
            position: int | None = work.newest("cursors", self.consumer)
            if position is None or position < since:
                return False
            work.put("cursors", self.consumer, max(position, reached))
            work.purposes.append(f"past {reached}")
            return True


class Audit:
    """One row per event, chained by hash per project (SQL: `append_audit`)."""

    def concerns(self, _event: NewEvent) -> bool:
        """See the protocol."""
        return True

    async def handle(self, work: Transaction, events: list[EventRow]) -> None:
        """See the protocol."""
        for row in events:
            head = work.newest("audit_heads", row.event.project_id)
            entry = audit_row(row, head)
            work.put("audit_log", work.db.next_number("audit_log"), entry)
            work.put("audit_heads", row.event.project_id, entry)


def audit_row(row: EventRow, head: AuditRow | None) -> AuditRow:
    """Return the next row of a chain."""
    assert row.position is not None
    seq, previous = (1, b"") if head is None else (head.seq + 1, head.hash)
    changes = changed_fields(row.event.before, row.event.after)
    said = [row.position, row.event.project_id, seq, row.event.type, row.event.task_id, changes]
    return AuditRow(
        position=row.position,
        project_id=row.event.project_id,
        seq=seq,
        event_id=row.event.id,
        action=row.event.type,
        changes=changes,
        previous_hash=previous,
        hash=hashlib.sha256(previous + orjson.dumps(said)).digest(),
    )


def changed_fields(before: str | None, after: str | None) -> str:
    """Return the JSON of {field: [old, new]} for what differs (SQL: `changed_fields`)."""
    old, new = (orjson.loads(side or "{}") for side in (before, after))
    keys = (key for key in {**old, **new} if key not in ("version", "updatedAt"))
    different = {key: [old.get(key), new.get(key)] for key in keys if _differs(key, old, new)}
    return orjson.dumps(different, option=orjson.OPT_SORT_KEYS).decode()


def _differs(key: str, old: dict[str, Any], new: dict[str, Any]) -> bool:
    # In jsonb a key that is missing (NULL) and one that is null are distinct.
    return (key in old, old.get(key)) != (key in new, new.get(key))


class Occurrences:
    """What became of each occurrence of a series (SQL: `record_occurrences` of the adapter)."""

    def concerns(self, event: NewEvent) -> bool:
        """See the protocol."""
        return is_of_a_series(event)

    async def handle(self, work: Transaction, events: list[EventRow]) -> None:
        """See the protocol."""
        for row in events:
            detail = orjson.loads(row.event.detail)
            if "seriesId" in detail:
                await work.statement("record occurrence")
                self._record(work, row, UUID(detail["seriesId"]), detail)

    def _record(self, work: Transaction, row: EventRow, series_id: UUID, detail: dict[str, Any]) -> None:
        if row.event.type == TASK_REOPENED:
            self._take_back(work, series_id, row.event.task_id)
        elif row.event.type == TASK_COMPLETED:
            for passed in detail.get("missed", []):
                _put(work, row, series_id, passed, "missed")
            _put(work, row, series_id, detail["occurrence"], "done")
        elif row.event.type == TASK_DELETED:
            _put(work, row, series_id, detail["occurrence"], "deleted")

    def _take_back(self, work: Transaction, series_id: UUID, task_id: UUID | None) -> None:
        mine = list(work.rows("occurrences", lambda row: row.series_id == series_id))
        said_at = {row.position for row in mine if row.task_id == task_id and row.state == "done"}
        for row in mine:
            if row.position in said_at:
                work.put("occurrences", (series_id, row.occurrence), None)


def _put(work: Transaction, row: EventRow, series_id: UUID, occurrence: str, state: str) -> None:
    assert row.position is not None
    before = orjson.loads(row.event.before or "{}")
    made = OccurrenceRow(
        series_id=series_id,
        occurrence=occurrence,
        state=state,
        due=(before.get("dueDate") if state != "missed" else None) or occurrence,
        task_id=row.event.task_id if state != "missed" else None,
        completed_at=row.event.occurred_at if state == "done" else None,
        account_id=row.event.account_id,
        position=row.position,
    )
    work.put("occurrences", (series_id, occurrence), made)


@dataclass(frozen=True, slots=True)
class Rezoning:
    """Moves what floats when its owner moves (`app.adapters.postgres.rezoning` likewise)."""

    tasks: TaskService
    clock: Clock = field(kw_only=True)

    def concerns(self, event: NewEvent) -> bool:
        """See the protocol."""
        return is_of_an_account(event)

    async def handle(self, work: Transaction, events: list[EventRow]) -> None:
        """See the protocol."""
        unit = SimUnitOfWork(work)
        for row in events:
            account_id = row.event.account_id
            if row.event.type != ACCOUNT_UPDATED or account_id is None:
                continue
            old, new = (orjson.loads(side or "{}").get("timeZone") for side in (row.event.before, row.event.after))
            if old != new:
                await work.statement("zone now")
                zone: str = work.get("accounts", account_id).profile.time_zone
                context = Context(traceparent=row.event.traceparent)
                await self.tasks.rezone_floating(
                    cast("UnitOfWork", unit), account_id, zone, context=context, now=self.clock.now()
                )
        await unit.flush()
