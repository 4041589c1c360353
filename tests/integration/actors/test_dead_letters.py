"""Poison in the event log: set aside with all that is known of it, sent again by an operator, handled exactly once."""

from __future__ import annotations

import json
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from uuid import UUID, uuid4

import asyncpg
import pytest
import trio

from actors.dead_letters import DeadLetter, DeadLetters
from actors.durable import DurableActor
from actors.mailbox import Mailbox, WhenFull
from app.adapters.postgres.dead_letters import PostgresDeadLetters
from app.adapters.postgres.followers import EventFollower
from app.adapters.postgres.poison import MAX_TRIES
from app.domain.errors import AlreadyRequeuedError, NotFoundError, NotRequeueableError
from app.domain.ids import ProjectId
from app.services.context import Context
from app.services.recording import new_event
from supervisors import Backoff, ChildSpec, Supervisor
from tests.integration.actors.events import World
from tests.integration.actors.following import publish
from tests.unit.actors.fakes import NOON

if TYPE_CHECKING:
    from collections.abc import Sequence

    from actors.envelope import Envelope
    from app.adapters.postgres import Connection, Database
    from app.domain.events import NewEvent, RecordedEvent
    from app.ports.dead_letters import Requeued

TRACE = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"


class PoisonError(Exception):
    """The handler cannot stand this event."""


@dataclass
class Handler:
    """Writes down what it handles, and crashes over what it is told to."""

    poison: set[int] = field(default_factory=set)
    error: Exception = field(default_factory=lambda: PoisonError("no such field: \0 \ud800"))
    tried: list[int] = field(default_factory=list)

    async def __call__(self, connection: Connection, events: Sequence[Any]) -> bool:
        for event in events:
            self.tried.append(event["position"])
            if event["position"] in self.poison:
                raise self.error
            await connection.execute("INSERT INTO rate_limits VALUES ($1, now())", f"{event['position']}: {uuid4()}")
        return False


async def effects(database: Database) -> list[int]:
    rows = await database.fetch("SELECT key FROM rate_limits")
    return sorted(int(row["key"].partition(":")[0]) for row in rows)


async def letters(database: Database, **options: Any) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(await PostgresDeadLetters(database=database, **options).page(None, 100))
    return found


@dataclass
class Followed:
    """A world with published events, a handler, and the actor that follows them."""

    world: World
    handler: Handler
    follower: EventFollower

    @classmethod
    async def make(cls, database: Database, count: int, poison: set[int]) -> Followed:
        world, handler = await World.make(database), Handler(poison=poison)
        await publish_more(world, count)
        follower = EventFollower(database=database, consumer="test", handle=handler)
        return cls(world, handler, follower)

    async def run_until(self, position: int) -> None:
        """Run the actor under a supervisor until its cursor is there."""
        mailbox: Mailbox[Envelope[RecordedEvent]] = Mailbox("test", capacity=9)
        actor = DurableActor(name="test", span="test", follower=self.follower, mailbox=mailbox)

        async def run(*, task_status: trio.TaskStatus[None]) -> None:
            task_status.started()
            await actor.run()

        backoff = Backoff(first=0.001, maximum=0.001)
        top = Supervisor("top", [ChildSpec(id="test", start=run)], intensity=99, backoff=backoff)
        async with trio.open_nursery() as nursery:
            await nursery.start(top.run)
            with trio.fail_after(10):
                while not await self.world.database.fetchval(
                    "SELECT EXISTS (SELECT FROM cursors WHERE consumer = 'test' AND position = $1)"
                    " AND NOT EXISTS (SELECT FROM requeued_events)",
                    position,
                ):
                    await trio.sleep(0.01)
            await top.stop()


async def publish_more(world: World, count: int, *, task_id: UUID | None = None) -> None:
    for _ in range(count):
        await world.record(world.database, "task.updated", task_id=task_id or uuid4(), before='{"title": "w"}')
    await world.database.execute("UPDATE events SET traceparent = $1", TRACE)
    await publish(world.database)


def said(world: World) -> Any:
    def told(requeued: Requeued) -> NewEvent:
        after = json.dumps({"letter": str(requeued.letter)})
        return new_event(Context(), NOON, "ops.dead_letter_requeued", ProjectId(world.project_id), after=after)

    return told


@pytest.mark.accepts("A03", "A13")
async def test_poison_is_set_aside_with_all_that_is_known_and_the_rest_is_handled_once(database: Database) -> None:
    followed = await Followed.make(database, 7, poison={4})

    await followed.run_until(7)

    found = await letters(database)
    (letter,) = found["items"]
    assert await effects(database) == [1, 2, 3, 5, 6, 7]
    assert followed.handler.tried.count(4) == MAX_TRIES + 1  # once in the batch, where it was nobody's fault yet
    assert found["counts"] == [{"actor": "test", "reason": "crashed", "count": 1}]
    assert (letter["position"], letter["attempts"], letter["requeuedAt"]) == (4, MAX_TRIES, None)
    assert letter["error"] == "PoisonError: no such field:  \\ud800"
    assert "raise self.error" in letter["stack"]
    assert letter["traceId"] == TRACE.split("-")[1]
    assert (letter["payload"]["type"], letter["payload"]["before"]) == ("task.updated", {"title": "w"})


@pytest.mark.accepts("A03")
@pytest.mark.parametrize("error", [asyncpg.UndefinedTableError("x"), asyncpg.DeadlockDetectedError("x")])
async def test_what_would_meet_every_event_makes_none_of_them_poison(database: Database, error: Exception) -> None:
    followed = await Followed.make(database, 3, poison={2})
    followed.handler.error = error

    for _ in range(2 * MAX_TRIES):
        with pytest.raises(type(error)):
            await followed.follower.advance(10)
    followed.handler.poison.clear()
    await followed.run_until(3)

    assert (await letters(database))["items"] == []
    assert await effects(database) == [1, 2, 3]


@pytest.mark.accepts("A13")
async def test_a_requeued_letter_is_handled_exactly_once_with_what_happened_to_its_task_since(
    database: Database,
) -> None:
    followed, task_id = await Followed.make(database, 1, poison={2}), uuid4()
    await publish_more(followed.world, 1, task_id=task_id)
    await publish_more(followed.world, 1)
    await publish_more(followed.world, 1, task_id=task_id)
    await followed.run_until(4)
    archive, new_id = PostgresDeadLetters(database=database), uuid4()
    before = await effects(database)
    (letter,) = (await letters(database))["items"]
    followed.handler.poison.clear()
    followed.handler.tried.clear()

    requeued = await archive.requeue(UUID(letter["id"]), new_id, said(followed.world))
    await followed.run_until(4)
    await followed.run_until(4)

    (letter,) = (await letters(database))["items"]
    assert before == [1, 3, 4]
    assert (requeued.id, requeued.position, requeued.trace_id) == (new_id, 2, TRACE.split("-")[1])
    assert followed.handler.tried == [2, 4]
    assert (letter["requeuedAs"], letter["requeuedAt"] is not None) == (str(new_id), True)
    assert await database.fetchval("SELECT after ->> 'letter' FROM events WHERE position IS NULL") == letter["id"]


@pytest.mark.accepts("A13")
async def test_a_letter_that_dies_again_is_a_new_one_that_knows_the_old(database: Database) -> None:
    followed = await Followed.make(database, 2, poison={1})
    await followed.run_until(2)
    (first,) = (await letters(database))["items"]
    archive, new_id = PostgresDeadLetters(database=database), uuid4()

    await archive.requeue(UUID(first["id"]), new_id, said(followed.world))
    await followed.run_until(2)
    second, old = (await letters(database))["items"]
    with pytest.raises(AlreadyRequeuedError):
        await archive.requeue(UUID(first["id"]), uuid4(), said(followed.world))
    with pytest.raises(NotFoundError):
        await archive.requeue(uuid4(), uuid4(), said(followed.world))

    assert (second["id"], second["requeuedFrom"], second["traceId"]) == (str(new_id), first["id"], first["traceId"])
    assert (old["id"], old["requeuedAs"]) == (first["id"], str(new_id))
    assert await effects(database) == [2]


async def crash_over_the_first(mailbox: Mailbox[str]) -> None:
    with suppress(PoisonError), mailbox:
        await mailbox.receive()
        raise PoisonError


@pytest.mark.accepts("A13", "A03")
async def test_letters_of_a_mailbox_survive_the_process_and_are_bounded(
    database: Database, nursery: trio.Nursery
) -> None:
    archive = PostgresDeadLetters(database=database, kept=3)
    kept = DeadLetters(store=archive)
    await nursery.start(kept.run)
    mailbox: Mailbox[str] = Mailbox("volatile", capacity=9, when_full=WhenFull.WAIT, dead_letters=kept)
    for number in range(5):
        mailbox.tell_nowait(f"message {number}\0")

    await crash_over_the_first(mailbox)
    with mailbox:
        pass
    with trio.fail_after(5):
        while (await letters(database))["counts"] == [] or kept._unsaved:
            await trio.sleep(0.01)

    found = await letters(database)
    assert len(found["items"]) == 3
    assert found["items"][0]["payload"] == "'message 4\\x00'"
    assert found["counts"] == [{"actor": "volatile", "reason": "stopped", "count": 3}]
    assert kept.counts() == {("volatile", "crashed"): 1, ("volatile", "stopped"): 4}
    with pytest.raises(NotRequeueableError):
        await archive.requeue(UUID(found["items"][0]["id"]), uuid4(), said(await World.make(database)))


async def test_retention_keeps_the_newest_and_saving_twice_is_no_error(database: Database) -> None:
    archive = PostgresDeadLetters(database=database, kept=2)
    saved = [DeadLetter.of("test", f"message {number}", "stopped") for number in range(4)]

    for letter in (*saved, saved[-1]):
        await archive.save([letter])

    newest = json.loads(await archive.page("test", 1))["items"]
    assert [letter["payload"] for letter in newest] == ["'message 3'"]
    assert (await letters(database))["counts"] == [{"actor": "test", "reason": "stopped", "count": 2}]
    assert json.loads(await archive.page("nobody", 9))["items"] == []
