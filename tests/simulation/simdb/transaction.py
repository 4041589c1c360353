"""One transaction of the simulated database, statement by statement."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import trio

from app.ports.database import DatabaseUnavailableError
from tests.simulation.simdb.locks import Mode

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Iterator
    from datetime import datetime

    from tests.simulation.simdb.client import Client
    from tests.simulation.simdb.mvcc import Place


class Transaction:
    """What one transaction reads and writes. `await statement()` before each statement; reading then waits for nothing.

    Attributes:
        now: PostgreSQL's `now()`: when it began, by the database's clock.
        writes: What it would change, by place.
        event_ids: The events among that.
        purposes: What it did, in words, for the trace.
    """

    def __init__(self, client: Client, purpose: str = "") -> None:
        self.client = client
        self.db = client.db
        self.number = self.db.begin(self)
        self.now: datetime = self.db.clock.now()
        self.writes: dict[Place, Any] = {}
        self.event_ids: list[Any] = []
        self.purposes = [purpose]
        self.is_committing = False
        self.error: Exception | None = None
        self.ended = trio.Event()
        self.is_committed = False
        self._snapshot = self.db.store.newest

    async def statement(self, purpose: str = "") -> None:
        """Send a statement: from here on the transaction sees what is committed now.

        Raises:
            DatabaseUnavailableError: The connection is lost.
            CrashError: By the dice.
        """
        await self.client.travel(purpose)
        self._require_open()
        self._snapshot = self.db.store.newest

    # --- Reading: as the statement sees it ----------------------------------------------------------

    def get(self, table: str, key: Hashable) -> Any:
        """Return a row, None if there is none."""
        place = (table, key)
        return self.writes[place] if place in self.writes else self.db.store.read(place, self._snapshot)

    def newest(self, table: str, key: Hashable) -> Any:
        """Return a row as it is committed by now: what PostgreSQL looks at again after it has waited for a lock."""
        place = (table, key)
        return self.writes[place] if place in self.writes else self.db.store.read(place, self.db.store.newest)

    def rows(self, table: str, where: Callable[[Any], object] = lambda _row: True) -> Iterator[Any]:
        """Return the rows of a table for which `where` holds."""
        mine = (key for (name, key) in self.writes if name == table)
        for key in dict.fromkeys((*self.db.store.keys(table), *mine)):
            row = self.get(table, key)
            if row is not None and where(row):
                yield row

    # --- Locking and writing ------------------------------------------------------------------------

    async def lock(self, table: str, key: Hashable, mode: Mode = Mode.UPDATE) -> None:
        """Lock a row, or whatever the key stands for.

        Raises:
            DeadlockError, DatabaseUnavailableError: It cannot be had.
        """
        with self.client.lifeline():
            await self.db.locks.lock(self, (table, key), mode)
        self._require_open()

    def try_lock(self, table: str, key: Hashable, mode: Mode = Mode.UPDATE) -> bool:
        """Lock a row unless somebody else has it (`SKIP LOCKED`)."""
        return self.db.locks.try_lock(self, (table, key), mode)

    def put(self, table: str, key: Hashable, row: Any) -> None:
        """Insert or update a row that is locked or new; None removes it."""
        self.writes[table, key] = row

    # --- The end ------------------------------------------------------------------------------------

    def end(self, *, committed: bool) -> None:
        """The database says how it ended."""
        self.is_committed = committed
        self.ended.set()

    def _require_open(self) -> None:
        if self.ended.is_set():
            raise DatabaseUnavailableError("PostgreSQL cannot be used: the connection was lost")
