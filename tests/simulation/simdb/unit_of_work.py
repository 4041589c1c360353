"""Units of work on the simulated database."""

from __future__ import annotations

from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, cast

from app.ports.unit_of_work import TransactionConflictError, UnitOfWork
from tests.simulation.simdb.accounts import SimAccountStore, SimIdempotencyStore
from tests.simulation.simdb.errors import DeadlockError
from tests.simulation.simdb.reminders import SimReminderStore
from tests.simulation.simdb.rows import EventRow
from tests.simulation.simdb.tasks import SimTaskStore

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from app.domain.events import NewEvent
    from app.ports.accounts import AccountStore
    from tests.simulation.simdb.client import Client
    from tests.simulation.simdb.transaction import Transaction


@dataclass(slots=True)
class SimUnitOfWork:
    """`app.ports.unit_of_work.UnitOfWork` in a transaction, without what nobody does in a simulation: signing in, say.

    `flush` writes the events.
    """

    work: Transaction
    _events: list[NewEvent] = field(default_factory=list)

    @property
    def tasks(self) -> SimTaskStore:
        """See the port."""
        return SimTaskStore(self.work)

    @property
    def reminders(self) -> SimReminderStore:
        """See the port."""
        return SimReminderStore(self.work)

    @property
    def accounts(self) -> AccountStore:
        """See the port; the part of it that a simulation uses."""
        return cast("AccountStore", SimAccountStore(self.work))

    @property
    def idempotency(self) -> SimIdempotencyStore:
        """See the port."""
        return SimIdempotencyStore(self.work)

    @property
    def recorded(self) -> int:
        """See the port."""
        return len(self._events)

    def record(self, event: NewEvent) -> None:
        """See the port."""
        self._events.append(event)

    async def flush(self) -> None:
        """Write the recorded events, all in one statement."""
        if self._events:
            await self.work.statement("insert events")
            for event in self._events:
                insert_event(self.work, event)


def insert_event(work: Transaction, event: NewEvent) -> None:
    """Write one event: its serial number is given out now, whenever the commit is."""
    seq = work.db.next_number("events")
    work.put("events", seq, EventRow(seq=seq, event=event))
    work.put("unpublished", seq, seq)  # the index events_unpublished
    work.event_ids.append(event.id)
    work.purposes.append(f"{event.type}#{seq}")


@dataclass(frozen=True, slots=True)
class SimUnitsOfWork:
    """Implements `app.ports.unit_of_work.UnitOfWorkFactory`."""

    client: Client

    def __call__(self) -> AbstractAsyncContextManager[UnitOfWork]:
        """See the port."""
        return self._begin()

    @asynccontextmanager
    async def _begin(self) -> AsyncIterator[UnitOfWork]:
        try:
            async with self.client.transaction("write") as transaction:
                work = SimUnitOfWork(transaction)
                yield cast("UnitOfWork", work)
                await work.flush()
        except DeadlockError as error:
            raise TransactionConflictError from error
