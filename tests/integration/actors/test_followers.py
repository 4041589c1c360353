"""The durable followers on PostgreSQL: each effect exactly once, whatever crashes; a replay gives the same again."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Any
from uuid import UUID

import pytest
import trio

from app.adapters.postgres.followers import (
    APPEND,
    PASS_BY,
    AuditFollower,
    EventFollower,
    is_of_a_series,
    record_occurrences,
)
from app.adapters.postgres.relay import PostgresEventReader
from app.adapters.postgres.rezoning import Rezoning, is_of_an_account
from app.adapters.postgres.texts import INDEX
from app.domain.account import ProfileChanges
from app.domain.reminder import ReminderDraft
from app.domain.task import RecurrenceSpec, TaskChanges
from app.ports.database import DatabaseUnavailableError
from tests.integration.actors.events import World as Events
from tests.integration.actors.following import catch_up, publish
from tests.integration.services.world import Person, World, as_task, parsed

if TYPE_CHECKING:
    from collections.abc import Sequence

    from app.adapters.postgres import Connection, Database

DAILY = RecurrenceSpec(rule="FREQ=DAILY")


# Not pg_stat_activity: a transaction sees there for ever the backends there were when it first looked.
WAITING = "SELECT pid FROM pg_locks WHERE NOT granted AND pg_backend_pid() = ANY (pg_blocking_pids(pid))"
SYNCHRONOUS = "SHOW synchronous_commit"
UNHURRIED: dict[str, tuple[str, list[object]]] = {
    "audit": (APPEND, [10]),
    "search": (INDEX, [10]),
    "recurring": (PASS_BY, ["recurring", 0, 10]),
}


@pytest.mark.parametrize("name", UNHURRIED)
async def test_only_the_transaction_of_a_follower_does_not_wait_for_the_disk(database: Database, name: str) -> None:
    world = await Events.make(database)
    await world.record(database)
    await publish(database)
    await database.execute("INSERT INTO cursors (consumer) VALUES ('recurring') ON CONFLICT DO NOTHING")
    statement, values = UNHURRIED[name]

    async with database.connection() as connection:
        await connection.execute("SET synchronous_commit = on")  # the tests' server does not wait at all
        async with connection.transaction():
            assert await connection.fetchrow(statement, *values) is not None
            inside = await connection.fetchval(SYNCHRONOUS)
        assert (inside, await connection.fetchval(SYNCHRONOUS)) == ("off", "on")


# --- audit ------------------------------------------------------------------------------------------------


async def audit_rows(database: Database) -> list[tuple[int, UUID, int]]:
    rows = await database.fetch("SELECT position, project_id, seq FROM audit_log ORDER BY position")
    return [tuple(row) for row in rows]


@pytest.mark.accepts("E05")
async def test_two_audit_followers_at_once_write_one_row_per_event(database: Database) -> None:
    world = await Events.make(database)
    for _ in range(30):
        await world.record(database)
    await publish(database)
    handled: list[int] = []

    async def follow() -> None:
        handled.append(await catch_up(AuditFollower(database=database), limit=3))

    async with trio.open_nursery() as nursery:
        nursery.start_soon(follow)
        nursery.start_soon(follow)

    assert sum(handled) == 30
    assert await audit_rows(database) == [(number, world.project_id, number) for number in range(1, 31)]


@pytest.mark.parametrize(
    ("before", "after", "changes"),
    [
        (None, {"a": 1, "b": None}, {"a": [None, 1], "b": [None, None]}),
        ({"a": 1, "b": None}, None, {"a": [1, None], "b": [None, None]}),
        (None, None, {}),
        ({"a": 1, "b": [1, 2], "c": "x"}, {"a": 1, "b": [2, 1], "c": "y"}, {"b": [[1, 2], [2, 1]], "c": ["x", "y"]}),
        ({"a": 1, "gone": 2}, {"a": 1, "new": 3}, {"gone": [2, None], "new": [None, 3]}),
        ({"a": None}, {"a": 1}, {"a": [None, 1]}),
        ({"a": None, "version": 1, "updatedAt": "x"}, {"a": None, "version": 2, "updatedAt": "y"}, {}),
    ],
)
async def test_the_trail_says_what_differs_and_only_that(
    database: Database, before: Any, after: Any, changes: dict[str, Any]
) -> None:
    states = (None if state is None else json.dumps(state) for state in (before, after))

    found = await database.fetchval("SELECT changes FROM changed_fields($1::jsonb, $2::jsonb)", *states)

    assert json.loads(found) == changes


async def test_each_project_has_a_chain_of_its_own_and_all_verify(database: Database) -> None:
    one, two = await Events.make(database), await Events.make(database)
    for world in (one, two, two, one, two):
        await world.record(database)
    await publish(database)

    await catch_up(AuditFollower(database=database), limit=2)

    assert await audit_rows(database) == [
        (1, one.project_id, 1),
        (2, two.project_id, 1),
        (3, two.project_id, 2),
        (4, one.project_id, 2),
        (5, two.project_id, 3),
    ]
    assert tuple(await database.fetchrow("SELECT * FROM verify_audit(NULL)")) == (5, None, None)


@pytest.mark.accepts("E05")
async def test_an_audit_follower_that_dies_half_way_has_written_nothing(database: Database) -> None:
    first, second = await Events.make(database), await Events.make(database)
    for world in (first, second):
        await world.record(database)
    await publish(database)
    follower = AuditFollower(database=database)
    await follower.advance(2)
    for world in (first, second):
        await world.record(database)
    await publish(database)
    crashed: list[str] = []

    async def crash() -> None:
        with pytest.raises(DatabaseUnavailableError) as lost:
            await follower.advance(2)
        crashed.append(str(lost.value))

    async with database.transaction() as holding:
        # The second chain's head is held, so the follower waits between its first row and its second.
        await holding.execute("SELECT FROM audit_heads WHERE project_id = $1 FOR UPDATE", second.project_id)
        async with trio.open_nursery() as nursery:
            nursery.start_soon(crash)
            await end_whoever_waits(holding)
    rows_after_the_crash = await audit_rows(database)
    handled = await catch_up(follower)

    assert (len(crashed), len(rows_after_the_crash), handled) == (1, 2, 2)
    assert [position for position, _, _ in await audit_rows(database)] == [1, 2, 3, 4]
    assert (await database.fetchrow("SELECT * FROM verify_audit(NULL)"))["first_break"] is None


async def end_whoever_waits(connection: Connection) -> None:
    """Terminate the one backend that waits for a lock of this connection's transaction."""
    await connection.fetchval("SELECT pg_terminate_backend($1)", await whoever_waits(connection))


async def whoever_waits(connection: Connection) -> int:
    """Return the process id of the backend that waits for a lock of this connection's transaction."""
    with trio.fail_after(5):
        while (pid := await connection.fetchval(WAITING)) is None:
            await trio.sleep(0.01)
    return int(pid)


# --- effect and cursor together ---------------------------------------------------------------------------


class CrashError(Exception):
    """The process ended here."""


@pytest.mark.accepts("E05")
async def test_a_crash_between_effect_and_cursor_leaves_neither(database: Database) -> None:
    world = await Events.make(database)
    await world.record(database)
    await publish(database)
    crashes = [CrashError()]

    async def count(connection: Connection, events: Sequence[Any]) -> bool:
        await connection.execute(
            "INSERT INTO rate_limits VALUES ($1, now())", f"effect {events[0]['position']} of {len(events)}"
        )
        if crashes:
            raise crashes.pop()
        return False

    follower = EventFollower(database=database, consumer="test", handle=count)

    with pytest.raises(CrashError):
        await follower.advance(10)
    effects_of_the_crash = await database.fetchval("SELECT count(*) FROM rate_limits")
    results = [await follower.advance(10), await follower.advance(10)]

    assert (effects_of_the_crash, results) == (0, [(1, 1), (0, 1)])
    assert await database.fetchval("SELECT count(*) FROM rate_limits") == 1


@dataclass
class Noting:
    """Handles events by noting their positions, batch by batch."""

    batches: list[list[int]] = field(default_factory=list)

    async def __call__(self, _connection: Connection, events: Sequence[Any]) -> bool:
        await trio.lowlevel.checkpoint()
        self.batches.append([event["position"] for event in events])
        return False

    @property
    def handled(self) -> list[int]:
        """All positions, in the order in which they came."""
        return [position for batch in self.batches for position in batch]


async def test_two_followers_of_one_cursor_share_the_events(database: Database) -> None:
    world = await Events.make(database)
    for _ in range(20):
        await world.record(database)
    await publish(database)
    note = Noting()
    async with trio.open_nursery() as nursery:
        for _ in range(2):
            nursery.start_soon(catch_up, EventFollower(database=database, consumer="test", handle=note), 3)

    assert note.handled == list(range(1, 21))


async def stand_at(database: Database, position: int) -> EventFollower:
    """Return a follower whose cursor is there; its handler would crash."""
    await database.execute("INSERT INTO cursors (consumer, position) VALUES ('test', $1)", position)

    async def handle(_connection: Connection, _events: Sequence[Any]) -> bool:
        raise CrashError

    return EventFollower(database=database, consumer="test", handle=handle)


async def cursor(database: Database) -> int | None:
    position: int | None = await database.fetchval("SELECT position FROM cursors WHERE consumer = 'test'")
    return position


@pytest.mark.parametrize(
    ("position", "since", "passed", "then"),
    [(5, 5, True, 9), (7, 5, True, 9), (12, 5, True, 12), (4, 5, False, 4)],
    ids=["where we were", "another process was there", "another process is further", "set back"],
)
async def test_what_does_not_concern_a_follower_is_passed_by_in_one_statement(
    database: Database, position: int, since: int, *, passed: bool, then: int
) -> None:
    follower = await stand_at(database, position)

    assert await follower.pass_by(since, 9) is passed
    assert await cursor(database) == then


async def test_nothing_is_passed_by_before_there_is_a_cursor(database: Database) -> None:
    assert not await EventFollower(database=database, consumer="test", handle=Noting()).pass_by(0, 9)
    assert await cursor(database) is None


async def test_what_is_requeued_is_handled_before_anything_is_passed_by(database: Database) -> None:
    follower = await stand_at(database, 1)
    await database.execute(
        "INSERT INTO requeued_events VALUES (gen_random_uuid(), 'test', 1, gen_random_uuid(), now())"
    )

    assert not await follower.pass_by(1, 3)
    assert await cursor(database) == 1


async def test_passing_by_waits_for_a_batch_that_another_process_handles(database: Database) -> None:
    follower = await stand_at(database, 1)
    results: list[bool] = []

    async def pass_by() -> None:
        results.append(await follower.pass_by(1, 3))

    async with trio.open_nursery() as nursery, database.transaction() as holding:
        await holding.execute("UPDATE cursors SET position = 2 WHERE consumer = 'test'")
        nursery.start_soon(pass_by)
        await whoever_waits(holding)
        assert results == []

    assert (results, await cursor(database)) == ([True], 3)


async def test_what_a_follower_is_concerned_by(house: World) -> None:
    anna = await house.person("Europe/London")
    await anna.create()
    series = await anna.create(due=datetime(2026, 11, 25, 14, tzinfo=UTC), recurrence=DAILY)
    await house.services.tasks.complete_task(anna.context, as_task(series.id))
    await move(anna, "Europe/Berlin")
    await publish(house.database)
    events = await PostgresEventReader(database=house.database).after(0, 10)

    assert [event.type for event in events if recurring(house.database).concerns(event)] == ["task.completed"]
    assert [event.type for event in events if zones(house).concerns(event)] == ["account.updated"]


# --- the ledger of occurrences ----------------------------------------------------------------------------


def recurring(database: Database) -> EventFollower:
    return EventFollower(database=database, consumer="recurring", handle=record_occurrences, concerns=is_of_a_series)


async def occurrences(database: Database) -> list[tuple[str, str, str, bool, bool]]:
    rows = await database.fetch(
        "SELECT occurrence, state, due, task_id IS NOT NULL, completed_at IS NOT NULL FROM occurrences ORDER BY 1"
    )
    return [tuple(row) for row in rows]


async def ledger_hash(database: Database) -> str:
    text = await database.fetchval(
        "SELECT coalesce(jsonb_agg(to_jsonb(o) ORDER BY o.series_id, o.occurrence), '[]')::text FROM occurrences o"
    )
    return hashlib.sha256(text.encode()).hexdigest()


async def complete(person: Person, task_id: UUID) -> UUID:
    """Complete a task and return the id of the next occurrence."""
    answer = parsed(await person.world.services.tasks.complete_task(person.context, as_task(task_id)))
    return UUID(answer["next"]["id"])


async def test_the_ledger_says_what_became_of_each_occurrence(house: World) -> None:
    anna = await house.person()
    tasks, follower = house.services.tasks, recurring(house.database)
    first = await anna.create(due=date(2026, 11, 20), recurrence=DAILY)

    second = await complete(anna, first.id)
    await publish(house.database)
    await catch_up(follower)
    after_completing = await occurrences(house.database)
    await tasks.reopen_task(anna.context, as_task(first.id))
    await publish(house.database)
    await catch_up(follower)
    after_reopening = await occurrences(house.database)
    third = await complete(anna, first.id)
    await tasks.delete_task(anna.context, as_task(third))
    await publish(house.database)
    await catch_up(follower)

    done = [("2026-11-20", "done", "2026-11-20", True, True)]
    missed = [(f"2026-11-{day}", "missed", f"2026-11-{day}", False, False) for day in (21, 22, 23)]
    assert second != third
    assert after_completing == done + missed
    assert after_reopening == []
    assert await occurrences(house.database) == [
        *done,
        *missed,
        ("2026-11-24", "deleted", "2026-11-24", True, False),
    ]


async def test_reopening_takes_back_what_was_passed_over_even_when_the_rule_is_another_by_then(house: World) -> None:
    anna = await house.person()
    first = await anna.create(due=date(2026, 11, 20), recurrence=DAILY)
    await complete(anna, first.id)
    keep = TaskChanges(recurrence=RecurrenceSpec(rule="FREQ=DAILY", missed=other_policy()))
    await house.services.tasks.patch_task(anna.context, as_task(first.id), keep)
    await house.services.tasks.reopen_task(anna.context, as_task(first.id))
    await publish(house.database)

    await catch_up(recurring(house.database))

    assert await occurrences(house.database) == []


def other_policy() -> Any:
    return next(policy for policy in type(DAILY.missed) if policy != DAILY.missed)


@pytest.mark.accepts("E10")
@pytest.mark.parametrize("begin_empty", [True, False])
async def test_a_replay_from_the_beginning_gives_the_same_ledger(house: World, begin_empty: bool) -> None:  # noqa: FBT001 - a case
    anna = await house.person()
    follower = recurring(house.database)
    await live_through_a_series(anna, follower)
    live = await ledger_hash(house.database)

    await house.database.execute("UPDATE cursors SET position = 0 WHERE consumer = 'recurring'")
    if begin_empty:
        await house.database.execute("DELETE FROM occurrences")
    replayed = await catch_up(follower, limit=3)

    assert await house.database.fetchval("SELECT count(*) FROM occurrences") == 6
    assert (replayed > 6, await ledger_hash(house.database)) == (True, live)


async def live_through_a_series(person: Person, follower: EventFollower) -> None:
    """Complete late, reopen, complete again, complete the next one, delete the one after; followed step by step."""
    tasks, database = person.world.services.tasks, person.world.database

    async def follow() -> None:
        await publish(database)
        await catch_up(follower, limit=1)

    first = await person.create(due=date(2026, 11, 20), recurrence=DAILY)
    await person.create("Not repeated")
    await complete(person, first.id)
    await follow()
    await tasks.reopen_task(person.context, as_task(first.id))
    await follow()
    second = await complete(person, first.id)
    await follow()
    third = await complete(person, second)
    await tasks.delete_task(person.context, as_task(third))
    await follow()


# --- floating times follow their owner --------------------------------------------------------------------


def zones(house: World) -> EventFollower:
    rezoning = Rezoning(tasks=house.services.tasks, clock=house.clock)
    return EventFollower(
        database=house.database, consumer="reminder", handle=rezoning.handle, concerns=is_of_an_account
    )


async def move(person: Person, zone: str) -> None:
    await person.world.services.accounts.patch_profile(person.context, ProfileChanges(time_zone=zone))


async def shown(person: Person, task_id: UUID) -> tuple[str, list[str]]:
    listed = json.loads(await person.world.services.reminders.list_reminders(person.context, as_task(task_id)))
    return (await person.task(task_id))["dueDate"], [reminder["fireAt"] for reminder in listed["items"]]


@pytest.mark.accepts("R12", "T8")
async def test_nine_o_clock_in_new_york_becomes_nine_o_clock_in_london(house: World) -> None:
    anna, follower = await house.person("America/New_York"), zones(house)
    nine = datetime(2026, 11, 25, 14, tzinfo=UTC)
    floating, fixed = await anna.create(due=nine), await anna.create(due=nine, time_zone="America/New_York")
    for task in (floating, fixed):
        await house.services.reminders.add_reminder(anna.context, as_task(task.id), ReminderDraft(before="PT1H"))
    await move(anna, "Europe/London")
    await publish(house.database)

    await catch_up(follower)

    assert await shown(anna, floating.id) == ("2026-11-25T09:00:00Z", ["2026-11-25T08:00:00Z"])
    assert await shown(anna, fixed.id) == ("2026-11-25T14:00:00Z", ["2026-11-25T13:00:00Z"])
    moved = (await house.events(floating.id))[-1]
    assert (moved["type"], moved["account_id"]) == ("task.updated", None)


@pytest.mark.accepts("R12")
async def test_a_move_is_followed_exactly_once_by_however_many(house: World) -> None:
    anna = await house.person("America/New_York")
    task = await anna.create(due=datetime(2026, 11, 25, 14, tzinfo=UTC))
    await move(anna, "Europe/London")
    await publish(house.database)

    async with trio.open_nursery() as nursery:
        for _ in range(2):
            nursery.start_soon(catch_up, zones(house), 1)
    await house.database.execute("UPDATE cursors SET position = 0 WHERE consumer = 'reminder'")
    await catch_up(zones(house))

    assert await house.event_types(task.id) == ["task.created", "task.updated"]
    assert (await shown(anna, task.id))[0] == "2026-11-25T09:00:00Z"


@pytest.mark.accepts("R12")
async def test_a_task_made_after_the_second_of_two_moves_stays_where_it_is(house: World) -> None:
    anna = await house.person("America/New_York")
    before = await anna.create(due=datetime(2026, 11, 25, 14, tzinfo=UTC))
    for zone in ("Europe/London", "Asia/Tokyo"):
        await move(anna, zone)
    principal = await house.services.accounts.authenticate(anna.token)
    anna.context = type(anna.context)(principal=principal)
    after = await anna.create(due=datetime(2026, 11, 25, 0, tzinfo=UTC))
    await publish(house.database)

    await catch_up(zones(house), limit=1)

    assert await house.event_types(after.id) == ["task.created"]
    assert (await shown(anna, before.id), await shown(anna, after.id)) == (("2026-11-25T00:00:00Z", []),) * 2


async def test_other_changes_of_a_profile_move_nothing(house: World) -> None:
    anna = await house.person("America/New_York")
    task = await anna.create(due=datetime(2026, 11, 25, 14, tzinfo=UTC))
    await house.services.accounts.patch_profile(anna.context, ProfileChanges(name="Anna"))
    await publish(house.database)

    await catch_up(zones(house))

    assert await house.event_types(task.id) == ["task.created"]
