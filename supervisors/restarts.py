"""How often, and how soon, something is started again. Knows only numbers: no clock, no trio."""

import math
from collections import deque
from dataclasses import dataclass, field
from enum import Enum


class Strategy(Enum):
    """Who else is restarted with a child that failed."""

    ONE_FOR_ONE = "one_for_one"
    ONE_FOR_ALL = "one_for_all"
    REST_FOR_ONE = "rest_for_one"  # those that were started after it


class AutoShutdown(Enum):
    """When the end of significant children ends the supervisor."""

    NEVER = "never"
    ANY_SIGNIFICANT = "any_significant"
    ALL_SIGNIFICANT = "all_significant"


@dataclass(slots=True)
class Budget:
    """At most `intensity` restarts in any `period` of seconds, both ends of the period included."""

    intensity: float
    period: float
    _charged: deque[float] = field(default_factory=deque)

    def charge(self, now: float) -> bool:
        """Pay for one restart at `now` (monotonic seconds); False when it is one too many."""
        if self.intensity == math.inf:
            return True
        self._charged.append(now)
        return self.spent(now) <= self.intensity

    def spent(self, now: float) -> int:
        """Return the restarts paid for in the period that ends at `now`."""
        while self._charged and self._charged[0] < now - self.period:
            self._charged.popleft()
        return len(self._charged)


@dataclass(frozen=True, slots=True, kw_only=True)
class Backoff:
    """How long to wait before an attempt.

    Attributes:
        first: Seconds before the first attempt.
        factor: How much longer each wait is than the one before.
        maximum: No wait is longer, jitter aside.
        jitter: Up to this part of the wait is added, so that many do not come back as one.
        reset_after: Seconds of health after which the next wait is the first again.
    """

    first: float = 1.0
    factor: float = 2.0
    maximum: float = 30.0
    jitter: float = 0.2
    reset_after: float = 60.0

    def __post_init__(self) -> None:
        if self.first < 0 or self.factor < 1 or self.maximum < self.first or self.jitter < 0 or self.reset_after < 0:
            raise ValueError(f"a backoff that can never work: {self}")

    def delay(self, attempt: int, dice: float) -> float:
        """Return the seconds to wait before attempt 1, 2, …; `dice` is in [0, 1)."""
        # 2.0 ** 1024 is an OverflowError; by then every wait has long been the maximum.
        exponent = min(attempt - 1, 64)
        wait = min(self.first * self.factor**exponent, self.maximum)
        return wait * (1 + self.jitter * dice)


AT_ONCE = Backoff(first=0.0, maximum=0.0)


@dataclass(slots=True)
class Attempts:
    """Counts the attempts since something was last healthy."""

    backoff: Backoff
    count: int = 0
    healthy_since: float = math.inf

    def failed(self, now: float) -> None:
        """Start counting anew if it had been healthy for long enough."""
        if now - self.healthy_since >= self.backoff.reset_after:
            self.count = 0

    def next_delay(self, dice: float) -> float:
        """Count one attempt; return the seconds to wait before it."""
        self.count += 1
        return self.backoff.delay(self.count, dice)
