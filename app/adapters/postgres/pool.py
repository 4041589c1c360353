"""A fixed number of connections and a fair queue for them.

The pool lends and takes back; it does not connect (`Database` does). While PostgreSQL is known to be away it refuses
at once instead of letting callers wait. All of it is synchronous except waiting, so nothing can be lost to a
cancellation: a connection is idle, or lent, or gone.

No more than three of four connections are lent for what reads much, and no more than there are processors and one. So
a write, or a look at one task, does not wait behind people who search; and these come to an end sooner in turn than all
at once on the same few processors.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from time import perf_counter
from typing import TYPE_CHECKING

import outcome
import trio
from trio.lowlevel import Abort

from app.ports.database import DatabaseUnavailableError
from monitoring import limits, metrics

if TYPE_CHECKING:
    from collections.abc import Callable

    from app.adapters.postgres.connection import Connection

# While no connection is open at all, waiting longer helps nobody: PostgreSQL answers at once or it is away.
NO_CONNECTION_SECONDS = 0.5


@dataclass(slots=True, eq=False)
class _Waiter:
    """A task that waits for a connection; `until` in `perf_counter` seconds."""

    task: trio.lowlevel.Task
    until: float
    reads_much: bool


class Pool:
    """Connections by state, and the tasks that wait for one, first come first served."""

    def __init__(
        self, name: str, size: int, acquire_seconds: float, lost: Callable[[], None], turns: int | None = None
    ) -> None:
        """Make an empty pool.

        Args:
            name: Its label in metrics.
            size: How many connections it should have.
            acquire_seconds: How long a task may wait for one.
            lost: Called, without waiting, when a connection is gone and should be replaced.
            turns: How many are lent at once for what reads much; `turns_of(size)` by default.
        """
        self.size = size
        self.turns = turns_of(size) if turns is None else turns
        self.idle: list[Connection] = []
        self.lent: set[Connection] = set()
        self.problem: str | None = "PostgreSQL is not connected yet"
        self.available = trio.Event()  # set while there is no problem
        self._acquire_seconds = acquire_seconds
        self._lost = lost
        self._waiters: deque[_Waiter] = deque()
        self._readers: deque[_Waiter] = deque()  # those of them that are going to read much
        self._reading: set[Connection] = set()  # those of the lent ones that do
        self._all_back: trio.Event | None = None
        self._waited = metrics.DATABASE_POOL_WAIT_DURATION_SECONDS.labels(name).observe
        self._timeouts = metrics.DATABASE_POOL_TIMEOUTS_TOTAL.labels(name)
        metrics.DATABASE_CONNECTIONS_MAX.labels(name).set(size)
        metrics.DATABASE_CONNECTIONS_ACTIVE.labels(name).set_function(lambda: len(self.lent))
        metrics.DATABASE_CONNECTIONS_IDLE.labels(name).set_function(lambda: len(self.idle))
        metrics.DATABASE_POOL_WAITERS.labels(name).set_function(lambda: self.waiting)

    @property
    def open(self) -> int:
        """Return how many connections there are."""
        return len(self.idle) + len(self.lent)

    @property
    def waiting(self) -> int:
        """Return how many tasks wait."""
        return len(self._waiters) + len(self._readers)

    @property
    def _may_read_much(self) -> bool:
        return len(self._reading) < self.turns

    def take(self, *, reads_much: bool = False) -> Connection | None:
        """Lend an idle connection if there is one. Not a checkpoint.

        Raises:
            DatabaseUnavailableError: PostgreSQL is known to be away.
        """
        if self.problem is not None:
            raise DatabaseUnavailableError(self.problem)
        if not self.idle or (reads_much and not self._may_read_much):
            return None
        connection = self.idle.pop()
        self._lend(connection, reads_much=reads_much)
        self._waited(0.0)
        return connection

    async def wait(self, *, reads_much: bool = False) -> Connection:
        """Wait for a connection in the queue.

        Raises:
            DatabaseUnavailableError: There was none in time, or PostgreSQL went away meanwhile.
        """
        started = perf_counter()
        seconds = self._acquire_seconds if self.open else NO_CONNECTION_SECONDS
        waiter = _Waiter(trio.lowlevel.current_task(), started + seconds, reads_much)
        queue = self._readers if reads_much else self._waiters
        queue.append(waiter)

        def abort(_: object) -> Abort:
            queue.remove(waiter)
            return Abort.SUCCEEDED

        connection: Connection = await trio.lowlevel.wait_task_rescheduled(abort)
        self._waited(perf_counter() - started)
        return connection

    def refuse_late(self) -> None:
        """Refuse those who have waited for too long. Not a checkpoint.

        Called now and then: a timer for each would cost more than the waiting.
        """
        now = perf_counter()
        for queue in (self._waiters, self._readers):
            for waiter in [waiter for waiter in queue if waiter.until <= now]:
                queue.remove(waiter)
                self._timeouts.inc()
                reason = f"no database connection became free in {self._acquire_seconds:g} s"
                trio.lowlevel.reschedule(waiter.task, outcome.Error(DatabaseUnavailableError(reason)))

    def _lend(self, connection: Connection, *, reads_much: bool) -> None:
        self.lent.add(connection)
        if reads_much:
            self._reading.add(connection)

    def give_back(self, connection: Connection) -> None:
        """Take a connection back: the next in the queue gets it. One that is not clean is cut."""
        self.lent.discard(connection)
        self._reading.discard(connection)
        if self._all_back is not None and not self.lent:
            self._all_back.set()
        if connection.raw.is_closed():
            self._lost_lent()
        elif connection.raw.is_in_transaction():
            connection.terminate()
            self._lost_lent()
        else:
            self.put(connection)

    def _lost_lent(self) -> None:
        self._lost()
        if self.idle and self._readers:  # these waited for their turn, not for a connection
            self.put(self.idle.pop())

    def put(self, connection: Connection) -> None:
        """Take a clean connection in, new or given back."""
        queue = self._next_queue()
        if queue:
            waiter = queue.popleft()
            self._lend(connection, reads_much=waiter.reads_much)
            trio.lowlevel.reschedule(waiter.task, outcome.Value(connection))
        else:
            connection.idle_since = trio.current_time()
            self.idle.append(connection)

    def _next_queue(self) -> deque[_Waiter]:
        """Return the queue whose first has waited longest and may go on; an empty one if nobody may."""
        waiters, readers = self._waiters, self._readers
        if not readers or not self._may_read_much or (waiters and waiters[0].until <= readers[0].until):
            return waiters
        return readers

    def forget(self, connection: Connection) -> None:
        """Hear that a connection ended. One that is lent stays so until it is given back."""
        if connection in self.idle:
            self.idle.remove(connection)
            self._lost()

    def refuse(self, problem: str) -> None:
        """Fail everyone who waits, and everyone who comes, until `accept`."""
        self.problem = problem
        self.available = trio.Event() if self.available.is_set() else self.available
        for queue in (self._waiters, self._readers):
            while queue:
                trio.lowlevel.reschedule(queue.popleft().task, outcome.Error(DatabaseUnavailableError(problem)))

    def accept(self) -> None:
        """Lend again."""
        self.problem = None
        self.available.set()

    async def wait_all_back(self) -> None:
        """Wait until no connection is lent. Checkpoints only if one is."""
        if self.lent:
            self._all_back = trio.Event()
            await self._all_back.wait()

    def cut_all(self) -> None:
        """Cut every connection. Whoever uses one gets an error."""
        idle, self.idle = self.idle, []
        for connection in (*idle, *self.lent):
            connection.terminate()


def turns_of(size: int, processors: int | None = None) -> int:
    """Return how many of so many connections are lent at once for what reads much.

    PostgreSQL is taken to have as many processors as this process: it has the same ones, or more of its own.
    """
    return min(size - size // 4, (limits.processors() if processors is None else processors) + 1)
