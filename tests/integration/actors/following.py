"""Gives events their positions as the relay does, and lets a follower go as far as it can."""

from __future__ import annotations

from typing import TYPE_CHECKING
from uuid import UUID

from app.adapters.postgres.relay import PostgresPublisher

if TYPE_CHECKING:
    from app.adapters.postgres import Database
    from app.ports.following import Follower

HOLDER = UUID(int=1)


async def publish(database: Database) -> int:
    """Publish what is committed; return how many events that were."""
    publisher = PostgresPublisher(database=database, holder=HOLDER)
    assert await publisher.hold_lease(60)
    return await publisher.publish(limit=10_000)


async def catch_up(follower: Follower, limit: int = 200) -> int:
    """Let a follower handle all there is; return how many events it handled."""
    total = 0
    while handled := (await follower.advance(limit))[0]:
        total += handled
    return total
