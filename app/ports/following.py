"""How actors read and follow the event log. Implemented by ``app.adapters.postgres``; used by ``actors``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from uuid import UUID

    from app.domain.events import RecordedEvent


class Publisher(Protocol):
    """Gives committed events their position, the one order that all readers share."""

    async def hold_lease(self, lease_seconds: float) -> bool:
        """Take or renew the relay's lease; return whether this process holds it now.

        A lease that ran out, or that an earlier life of this very installation left behind, is taken over.

        Raises:
            DatabaseUnavailableError: PostgreSQL is away; nothing was changed.
        """
        ...

    async def publish(self, limit: int) -> int:
        """Give up to ``limit`` committed events their positions, gapless and monotonic; return how many.

        Returns 0 as well when the lease is no longer ours: the check is part of the transaction, so that a process that
        slept through its lease cannot write (fencing). Other processes on this database are told in the same
        transaction.
        """
        ...


class EventReader(Protocol):
    """Reads published events. Positions start at 1; 0 is before the first."""

    async def last_position(self) -> int:
        """Return the position of the newest published event, 0 when there is none."""
        ...

    async def after(self, position: int, limit: int) -> tuple[RecordedEvent, ...]:
        """Return up to ``limit`` events behind a position, in order, with the accounts that may see each."""
        ...

    async def after_for(self, account_id: UUID, position: int, limit: int) -> tuple[RecordedEvent, ...]:
        """Return up to ``limit`` events behind a position that an account may see, in order."""
        ...

    async def count_after_for(self, account_id: UUID, position: int, limit: int) -> int:
        """Return how many events behind a position an account may see, counting no further than ``limit``."""
        ...


class Follower(Protocol):
    """A durable consumer: its effect and its cursor move in one transaction, so an effect happens exactly once."""

    async def advance(self, limit: int) -> tuple[int, int]:
        """Handle up to ``limit`` events behind the cursor; return (how many, the position reached).

        Safe to run twice and from two processes: the cursor row is locked for the length of the transaction.
        """
        ...


class Passing(Protocol):
    """A durable consumer that most events do not concern: those need not be read from the database to be passed by."""

    def concerns(self, event: RecordedEvent, /) -> bool:
        """Return whether the event may have an effect. Only what is sure to have none is passed by."""
        ...

    async def pass_by(self, since: int, reached: int) -> bool:
        """Move the cursor behind ``reached``, because no event after ``since`` up to there concerns this consumer.

        Returns whether it is there now, or further. Not if it was before ``since`` (it was set back, or never set), or
        while something is requeued: what lies in between is to be handled then.
        """
        ...
