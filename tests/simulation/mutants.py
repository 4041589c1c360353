"""Code under test, broken on purpose: a simulation that finds nothing wrong with these would prove nothing."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from app.ports.delivering import Firing
from tests.simulation.simdb.delivering import SimReminderSchedule
from tests.simulation.simdb.events import SimPublisher, assign, last_position, published_after
from tests.simulation.simdb.followers import SimFollower

if TYPE_CHECKING:
    from app.domain.events import NewEvent
    from app.ports.delivering import ReminderSchedule
    from app.ports.following import Follower, Publisher


class Mutants:
    """Nothing is broken."""

    # Whether hub clients ask for what they missed.
    resumes = True

    def publisher(self, publisher: SimPublisher) -> Publisher:
        """Return what gives events their positions."""
        return publisher

    def follower(self, follower: SimFollower) -> Follower:
        """Return a durable follower."""
        return follower

    def schedule(self, schedule: SimReminderSchedule) -> ReminderSchedule:
        """Return what fires reminders."""
        return schedule


class SerialCursor(Mutants):
    """The relay goes by the serial id: whatever is committed behind the newest one it has seen is lost."""

    def publisher(self, publisher: SimPublisher) -> Publisher:
        """See above."""
        return _SerialCursor(publisher.client, publisher.holder)


@dataclass(frozen=True, slots=True)
class _SerialCursor(SimPublisher):
    async def _assign(self, limit: int) -> int:
        async with self.client.transaction("publish") as work:
            await work.statement("lock relay state")
            await work.lock("relay_state", True)  # noqa: FBT003 - the table's primary key
            last = last_position(work)
            await work.statement("assign positions")
            cursor: int = work.get("serial_cursor", "relay") or 0
            waiting = [seq for seq in sorted(work.rows("unpublished")) if seq > cursor][:limit]
            if waiting:
                work.put("serial_cursor", "relay", waiting[-1])
            return assign(work, last, waiting)


class ForgetfulFollowers(Mutants):
    """Followers move their cursor in a transaction of its own, after the effect: a crash between does it twice."""

    def follower(self, follower: SimFollower) -> Follower:
        """See above."""
        return _CursorAfterwards(follower)


@dataclass(frozen=True, slots=True)
class _CursorAfterwards:
    follower: SimFollower

    async def advance(self, limit: int) -> tuple[int, int]:
        client, consumer = self.follower.client, self.follower.consumer
        async with client.transaction(consumer) as work:
            await work.statement("next events")
            position: int = work.get("cursors", consumer) or 0
            events = [row for row, _ in zip(published_after(work, position), range(limit), strict=False)]
            if not events:
                return 0, position
            await self.follower.effect.handle(work, events)
        async with client.transaction(consumer) as work:
            await work.statement("move cursor")
            await work.lock("cursors", consumer)
            work.put("cursors", consumer, position + len(events))
        return len(events), position + len(events)


class HastyFollowers(Mutants):
    """Followers move their cursor before the effect: a crash between leaves it out."""

    def follower(self, follower: SimFollower) -> Follower:
        """See above."""
        return _CursorBefore(follower)


@dataclass(frozen=True, slots=True)
class _CursorBefore:
    follower: SimFollower

    async def advance(self, limit: int) -> tuple[int, int]:
        client, consumer = self.follower.client, self.follower.consumer
        async with client.transaction(consumer) as work:
            await work.statement("move cursor")
            await work.lock("cursors", consumer)
            position: int = work.newest("cursors", consumer) or 0
            events = [row for row, _ in zip(published_after(work, position), range(limit), strict=False)]
            work.put("cursors", consumer, position + len(events))
        if events:
            async with client.transaction(consumer) as work:
                await self.follower.effect.handle(work, events)
        return len(events), position + len(events)


class CarelessFollowers(Mutants):
    """Followers pass by what concerns them."""

    def follower(self, follower: SimFollower) -> Follower:
        """See above."""
        return _Unconcerned(follower.client, follower.consumer, follower.effect, follower.news)


@dataclass(frozen=True, slots=True)
class _Unconcerned(SimFollower):
    def concerns(self, _event: NewEvent) -> bool:
        return False


class ForgetfulClients(Mutants):
    """Hub clients go on with what comes, without asking for what they missed."""

    resumes = False


class LateLedger(Mutants):
    """The clockwork marks reminders as fired first, and opens their deliveries afterwards."""

    def schedule(self, schedule: SimReminderSchedule) -> ReminderSchedule:
        """See above."""
        return _LateLedger(schedule.client, schedule.clock)


@dataclass(frozen=True, slots=True)
class _LateLedger(SimReminderSchedule):
    async def fire_due(self, limit: int) -> Firing:
        async with self.client.transaction("clockwork") as work:
            await work.statement("clockwork claim due")
            due = self._claim(work, limit)
            fired = [self._fire(work, reminder) for reminder in due]
        if due:
            async with self.client.transaction("clockwork") as work:
                await work.statement("record fired")
                for before, after in zip(due, fired, strict=True):
                    self._record(work, before, after)
        return Firing(reminder_ids=tuple(one.id for one in due), most_late_seconds=0.0, deliveries=len(due))


ALL: Final = {
    kind.__name__: kind
    for kind in (
        SerialCursor,
        ForgetfulFollowers,
        HastyFollowers,
        CarelessFollowers,
        ForgetfulClients,
        LateLedger,
    )
}
