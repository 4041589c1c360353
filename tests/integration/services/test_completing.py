"""Completing and reopening, recurring tasks included."""

import json
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Any
from uuid import UUID

import pytest
import trio

from app.domain.errors import (
    NextOccurrenceCompletedError,
    TaskAlreadyCompletedError,
    TaskNotCompletedError,
    ValidationFailedError,
)
from app.domain.reminder import ReminderDraft
from app.domain.task import MissedPolicy, RecurrenceMode, RecurrenceSpec, TaskChanges
from app.services.context import Context
from app.services.results import Stored
from tests.integration.services.world import NOON, Person, World, as_task, parsed

if TYPE_CHECKING:
    from app.services.tasks import TaskService

DAILY = RecurrenceSpec(rule="FREQ=DAILY")


async def test_a_completed_task_says_when(world: World) -> None:
    anna = await world.person()
    created = await anna.create()

    answer = parsed(await _complete(world, anna, created))

    assert (answer["task"]["completed"], answer["task"]["completedAt"]) == (True, "2026-11-23T12:00:00Z")
    assert (answer["task"]["version"], answer["next"]) == (2, None)
    assert await world.event_types(created.id) == ["task.created", "task.completed"]


async def test_completing_makes_the_next_occurrence(world: World) -> None:
    anna = await world.person()
    created = await anna.create("Water", due=date(2026, 11, 23), tags=("home",), recurrence=DAILY)

    answer = parsed(await _complete(world, anna, created))

    following = answer["next"]
    assert (following["title"], following["tags"], following["dueDate"]) == ("Water", ["home"], "2026-11-24")
    assert (following["completed"], following["version"]) == (False, 1)
    assert following == await anna.task(UUID(following["id"]))


async def test_a_completion_tells_of_the_series_and_of_the_next_one(world: World) -> None:
    anna = await world.person()
    created = await anna.create(due=date(2026, 11, 20), recurrence=DAILY)

    following = parsed(await _complete(world, anna, created))["next"]

    detail = json.loads((await world.events(created.id))[-1]["detail"])
    (born,) = await world.events(UUID(following["id"]))
    assert (detail["next"], detail["occurrence"]) == (following["id"], "2026-11-20")
    assert detail["missed"] == ["2026-11-21", "2026-11-22", "2026-11-23"]
    assert (born["type"], json.loads(born["detail"])) == ("task.created", {"generatedFrom": str(created.id)})
    assert json.loads(born["after"]) == following


@pytest.mark.accepts("T9")
async def test_of_ten_who_complete_at_once_one_does(world: World) -> None:
    anna = await world.person()
    created = await anna.create(due=date(2026, 11, 23), recurrence=DAILY)
    outcomes: list[str] = []

    async def complete() -> None:  # noqa: ASYNC910 # completing has checkpoints, however it ends
        try:
            await _complete(world, anna, created)
            outcomes.append("completed")
        except TaskAlreadyCompletedError as refusal:
            outcomes.append(refusal.code)

    async with trio.open_nursery() as clients:
        for _ in range(10):
            clients.start_soon(complete)

    assert sorted(outcomes) == ["completed"] + ["task_already_completed"] * 9
    assert await world.event_types(created.id) == ["task.created", "task.completed"]
    assert await _occurrences(world, created.id) == 1


@pytest.mark.accepts("E06")
async def test_ten_completions_with_one_key_are_one_and_answered_alike(world: World) -> None:
    anna = await world.person()
    created = await anna.create(due=date(2026, 11, 23), recurrence=DAILY)
    context, answers = anna.with_key("complete"), set[bytes]()

    async def complete() -> None:
        answers.add((await world.services.tasks.complete_task(context, as_task(created.id))).json)

    async with trio.open_nursery() as clients:
        for _ in range(10):
            clients.start_soon(complete)

    assert len(answers) == 1
    assert await _occurrences(world, created.id) == 1


@pytest.mark.accepts("T2")
async def test_reopening_undoes_a_completion_exactly(world: World) -> None:
    anna = await world.person()
    created = await anna.create(due=datetime(2026, 11, 25, 9, tzinfo=UTC), recurrence=DAILY)
    for draft in (ReminderDraft(before="PT1H"), ReminderDraft(remind_at=datetime(2026, 11, 24, 8, tzinfo=UTC))):
        await world.services.reminders.add_reminder(anna.context, as_task(created.id), draft)
    before, reminders = await anna.task(created.id), await _reminders(world, anna, created.id)
    following = parsed(await _complete(world, anna, created))["next"]
    assert {reminder["state"] for reminder in await _reminders(world, anna, created.id)} == {"cancelled"}

    reopened = parsed(await world.services.tasks.reopen_task(anna.context, as_task(created.id)))

    assert {**reopened, "version": before["version"]} == before
    assert await _reminders(world, anna, created.id) == reminders
    assert await _occurrences(world, created.id) == 0
    assert await world.event_types(UUID(following["id"])) == ["task.created", "task.deleted"]


async def test_a_reopened_task_can_be_completed_again(world: World) -> None:
    anna = await world.person()
    created = await anna.create(due=date(2026, 11, 23), recurrence=DAILY)

    first = parsed(await _complete(world, anna, created))["next"]
    await world.services.tasks.reopen_task(anna.context, as_task(created.id))
    second = parsed(await _complete(world, anna, created))["next"]

    assert first["dueDate"] == second["dueDate"]
    assert await _occurrences(world, created.id) == 1


async def test_a_completion_cannot_be_undone_after_the_next_one(world: World) -> None:
    anna = await world.person()
    created = await anna.create(due=date(2026, 11, 23), recurrence=DAILY)
    following = parsed(await _complete(world, anna, created))["next"]
    await world.services.tasks.complete_task(anna.context, as_task(UUID(following["id"])))

    with pytest.raises(NextOccurrenceCompletedError):
        await world.services.tasks.reopen_task(anna.context, as_task(created.id))


async def test_a_series_is_not_opened_twice_over_an_occurrence_that_was_completed_and_deleted(world: World) -> None:
    """Found by the simulation, seed 1068."""
    anna = await world.person()
    first = await anna.create(due=date(2026, 11, 23), recurrence=DAILY)
    second = parsed(await _complete(world, anna, first))["next"]
    await world.services.tasks.complete_task(anna.context, as_task(UUID(second["id"])))
    await world.services.tasks.delete_task(anna.context, as_task(UUID(second["id"])))

    with pytest.raises(NextOccurrenceCompletedError):
        await world.services.tasks.reopen_task(anna.context, as_task(first.id))


async def test_an_open_task_cannot_be_reopened(world: World) -> None:
    anna = await world.person()
    created = await anna.create()

    with pytest.raises(TaskNotCompletedError):
        await world.services.tasks.reopen_task(anna.context, as_task(created.id))


async def test_a_patch_completes_and_reopens_in_the_same_way(world: World) -> None:
    anna = await world.person()
    created = await anna.create("Old", due=date(2026, 11, 23), recurrence=DAILY)
    tasks, task_id = world.services.tasks, as_task(created.id)

    done = parsed(await tasks.patch_task(anna.context, task_id, TaskChanges(title="New", completed=True)))
    made = await _occurrences(world, created.id)
    undone = parsed(await tasks.patch_task(anna.context, task_id, TaskChanges(completed=False)))

    assert (done["title"], done["completed"], made) == ("New", True, 1)
    assert (undone["title"], undone["completed"], await _occurrences(world, created.id)) == ("New", False, 0)
    assert await world.event_types(created.id) == ["task.created", "task.updated", "task.completed", "task.reopened"]


async def test_the_next_occurrence_is_counted_from_the_anchor_and_not_from_a_moved_date(world: World) -> None:
    anna = await world.person()
    monthly = RecurrenceSpec(rule="FREQ=MONTHLY;SKIP=BACKWARD;RSCALE=GREGORIAN")
    created = await anna.create(due=date(2027, 1, 31), recurrence=monthly)
    second = parsed(await _complete(world, anna, created))["next"]
    moved = await _patch(world, anna, UUID(second["id"]), due=date(2027, 3, 2))

    third = parsed(await _complete(world, anna, moved))["next"]

    assert (second["dueDate"], third["dueDate"]) == ("2027-02-28", "2027-03-31")


async def test_moving_the_first_occurrence_moves_the_series(world: World) -> None:
    anna = await world.person()
    created = await anna.create(due=date(2026, 12, 1), recurrence=RecurrenceSpec(rule="FREQ=WEEKLY"))
    moved = await _patch(world, anna, created.id, due=date(2026, 12, 3))

    following = parsed(await _complete(world, anna, moved))["next"]

    assert following["dueDate"] == "2026-12-10"


async def test_a_new_rule_begins_a_new_series_at_the_due_date(world: World) -> None:
    anna = await world.person()
    created = await anna.create(due=date(2026, 12, 1), recurrence=DAILY)
    second = parsed(await _complete(world, anna, created))["next"]
    changed = await _patch(world, anna, UUID(second["id"]), recurrence=RecurrenceSpec(rule="FREQ=WEEKLY;COUNT=2"))

    third = parsed(await _complete(world, anna, changed))["next"]
    last = parsed(await world.services.tasks.complete_task(anna.context, as_task(UUID(third["id"]))))["next"]

    assert (second["dueDate"], third["dueDate"], last) == ("2026-12-02", "2026-12-09", None)


async def test_taking_the_rule_away_ends_the_series(world: World) -> None:
    anna = await world.person()
    created = await anna.create(due=date(2026, 12, 1), recurrence=DAILY)
    single = await _patch(world, anna, created.id, recurrence=None)

    assert parsed(await _complete(world, anna, single))["next"] is None


async def test_a_rule_that_never_meets_its_first_date_is_refused(world: World) -> None:
    anna = await world.person()

    with pytest.raises(ValidationFailedError, match="gives no date"):
        await anna.create(due=date(2026, 12, 1), recurrence=RecurrenceSpec(rule="FREQ=DAILY;UNTIL=20200101"))


@pytest.mark.accepts("T1")
async def test_missed_occurrences_are_skipped_or_kept(world: World) -> None:
    anna = await world.person()
    skipping = await anna.create(due=date(2026, 11, 20), recurrence=DAILY)
    keeping = await anna.create(
        due=date(2026, 11, 20), recurrence=RecurrenceSpec(rule="FREQ=DAILY", missed=MissedPolicy.KEEP)
    )

    assert parsed(await _complete(world, anna, skipping))["next"]["dueDate"] == "2026-11-24"
    assert parsed(await _complete(world, anna, keeping))["next"]["dueDate"] == "2026-11-21"


@pytest.mark.accepts("T7")
async def test_without_a_due_date_an_interval_begins_with_the_first_completion(world: World) -> None:
    anna = await world.person()
    every_third_day = RecurrenceSpec(rule="FREQ=DAILY;INTERVAL=3", mode=RecurrenceMode.AFTER_COMPLETION)
    created = await anna.create(recurrence=every_third_day)

    answer = parsed(await _complete(world, anna, created))

    assert (answer["task"]["dueDate"], answer["next"]["dueDate"]) == (None, "2026-11-26")


async def test_a_time_of_day_stays_the_same_on_the_wall_when_clocks_change(world: World) -> None:
    anna = await world.person()
    created = await anna.create(due=datetime(2027, 3, 27, 8, tzinfo=UTC), time_zone="Europe/Berlin", recurrence=DAILY)

    assert parsed(await _complete(world, anna, created))["next"]["dueDate"] == "2027-03-28T07:00:00Z"


@pytest.mark.accepts("T10")
async def test_reminders_move_along_and_what_has_passed_is_not_caught_up_on(world: World) -> None:
    anna = await world.person()
    created = await anna.create(due=datetime(2026, 11, 23, 18, tzinfo=UTC), recurrence=DAILY)
    for draft in (
        ReminderDraft(before="PT30M"),
        ReminderDraft(before="P2D"),
        ReminderDraft(remind_at=datetime(2026, 11, 23, 17, tzinfo=UTC)),
    ):
        await world.services.reminders.add_reminder(anna.context, as_task(created.id), draft)

    following = parsed(await _complete(world, anna, created))["next"]

    assert following["dueDate"] == "2026-11-24T18:00:00Z"
    assert [reminder["remindAt"] for reminder in following["reminders"]] == [None, None, "2026-11-24T17:00:00Z"]
    plans = [(one["state"], one["fireAt"]) for one in await _reminders(world, anna, UUID(following["id"]))]
    assert plans == [
        ("scheduled", "2026-11-24T17:30:00Z"),
        ("waiting", "2026-11-22T18:00:00Z"),
        ("scheduled", "2026-11-24T17:00:00Z"),
    ]


async def test_a_deleted_occurrence_ends_its_series(world: World) -> None:
    anna = await world.person()
    created = await anna.create(due=date(2026, 11, 23), recurrence=DAILY)

    await world.services.tasks.delete_task(anna.context, as_task(created.id))

    detail = json.loads((await world.events(created.id))[-1]["detail"])
    assert detail["occurrence"] == "2026-11-23"
    assert await _occurrences(world, created.id) == 0


@pytest.mark.accepts("T8")
async def test_floating_tasks_follow_their_owner_and_others_stay(world: World) -> None:
    anna = await world.person("Europe/Berlin")
    nine_in_berlin = datetime(2026, 12, 1, 8, tzinfo=UTC)
    floating = await anna.create(due=nine_in_berlin)
    fixed = await anna.create(due=nine_in_berlin, time_zone="Europe/Berlin")
    dated = await anna.create(due=date(2026, 12, 1))
    for task in (floating, dated):
        await world.services.reminders.add_reminder(anna.context, as_task(task.id), ReminderDraft(before="PT1H"))
    absolute = ReminderDraft(remind_at=nine_in_berlin - timedelta(hours=2))
    await world.services.reminders.add_reminder(anna.context, as_task(floating.id), absolute)

    counts = [await _rezone(world, anna, "America/New_York") for _ in range(2)]

    assert counts == [2, 0]
    moved = await anna.task(floating.id)
    assert (moved["dueDate"], moved["reminders"][1]["remindAt"]) == ("2026-12-01T14:00:00Z", "2026-12-01T12:00:00Z")
    assert await anna.task(fixed.id) == parsed(fixed)
    assert (await anna.task(dated.id))["version"] == 2
    assert [one["fireAt"] for one in await _reminders(world, anna, floating.id)] == [
        "2026-12-01T13:00:00Z",
        "2026-12-01T12:00:00Z",
    ]
    assert [one["fireAt"] for one in await _reminders(world, anna, dated.id)] == ["2026-12-01T13:00:00Z"]
    event = (await world.events(floating.id))[-1]
    assert (event["type"], event["account_id"]) == ("task.updated", None)


@pytest.mark.parametrize("before", [None, "PT1H"])
async def test_a_floating_task_follows_its_owner_when_it_is_reopened(world: World, before: str | None) -> None:
    anna = await world.person("Europe/Berlin")
    task = await anna.create(due=datetime(2026, 12, 1, 8, tzinfo=UTC))
    if before is not None:
        await world.services.reminders.add_reminder(anna.context, as_task(task.id), ReminderDraft(before=before))
    await _complete(world, anna, task)
    zone, account_id = "America/New_York", anna.principal.account_id
    await world.database.execute("UPDATE accounts SET time_zone = $2 WHERE id = $1", account_id, zone)
    assert await _rezone(world, anna, zone) == 0

    await world.services.tasks.reopen_task(anna.context, as_task(task.id))

    assert (await anna.task(task.id))["dueDate"] == "2026-12-01T14:00:00Z"
    planned = [one["fireAt"] for one in await _reminders(world, anna, task.id)]
    assert planned == ([] if before is None else ["2026-12-01T13:00:00Z"])


async def _complete(world: World, person: Person, task: Stored) -> Stored:
    return await world.services.tasks.complete_task(person.context, as_task(task.id))


async def _patch(world: World, person: Person, task_id: UUID, **fields: Any) -> Stored:
    return await world.services.tasks.patch_task(person.context, as_task(task_id), TaskChanges(**fields))


async def _reminders(world: World, person: Person, task_id: UUID) -> list[dict[str, Any]]:
    items: list[dict[str, Any]] = parsed(
        await world.services.reminders.list_reminders(person.context, as_task(task_id))
    )["items"]
    return items


async def _occurrences(world: World, task_id: UUID) -> int:
    """Return how many open tasks the completion of a task has made."""
    sql = "SELECT count(*) FROM tasks WHERE generated_from = $1 AND deleted_at IS NULL"
    count: int = await world.database.fetchval(sql, task_id)
    return count


async def _rezone(world: World, person: Person, zone: str) -> int:
    tasks: TaskService = world.services.tasks
    return await tasks.transactions.run(
        lambda work: tasks.rezone_floating(work, person.principal.account_id, zone, context=Context(), now=NOON)
    )
