"""One transaction, as a port: what is changed in it and the events that tell of it become true together."""

from contextlib import AbstractAsyncContextManager
from typing import Protocol

from app.domain.events import NewEvent
from app.ports.accounts import AccountStore, SessionStore
from app.ports.idempotency import IdempotencyStore
from app.ports.own_account import LeavingStore, OwnSessionStore
from app.ports.reminders import ReminderStore
from app.ports.tasks import TaskStore


class TransactionConflictError(Exception):
    """Two transactions stood in each other's way and this one was undone (deadlock, serialization failure).

    Doing it again will do.
    """


class UnitOfWork(Protocol):
    """What can be changed together."""

    @property
    def tasks(self) -> TaskStore:
        """Tasks."""
        ...

    @property
    def reminders(self) -> ReminderStore:
        """Reminders."""
        ...

    @property
    def accounts(self) -> AccountStore:
        """Accounts."""
        ...

    @property
    def sessions(self) -> SessionStore:
        """Sessions."""
        ...

    @property
    def own_sessions(self) -> OwnSessionStore:
        """Sessions, as far as they are the caller's own."""
        ...

    @property
    def leaving(self) -> LeavingStore:
        """Accounts that go."""
        ...

    @property
    def idempotency(self) -> IdempotencyStore:
        """Answers that are kept."""
        ...

    def record(self, event: NewEvent) -> None:
        """Write the event when the unit of work ends well. Not a checkpoint."""
        ...

    @property
    def recorded(self) -> int:
        """How many events there are to tell of."""
        ...


class UnitOfWorkFactory(Protocol):
    """Begins units of work."""

    def __call__(self) -> AbstractAsyncContextManager[UnitOfWork]:
        """Return a context: committed when it ends well, undone when an exception leaves it.

        Raises:
            TransactionConflictError: It was undone; do it again.
            DatabaseUnavailableError: PostgreSQL is away; nothing was written.
        """
        ...
