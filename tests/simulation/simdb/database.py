"""The simulated database: it survives the processes, and does to them what a real one does on a bad day.

READ COMMITTED: a statement sees what was committed when it began, and what its own transaction wrote. Serial numbers
are given out before the commit and never taken back. A commit takes time, during which others commit; it is the
database's own work, so a process that dies meanwhile does not stop it. The reply to it can be lost.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

import trio

from app.ports.database import DatabaseUnavailableError
from tests.simulation.clocks import SimClock
from tests.simulation.simdb.errors import DeadlockError
from tests.simulation.simdb.locks import Locks
from tests.simulation.simdb.mvcc import Store

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.simulation.dice import Dice
    from tests.simulation.simdb.client import Client
    from tests.simulation.simdb.transaction import Transaction
    from tests.simulation.trace import Trace

# How long a round trip and a commit take: most are quick, some are not, and those are the ones that show faults.
ROUND_TRIPS: Final = (0.0, 0.0, 0.0, 0.001, 0.004)
COMMITS: Final = (0.0, 0.001, 0.002, 0.002, 0.005, 0.03)


@dataclass(slots=True)
class Weather:
    """How likely the database misbehaves now; 0 is never.

    Attributes:
        crash: An operation ends as if by a bug of the caller.
        lost_commit: The connection breaks before COMMIT arrives.
        lost_reply: The transaction is committed and nobody hears of it.
        conflict: The transaction is undone in favour of another.
        slow_commit: A commit takes seconds.
    """

    crash: float = 0.0
    lost_commit: float = 0.0
    lost_reply: float = 0.0
    conflict: float = 0.0
    slow_commit: float = 0.0


@dataclass(eq=False, slots=True)
class SimDb:
    """One database, for any number of processes.

    Attributes:
        committed: Ids of events, in the order of their commits: the truth that everything else is compared with.
        clock: The clock of the database's machine.
    """

    dice: Dice
    trace: Trace
    store: Store = field(default_factory=Store)
    locks: Locks = field(default_factory=Locks)
    clock: SimClock = field(default_factory=SimClock)
    weather: Weather = field(default_factory=Weather)
    committed: list[Any] = field(default_factory=list)
    is_away: bool = False
    _clients: list[Client] = field(default_factory=list)
    _sequences: dict[str, int] = field(default_factory=dict)
    _transactions: int = 0
    _active: dict[int, Transaction] = field(default_factory=dict)
    _to_finish: deque[tuple[Transaction, float]] = field(default_factory=deque)
    _work: trio.Event = field(default_factory=trio.Event)
    _ears: list[Callable[[], None]] = field(default_factory=list)

    async def run(self, *, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED) -> None:
        """Commit what is to be committed, until cancelled."""
        async with trio.open_nursery() as nursery:
            task_status.started()
            while True:
                while self._to_finish:
                    nursery.start_soon(self._finish, *self._to_finish.popleft())
                self._work = trio.Event()
                await self._work.wait()

    def next_number(self, sequence: str) -> int:
        """Return the next serial number; a rollback does not give it back."""
        self._sequences[sequence] = self._sequences.get(sequence, 0) + 1
        return self._sequences[sequence]

    # --- Weather ------------------------------------------------------------------------------------

    def go_away(self) -> None:
        """Stop at once: what is not committed is undone, every connection is lost."""
        self.is_away = True
        self.trace.note("db away")
        for transaction in list(self._active.values()):
            if transaction.is_committing and self.dice.chance(0.5):
                self._apply(transaction)
            else:
                self.undo(transaction)
        for client in self._clients:
            client.lose_connections()

    def come_back(self) -> None:
        """Serve again. Who listens cannot know what was missed, and is told so."""
        self.is_away = False
        self.trace.note("db back")
        self.notify()

    def attach(self, client: Client) -> None:
        """A process may connect."""
        self._clients.append(client)

    def detach(self, client: Client) -> None:
        """A process is gone: what it had not sent COMMIT for is undone, the rest goes its way."""
        self._clients.remove(client)
        for transaction in list(self._active.values()):
            if transaction.client is client and not transaction.is_committing:
                self.undo(transaction)

    def listen(self, ear: Callable[[], None]) -> Callable[[], None]:
        """Tell `ear` of every notification; return what ends that."""
        self._ears.append(ear)
        return lambda: self._ears.remove(ear)

    def notify(self) -> None:
        """Tell all who listen that there is news."""
        if not self.is_away:
            for ear in list(self._ears):
                ear()

    # --- Transactions -------------------------------------------------------------------------------

    def begin(self, transaction: Transaction) -> int:
        """Register a transaction; return its number."""
        self._transactions += 1
        self._active[self._transactions] = transaction
        return self._transactions

    def undo(self, transaction: Transaction) -> None:
        """Roll back. Harmless when the transaction has ended."""
        if self._active.pop(transaction.number, None) is not None:
            self.locks.release(transaction)
            transaction.end(committed=False)

    def commit_soon(self, transaction: Transaction) -> None:
        """Take a COMMIT: it is the database's from here on."""
        transaction.is_committing = True
        slow = self.dice.chance(self.weather.slow_commit)
        self._to_finish.append((transaction, self.dice.between(0.5, 7.0) if slow else self.dice.pick(COMMITS)))
        self._work.set()

    async def _finish(self, transaction: Transaction, seconds: float) -> None:
        await trio.sleep(seconds)
        if transaction.number not in self._active:
            return
        if self.dice.chance(self.weather.conflict):
            transaction.error = DeadlockError("could not serialize access")
            self.undo(transaction)
        else:
            self._apply(transaction)

    def _apply(self, transaction: Transaction) -> None:
        del self._active[transaction.number]
        self.store.apply(transaction.writes)
        self.committed += transaction.event_ids
        self.trace.note("commit", transaction.number, *transaction.purposes)
        self.locks.release(transaction)
        transaction.end(committed=True)

    def require_here(self) -> None:
        """Raise if nobody can connect.

        Raises:
            DatabaseUnavailableError: It is away.
        """
        if self.is_away:
            raise DatabaseUnavailableError("PostgreSQL cannot be used: connection refused")
