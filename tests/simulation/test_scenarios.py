"""What happens when two transactions meet: the same story told by the simulated database and by PostgreSQL."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any
from uuid import UUID, uuid4

import asyncpg
import pytest
import trio

from app.domain.events import TASK_UPDATED, NewEvent
from app.domain.ids import EventId, ReminderId, TaskId
from app.domain.reminder import ReminderDraft
from app.domain.task import TaskDraft
from app.ports.idempotency import KeptAnswer
from app.ports.unit_of_work import TransactionConflictError
from app.services.context import Context
from tests.simulation.houses import House, as_unit, real, settle_in, simulated
from tests.simulation.people import Person, settle
from tests.simulation.simdb.errors import UniqueViolationError
from tests.simulation.surroundings import Surroundings
from tests.simulation.test_twins import StoppedClock

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from app.adapters.postgres import Database


@dataclass(frozen=True, slots=True)
class Stage:
    """A house and somebody in it."""

    house: House
    person: Person
    now: datetime

    async def task(self) -> TaskId:
        made = await self.house.tasks.create_task(Context(principal=self.person.principal), TaskDraft(title="Task"))
        return TaskId(made.id)

    def event(self) -> NewEvent:
        return NewEvent(
            id=EventId(uuid4()), type=TASK_UPDATED, project_id=self.person.inbox_id, occurred_at=self.now, after="{}"
        )

    async def wait_until_somebody_waits(self, count: int = 1) -> None:
        with trio.fail_after(10):
            while await self.house.waiting() < count:
                await trio.sleep(0.01)

    async def positions(self) -> dict[UUID, int]:
        return {event.id: event.position for event in await self.house.reader.after(0, 1000)}


@pytest.fixture(params=["simulated", "postgresql"])
async def stage(request: pytest.FixtureRequest, database: Database, nursery: trio.Nursery) -> Stage:
    """A stage on each database."""
    now = datetime.now(UTC)
    around = Surroundings(seed="scenario")
    around.db.clock.beginning = now - timedelta(seconds=trio.current_time())
    clock = StoppedClock(now)
    people = settle(around.db.store, 1)
    if request.param == "simulated":
        await nursery.start(around.db.run)
        house = simulated(around.db, clock)
    else:
        await settle_in(database, people, {people[0].account_id: "UTC"}, now)
        house = real(database, clock)
    await house.publishers[0].hold_lease(3600.0)
    return Stage(house, people[0], now)


async def both(first: Callable[[], Awaitable[Any]], second: Callable[[], Awaitable[Any]]) -> None:
    """Run two at once."""
    async with trio.open_nursery() as nursery:
        nursery.start_soon(first)
        nursery.start_soon(second)


async def test_who_commits_late_gets_a_later_position_than_whoever_began_later(stage: Stage) -> None:
    early, late = stage.event(), stage.event()

    async with stage.house.open() as slow:
        slow.record(early)
        await slow.flush()
        async with stage.house.open() as quick:
            quick.record(late)
            await quick.flush()
        first = await stage.house.publishers[0].publish(100)
    second = await stage.house.publishers[0].publish(100)

    assert (first, second) == (1, 1)
    assert await stage.positions() == {late.id: 1, early.id: 2}


async def test_who_waited_for_a_task_sees_what_the_other_wrote(stage: Stage) -> None:
    task_id, seen, has_it = await stage.task(), [], trio.Event()

    async def change() -> None:
        async with stage.house.open() as work:
            locked = await work.tasks.lock(stage.person.account_id, task_id)
            has_it.set()
            await stage.wait_until_somebody_waits()
            await work.tasks.save(replace(locked.task, title="Changed"))

    async def look() -> None:
        await has_it.wait()
        async with stage.house.open() as work:
            locked = await work.tasks.lock(stage.person.account_id, task_id)
            seen.append((locked.task.title, locked.task.version))

    await both(change, look)

    assert seen == [("Changed", 2)]


async def test_a_twin_of_a_request_waits_for_the_answer(stage: Stage) -> None:
    answer = KeptAnswer(request_hash=b"h" * 32, json="{}", version=1, id=stage.person.account_id)
    heard: list[KeptAnswer | None] = []

    async def ask() -> None:
        async with stage.house.open() as work:
            kept = await work.idempotency.claim(stage.person.account_id, "key", answer.request_hash, stage.now)
            heard.append(kept)
            if kept is None:
                await stage.wait_until_somebody_waits()
                await work.idempotency.keep(stage.person.account_id, "key", answer)

    await both(ask, ask)

    assert heard == [None, answer]


async def test_a_key_is_free_again_when_its_request_fails(stage: Stage) -> None:
    heard: list[KeptAnswer | None] = []
    has_it = trio.Event()

    async def fail() -> None:
        async with stage.house.open() as work:
            heard.append(await work.idempotency.claim(stage.person.account_id, "key", b"h" * 32, stage.now))
            has_it.set()
            await stage.wait_until_somebody_waits()
            raise RuntimeError

    async def refused() -> None:
        with pytest.raises(RuntimeError):
            await fail()

    async def ask() -> None:
        await has_it.wait()
        async with stage.house.open() as work:
            heard.append(await work.idempotency.claim(stage.person.account_id, "key", b"h" * 32, stage.now))

    await both(refused, ask)

    assert heard == [None, None]


async def test_a_reminder_of_a_task_that_is_being_changed_is_left_for_later(stage: Stage) -> None:
    task_id = await stage.task()
    due = ReminderDraft(remind_at=stage.now - timedelta(hours=1))
    reminder = await stage.house.reminders.add_reminder(Context(principal=stage.person.principal), task_id, due)

    async with stage.house.open() as work:
        await work.tasks.lock(stage.person.account_id, task_id)
        meanwhile = await stage.house.schedule.fire_due(10)
    afterwards = await stage.house.schedule.fire_due(10)

    assert (meanwhile.reminder_ids, afterwards.reminder_ids) == ((), (reminder.id,))


@pytest.mark.parametrize("is_seen", [True, False])
async def test_a_mail_about_what_is_being_seen_is_left_for_later(stage: Stage, is_seen: bool) -> None:  # noqa: FBT001 - two stories
    task_id, context = await stage.task(), Context(principal=stage.person.principal)
    due = ReminderDraft(remind_at=stage.now - timedelta(hours=1))
    reminder = await stage.house.reminders.add_reminder(context, task_id, due)
    await stage.house.schedule.fire_due(10)

    async with stage.house.open() as work:
        await work.reminders.lock(stage.person.account_id, reminder.id)
        meanwhile = await stage.house.ledger.claim("email", 10, 90.0)
    if is_seen:
        await stage.house.reminders.acknowledge(context, ReminderId(reminder.id))
    afterwards = await stage.house.ledger.claim("email", 10, 90.0)

    assert (meanwhile, len(afterwards)) == ((), 0 if is_seen else 1)


async def test_of_two_who_wait_for_each_other_one_is_undone(stage: Stage) -> None:
    tasks = [await stage.task(), await stage.task()]
    outcomes: list[str] = []

    async def lock(first: TaskId, second: TaskId) -> None:
        try:
            async with stage.house.units() as work:
                await work.tasks.lock(stage.person.account_id, first)
                await trio.sleep(0.05)
                await work.tasks.lock(stage.person.account_id, second)
        except TransactionConflictError:
            outcomes.append("undone")
        else:
            outcomes.append("done")

    await both(lambda: lock(*tasks), lambda: lock(*reversed(tasks)))

    assert sorted(outcomes) == ["done", "undone"]


async def test_two_runs_of_a_follower_share_the_events(stage: Stage) -> None:
    for _ in range(4):
        await stage.task()
    await stage.house.publishers[0].publish(100)
    handled: list[tuple[int, int]] = []

    async def follow() -> None:
        handled.append(await stage.house.followers["audit"].advance(3))

    await both(follow, follow)

    assert sorted(handled) == [(1, 4), (3, 3)]


async def test_two_runs_of_a_relay_leave_no_gap_and_no_double(stage: Stage) -> None:
    for _ in range(5):
        await stage.task()
    published: list[int] = []

    async def publish() -> None:
        published.append(await stage.house.publishers[0].publish(3))

    await both(publish, publish)

    assert sorted(published) == [2, 3]
    assert sorted((await stage.positions()).values()) == [1, 2, 3, 4, 5]


async def test_a_completed_task_has_one_next_occurrence_whoever_tries(stage: Stage) -> None:
    task_id = await stage.task()

    async def make_next() -> None:
        async with stage.house.open() as work:
            locked = await as_unit(work).tasks.lock(stage.person.account_id, task_id)
            assert locked is not None
            await work.tasks.insert(replace(locked.task, id=TaskId(uuid4()), generated_from=task_id))

    await make_next()
    with pytest.raises((asyncpg.UniqueViolationError, UniqueViolationError)):
        await make_next()


async def test_reminders_of_one_task_can_be_changed_at_once_and_the_task_waits_for_them(stage: Stage) -> None:
    task_id, context = await stage.task(), Context(principal=stage.person.principal)
    later = ReminderDraft(remind_at=stage.now + timedelta(hours=1))
    one, two = [await stage.house.reminders.add_reminder(context, task_id, later) for _ in range(2)]
    order: list[str] = []

    async def lock_task() -> None:
        async with stage.house.open() as work:
            await work.tasks.lock(stage.person.account_id, task_id)
            order.append("task")

    async with trio.open_nursery() as nursery, stage.house.open() as first, stage.house.open() as second:
        await first.reminders.lock(stage.person.account_id, one.id)
        await second.reminders.lock(stage.person.account_id, two.id)
        nursery.start_soon(lock_task)
        await stage.wait_until_somebody_waits()
        order.append("reminders")

    assert order == ["reminders", "task"]
