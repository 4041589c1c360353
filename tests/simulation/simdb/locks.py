"""Row locks as PostgreSQL has them: modes, first come first served, SKIP LOCKED, deadlocks found after a while."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from enum import Enum
from typing import TYPE_CHECKING, Any, Final

import trio

from app.ports.database import DatabaseUnavailableError
from tests.simulation.simdb.errors import DeadlockError

if TYPE_CHECKING:
    from tests.simulation.simdb.mvcc import Place

# PostgreSQL looks for deadlocks when somebody has waited for so long.
DEADLOCK_SECONDS: Final = 1.0
# `lock_timeout`, after which the database counts as unavailable.
LOCK_SECONDS: Final = 10.0


class Mode(Enum):
    """`FOR SHARE`, and `FOR UPDATE` with all that changes a row."""

    SHARE = "share"
    UPDATE = "update"


@dataclass(eq=False, slots=True)
class _Waiter:
    owner: Any
    mode: Mode
    granted: trio.Event = field(default_factory=trio.Event)


class Locks:
    """Who holds what, and who waits for it. An owner is a transaction."""

    def __init__(self) -> None:
        self._held: defaultdict[Place, dict[Any, Mode]] = defaultdict(dict)
        self._queues: defaultdict[Place, list[_Waiter]] = defaultdict(list)

    @property
    def waiting(self) -> int:
        """How many transactions wait."""
        return sum(map(len, self._queues.values()))

    def try_lock(self, owner: Any, place: Place, mode: Mode) -> bool:
        """Take a lock, or return False if somebody else stands in the way."""
        if not self._is_free(owner, place, mode):
            return False
        held = self._held[place]
        held[owner] = Mode.UPDATE if Mode.UPDATE in (mode, held.get(owner)) else mode
        return True

    async def lock(self, owner: Any, place: Place, mode: Mode) -> bool:
        """Take a lock; return whether it had to be waited for.

        Raises:
            DeadlockError: The one who holds it waits for us.
            DatabaseUnavailableError: It took too long.
        """
        queue = self._queues[place]
        mine = owner in self._held[place]  # who upgrades goes before those who wait for him
        if (mine or not queue) and self.try_lock(owner, place, mode):
            return False
        waiter = _Waiter(owner, mode)
        queue.insert(0 if mine else len(queue), waiter)
        try:
            await self._wait(waiter)
        finally:
            if waiter in queue:
                queue.remove(waiter)
                self._grant(place)
        return True

    def release(self, owner: Any) -> None:
        """Let go of everything and wait for nothing, and let in who waits for it."""
        for queue in self._queues.values():
            queue[:] = [waiter for waiter in queue if waiter.owner is not owner]
        for place in [place for place, holders in self._held.items() if owner in holders]:
            del self._held[place][owner]
            self._grant(place)

    async def _wait(self, waiter: _Waiter) -> None:
        with trio.move_on_after(DEADLOCK_SECONDS):
            await waiter.granted.wait()
        if waiter.granted.is_set():
            return
        if self._is_in_a_circle(waiter.owner):
            raise DeadlockError("deadlock detected")
        with trio.move_on_after(LOCK_SECONDS - DEADLOCK_SECONDS):
            await waiter.granted.wait()
        if not waiter.granted.is_set():
            raise DatabaseUnavailableError("canceling statement due to lock timeout")

    def _is_free(self, owner: Any, place: Place, mode: Mode) -> bool:
        return all(
            other is owner or (mode is Mode.SHARE and held is Mode.SHARE) for other, held in self._held[place].items()
        )

    def _grant(self, place: Place) -> None:
        queue = self._queues[place]
        while queue and self.try_lock(queue[0].owner, place, queue[0].mode):
            queue.pop(0).granted.set()
        if not queue:
            del self._queues[place]
        if not self._held[place]:
            del self._held[place]

    def _is_in_a_circle(self, owner: Any) -> bool:
        seen: list[Any] = []
        frontier = self._waited_for_by(owner)
        while frontier:
            other = frontier.pop()
            if other is owner:
                return True
            if other not in seen:
                seen.append(other)
                frontier += self._waited_for_by(other)
        return False

    def _waited_for_by(self, owner: Any) -> list[Any]:
        found: list[Any] = []
        for place, queue in self._queues.items():
            for number, waiter in enumerate(queue):
                if waiter.owner is owner:
                    found += [other for other in self._held[place] if other is not owner]
                    found += [before.owner for before in queue[:number]]
        return found
