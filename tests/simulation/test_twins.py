"""Whether the simulated database tells the truth: random operations on it and on PostgreSQL give the same answers."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

import orjson
import pytest
import trio

from app.domain import ids
from app.domain.errors import TaskError
from app.domain.events import TASK_UPDATED, NewEvent
from app.domain.ids import EventId, TaskId
from app.domain.queries import Order, TaskQuery
from app.domain.reminder import ReminderDraft
from app.domain.task import TaskDraft
from app.ports.delivering import Outcome
from app.services.context import Context, Idempotency
from tests.simulation.determinism import fresh_ids
from tests.simulation.houses import House, real, settle_in, simulated
from tests.simulation.people import Person, settle
from tests.simulation.surroundings import Surroundings
from tests.simulation.users import OPERATIONS, Diary, User

if TYPE_CHECKING:
    from app.adapters.postgres import Database
    from app.ports.delivering import Delivery
    from tests.simulation.dice import Dice

SEEDS: Final = 3
STEPS: Final = 220
# Far enough from now that a slow machine changes nothing.
DISTANCES: Final = (timedelta(days=-2), timedelta(hours=-1), timedelta(hours=1), timedelta(days=1))
# What a database's clock decides.
OF_THE_DATABASE: Final = ("firedAt", "updatedAt")


@dataclass(slots=True)
class StoppedClock:
    """Shows the same on both sides."""

    instant: datetime

    def now(self) -> datetime:
        return self.instant


class TwinUser(User):
    """Somebody whose moments are never near."""

    def _soon(self) -> datetime:
        return (self.clock.now() + self.dice.pick(DISTANCES)).replace(microsecond=0)

    def _later(self) -> datetime:
        return self.clock.now() + DISTANCES[-1]


class RolledBackError(Exception):
    """On purpose."""


@dataclass(kw_only=True)
class Twins:
    """Asks both houses the same, with the same ids."""

    dice: Dice
    clock: StoppedClock
    people: list[Person]
    sim: House
    postgres: House
    diary: Diary = field(default_factory=Diary)
    users: list[User] = field(default_factory=list)
    claimed: list[tuple[Delivery, Delivery]] = field(default_factory=list)
    asked: int = 0
    answered: Counter[str] = field(default_factory=Counter)

    async def ask(self, what: str, question: Any) -> Any:
        """Ask both and compare, and return the answer; count what they had something to say to."""
        self.asked += 1
        simulated_one, real_one = [plain(await self._answer(house, question)) for house in (self.sim, self.postgres)]
        assert simulated_one == real_one
        if real_one and not str(real_one).endswith("Error"):
            self.answered[what] += 1
        return real_one

    async def _answer(self, house: House, question: Any) -> Any:
        with fresh_ids(f"{self.dice.seed}/{self.asked}"):
            try:
                return await question(house)
            except (TaskError, RolledBackError) as refused:
                return type(refused).__name__

    # --- Questions ----------------------------------------------------------------------------------

    async def begin(self) -> None:
        """Let a reminder be overdue, and both holders know of the lease."""
        context = Context(principal=self.people[0].principal)
        made = await self.ask("create", lambda house: house.tasks.create_task(context, TaskDraft(title="First")))
        overdue = ReminderDraft(remind_at=self.clock.now() + DISTANCES[0])
        await self.ask("remind", lambda house: house.reminders.add_reminder(context, made["id"], overdue))
        await self.fire()
        await self.ask("lease", lambda house: house.publishers[0].hold_lease(3600.0))

    async def somebody_works(self) -> None:
        user = self.dice.pick(self.users)
        operation = self.dice.pick((*OPERATIONS, *("remind", "snooze") * 8))
        request_id = f"r{self.dice.count(1, 400)}"  # some requests come again, some as something else
        key = Idempotency(key=request_id, request_hash=operation.encode())
        context = Context(principal=user.person.principal, request_id=request_id, idempotency=key)
        step = getattr(user, f"_{operation}")(context)
        if step is not None:
            await self.ask(operation, step)

    async def something_is_undone(self) -> None:
        event = NewEvent(
            id=EventId(ids.new_id(self.clock.now())),
            type=TASK_UPDATED,
            project_id=self.people[0].inbox_id,
            occurred_at=self.clock.now(),
        )

        async def undone(house: House) -> None:
            async with house.open() as work:
                work.record(event)
                await work.flush()
                raise RolledBackError

        await self.ask("undo", undone)

    async def publish(self) -> None:
        limit, holder = self.dice.pick((1, 3, 500)), self.dice.count(0, 1)
        await self.ask("publish", lambda house: house.publishers[holder].publish(limit))

    async def lease(self) -> None:
        seconds, holder = self.dice.pick((-1.0, 3600.0)), self.dice.count(0, 1)
        await self.ask("lease", lambda house: house.publishers[holder].hold_lease(seconds))

    async def follow(self) -> None:
        limit, name = self.dice.pick((1, 3, 200)), self.dice.pick(("audit", "recurring", "reminder"))
        await self.ask(name, lambda house: house.followers[name].advance(limit))

    async def fire(self) -> None:
        limit = self.dice.pick((1, 2, 200))

        async def fired(house: House) -> Any:
            firing = await house.schedule.fire_due(limit)
            waits = about(await house.schedule.seconds_to_next())
            return [sorted(firing.reminder_ids), firing.deliveries, waits] if firing.reminder_ids else waits == "now"

        await self.ask("fire", fired)

    async def claim(self) -> None:
        # All that are due: which of those that fell due in one transaction comes first is nobody's promise.
        seconds, both = self.dice.pick((0.0, 3600.0)), []

        async def claimed(house: House) -> Any:
            found = sorted(await house.ledger.claim("email", 1000, seconds), key=lambda one: one.id)
            both.append(found)
            waits = about(await house.ledger.seconds_to_next("email"))
            mine = [replace(one, late_seconds=0.0, traceparent=None) for one in found]
            return [mine, waits] if mine else waits == "now"

        await self.ask("claim", claimed)
        self.claimed += zip(*both, strict=True)

    async def record(self) -> None:
        if not self.claimed:
            return
        mine, theirs = self.dice.pick(self.claimed[-3:])
        outcome = Outcome(result=self.dice.pick(("sent", "retry", "failed")), response="")
        seconds = self.dice.pick((0.0, 3600.0))
        await self.ask(
            "record", lambda house: house.ledger.record(mine if house is self.sim else theirs, outcome, seconds)
        )

    async def look(self) -> None:
        person, position = self.dice.pick(self.people), self.dice.count(0, 40)
        limit, order = self.dice.count(1, 9), self.dice.pick(list(Order))
        completed = self.dice.pick((None, True, False))
        context = Context(principal=person.principal)
        task_id = TaskId(self.dice.pick(self.diary.tasks).id if self.diary.tasks else person.inbox_id)

        async def looked(house: House) -> Any:
            query = TaskQuery(limit=limit, order=order, completed=completed)
            pages: list[Any] = []
            while query.cursor is not None or not pages:
                pages.append(orjson.loads(await house.tasks.list_tasks(context, query)))
                query = replace(query, cursor=pages[-1]["nextCursor"])
            events = await house.reader.after_for(person.account_id, position, limit)
            count = await house.reader.count_after_for(person.account_id, position, limit)
            last = await house.reader.last_position()
            return [page["items"] for page in pages], events, count, last

        await self.ask("list", looked)
        await self.ask("get", lambda house: house.tasks.get_task(context, task_id))
        await self.ask("reminders", lambda house: house.reminders.list_reminders(context, task_id))

    async def look_at_everything(self) -> None:
        await self.ask("events", lambda house: house.reader.after(0, 10_000))
        await self.ask("dump", lambda house: house.dump())


QUESTIONS: Final = (
    *(Twins.somebody_works,) * 12,
    Twins.something_is_undone,
    *(Twins.publish,) * 3,
    Twins.lease,
    *(Twins.follow,) * 4,
    *(Twins.fire,) * 2,
    *(Twins.claim,) * 2,
    *(Twins.record,) * 2,
    Twins.look,
)


@pytest.mark.parametrize("seed", range(SEEDS))
async def test_both_databases_answer_alike(seed: int, database: Database, nursery: trio.Nursery) -> None:
    now = datetime.now(UTC).replace(microsecond=123_000)
    around = Surroundings(seed=f"twins {seed}")
    around.db.clock.beginning = now - timedelta(seconds=trio.current_time())  # it counts from when trio began
    around.clock = clock = StoppedClock(now)  # type: ignore[assignment] # stands still for both
    await nursery.start(around.db.run)
    people = settle(around.db.store, 3)
    zones = {row.id: row.profile.time_zone for row in around.db.store.rows("accounts")}
    created_at = next(around.db.store.rows("accounts")).created_at
    await settle_in(database, people, zones, created_at)
    twins = Twins(
        dice=around.dice.stream("questions"),
        clock=clock,
        people=people,
        sim=simulated(around.db, clock),
        postgres=real(database, clock),
    )
    twins.users = [TwinUser(person, twins.diary, around, lambda: None) for person in people]

    await twins.begin()
    for _ in range(STEPS):
        clock.instant += timedelta(milliseconds=twins.dice.count(0, 5000))
        await twins.dice.pick(QUESTIONS)(twins)
    for holder in range(2):
        await twins.ask("lease", lambda house, holder=holder: house.publishers[holder].hold_lease(3600.0))
        await twins.ask("publish", lambda house, holder=holder: house.publishers[holder].publish(10_000))
    for name in twins.sim.followers:
        await twins.ask(name, lambda house, name=name: house.followers[name].advance(10_000))
    await twins.look_at_everything()

    heard = set(twins.answered)
    assert heard >= {"create", "complete", "remind", "fire", "publish", "audit", "recurring", "list", "dump"}


def about(seconds: float | None) -> str:
    """Return a time to wait as far as it must be the same."""
    return "never" if seconds is None else "now" if seconds == 0 else "later"


def plain(value: Any) -> Any:
    """Return an answer as far as it must be the same: JSON is parsed, what the database's clock says is left out."""
    if isinstance(value, bytes | str):
        return _parsed(value)
    if isinstance(value, dict):
        return {key: plain(each) for key, each in value.items() if key not in OF_THE_DATABASE}
    if isinstance(value, list | tuple):
        return [plain(each) for each in value]
    if hasattr(value, "__slots__") and hasattr(value, "__dataclass_fields__"):
        named = {name: getattr(value, name) for name in value.__dataclass_fields__}
        if named.get("type") == "reminder.fired":
            del named["occurred_at"]
        return {name: plain(each) for name, each in named.items() if name != "traceparent"}
    return value


def _parsed(text: bytes | str) -> Any:
    if text[:1] in ("{", "[", b"{", b"["):
        return plain(orjson.loads(text))
    return text
