"""What a mailbox counts: children of the metrics resolved once, and a rate of the last seconds."""

from collections.abc import Callable
from dataclasses import dataclass

from monitoring import metrics

# Long enough to be calm, short enough that /ops shows what happens now.
WINDOW_SECONDS = 10.0


class Meter:
    """The metrics of one actor's mailbox."""

    def __init__(self, actor: str, policy: str, capacity: int, depth: Callable[[], int]) -> None:
        metrics.ACTOR_MAILBOX_CAPACITY.labels(actor).set(capacity)
        # Asked for when somebody scrapes: sending and receiving pay nothing for it.
        metrics.ACTOR_MAILBOX_DEPTH.labels(actor).set_function(depth)
        self.full = metrics.ACTOR_MAILBOX_FULL_TOTAL.labels(actor, policy)
        self.waited = metrics.ACTOR_MESSAGE_WAIT_SECONDS.labels(actor)
        self.took = metrics.ACTOR_MESSAGE_DURATION_SECONDS.labels(actor)


@dataclass(slots=True)
class Rate:
    """Events per second over a window that slides in two halves: constant memory, constant time."""

    total: int = 0
    _began: float = 0.0
    _before: int = 0
    _now: int = 0

    def count(self, now: float) -> None:
        """Count one event at `now` (monotonic seconds)."""
        self._turn(now)
        self.total += 1
        self._now += 1

    def per_second(self, now: float) -> float:
        """Return the mean of the last window."""
        self._turn(now)
        part_of_before = 1 - (now - self._began) / WINDOW_SECONDS
        return (self._before * part_of_before + self._now) / WINDOW_SECONDS

    def _turn(self, now: float) -> None:
        windows = int((now - self._began) / WINDOW_SECONDS)
        if windows:
            self._before = self._now if windows == 1 else 0
            self._now = 0
            self._began += windows * WINDOW_SECONDS
