"""Sweeping in SQL."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from app.adapters.postgres.database import Database

SESSIONS: Final = """
    WITH swept AS (
        DELETE FROM sessions WHERE revoked_at < $1 OR expires_at < $1 OR last_seen_at < $2 RETURNING 1
    ) SELECT count(*) FROM swept
"""
IDEMPOTENCY_KEYS: Final = """
    WITH swept AS (DELETE FROM idempotency_keys WHERE created_at < $1 RETURNING 1) SELECT count(*) FROM swept
"""
RATE_LIMITS: Final = """
    WITH swept AS (DELETE FROM rate_limits WHERE theoretical_arrival_at < $1 RETURNING 1) SELECT count(*) FROM swept
"""


@dataclass(frozen=True, slots=True)
class PostgresSweeper:
    """Implements `app.ports.housekeeping.Sweeper`."""

    database: Database

    async def sessions(self, ended_before: datetime, unused_since: datetime) -> int:
        """See the port."""
        count: int = await self.database.fetchval(SESSIONS, ended_before, unused_since)
        return count

    async def idempotency_keys(self, made_before: datetime) -> int:
        """See the port."""
        count: int = await self.database.fetchval(IDEMPOTENCY_KEYS, made_before)
        return count

    async def rate_limits(self, empty_before: datetime) -> int:
        """See the port."""
        count: int = await self.database.fetchval(RATE_LIMITS, empty_before)
        return count
