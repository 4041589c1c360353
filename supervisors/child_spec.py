"""What a supervisor has to know about a child before it starts it.

A specification that can never work is refused when it is built, before anything runs.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from typing import Any, Final, Literal, Protocol

import trio

from supervisors.errors import InvalidSpecError


class Restart(Enum):
    """When a child that ended by itself is started again."""

    PERMANENT = "permanent"  # always
    TRANSIENT = "transient"  # when it raised
    TEMPORARY = "temporary"  # never; its specification goes with it


class Brutal(Enum):
    """The type of `BRUTAL`."""

    BRUTAL = "brutal"


# Cancelled without being asked first.
BRUTAL: Final = Brutal.BRUTAL
# As long as it takes: for supervisors, whose own children have limits.
INFINITY: Final = math.inf


class Ignore(Enum):
    """The type of `IGNORE`."""

    IGNORE = "ignore"


# A child that has nothing to do here answers `task_status.started(IGNORE)`.
IGNORE: Final = Ignore.IGNORE


class StartFunction(Protocol):
    """Runs the child. Raising before `task_status.started()` means it could not start."""

    async def __call__(self, *, task_status: trio.TaskStatus[Any]) -> None:  # noqa: ASYNC114 # any name
        """Run until there is no more to do, or until cancelled."""


class Inspectable(Protocol):
    """Something that shows what is below it."""

    def snapshot(self) -> Any:
        """Return the state of now. Never waits."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ChildSpec:
    """A child: how to start it, when to start it again, how to stop it.

    Attributes:
        id: Unique among its siblings.
        start: An async function; `task_status.started(info)` says that it is ready.
        restart: When it is started again.
        shutdown: Seconds it gets to end after it was told to; `BRUTAL`: it is cancelled untold;
            `INFINITY`: as long as it takes.
        kill_after: Seconds it may outlive its cancellation before it counts as stuck.
        ask: How it is told, if not by cancelling it. Must not wait. Called only when the child is ready.
        start_timeout: Seconds until it must be ready; None: as long as it takes.
        significant: Its end by itself may end its supervisor (see `AutoShutdown`).
        below: The supervisor that `start` runs, for the live tree.
        details: What else the live tree shows, asked for each time. Never waits.

    Raises:
        InvalidSpecError: Some field can never work; the message names it.
    """

    id: str
    start: StartFunction
    restart: Restart = Restart.PERMANENT
    shutdown: float | Literal[Brutal.BRUTAL] = 5.0
    kill_after: float = 5.0
    ask: Callable[[], object] | None = None
    start_timeout: float | None = 30.0
    significant: bool = False
    below: Inspectable | None = None
    details: Callable[[], object] | None = None

    def __post_init__(self) -> None:
        self._require("id", self.id, "must be a name")
        self._require("start", callable(self.start), "must be an async function")
        self._require("restart", isinstance(self.restart, Restart), "must be a Restart")
        self._require("shutdown", self.shutdown is BRUTAL or _at_least(0, self.shutdown), "must be 0 s or more")
        self._require("kill_after", _at_least(0, self.kill_after), "must be 0 s or more")
        limit = self.start_timeout
        self._require("start_timeout", limit is None or (_at_least(0, limit) and limit > 0), "must be over 0 s")
        permanent = self.restart is Restart.PERMANENT
        self._require("significant", not (self.significant and permanent), "a permanent child never ends by itself")

    @property
    def kind(self) -> Literal["worker", "supervisor"]:
        """What the child is."""
        return "worker" if self.below is None else "supervisor"

    def _require(self, field: str, holds: object, rule: str) -> None:
        if not holds:
            raise InvalidSpecError(f"child {self.id!r}: {field} {getattr(self, field)!r}: {rule}")


def _at_least(least: float, value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and value >= least
