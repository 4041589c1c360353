"""The wall clock of this machine."""

from datetime import UTC, datetime


class SystemClock:
    """The `Clock` of production."""

    def now(self) -> datetime:
        """Return the current instant in UTC."""
        return datetime.now(UTC)
