"""Setting, planning, acknowledging and snoozing reminders."""

import json
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest

from app.domain.errors import NotFoundError, ReminderStateError, ValidationFailedError
from app.domain.ids import ReminderId
from app.domain.reminder import REMINDERS_PER_TASK, ReminderDraft
from app.domain.task import TaskChanges
from app.services.context import Idempotency
from app.services.results import Stored
from tests.integration.services.world import NOON, Person, World, as_task, parsed

DUE = datetime(2026, 11, 25, 9, tzinfo=UTC)
HOUR_BEFORE = ReminderDraft(before="PT1H")


async def test_a_reminder_is_a_change_of_its_task(world: World) -> None:
    anna = await world.person()
    task = await anna.create(due=DUE)

    added = await _add(anna, task, HOUR_BEFORE)

    assert parsed(added) == {
        "id": str(added.id),
        "taskId": str(task.id),
        "remindAt": None,
        "before": "PT1H",
        "channels": ["email"],
        "state": "scheduled",
        "fireAt": "2026-11-25T08:00:00Z",
        "firedAt": None,
        "acknowledgedAt": None,
        "snoozedUntil": None,
        "createdAt": "2026-11-23T12:00:00Z",
    }
    shown = await anna.task(task.id)
    assert (shown["version"], added.version, len(shown["reminders"])) == (2, 2, 1)
    event = (await world.events(task.id))[-1]
    assert (event["type"], event["reminder_id"]) == ("reminder.created", added.id)
    assert json.loads(event["after"]) == parsed(added)
    assert json.loads(event["detail"]) == {"task": shown}


@pytest.mark.parametrize(
    ("due", "draft", "plan"),
    [
        (DUE, ReminderDraft(before="P1DT1H"), ("scheduled", "2026-11-24T08:00:00Z")),
        (date(2026, 11, 25), ReminderDraft(before="PT1H"), ("scheduled", "2026-11-25T07:00:00Z")),
        (None, ReminderDraft(before="PT1H"), ("waiting", None)),
        (NOON + timedelta(minutes=10), ReminderDraft(before="PT15M"), ("waiting", "2026-11-23T11:55:00Z")),
        (None, ReminderDraft(remind_at=DUE), ("scheduled", "2026-11-25T09:00:00Z")),
        (None, ReminderDraft(remind_at=NOON - timedelta(hours=1)), ("scheduled", "2026-11-23T11:00:00Z")),
    ],
)
async def test_plans(world: World, due: Any, draft: ReminderDraft, plan: tuple[str, str | None]) -> None:
    anna = await world.person("Europe/Berlin")
    task = await anna.create(due=due)

    reminder = parsed(await _add(anna, task, draft))

    assert (reminder["state"], reminder["fireAt"]) == plan


async def test_a_day_before_is_a_day_of_the_calendar(world: World) -> None:
    anna = await world.person()
    task = await anna.create(due=datetime(2027, 3, 28, 7, tzinfo=UTC), time_zone="Europe/Berlin")

    assert parsed(await _add(anna, task, ReminderDraft(before="P1D")))["fireAt"] == "2027-03-27T08:00:00Z"


async def test_reminders_follow_the_due_date(world: World) -> None:
    anna = await world.person()
    task = await anna.create(due=DUE)
    await _add(anna, task, HOUR_BEFORE)
    await _add(anna, task, ReminderDraft(remind_at=DUE))

    plans = [await _plans(anna, task)]
    for due in (DUE + timedelta(days=1), None, NOON + timedelta(minutes=30)):
        await world.services.tasks.patch_task(anna.context, as_task(task.id), TaskChanges(due=due))
        plans.append(await _plans(anna, task))

    fixed = ("scheduled", "2026-11-25T09:00:00Z")
    assert plans == [
        [("scheduled", "2026-11-25T08:00:00Z"), fixed],
        [("scheduled", "2026-11-26T08:00:00Z"), fixed],
        [("waiting", None), fixed],
        [("waiting", "2026-11-23T11:30:00Z"), fixed],
    ]


async def test_a_fired_reminder_is_armed_anew_when_its_task_is_put_off(world: World) -> None:
    anna = await world.person()
    task = await anna.create(due=DUE)
    reminder = await _add(anna, task, HOUR_BEFORE)
    await _fire(world, reminder)

    later = TaskChanges(due=DUE + timedelta(days=7))
    await world.services.tasks.patch_task(anna.context, as_task(task.id), later)

    row = await world.database.fetchrow("SELECT state, occurrence, fired_at FROM reminders WHERE id = $1", reminder.id)
    assert tuple(row) == ("scheduled", 2, None)


async def test_a_reminder_of_a_completed_task_waits_for_its_reopening(world: World) -> None:
    anna = await world.person()
    task = await anna.create(due=DUE)
    await world.services.tasks.complete_task(anna.context, as_task(task.id))
    await _add(anna, task, HOUR_BEFORE)
    while_completed = await _plans(anna, task)

    await world.services.tasks.reopen_task(anna.context, as_task(task.id))

    assert while_completed == [("cancelled", "2026-11-25T08:00:00Z")]
    assert await _plans(anna, task) == [("scheduled", "2026-11-25T08:00:00Z")]


async def test_what_passed_while_the_task_was_completed_is_not_caught_up_on(world: World) -> None:
    anna = await world.person()
    task = await anna.create(due=DUE)
    await _add(anna, task, HOUR_BEFORE)
    await world.services.tasks.complete_task(anna.context, as_task(task.id))
    world.clock.advance(days=7)

    await world.services.tasks.reopen_task(anna.context, as_task(task.id))

    assert await _plans(anna, task) == [("waiting", "2026-11-25T08:00:00Z")]


async def test_a_removed_reminder_is_gone(world: World) -> None:
    anna = await world.person()
    task = await anna.create(due=DUE)
    reminder = await _add(anna, task, HOUR_BEFORE)

    await world.services.reminders.delete_reminder(anna.context, _id(reminder))

    assert (await anna.task(task.id))["reminders"] == []
    assert (await world.event_types(task.id))[-1] == "reminder.deleted"
    with pytest.raises(NotFoundError):
        await world.services.reminders.delete_reminder(anna.context, _id(reminder))


async def test_acknowledging_twice_is_as_good_as_once(world: World) -> None:
    anna = await world.person()
    task = await anna.create(due=DUE)
    reminder = await _add(anna, task, HOUR_BEFORE)
    await _fire(world, reminder)

    first = await world.services.reminders.acknowledge(anna.context, _id(reminder))
    second = await world.services.reminders.acknowledge(anna.context, _id(reminder))

    assert (parsed(first)["state"], first) == ("acknowledged", second)
    assert (first.version, (await world.event_types(task.id))[-2:]) == (
        2,
        ["reminder.created", "reminder.acknowledged"],
    )


async def test_a_snoozed_reminder_fires_again(world: World) -> None:
    anna = await world.person()
    task = await anna.create(due=DUE)
    reminder = await _add(anna, task, HOUR_BEFORE)
    await _fire(world, reminder)

    snoozed = await world.services.reminders.snooze(anna.context, _id(reminder), NOON + timedelta(minutes=10))
    again = await world.services.reminders.snooze(anna.context, _id(reminder), NOON + timedelta(minutes=20))

    assert (parsed(snoozed)["state"], parsed(snoozed)["snoozedUntil"]) == ("scheduled", "2026-11-23T12:10:00Z")
    assert parsed(again)["fireAt"] == "2026-11-23T12:20:00Z"
    assert await world.database.fetchval("SELECT occurrence FROM reminders WHERE id = $1", reminder.id) == 2


async def test_a_snooze_stays_when_only_the_zone_of_its_task_changes(world: World) -> None:
    anna = await world.person()
    task = await anna.create(due=date(2026, 11, 25))
    reminder = await _add(anna, task, HOUR_BEFORE)
    await _fire(world, reminder)
    snoozed = await world.services.reminders.snooze(anna.context, _id(reminder), NOON + timedelta(minutes=10))

    for changes in (TaskChanges(time_zone="Asia/Tokyo"), TaskChanges(time_zone="UTC", due=date(2026, 11, 25))):
        await world.services.tasks.patch_task(anna.context, as_task(task.id), changes)

    listed = await world.services.reminders.list_reminders(anna.context, as_task(task.id))
    (shown,) = json.loads(listed)["items"]
    assert (shown["snoozedUntil"], shown["fireAt"]) == ("2026-11-23T12:10:00Z", parsed(snoozed)["fireAt"])


async def test_what_has_not_fired_cannot_be_acknowledged_or_snoozed(world: World) -> None:
    anna = await world.person()
    task = await anna.create(due=DUE)
    reminder = await _add(anna, task, HOUR_BEFORE)

    with pytest.raises(ReminderStateError):
        await world.services.reminders.acknowledge(anna.context, _id(reminder))
    with pytest.raises(ReminderStateError):
        await world.services.reminders.snooze(anna.context, _id(reminder), DUE)


async def test_a_reminder_of_a_completed_task_cannot_be_snoozed(world: World) -> None:
    anna = await world.person()
    task = await anna.create(due=DUE)
    reminder = await _add(anna, task, HOUR_BEFORE)
    await _fire(world, reminder)
    await world.services.tasks.complete_task(anna.context, as_task(task.id))

    with pytest.raises(ReminderStateError):
        await world.services.reminders.snooze(anna.context, _id(reminder), DUE)


async def test_snoozing_into_the_past_is_refused(world: World) -> None:
    anna = await world.person()

    with pytest.raises(ValidationFailedError, match="until"):
        await world.services.reminders.snooze(anna.context, ReminderId(uuid4()), NOON)


async def test_a_snooze_that_is_sent_again_is_answered_as_before_when_its_moment_has_come(world: World) -> None:
    anna = await world.person()
    task = await anna.create(due=DUE)
    reminder = await _add(anna, task, HOUR_BEFORE)
    await _fire(world, reminder)
    once = replace(anna.context, idempotency=Idempotency(key="s1", request_hash=b"the same"))
    until = NOON + timedelta(minutes=10)

    first = await world.services.reminders.snooze(once, _id(reminder), until)
    world.clock.advance(minutes=11)
    again = await world.services.reminders.snooze(once, _id(reminder), until)

    assert (again.json, again.replayed) == (first.json, True)
    with pytest.raises(ValidationFailedError, match="until"):
        await world.services.reminders.snooze(anna.context, _id(reminder), until)


@pytest.mark.parametrize(
    ("draft", "field"),
    [
        (ReminderDraft(), "remindAt"),
        (ReminderDraft(remind_at=DUE, before="PT1H"), "remindAt"),
        (ReminderDraft(before="1 hour"), "before"),
        (ReminderDraft(before="P"), "before"),
        (ReminderDraft(before="PT"), "before"),
        (ReminderDraft(before="P1M"), "before"),
        (ReminderDraft(before="-PT1H"), "before"),
        (ReminderDraft(before="P999999999W"), "before"),
        (ReminderDraft(before="PT1H", channels=("pigeon",)), "channels"),
        (ReminderDraft(remind_at=datetime(2026, 1, 1)), "remindAt"),  # noqa: DTZ001 # the fault that is looked for
    ],
)
async def test_a_reminder_that_makes_no_sense_is_refused(world: World, draft: ReminderDraft, field: str) -> None:
    anna = await world.person()
    task = await anna.create(due=DUE)

    with pytest.raises(ValidationFailedError) as refusal:
        await _add(anna, task, draft)

    assert [error.field for error in refusal.value.errors] == [field]


async def test_a_task_has_only_so_many_reminders(world: World) -> None:
    anna = await world.person()
    task = await anna.create(due=DUE)
    for _ in range(REMINDERS_PER_TASK):
        await _add(anna, task, HOUR_BEFORE)

    with pytest.raises(ValidationFailedError, match="at most"):
        await _add(anna, task, HOUR_BEFORE)


@pytest.mark.accepts("X12")
async def test_foreign_reminders_are_refused_like_unknown_ones(world: World) -> None:
    anna, mallory = await world.person(), await world.person()
    task = await anna.create(due=DUE)
    mine, reminders = await _add(anna, task, HOUR_BEFORE), world.services.reminders

    for reminder_id in (_id(mine), ReminderId(uuid4())):
        for refused in (
            reminders.delete_reminder(mallory.context, reminder_id),
            reminders.acknowledge(mallory.context, reminder_id),
            reminders.snooze(mallory.context, reminder_id, DUE),
            reminders.list_deliveries(mallory.context, reminder_id),
        ):
            with pytest.raises(NotFoundError):
                await refused
    for task_id in (task.id, uuid4()):
        with pytest.raises(NotFoundError):
            await reminders.list_reminders(mallory.context, as_task(task_id))
        with pytest.raises(NotFoundError):
            await reminders.add_reminder(mallory.context, as_task(task_id), HOUR_BEFORE)


async def test_the_ledger_shows_every_attempt(world: World) -> None:
    anna = await world.person()
    reminder = await _add(anna, await anna.create(due=DUE), HOUR_BEFORE)
    delivery = uuid4()
    await world.database.execute(
        """
        INSERT INTO deliveries (id, reminder_id, occurrence, channel, address, state, due_at, message_id, created_at)
        VALUES ($1, $2, 1, 'email', 'a@example.org', 'sent', $3, 'm', $3)
        """,
        delivery,
        reminder.id,
        NOON,
    )
    await world.database.executemany(
        "INSERT INTO delivery_attempts VALUES ($1, $2, $3, $3, $4, $5)",
        [(delivery, 1, NOON, "retry", "451 later"), (delivery, 2, NOON, "sent", "250 ok")],
    )

    items = parsed(await world.services.reminders.list_deliveries(anna.context, _id(reminder)))["items"]

    assert [(one["attempt"], one["outcome"], one["response"]) for one in items] == [
        (1, "retry", "451 later"),
        (2, "sent", "250 ok"),
    ]
    assert items[0] == {
        "id": str(delivery),
        "channel": "email",
        "address": "a@example.org",
        "state": "sent",
        "attempt": 1,
        "at": "2026-11-23T12:00:00Z",
        "finishedAt": "2026-11-23T12:00:00Z",
        "outcome": "retry",
        "response": "451 later",
    }


async def _add(person: Person, task: Stored, draft: ReminderDraft) -> Stored:
    return await person.world.services.reminders.add_reminder(person.context, as_task(task.id), draft)


async def _plans(person: Person, task: Stored) -> list[tuple[str, str | None]]:
    answer = await person.world.services.reminders.list_reminders(person.context, as_task(task.id))
    return [(one["state"], one["fireAt"]) for one in parsed(answer)["items"]]


async def _fire(world: World, reminder: Stored) -> None:
    """Do the work of the reminder actor."""
    sql = "UPDATE reminders SET state = 'fired', fired_at = $2 WHERE id = $1"
    await world.database.execute(sql, reminder.id, NOON)


def _id(reminder: Stored) -> ReminderId:
    return ReminderId(UUID(str(reminder.id)))
