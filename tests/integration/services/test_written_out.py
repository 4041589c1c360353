"""What PostgreSQL itself keeps true of a task: its limits, and that its JSON is what the row and its reminders say."""

from __future__ import annotations

from datetime import date, datetime
from typing import Final
from zoneinfo import ZoneInfo

import asyncpg
import pytest

from app.domain.account import ProfileChanges
from app.domain.ids import ReminderId
from app.domain.reminder import ReminderDraft
from app.domain.task import Priority, RecurrenceSpec, TaskChanges
from tests.integration.services.world import UNTRUE_TASKS, World, as_task

RULE: Final = "recurrence_rule = 'FREQ=DAILY', recurrence_mode = '{}', recurrence_missed = '{}', series_id = id"
REFUSED: Final = {
    "no title": "title = ''",
    "a title of 501": "title = repeat('ü', 501)",
    "a description of 65,537 bytes": "description = repeat('x', 65537)",
    "a priority below": "priority = -1",
    "a priority above": "priority = 4",
    "101 tags": "tags = array_fill('x'::text, ARRAY[101])",
    "two due dates": "due_on = '2026-12-01', due_at = now()",
    "a rule without the rest": "recurrence_rule = 'FREQ=DAILY'",
    "a series without a rule": "series_id = id",
    "an unknown mode": RULE.format("x", "skip"),
    "an unknown way with missed ones": RULE.format("schedule", "x"),
}
TAKEN: Final = {
    "a title of 500": "title = repeat('ü', 500)",
    "a description of 65,536 bytes": "description = repeat('x', 65536)",
    "the lowest priority": "priority = 0",
    "the highest priority": "priority = 3",
    "100 tags": "tags = array_fill('x'::text, ARRAY[100])",
    "a whole rule": RULE.format("schedule", "keep"),
}


async def test_whatever_becomes_of_tasks_and_reminders_their_json_is_true(world: World) -> None:
    anna = await world.person("Europe/Berlin")
    services, who = world.services, anna.context
    due = datetime(2026, 12, 1, 9, 0, tzinfo=ZoneInfo("Europe/Berlin"))
    plain = await anna.create("Plain", description="ÄÖÜ", tags=("Büro", "b"), priority=Priority.URGENT)
    series = await anna.create("Series", due=due, recurrence=RecurrenceSpec(rule="FREQ=DAILY"))
    dated = await anna.create("Dated", due=date(2026, 12, 1))
    draft = ReminderDraft(before="PT15M")
    for task in (series, dated):
        kept = await services.reminders.add_reminder(who, as_task(task.id), draft)
        gone = await services.reminders.add_reminder(who, as_task(task.id), draft)
        await services.reminders.delete_reminder(who, ReminderId(gone.id))
        assert [shown["id"] for shown in (await anna.task(task.id))["reminders"]] == [str(kept.id)]
    await services.tasks.patch_task(who, as_task(plain.id), TaskChanges(title="Otherwise", tags=("Neu",)))
    await services.tasks.complete_task(anna.with_key("series"), as_task(series.id))
    await services.tasks.complete_task(anna.with_key("dated"), as_task(dated.id))
    await services.tasks.reopen_task(anna.with_key("again"), as_task(dated.id))
    await services.accounts.patch_profile(who, ProfileChanges(time_zone="America/New_York"))
    await services.tasks.delete_task(who, as_task(plain.id))

    assert await world.database.fetchval(UNTRUE_TASKS) == 0
    assert await world.database.fetchval("SELECT count(*) FROM tasks WHERE reminders IS NOT NULL") >= 3


async def test_what_follows_from_a_task_cannot_be_written_by_hand(world: World) -> None:
    task = await (await world.person()).create()
    for column in ("json", "title_sort", "search_text"):
        await world.database.execute(f"UPDATE tasks SET {column} = 'nonsense' WHERE id = $1", task.id)  # noqa: S608 # our own constants
    await world.database.execute("UPDATE tasks SET due_sort = now() WHERE id = $1", task.id)

    assert await world.database.fetchval(UNTRUE_TASKS) == 0


async def test_a_reminder_that_goes_with_its_account_is_listed_no_longer(world: World) -> None:
    anna, guest = await world.person(), await world.person()
    task = await anna.create(due=date(2026, 12, 1))
    draft = ReminderDraft(before="PT1H")
    reminder = await world.services.reminders.add_reminder(anna.context, as_task(task.id), draft)
    await world.database.execute(
        "UPDATE reminders SET account_id = $2 WHERE id = $1", reminder.id, guest.principal.account_id
    )

    await world.database.execute("SELECT forget_account($1, now())", guest.principal.account_id)

    assert (await anna.task(task.id))["reminders"] == []
    assert await world.database.fetchval(UNTRUE_TASKS) == 0


@pytest.mark.parametrize("what", REFUSED)
@pytest.mark.parametrize("role", ["origin", "replica"])
async def test_a_task_beyond_a_limit_is_refused_and_nothing_of_it_stays(world: World, what: str, role: str) -> None:
    task = await (await world.person()).create("As it was")
    async with world.database.connection() as connection:
        await connection.execute("SELECT set_config('session_replication_role', $1, false)", role)
        try:
            with pytest.raises(asyncpg.CheckViolationError) as refused:
                await connection.execute(f"UPDATE tasks SET {REFUSED[what]} WHERE id = $1", task.id)  # noqa: S608 # our own constants
        finally:
            await connection.execute("RESET session_replication_role")

    assert (refused.value.table_name, refused.value.constraint_name) == ("tasks", "tasks_written_out")
    assert await world.database.fetchval("SELECT title FROM tasks WHERE id = $1", task.id) == "As it was"


@pytest.mark.parametrize("what", TAKEN)
async def test_a_task_at_a_limit_is_taken(world: World, what: str) -> None:
    task = await (await world.person()).create()

    await world.database.execute(f"UPDATE tasks SET {TAKEN[what]} WHERE id = $1", task.id)  # noqa: S608 # our own constants

    assert await world.database.fetchval(UNTRUE_TASKS) == 0
