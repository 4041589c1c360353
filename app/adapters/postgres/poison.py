"""Finds the event that makes its follower crash, whatever it does: after some tries it goes to the dead letters.

The follower crashes and its supervisor starts it again; here it is only noted what it was at. After a crash the events
of that batch come one at a time, so the next crash names the one. Only errors that the event can be blamed for count:
PostgreSQL away, a lock, a missing function or table would meet every other event as well.
"""

from __future__ import annotations

import traceback
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

import asyncpg

from app.ports.database import DatabaseUnavailableError

if TYPE_CHECKING:
    from collections.abc import Hashable
    from types import TracebackType

# With the backoff of `supervisors.tree` between them: three seconds in all.
MAX_TRIES: Final = 5
NOT_ITS_FAULT: Final = (
    DatabaseUnavailableError,
    asyncpg.TransactionRollbackError,  # class 40: two transactions in each other's way
    asyncpg.SyntaxOrAccessError,  # class 42: the schema is not what the code expects
    MemoryError,
)


@dataclass(slots=True)
class Tries:
    """What one follower crashed over in this process, and how often. Knows one event or batch at a time.

    Attributes:
        key: The event, or the place before the batch, at which it crashed last.
        until: The last position of the batch; up to there, events come one by one.
        count: How often it crashed there.
    """

    most: int = MAX_TRIES
    key: Hashable = None
    until: int = 0
    count: int = 0
    error: str = ""
    stack: str = ""

    def suspects(self, position: int) -> bool:
        """Whether what comes behind a position belongs to a batch that crashed."""
        return position < self.until

    def is_poison(self, key: Hashable) -> bool:
        """Whether this was tried often enough."""
        return key == self.key and self.count >= self.most

    def handling(self, key: Hashable, until: int, *, alone: bool) -> Handling:
        """Return a context that notes a crash over an event (``alone``), or over a batch up to a position."""
        return Handling(self, key, until, alone=alone)

    def crashed(self, key: Hashable, until: int, error: Exception, *, alone: bool) -> None:
        """Note a crash. Over a batch it is nobody's yet."""
        if key != self.key:
            self.key, self.count = key, 0
        self.count += alone
        self.until = max(self.until, until)
        self.error = f"{type(error).__name__}: {error}"
        self.stack = "".join(traceback.format_exception(error))


@dataclass(frozen=True, slots=True)
class Handling:
    """Watches one try."""

    tries: Tries
    key: Hashable
    until: int
    alone: bool = field(kw_only=True)

    def __enter__(self) -> None:
        pass

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if isinstance(error, Exception) and not isinstance(error, NOT_ITS_FAULT):
            self.tries.crashed(self.key, self.until, error, alone=self.alone)
