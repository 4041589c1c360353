"""Dead letters: messages that an actor could not handle, kept for an operator. Implemented by the adapter."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime
    from uuid import UUID

    from app.domain.events import NewEvent


class Letter(Protocol):
    """A message that was only in memory, as an actor's mailbox tells of it."""

    @property
    def id(self) -> UUID:
        """Its own."""
        ...

    @property
    def actor(self) -> str:
        """Who should have handled it."""
        ...

    @property
    def reason(self) -> str:
        """Say why not: ``crashed`` or ``stopped``."""
        ...

    @property
    def payload(self) -> str:
        """The message in words."""
        ...

    @property
    def error(self) -> str | None:
        """What the actor raised."""
        ...

    @property
    def stack(self) -> str | None:
        """Where."""
        ...

    @property
    def traceparent(self) -> str | None:
        """The trace of the sender."""
        ...

    @property
    def died_at(self) -> datetime:
        """When."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Requeued:
    """A letter that was sent again: ``id`` is new, and becomes the letter's if it dies once more."""

    id: UUID
    letter: UUID
    actor: str
    position: int
    trace_id: str | None


class DeadLetterArchive(Protocol):
    """The dead letters of this installation. It keeps a bounded number; the oldest make room."""

    async def page(self, actor: str | None, limit: int) -> bytes:
        """Return ``{items, counts}`` as JSON: the newest letters (of an actor), and how many there are of each kind."""
        ...

    async def requeue(self, letter_id: UUID, new_id: UUID, told: Callable[[Requeued], NewEvent]) -> Requeued:
        """Have its follower handle the letter's event again, and record the event that ``told`` returns, as one.

        Raises:
            NotFoundError: There is no such letter (any more).
            AlreadyRequeuedError: It was sent again before.
            NotRequeueableError: Its message was in memory only.
        """
        ...
