"""A process's door to the simulated database: a pool of connections that can be lost all at once."""

from __future__ import annotations

from contextlib import asynccontextmanager, contextmanager
from typing import TYPE_CHECKING, Final

import trio

from app.ports.database import DatabaseUnavailableError, OutcomeUnknownError
from tests.simulation.simdb.database import ROUND_TRIPS, SimDb
from tests.simulation.simdb.errors import CrashError
from tests.simulation.simdb.transaction import Transaction

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

CONNECTIONS: Final = 8
ACQUIRE_SECONDS: Final = 5.0
BORDER_SECONDS: Final = 5.0


class Client:
    """The connections of one process. After `kill` nothing comes through any more, in either direction."""

    def __init__(self, db: SimDb) -> None:
        self.db = db
        self.is_killed = False
        self._waits: dict[trio.CancelScope, None] = {}
        self._losses = 0
        self._pool = trio.Semaphore(CONNECTIONS)
        # Seconds that each statement of a purpose takes longer, by its first word.
        self.slowness: dict[str, float] = {}
        # Nothing that is sent before then arrives before then: the process is paused, or its network is.
        self.stalled_until = 0.0
        db.attach(self)

    @asynccontextmanager
    async def transaction(self, purpose: str = "") -> AsyncIterator[Transaction]:
        """Begin; commit when the block ends well, roll back when it does not.

        Raises:
            DatabaseUnavailableError: Nothing was written.
            OutcomeUnknownError: Who knows.
            DeadlockError: Undone in favour of another.
        """
        async with self._connection():
            transaction = Transaction(self, purpose)
            try:
                yield transaction
            except BaseException:
                self.db.undo(transaction)
                raise
            await self._commit(transaction)

    def kill(self) -> None:
        """The process is gone: `kill -9`."""
        self.is_killed = True
        self.db.detach(self)
        self.lose_connections()

    def lose_connections(self) -> None:
        """End whatever waits for the database."""
        self._losses += 1
        for scope in list(self._waits):
            scope.cancel()

    async def travel(self, purpose: str = "") -> None:
        """Make one round trip.

        Raises:
            DatabaseUnavailableError: The database is not there.
            CrashError: By the dice.
        """
        slow = self.slowness.get(purpose.split(" ", 1)[0], 0.0) if self.slowness else 0.0
        slow += max(self.stalled_until - trio.current_time(), 0.0)
        await self._pass(slow + self.db.dice.pick(ROUND_TRIPS))
        self._maybe_crash(purpose)

    @contextmanager
    def lifeline(self) -> Iterator[None]:
        """End the wait inside when the connection is lost.

        Raises:
            DatabaseUnavailableError: It was, or there is none.
        """
        self._require_here()
        with trio.CancelScope() as scope:
            self._waits[scope] = None
            try:
                yield
            finally:
                del self._waits[scope]
        if scope.cancelled_caught:
            raise DatabaseUnavailableError("PostgreSQL cannot be used: the connection was lost")

    @asynccontextmanager
    async def _connection(self) -> AsyncIterator[None]:
        try:
            self._pool.acquire_nowait()
        except trio.WouldBlock:
            await self._wait_for_connection()
        try:
            yield
        finally:
            self._pool.release()

    async def _wait_for_connection(self) -> None:
        with self.lifeline(), trio.move_on_after(ACQUIRE_SECONDS) as limit:
            await self._pool.acquire()
        if limit.cancelled_caught:
            raise DatabaseUnavailableError("PostgreSQL cannot be used: no connection is free")

    async def _pass(self, seconds: float) -> None:
        """Let time pass on the line. In one scope, not two: scopes cost most of a simulation's time."""
        self._require_here()
        if not seconds:
            await trio.lowlevel.checkpoint()
            self._require_here()
            return
        losses = self._losses
        with trio.CancelScope(deadline=trio.current_time() + seconds) as scope:
            self._waits[scope] = None
            try:
                await trio.sleep_forever()
            finally:
                del self._waits[scope]
        if self._losses != losses:
            raise DatabaseUnavailableError("PostgreSQL cannot be used: the connection was lost")

    async def _commit(self, transaction: Transaction) -> None:
        """Send COMMIT and hear what became of it; what has only read has nothing to be unsure about."""
        if not transaction.writes:
            self.db.undo(transaction)
            return
        with trio.move_on_after(BORDER_SECONDS, shield=True):  # as in app.adapters.postgres.connection
            try:
                await self._send_commit(transaction)
            except DatabaseUnavailableError as lost:
                raise OutcomeUnknownError("PostgreSQL was lost while it committed") from lost
        if not transaction.is_committed:
            raise transaction.error or OutcomeUnknownError("PostgreSQL was lost while it committed")
        if self.db.dice.chance(self.db.weather.lost_reply):
            self.db.trace.note("reply lost", transaction.number)
            raise OutcomeUnknownError("PostgreSQL was lost while it committed")
        self._maybe_crash("committed")

    async def _send_commit(self, transaction: Transaction) -> None:
        try:
            await self._pass(self.db.dice.pick(ROUND_TRIPS))
        except DatabaseUnavailableError:
            self.db.undo(transaction)
            raise
        if transaction.ended.is_set():
            return
        if self.db.dice.chance(self.db.weather.lost_commit):
            self.db.trace.note("commit lost", transaction.number)
            self.db.undo(transaction)
            raise DatabaseUnavailableError("the connection broke")
        self.db.commit_soon(transaction)
        with self.lifeline():
            await transaction.ended.wait()

    def _require_here(self) -> None:
        if self.is_killed:
            raise DatabaseUnavailableError("this process is dead")
        self.db.require_here()

    def _maybe_crash(self, point: str) -> None:
        if self.db.dice.chance(self.db.weather.crash):
            self.db.trace.note("crash at", point or "a statement")
            raise CrashError(point)
