"""Sweeping, as a port."""

from datetime import datetime
from typing import Protocol


class Sweeper(Protocol):
    """Deletes what nobody will ask for again; each call is a transaction of its own."""

    async def sessions(self, ended_before: datetime, unused_since: datetime) -> int:
        """Delete sessions that ended, ran out or went unused; return how many."""
        ...

    async def idempotency_keys(self, made_before: datetime) -> int:
        """Delete old keys; return how many."""
        ...

    async def rate_limits(self, empty_before: datetime) -> int:
        """Delete limits that have nothing left to count; return how many."""
        ...
