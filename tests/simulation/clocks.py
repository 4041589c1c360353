"""Wall clocks that follow trio's virtual time, and can be stepped."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import trio

# A Saturday evening before Europe's clocks go back: recurrences cross the hour that comes twice.
BEGINNING = datetime(2026, 10, 24, 21, 0, tzinfo=UTC)


@dataclass(slots=True)
class SimClock:
    """Implements `app.ports.clock.Clock`: the clock of one machine.

    Attributes:
        beginning: What it shows when trio's time is 0.
        offset: How far it has been stepped since.
    """

    beginning: datetime = BEGINNING
    offset: timedelta = timedelta()

    def now(self) -> datetime:
        """See the port."""
        return self.beginning + self.offset + timedelta(seconds=trio.current_time())

    def step(self, seconds: float) -> None:
        """Set it forward, or back."""
        self.offset += timedelta(seconds=seconds)
