"""The relay's promise: every committed event once, in one gapless order, whatever commits when."""

from __future__ import annotations

from typing import TYPE_CHECKING
from uuid import uuid4

import pytest
import trio

from app.adapters.postgres import Database
from app.adapters.postgres.relay import PostgresEventReader, PostgresPublisher
from tests.integration.actors.events import World

if TYPE_CHECKING:
    from uuid import UUID

WRITERS, EACH, SEED = 8, 25, 7


@pytest.fixture
async def wide(postgres_url: str, nursery: trio.Nursery) -> Database:
    """A pool with room for all writers and for who watches them."""
    pool = Database(postgres_url, size=WRITERS + 2, name="test")
    await nursery.start(pool.run)
    return pool


async def publish_until(publisher: PostgresPublisher, total: int) -> int:
    """Publish while others write; return how many events got a position."""
    published = 0
    with trio.fail_after(20):
        while published < total:
            published += await publisher.publish(limit=7)
            await trio.sleep(0.002)
    return published


@pytest.mark.accepts("E02")
async def test_late_commits_are_published_once_in_a_gapless_order(wide: Database) -> None:
    world = await World.make(wide)
    publisher = PostgresPublisher(database=wide, holder=uuid4())
    await publisher.hold_lease(60)

    async with trio.open_nursery() as nursery:
        nursery.start_soon(world.write_with_late_commits, WRITERS, EACH, SEED)
        published = await publish_until(publisher, WRITERS * EACH)
    events = await PostgresEventReader(database=wide).after(0, 10_000)

    assert published == WRITERS * EACH
    assert [event.position for event in events] == list(range(1, WRITERS * EACH + 1))
    assert len({event.id for event in events}) == WRITERS * EACH
    assert {event.audience for event in events} == {(world.account_id,)}


@pytest.mark.accepts("E02")
async def test_a_cursor_over_the_serial_id_would_lose_events(wide: Database) -> None:
    """The proof that the test above can fail: the obvious cursor misses what commits late."""
    world = await World.make(wide)
    seen: set[UUID] = set()
    last, done = 0, trio.Event()

    async def follow_the_serial_id() -> None:
        nonlocal last
        while not done.is_set():
            rows = await wide.fetch("SELECT seq, id FROM events WHERE seq > $1 ORDER BY seq", last)
            seen.update(row["id"] for row in rows)
            last = rows[-1]["seq"] if rows else last
            await trio.sleep(0.002)

    async with trio.open_nursery() as nursery:
        nursery.start_soon(follow_the_serial_id)
        await world.write_with_late_commits(WRITERS, EACH, SEED)
        await trio.sleep(0.1)
        done.set()

    assert len(seen) < WRITERS * EACH


async def test_two_relays_share_the_work_without_a_gap_or_a_double(wide: Database) -> None:
    world = await World.make(wide)
    first = PostgresPublisher(database=wide, holder=uuid4())
    second = PostgresPublisher(database=wide, holder=first.holder)
    await first.hold_lease(60)
    for _ in range(40):
        await world.record(wide)
    counts: list[int] = []

    async def publish(publisher: PostgresPublisher) -> None:
        while count := await publisher.publish(limit=3):
            counts.append(count)

    async with trio.open_nursery() as nursery:
        nursery.start_soon(publish, first)
        nursery.start_soon(publish, second)
    events = await PostgresEventReader(database=wide).after(0, 100)

    assert sum(counts) == 40
    assert [event.position for event in events] == list(range(1, 41))


@pytest.mark.accepts("E11")
async def test_a_lease_goes_to_one_holder_and_is_fenced(wide: Database) -> None:
    world = await World.make(wide)
    mine, other = (PostgresPublisher(database=wide, holder=uuid4()) for _ in range(2))

    first = await mine.hold_lease(60)
    refused = await other.hold_lease(60)
    await world.record(wide)
    fenced = await other.publish(limit=10)
    await wide.execute("UPDATE leases SET expires_at = now() - interval '1 second'")
    taken_over = await other.hold_lease(60)
    zombie = await mine.publish(limit=10)
    published = await other.publish(limit=10)
    again = await other.hold_lease(60)

    assert (first, refused, fenced, taken_over, zombie, published, again) == (True, False, 0, True, 0, 1, True)
    assert await wide.fetchval("SELECT term FROM leases") == 2


@pytest.mark.accepts("E04")
async def test_a_rolled_back_write_leaves_no_event_and_no_gap(wide: Database) -> None:
    world = await World.make(wide)
    publisher = PostgresPublisher(database=wide, holder=uuid4())
    await publisher.hold_lease(60)

    async def refused() -> None:
        async with wide.transaction() as connection:
            await world.record(connection)
            raise RuntimeError("no")

    with pytest.raises(RuntimeError, match="no"):
        await refused()
    await world.record(wide)

    assert await publisher.publish(limit=10) == 1
    assert await PostgresEventReader(database=wide).last_position() == 1


async def test_a_reader_sees_only_what_its_account_may_see(wide: Database) -> None:
    mine, other = await World.make(wide), await World.make(wide)
    publisher, reader = PostgresPublisher(database=wide, holder=uuid4()), PostgresEventReader(database=wide)
    await publisher.hold_lease(60)
    for world in (mine, other, mine):
        await world.record(wide)
    await publisher.publish(limit=10)

    visible = await reader.after_for(mine.account_id, 0, 10)

    assert [event.position for event in visible] == [1, 3]
    assert await reader.count_after_for(mine.account_id, 1, 10) == 1
    assert await reader.count_after_for(mine.account_id, 0, 1) == 1
