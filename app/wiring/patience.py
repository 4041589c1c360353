"""What an actor does while PostgreSQL is away: it waits, instead of going round in circles of crashes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from app.ports.database import DatabaseUnavailableError

if TYPE_CHECKING:
    import trio

    from supervisors.child_spec import StartFunction


class Availability(Protocol):
    """Knows whether PostgreSQL can be used."""

    @property
    def problem(self) -> str | None:
        """Return why not, or None."""
        ...

    async def wait_available(self) -> None:
        """Wait until it can be used."""
        ...


@dataclass(slots=True)
class _FirstReport:
    """Passes on that something has started, once."""

    task_status: trio.TaskStatus[None]
    is_made: bool = False

    def started(self, value: None = None) -> None:
        """Report it, unless it has been."""
        if not self.is_made:
            self.is_made = True
            self.task_status.started(value)


def patient(start: StartFunction, database: Availability | None = None) -> StartFunction:
    """Let an actor count as started when PostgreSQL is away: it waits for it, and crashes when it goes later.

    Without this a Rondo that boots before its PostgreSQL would give up instead of answering 503 and waiting.
    """

    async def run(*, task_status: trio.TaskStatus[None]) -> None:
        task_status = _FirstReport(task_status)
        try:
            if database is not None and database.problem is not None:
                task_status.started()
                await database.wait_available()
            await start(task_status=task_status)
        except DatabaseUnavailableError:
            task_status.started()
            raise

    return run
