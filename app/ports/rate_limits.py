"""Rate limits that survive restarts and hold for all processes together."""

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol


@dataclass(frozen=True, slots=True, kw_only=True)
class Rate:
    """So many in a period, also all at once (GCRA, the generic cell rate algorithm)."""

    count: int
    period_seconds: float

    @property
    def spacing_seconds(self) -> float:
        """How long it takes until one more is allowed."""
        return self.period_seconds / self.count


class RateLimits(Protocol):
    """Counts attempts by key; each call is a transaction of its own."""

    async def take(self, key: str, rate: Rate, now: datetime) -> float:
        """Count one attempt if it is allowed. Return 0, or the seconds until it would be; then it is not counted."""
        ...

    async def overrun(self, key: str, rate: Rate, now: datetime, most: int) -> int:
        """Count one attempt in any case; return how many too many there are, and forget those beyond `most`."""
        ...

    async def clear(self, key: str) -> None:
        """Forget what was counted."""
        ...
