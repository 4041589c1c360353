"""One transaction with everything that can be changed in it; events are written last, before the commit."""

from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, field

import asyncpg

from app.adapters.postgres.accounts import PostgresAccountStore
from app.adapters.postgres.connection import Connection
from app.adapters.postgres.database import Database
from app.adapters.postgres.events import insert_events
from app.adapters.postgres.idempotency import PostgresIdempotencyStore
from app.adapters.postgres.own_account import PostgresLeavingStore, PostgresOwnSessionStore
from app.adapters.postgres.reminders import PostgresReminderStore
from app.adapters.postgres.sessions import PostgresSessionStore
from app.adapters.postgres.tasks import PostgresTaskStore
from app.domain.errors import NotAuthenticatedError
from app.domain.events import NewEvent
from app.ports.unit_of_work import TransactionConflictError, UnitOfWork


@dataclass(slots=True)
class PostgresUnitOfWork:
    """Implements `app.ports.unit_of_work.UnitOfWork` on a connection that is in a transaction.

    Made by `PostgresUnitsOfWork`; an actor that has a transaction of its own may make one too, and then calls
    `flush` before it commits.
    """

    connection: Connection
    _events: list[NewEvent] = field(default_factory=list)

    @property
    def tasks(self) -> PostgresTaskStore:
        """See the port."""
        return PostgresTaskStore(self.connection)

    @property
    def reminders(self) -> PostgresReminderStore:
        """See the port."""
        return PostgresReminderStore(self.connection)

    @property
    def accounts(self) -> PostgresAccountStore:
        """See the port."""
        return PostgresAccountStore(self.connection)

    @property
    def sessions(self) -> PostgresSessionStore:
        """See the port."""
        return PostgresSessionStore(self.connection)

    @property
    def own_sessions(self) -> PostgresOwnSessionStore:
        """See the port."""
        return PostgresOwnSessionStore(self.connection)

    @property
    def leaving(self) -> PostgresLeavingStore:
        """See the port."""
        return PostgresLeavingStore(self.connection)

    @property
    def idempotency(self) -> PostgresIdempotencyStore:
        """See the port."""
        return PostgresIdempotencyStore(self.connection)

    @property
    def recorded(self) -> int:
        """See the port."""
        return len(self._events)

    def record(self, event: NewEvent) -> None:
        """See the port."""
        self._events.append(event)

    async def flush(self) -> None:  # noqa: ASYNC910 # the commit that follows is a checkpoint
        """Write the recorded events."""
        if self._events:
            await insert_events(self.connection, self._events)


@dataclass(frozen=True, slots=True)
class PostgresUnitsOfWork:
    """Implements `app.ports.unit_of_work.UnitOfWorkFactory`."""

    database: Database

    def __call__(self) -> AbstractAsyncContextManager[UnitOfWork]:
        """See the port."""
        return self._begin()

    @asynccontextmanager
    async def _begin(self) -> AsyncIterator[UnitOfWork]:
        try:
            async with self.database.transaction() as connection:
                work = PostgresUnitOfWork(connection)
                yield work
                await work.flush()
        except (asyncpg.DeadlockDetectedError, asyncpg.SerializationError) as error:
            raise TransactionConflictError from error
        except asyncpg.ForeignKeyViolationError as error:
            # The account was deleted while this request of it was under way; anything else would be a bug.
            if (error.constraint_name or "").endswith(("_project_id_fkey", "_account_id_fkey")):
                raise NotAuthenticatedError from error
            raise
