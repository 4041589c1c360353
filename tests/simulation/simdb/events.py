"""Positions and reading in their order: the ports `Publisher` and `EventReader` of `app.ports.following`."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from app.domain.events import NewEvent, RecordedEvent
from tests.simulation.simdb.rows import EventRow, Lease

if TYPE_CHECKING:
    from collections.abc import Iterator
    from uuid import UUID

    from app.domain.ids import AccountId
    from tests.simulation.simdb.client import Client
    from tests.simulation.simdb.transaction import Transaction


@dataclass(frozen=True, slots=True)
class SimPublisher:
    """Implements `app.ports.following.Publisher`."""

    client: Client
    holder: UUID

    async def hold_lease(self, lease_seconds: float) -> bool:
        """See the port."""
        async with self.client.transaction("lease") as work:
            await work.statement("hold lease")
            await work.lock("leases", "relay")
            lease: Lease | None = work.newest("leases", "relay")
            if lease is not None and lease.holder != self.holder and lease.expires_at >= work.now:
                return False
            term = 1 if lease is None else lease.term + (lease.holder != self.holder)
            expires_at = work.now + timedelta(seconds=lease_seconds)
            work.put("leases", "relay", Lease(holder=self.holder, expires_at=expires_at, term=term))
            return True

    async def publish(self, limit: int) -> int:
        """See the port."""
        published = await self._assign(limit)
        if published:
            self.client.db.notify()
        return published

    async def _assign(self, limit: int) -> int:
        """Give positions. Two statements: the second one has a snapshot newer than the lock the first waited for."""
        async with self.client.transaction("publish") as work:
            await work.statement("lock relay state")
            lease: Lease | None = work.get("leases", "relay")
            if lease is None or lease.holder != self.holder or lease.expires_at <= work.now:
                return 0
            await work.lock("relay_state", True)  # noqa: FBT003 - the table's primary key
            last = last_position(work)
            await work.statement("assign positions")
            waiting = sorted(work.rows("unpublished"))[:limit]
            return assign(work, last, waiting)


def last_position(work: Transaction) -> int:
    """Return `relay_state.last_position` as it is committed by now."""
    return work.newest("relay_state", True) or 0  # noqa: FBT003 - the table's primary key


def assign(work: Transaction, last: int, seqs: list[int]) -> int:
    """Give events the next positions; return how many."""
    for position, seq in enumerate(seqs, last + 1):
        row: EventRow = work.get("events", seq)
        work.put("events", seq, replace(row, position=position))
        work.put("published", position, seq)  # the unique index over positions
        work.put("unpublished", seq, None)
    if seqs:
        work.put("relay_state", True, last + len(seqs))  # noqa: FBT003 - the table's primary key
    return len(seqs)


def published_after(work: Transaction, position: int) -> Iterator[EventRow]:
    """Return the events behind a position, in order, as a statement sees them. Positions have no gaps."""
    while (seq := work.get("published", position := position + 1)) is not None:
        yield work.get("events", seq)


@dataclass(frozen=True, slots=True)
class SimEventReader:
    """Implements `app.ports.following.EventReader`."""

    client: Client

    async def last_position(self) -> int:
        """See the port."""
        async with self.client.transaction() as work:
            await work.statement("last position")
            return last_position(work)

    async def after(self, position: int, limit: int) -> tuple[RecordedEvent, ...]:
        """See the port."""
        return tuple(await self._after(position, limit, None))

    async def after_for(self, account_id: UUID, position: int, limit: int) -> tuple[RecordedEvent, ...]:
        """See the port."""
        return tuple(await self._after(position, limit, account_id))

    async def count_after_for(self, account_id: UUID, position: int, limit: int) -> int:
        """See the port."""
        return len(await self._after(position, limit, account_id))

    async def _after(self, position: int, limit: int, account_id: UUID | None) -> list[RecordedEvent]:
        found: list[RecordedEvent] = []
        async with self.client.transaction() as work:
            await work.statement("read events")
            for row in published_after(work, position):
                if len(found) == limit:
                    break
                audience = members(work, row.event.project_id)
                if account_id is None or account_id in audience:
                    found.append(recorded(row, audience if account_id is None else (account_id,)))  # type: ignore[arg-type] # an AccountId is a UUID
        return found


def members(work: Transaction, project_id: UUID) -> tuple[AccountId, ...]:
    """Return every account that may see a project."""
    keys: list[Any] = work.db.store.keys("memberships")
    return tuple(account_id for (project, account_id) in keys if project == project_id)


def recorded(row: EventRow, audience: tuple[AccountId, ...]) -> RecordedEvent:
    """Return an event of the log as its readers get it."""
    assert row.position is not None
    told = {field.name: getattr(row.event, field.name) for field in fields(NewEvent)}
    return RecordedEvent(**told, position=row.position, audience=audience)
