"""The parts of Rondo that run for ever, for those who look after them. Implemented by ``supervisors.control``."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, Protocol

if TYPE_CHECKING:
    from datetime import datetime

PartName = Literal["email", "database", "live", "reminders", "history"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Degraded:
    """Something people rely on does not work as it should, and since when, if that is known."""

    part: PartName
    since: datetime | None


class ActorControl(Protocol):
    """The live tree, and what operators may do with its workers. A path is ``events/audit``."""

    def tree(self) -> bytes:
        """Return the whole tree as JSON. Never waits, and asks no database."""
        ...

    def node(self, path: str) -> bytes:
        """Return a worker as JSON.

        Raises:
            NotFoundError: There is no such worker.
        """
        ...

    def log(self, path: str, limit: int) -> bytes:
        """Return the last lines of a worker's log as JSON, newest last.

        Raises:
            NotFoundError: There is no such worker.
        """
        ...

    def is_paused(self, path: str) -> bool:
        """Return whether a worker is paused.

        Raises:
            NotFoundError: There is no such worker.
            NotControllableError: Nobody may touch it.
        """
        ...

    async def restart(self, path: str) -> None:
        """Stop a worker and start it again; one that is paused is started. Returns at the latest after a second or two.

        What takes longer goes on. A worker that cannot be stopped is reported by its supervisor.

        Raises:
            NotFoundError, NotControllableError: As for ``is_paused``.
        """
        ...

    async def pause(self, path: str) -> None:
        """Stop a worker and leave it stopped, until it is restarted or the process is. Otherwise as ``restart``."""
        ...

    def degraded(self) -> tuple[Degraded, ...]:
        """Return what people will notice: what recovers within seconds is left out."""
        ...
