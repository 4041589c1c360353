"""Messages that nobody will handle: an operator can list them, count them, and send them again.

Adding one never waits, so a sender or a crashing actor can do it. The newest are kept in memory; a storage, if
there is one, gets them from `run`. When it is away they wait here, and the oldest make room.
"""

import itertools
import traceback
from collections import Counter, deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Protocol
from uuid import UUID, uuid4

import trio

from actors.doorbell import Doorbell
from monitoring import metrics

# Who pays when it is full: the oldest letter. An operator who has not looked at 1,000 letters looks at counts first.
KEPT = 1_000
# What is shown of a payload that is not text already.
MAX_PAYLOAD_CHARACTERS = 4_096


@dataclass(frozen=True, slots=True, kw_only=True)
class DeadLetter:
    """A message that was not handled.

    Attributes:
        id: Its own; sending it again makes a new one if it dies again.
        actor: Who should have handled it.
        reason: "stopped" or "crashed".
        message: What was sent, as long as this process lives.
        payload: The message in words.
        error: The type and text of what the actor raised.
        stack: Where it raised it.
        traceparent: The trace of the sender.
        died_at: When (UTC).
    """

    actor: str
    reason: str
    message: object
    payload: str
    error: str | None = None
    stack: str | None = None
    traceparent: str | None = None
    id: UUID = field(default_factory=uuid4)
    died_at: datetime = field(default_factory=lambda: datetime.now(UTC))

    @classmethod
    def of(cls, actor: str, message: object, reason: str, error: BaseException | None = None) -> "DeadLetter":
        """Return the letter; an `Envelope` brings its trace."""
        return cls(
            actor=actor,
            reason=reason,
            message=message,
            payload=repr(getattr(message, "message", message))[:MAX_PAYLOAD_CHARACTERS],
            error=None if error is None else f"{type(error).__name__}: {error}",
            stack=None if error is None else "".join(traceback.format_exception(error)),
            traceparent=getattr(message, "traceparent", None),
        )


def count_letter(letter: DeadLetter) -> None:
    """Count a letter: an `on_letter`. Not a checkpoint."""
    metrics.DEAD_LETTERS_TOTAL.labels(letter.actor, letter.reason).inc()


class DeadLetterStore(Protocol):
    """Keeps dead letters over restarts."""

    async def save(self, letters: Sequence[DeadLetter]) -> None:
        """Keep them; letters it has already (by id) are no error. Bounds its own retention."""
        ...


class UnknownLetterError(LookupError):
    """No such letter, or it was sent again already."""


class DeadLetters:
    """The dead letters of this process.

    Args:
        kept: How many are kept in memory.
        store: Keeps them over restarts, if given; `run` feeds it.
        on_letter: Told of each, once. Must not wait.
    """

    def __init__(
        self,
        *,
        kept: int = KEPT,
        store: DeadLetterStore | None = None,
        on_letter: Callable[[DeadLetter], None] = lambda _letter: None,
    ) -> None:
        self._letters: dict[UUID, DeadLetter] = {}
        self._counts: Counter[tuple[str, str]] = Counter()
        self._kept, self._store, self._on_letter = kept, store, on_letter
        self._unsaved: deque[DeadLetter] = deque(maxlen=kept)
        self._bell = Doorbell()

    def add(self, letter: DeadLetter) -> None:
        """Keep a letter. Never waits."""
        self._letters[letter.id] = letter
        self._counts[letter.actor, letter.reason] += 1
        if len(self._letters) > self._kept:
            del self._letters[next(iter(self._letters))]
        if self._store is not None:
            self._unsaved.append(letter)
            self._bell.ring()
        self._on_letter(letter)

    def list(self, *, actor: str | None = None, limit: int = 100) -> tuple[DeadLetter, ...]:
        """Return the newest first."""
        matching = (letter for letter in reversed(self._letters.values()) if actor in (None, letter.actor))
        return tuple(itertools.islice(matching, limit))

    def counts(self) -> dict[tuple[str, str], int]:
        """Return how many have died since the start, by (actor, reason)."""
        return dict(self._counts)

    def requeue(self, letter_id: UUID, tell: Callable[[Any], object]) -> DeadLetter:
        """Send a letter's message again, with the trace it had; return the letter, which is no longer listed.

        `tell` is the actor's `Mailbox.tell_nowait`. If the message dies again it is a new letter with a new id.

        Raises:
            UnknownLetterError: There is no such letter (any more).
        """
        letter = self._letters.pop(letter_id, None)
        if letter is None:
            raise UnknownLetterError(str(letter_id))
        tell(letter.message)
        return letter

    async def run(self, *, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED) -> None:
        """Hand letters to the store as they come. Run until cancelled; what a crash left unsaved is saved next."""
        task_status.started()
        while True:
            while self._store is not None and self._unsaved:
                letters = tuple(self._unsaved)
                await self._store.save(letters)
                saved = {letter.id for letter in letters}
                self._unsaved = deque((rest for rest in self._unsaved if rest.id not in saved), maxlen=self._kept)
            await self._bell.wait()
