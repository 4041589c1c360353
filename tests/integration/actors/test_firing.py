"""Due reminders on PostgreSQL: each fires once, with its event and its ledger row, or not at all."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import TYPE_CHECKING

import asyncpg
import pytest
import trio

from app.adapters.postgres.unit_of_work import PostgresUnitOfWork
from app.domain.reminder import ReminderDraft
from app.services.task_writing import TaskWriter
from tests.integration.actors.firing import due_reminder, present_day, remind, reminder_row, schedule
from tests.integration.services.world import as_task

if TYPE_CHECKING:
    from uuid import UUID

    from app.adapters.postgres import Database


async def test_a_due_reminder_fires_with_its_event_and_its_ledger_row(database: Database) -> None:
    house = present_day(database)
    anna = await house.person()
    task_id, reminder_id = await due_reminder(anna)

    firing = await schedule(house).fire_due(10)

    row = await reminder_row(house, reminder_id)
    event = (await house.events(task_id))[-1]
    delivery = await database.fetchrow("SELECT * FROM deliveries")
    assert (firing.reminder_ids, firing.deliveries, firing.most_late_seconds >= 1) == ((reminder_id,), 1, True)
    assert (row["state"], row["fired_at"] >= row["fire_at"]) == ("fired", True)
    assert (event["type"], event["account_id"], event["reminder_id"]) == ("reminder.fired", None, reminder_id)
    assert [json.loads(event[side])["state"] for side in ("before", "after")] == ["scheduled", "fired"]
    assert json.loads(event["detail"])["task"] == await anna.task(task_id)
    assert (delivery["reminder_id"], delivery["channel"], delivery["address"]) == (reminder_id, "email", anna.email)
    assert (delivery["state"], delivery["message_id"]) == ("pending", f"{reminder_id}.1.email")


@pytest.mark.accepts("R08")
async def test_two_schedules_at_once_fire_each_reminder_once(database: Database) -> None:
    house = present_day(database)
    anna = await house.person()
    reminder_ids = {(await due_reminder(anna))[1] for _ in range(20)}
    fired: list[UUID] = []

    async def fire() -> None:
        mine = schedule(house)
        while firing := (await mine.fire_due(3)).reminder_ids:
            fired.extend(firing)

    async with trio.open_nursery() as nursery:
        nursery.start_soon(fire)
        nursery.start_soon(fire)
    fired.extend((await schedule(house).fire_due(100)).reminder_ids)

    assert (len(fired), set(fired)) == (20, reminder_ids)
    assert await database.fetchval("SELECT count(*) FROM events WHERE type = 'reminder.fired'") == 20
    assert await database.fetchval("SELECT count(*) FROM deliveries") == 20


@pytest.mark.accepts("R05")
async def test_reminders_of_completed_and_deleted_tasks_and_of_closed_accounts_do_not_fire(database: Database) -> None:
    house = present_day(database)
    anna, gone = await house.person(), await house.person()
    completed, deleted, removed = [await due_reminder(anna) for _ in range(3)]
    await due_reminder(gone)
    await house.services.tasks.complete_task(anna.context, as_task(completed[0]))
    await house.services.tasks.delete_task(anna.context, as_task(deleted[0]))
    await house.services.reminders.delete_reminder(anna.context, removed[1])
    await database.execute("UPDATE accounts SET disabled_at = now() WHERE id = $1", gone.principal.account_id)

    firing = await schedule(house).fire_due(10)

    assert firing.reminder_ids == ()
    assert await schedule(house).seconds_to_next() is None
    assert await database.fetchval("SELECT count(*) FROM deliveries") == 0


@pytest.mark.accepts("R05")
async def test_a_task_that_is_being_completed_at_that_very_moment_wins(database: Database) -> None:
    house = present_day(database)
    anna = await house.person()
    task_id, reminder_id = await due_reminder(anna)

    async with database.transaction() as connection:
        work = PostgresUnitOfWork(connection)
        writer = TaskWriter(work, anna.context, house.clock.now())
        await writer.complete(await writer.lock(as_task(task_id)))
        during = await schedule(house).fire_due(10)
        await work.flush()
    after = await schedule(house).fire_due(10)

    assert (during.reminder_ids, after.reminder_ids) == ((), ())
    assert (await reminder_row(house, reminder_id))["state"] == "cancelled"
    assert await house.event_types(task_id) == ["task.created", "reminder.created", "task.completed"]


@pytest.mark.accepts("E05")
async def test_a_firing_that_fails_half_way_leaves_nothing_and_fires_once_afterwards(database: Database) -> None:
    house = present_day(database)
    anna = await house.person()
    task_id, reminder_id = await due_reminder(anna)
    await database.execute("ALTER TABLE deliveries ADD CONSTRAINT crash CHECK (channel <> 'email')")

    with pytest.raises(asyncpg.CheckViolationError):
        await schedule(house).fire_due(10)
    state, events = (await reminder_row(house, reminder_id))["state"], await house.event_types(task_id)
    await database.execute("ALTER TABLE deliveries DROP CONSTRAINT crash")
    rounds = [(await schedule(house).fire_due(10)).reminder_ids for _ in range(2)]

    assert (state, events) == ("scheduled", ["task.created", "reminder.created"])
    assert rounds == [(reminder_id,), ()]
    assert await house.event_types(task_id) == ["task.created", "reminder.created", "reminder.fired"]


async def test_a_reminder_before_the_due_date_fires_that_much_earlier(database: Database) -> None:
    house = present_day(database)
    anna = await house.person()
    task = await anna.create(due=house.clock.now() + timedelta(hours=1))
    reminder_id = await remind(anna, task.id, ReminderDraft(before="PT59M59S"))

    until = await schedule(house).seconds_to_next()
    early = await schedule(house).fire_due(10)
    await database.execute("UPDATE reminders SET fire_at = fire_at - interval '2 seconds'")
    due = await schedule(house).fire_due(10)

    assert until is not None
    assert 0 <= until <= 1
    assert (early.reminder_ids, due.reminder_ids) in [((), (reminder_id,)), ((reminder_id,), ())]


async def test_a_snoozed_reminder_fires_again_with_a_message_id_of_its_own(database: Database) -> None:
    house = present_day(database)
    anna = await house.person()
    _, reminder_id = await due_reminder(anna)
    await schedule(house).fire_due(10)
    until = house.clock.now() + timedelta(minutes=5)
    await house.services.reminders.snooze(anna.context, reminder_id, until)

    too_early = await schedule(house).fire_due(10)
    await database.execute("UPDATE reminders SET fire_at = now()")
    again = await schedule(house).fire_due(10)

    rows = await database.fetch("SELECT occurrence, message_id FROM deliveries ORDER BY occurrence")
    assert (too_early.reminder_ids, again.reminder_ids) == ((), (reminder_id,))
    assert [tuple(row) for row in rows] == [(number, f"{reminder_id}.{number}.email") for number in (1, 2)]


async def test_the_next_one_due_is_named_however_late(database: Database) -> None:
    house = present_day(database)
    anna = await house.person()
    empty = await schedule(house).seconds_to_next()
    await due_reminder(anna, seconds=3600)
    later = await schedule(house).seconds_to_next()
    await due_reminder(anna, seconds=-3600)
    overdue = await schedule(house).seconds_to_next()

    assert (empty, overdue) == (None, 0.0)
    assert later == pytest.approx(3600, abs=60)


async def test_what_fires_in_quiet_hours_is_sent_when_they_are_over(database: Database) -> None:
    house = present_day(database)
    anna, bert = await house.person(), await house.person()
    for person in (anna, bert):
        await due_reminder(person)
    around = (house.clock.now() - timedelta(hours=1)).time(), (house.clock.now() + timedelta(hours=1)).time()
    await database.execute(
        "UPDATE accounts SET quiet_from = $2, quiet_to = $3 WHERE id = $1", anna.principal.account_id, *around
    )

    firing = await schedule(house).fire_due(10)

    waits = {
        row["address"]: row["waits"]
        for row in await database.fetch("SELECT address, next_attempt_at - now() AS waits, due_at FROM deliveries")
    }
    assert len(firing.reminder_ids) == 2
    assert timedelta(minutes=58) < waits[anna.email] <= timedelta(hours=1)
    assert waits[bert.email] <= timedelta(0)
