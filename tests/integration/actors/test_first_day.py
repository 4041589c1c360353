"""What PostgreSQL planned while there was next to nothing it still does when there is much.

A plan is kept until the table is analysed again, which nobody does for up to a minute: long enough for whoever moves in
with all their tasks.
"""

from __future__ import annotations

from typing import TYPE_CHECKING
from uuid import uuid4

import pytest

from app.adapters.postgres import Database
from app.adapters.postgres.followers import AuditFollower, EventFollower, record_occurrences
from app.adapters.postgres.relay import PostgresEventReader, PostgresPublisher
from app.adapters.postgres.texts import TextFollower
from tests.integration.actors.events import World

if TYPE_CHECKING:
    import trio

    from app.ports.following import Follower

MUCH = 5_000
FILL = """
    WITH filled AS (
        INSERT INTO events (position, id, type, project_id, task_id, occurred_at)
        SELECT s.last_position + n, gen_random_uuid(), 'task.updated', $1, gen_random_uuid(), now()
        FROM relay_state s, generate_series(1, $2::integer) n RETURNING position
    ), published AS (
        UPDATE relay_state SET last_position = (SELECT max(position) FROM filled) RETURNING last_position
    )
    UPDATE cursors SET position = last_position FROM published
"""
READ_THROUGH = "SELECT seq_tup_read FROM pg_stat_user_tables WHERE relname = 'events'"


@pytest.fixture
async def single(postgres_url: str, nursery: trio.Nursery) -> Database:
    """One connection: its plans are those of the first time."""
    pool = Database(postgres_url, size=1, name="test")
    await nursery.start(pool.run)
    return pool


async def test_the_log_is_never_read_from_end_to_end(single: Database) -> None:
    world = await World.make(single)
    await single.execute("ALTER TABLE events SET (autovacuum_enabled = false)")
    await single.execute("VACUUM ANALYZE events")
    publisher, reader = PostgresPublisher(database=single, holder=uuid4()), PostgresEventReader(database=single)
    followers: list[Follower] = [
        AuditFollower(database=single),
        TextFollower(database=single),
        EventFollower(database=single, consumer="recurring", handle=record_occurrences),
    ]

    async def follow() -> None:
        for _ in range(3):
            await world.record(single)
        last = await reader.last_position()
        assert await publisher.publish(limit=100) == 3
        assert len(await reader.after(last, 100)) == 3
        for follower in followers:
            assert (await follower.advance(100))[0] == 3

    async def read_through() -> int:
        await single.execute("SELECT pg_stat_force_next_flush()")
        rows: int = await single.fetchval(READ_THROUGH)
        return rows

    await publisher.hold_lease(60)
    await follow()
    await single.execute(FILL, world.project_id, MUCH)
    before = await read_through()
    await follow()

    assert await read_through() == before
