"""Whether an actor lives, and who is to be told when it does not.

One lifetime spans all incarnations of an actor: it crashes, is restarted, and stops in the end.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from enum import Enum


class Life(Enum):
    """Where an actor is in its life."""

    EXPECTED = "expected"  # not begun; what is sent to it waits
    ALIVE = "alive"
    RESTARTING = "restarting"  # crashed; its supervisor starts it again
    STOPPED = "stopped"


@dataclass(frozen=True, slots=True)
class Terminated:
    """An incarnation has ended; `reason` is what it raised, or None."""

    actor: str
    incarnation: int
    reason: BaseException | None


@dataclass(slots=True, eq=False)
class Watch:
    """Somebody wants to know, once."""

    tell: Callable[[Terminated], object]
    _watchers: dict["Watch", None]

    def cancel(self) -> None:
        """Do not tell any more. Harmless afterwards."""
        self._watchers.pop(self, None)


@dataclass(slots=True, eq=False)
class Lifetime:
    """The life of one actor over its incarnations. Nothing here waits."""

    actor: str
    state: Life = Life.EXPECTED
    incarnation: int = 0
    _last: Terminated | None = None
    _watchers: dict[Watch, None] = field(default_factory=dict)

    def begin(self) -> None:
        """A new incarnation lives."""
        self.incarnation += 1
        self.state = Life.ALIVE

    def end(self, state: Life, reason: BaseException | None) -> None:
        """It has crashed (`RESTARTING`) or stopped: tell each watcher once."""
        self.state = state
        self._last = terminated = Terminated(self.actor, self.incarnation, reason)
        watchers = list(self._watchers)
        self._watchers.clear()
        for watcher in watchers:
            watcher.tell(terminated)

    def watch(self, tell: Callable[[Terminated], object]) -> Watch:
        """Call `tell` once when the present incarnation ends; at once if it is dead already.

        `tell` must not wait or raise; `Mailbox.tell_control` is one.
        """
        watch = Watch(tell, self._watchers)
        if self._last is not None and self.state in (Life.RESTARTING, Life.STOPPED):
            tell(self._last)
        else:
            self._watchers[watch] = None
        return watch
