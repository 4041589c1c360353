"""Stops asking what is outside while it does not answer, so that callers fail at once instead of piling up.

Closed: calls go through. Open: they fail at once until a wait is over. Half open: one goes through, and decides.
"""

import random
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from types import TracebackType
from typing import Self

import trio


class Circuit(Enum):
    """The state of a breaker; the value is what its gauge shows."""

    CLOSED = 0
    HALF_OPEN = 1
    OPEN = 2


class CircuitOpenError(Exception):
    """Not tried: what is outside has failed too often. `retry_after_seconds` says when it may be tried."""

    def __init__(self, name: str, retry_after_seconds: float) -> None:
        super().__init__(f"{name} is not tried for another {retry_after_seconds:.1f} s")
        self.retry_after_seconds = retry_after_seconds


@dataclass(frozen=True, slots=True, kw_only=True)
class BreakerSnapshot:
    """A breaker as it is now: "closed", "half_open" or "open"; instants in seconds of trio's clock.

    Attributes:
        retry_at: When the next call may go through, while it is open.
        since: When it opened, until it closes again.
    """

    name: str
    state: str
    retry_at: float | None = None
    since: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class BreakerSettings:
    """When it opens, and for how long.

    Attributes:
        failures: So many of them …
        within_seconds: … in this time open it.
        first_seconds: How long it stays open the first time; each failed trial doubles that …
        maximum_seconds: … up to this.
        jitter: Up to this part is added, so that many breakers do not try as one.
    """

    failures: int = 5
    within_seconds: float = 10.0
    first_seconds: float = 1.0
    maximum_seconds: float = 60.0
    jitter: float = 0.2


class Trial:
    """One call that a breaker let through; what becomes of the `with` block teaches the breaker. Cancelled: nothing."""

    def __init__(self, breaker: "CircuitBreaker", *, is_probe: bool) -> None:
        self._breaker, self._is_probe = breaker, is_probe
        self._is_failed = False

    def failed(self) -> None:
        """Say that what is outside did not answer, where no exception says so."""
        self._is_failed = True

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._breaker._end(error, is_failed=self._is_failed, is_probe=self._is_probe)  # noqa: SLF001 # its other half


class CircuitBreaker:
    """A breaker for one thing outside; `with breaker.trial():` around each call.

    Args:
        name: What is outside.
        settings: When it opens, and for how long.
        counts: The errors that say it is not there. Others (a refused address, say) prove that it is.
        on_change: Told each new state: a gauge, a log line. Must not wait.
        dice: Random numbers in [0, 1) for the jitter.
    """

    def __init__(
        self,
        name: str,
        settings: BreakerSettings | None = None,
        *,
        counts: tuple[type[Exception], ...] = (Exception,),
        on_change: Callable[[Circuit], None] = lambda _state: None,
        dice: Callable[[], float] = random.random,
    ) -> None:
        self.name = name
        self.state = Circuit.CLOSED
        self._settings = settings or BreakerSettings()
        self._counts, self._on_change, self._dice = counts, on_change, dice
        self._failures: deque[float] = deque(maxlen=self._settings.failures)
        self._opened = 0
        self._since: float | None = None
        self._retry_at = 0.0
        self._is_tried = False

    def trial(self) -> Trial:
        """Let a call through: a context manager that learns from how it ends. It must be entered.

        Raises:
            CircuitOpenError: At once, when it is open, or half open with a trial under way.
        """
        return Trial(self, is_probe=self._admit())

    @property
    def wait_seconds(self) -> float:
        """How long it stays open: nothing may be tried before; 0 when a call would go through, or one is trying."""
        return 0.0 if self.state is not Circuit.OPEN else max(self._retry_at - trio.current_time(), 0.0)

    def snapshot(self) -> BreakerSnapshot:
        """Return it as it is now."""
        retry_at = self._retry_at if self.state is Circuit.OPEN else None
        return BreakerSnapshot(name=self.name, state=self.state.name.lower(), retry_at=retry_at, since=self._since)

    def _admit(self) -> bool:
        """Return whether this call is the one that decides."""
        if self.state is Circuit.CLOSED:
            return False
        wait = self._retry_at - trio.current_time()
        if wait > 0 or self._is_tried:
            raise CircuitOpenError(self.name, max(wait, 0.0))
        self._is_tried = True
        self._change(Circuit.HALF_OPEN)
        return True

    def _end(self, error: BaseException | None, *, is_failed: bool, is_probe: bool) -> None:
        """Learn from a call that is over."""
        if is_probe:
            self._is_tried = False
        if is_failed or isinstance(error, self._counts):
            self._failed(is_probe=is_probe)
        elif error is None or isinstance(error, Exception):
            self._succeeded(is_probe=is_probe)

    def _failed(self, *, is_probe: bool) -> None:
        now = trio.current_time()
        self._failures.append(now)
        often = len(self._failures) == self._settings.failures
        recently = self._failures[0] >= now - self._settings.within_seconds
        if is_probe or (self.state is Circuit.CLOSED and often and recently):
            self._open(now)

    def _succeeded(self, *, is_probe: bool) -> None:
        # A call from before it opened says nothing about now.
        if is_probe:
            self._failures.clear()
            self._opened = 0
            self._since = None
            self._change(Circuit.CLOSED)

    def _open(self, now: float) -> None:
        settings = self._settings
        wait = min(settings.first_seconds * 2.0 ** min(self._opened, 64), settings.maximum_seconds)
        self._opened += 1
        self._since = now if self._since is None else self._since
        self._retry_at = now + wait * (1 + settings.jitter * self._dice())
        self._change(Circuit.OPEN)

    def _change(self, state: Circuit) -> None:
        if state is not self.state:
            self.state = state
            self._on_change(state)
