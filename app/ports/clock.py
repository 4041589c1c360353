"""What time it is, as a port: tests bring a clock of their own."""

from datetime import datetime
from typing import Protocol


class Clock(Protocol):
    """Tells wall time. It may jump; nobody measures durations with it."""

    def now(self) -> datetime:
        """Return the current instant, aware, in UTC. Not a checkpoint."""
        ...
