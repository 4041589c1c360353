"""Sweeping out what has expired."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from app.ports.clock import Clock
from app.ports.housekeeping import Sweeper
from app.services.sessions import IDLE
from monitoring import logs

log = logs.get_logger("housekeeping")

# A retry after a day is no retry.
KEEP_ANSWERS: Final = timedelta(hours=24)
# Whoever looks at the list of sessions may wonder where one went.
KEEP_ENDED_SESSIONS: Final = timedelta(days=1)
# Nothing is left to count in such a limit; the margin is for clocks of several processes.
KEEP_EMPTY_LIMITS: Final = timedelta(minutes=10)


@dataclass(frozen=True, slots=True, kw_only=True)
class HousekeepingService:
    """Deletes ended sessions, old idempotency keys and empty rate limits."""

    sweeper: Sweeper
    clock: Clock

    async def sweep(self) -> None:
        """Sweep once; safe at any time and from several processes."""
        now = self.clock.now()
        sessions = await self.sweeper.sessions(now - KEEP_ENDED_SESSIONS, now - IDLE - KEEP_ENDED_SESSIONS)
        keys = await self.sweeper.idempotency_keys(now - KEEP_ANSWERS)
        limits = await self.sweeper.rate_limits(now - KEEP_EMPTY_LIMITS)
        log.debug("Swept.", event="housekeeping.swept", sessions=sessions, idempotencyKeys=keys, rateLimits=limits)
