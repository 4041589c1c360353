"""Identifiers: UUID version 7 of RFC 9562, so that ids sort by the time they were made.

Ids made by one process are strictly increasing, also within one millisecond and when the wall
clock steps back a little. Nothing relies on ids being hard to guess.
"""

import random
from datetime import datetime
from typing import NewType
from uuid import UUID

AccountId = NewType("AccountId", UUID)
ProjectId = NewType("ProjectId", UUID)
TaskId = NewType("TaskId", UUID)
ReminderId = NewType("ReminderId", UUID)
SessionId = NewType("SessionId", UUID)
EventId = NewType("EventId", UUID)

# A clock that stepped back further than this (milliseconds) was set right; ids follow it.
_PATIENCE_MS = 10_000
_COUNTER_BITS = 12
# A fresh millisecond starts in the lower half of the counter, which leaves room to count.
_COUNTER_START = 1 << (_COUNTER_BITS - 1)


class IdSource:
    """Makes ids of increasing value (RFC 9562, section 6.2, method 1). Not for use from several threads."""

    def __init__(self) -> None:
        self._millisecond = 0
        self._counter = 0
        # Seeded by the system once: unique is enough, and asking the system each time takes longer than all the rest.
        self._random = random.Random()  # noqa: S311 # see the module: ids are not secrets

    def new(self, now: datetime) -> UUID:
        """Return the next id for the instant `now` (aware)."""
        self._advance(int(now.timestamp() * 1000))
        return UUID(
            int=(self._millisecond << 80)
            | (0x7 << 76)
            | (self._counter << 64)
            | (0b10 << 62)
            | self._random.getrandbits(62)
        )

    def _advance(self, millisecond: int) -> None:
        behind = self._millisecond - millisecond
        if 0 <= behind <= _PATIENCE_MS:
            self._counter += 1
            if self._counter < 1 << _COUNTER_BITS:
                return
            millisecond = self._millisecond + 1
        self._millisecond = millisecond
        self._counter = self._random.randrange(_COUNTER_START)


new_id = IdSource().new
