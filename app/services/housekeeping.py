"""Sweeping out what has expired."""


class HousekeepingService:
    """Deletes ended sessions, old idempotency keys and empty rate limits."""

    async def sweep(self) -> None:
        """Sweep once; safe at any time and from several processes."""
        raise NotImplementedError
