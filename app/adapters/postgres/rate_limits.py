"""Rate limits in SQL: one instant per key says when its bucket would be empty (GCRA)."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from app.adapters.postgres.database import Database
from app.ports.rate_limits import Rate

# $2 now, $3 spacing, $4 the latest empty-again instant that is still allowed. A refused attempt moves nothing, so the
# second line reads what is there.
TAKE: Final = """
    WITH taken AS (
        INSERT INTO rate_limits AS l (key, theoretical_arrival_at) VALUES ($1, $2::timestamptz + $3::interval)
        ON CONFLICT (key) DO UPDATE SET theoretical_arrival_at = greatest(l.theoretical_arrival_at, $2) + $3
        WHERE greatest(l.theoretical_arrival_at, $2) + $3 <= $4::timestamptz
        RETURNING true AS allowed
    )
    SELECT CASE WHEN EXISTS (SELECT FROM taken) THEN 0::float8
    ELSE coalesce((SELECT extract(epoch FROM l.theoretical_arrival_at + $3 - $4)::float8 FROM rate_limits l
                   WHERE l.key = $1), 1) END
"""
# $4 the latest empty-again instant there may be at all.
OVERRUN: Final = """
    INSERT INTO rate_limits AS l (key, theoretical_arrival_at) VALUES ($1, $2::timestamptz + $3::interval)
    ON CONFLICT (key) DO UPDATE
        SET theoretical_arrival_at = least(greatest(l.theoretical_arrival_at, $2) + $3, $4::timestamptz)
    RETURNING theoretical_arrival_at
"""
CLEAR: Final = "DELETE FROM rate_limits WHERE key = $1"


@dataclass(frozen=True, slots=True)
class PostgresRateLimits:
    """Implements `app.ports.rate_limits.RateLimits`."""

    database: Database

    async def take(self, key: str, rate: Rate, now: datetime) -> float:
        """See the port."""
        spacing, latest = timedelta(seconds=rate.spacing_seconds), now + timedelta(seconds=rate.period_seconds)
        seconds: float = await self.database.fetchval(TAKE, key, now, spacing, latest)
        return max(seconds, 0.0)

    async def overrun(self, key: str, rate: Rate, now: datetime, most: int) -> int:
        """See the port."""
        spacing = timedelta(seconds=rate.spacing_seconds)
        allowed = now + timedelta(seconds=rate.period_seconds)
        reached: datetime = await self.database.fetchval(OVERRUN, key, now, spacing, allowed + most * spacing)
        return max(round((reached - allowed) / spacing), 0)

    async def clear(self, key: str) -> None:
        """See the port."""
        await self.database.execute(CLEAR, key)
