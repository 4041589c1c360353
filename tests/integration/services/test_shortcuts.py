"""Writes in one statement: the same as the transaction would do, or nothing at all."""

import json
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import date
from typing import Any

import pytest
import trio

from app.adapters.postgres.shortcuts import PostgresTaskShortcuts
from app.domain.ids import TaskId
from app.domain.reminder import ReminderDraft
from app.domain.task import Priority, RecurrenceSpec, TaskChanges, TaskDraft
from app.ports.tasks import TaskAnswer
from app.services.recording import signature
from app.services.results import Stored
from app.services.tasks import TaskService
from tests.integration.services.world import Person, World, as_task

DRAFT = TaskDraft(title="Sow", description="Beans", priority=Priority.HIGH, tags=("Garden",), due=date(2026, 12, 1))
RENAMED = TaskChanges(title="Sow peas", tags=("garden", "May"))
FIRST = frozenset({1})

Write = Callable[[TaskService, Person, TaskId], Awaitable[Stored | None]]


async def _reopened(tasks: TaskService, who: Person, task_id: TaskId) -> Stored:
    await tasks.complete_task(who.context, task_id)
    return await tasks.reopen_task(who.with_key(f"reopen {task_id}"), task_id)


WRITES: dict[str, Write] = {
    "edit": lambda tasks, who, task_id: tasks.patch_task(who.context, task_id, RENAMED, FIRST),
    "complete": lambda tasks, who, task_id: tasks.complete_task(who.with_key(f"complete {task_id}"), task_id),
    "reopen": _reopened,
    "delete": lambda tasks, who, task_id: tasks.delete_task(who.context, task_id, FIRST),
}


async def _left_behind(world: World, task_id: TaskId, answer: Stored | None) -> str:
    """Return everything that a write left behind, without what differs from task to task."""
    rows = [dict(event) for event in await world.events(task_id)]
    rows += map(dict, await world.database.fetch("SELECT * FROM tasks WHERE id = $1", task_id))
    rows += map(dict, await world.database.fetch("SELECT * FROM idempotency_keys WHERE subject_id = $1", task_id))
    for row in rows:
        for name in ("seq", "series_id", "traceparent"):
            row.pop(name, None)
        if "type" in row:
            del row["id"]
    return json.dumps([rows, answer], default=str).replace(str(task_id), "THE TASK")


@pytest.mark.parametrize("write", WRITES)
async def test_a_shortcut_leaves_behind_what_a_transaction_does(world: World, write: str) -> None:
    anna = await world.person()
    quick = world.services.tasks
    left = list[str]()

    for tasks in (quick, replace(quick, shortcuts=None)):
        created = await tasks.create_task(anna.with_key(f"create {len(left)}"), DRAFT)
        answer = await WRITES[write](tasks, anna, as_task(created.id))
        left.append(await _left_behind(world, as_task(created.id), answer))

    assert left[0].replace("create 0", "create 1") == left[1]


async def test_a_key_is_kept_and_answered_whichever_way_it_came(world: World) -> None:
    anna, tasks = await world.person(), world.services.tasks
    context = anna.with_key("once")

    first, second = [await tasks.create_task(context, DRAFT) for _ in range(2)]
    done, again = [await tasks.complete_task(anna.with_key("done"), as_task(first.id)) for _ in range(2)]

    assert (first.json, False, True) == (second.json, first.replayed, second.replayed)
    assert (done.json, False, True) == (again.json, done.replayed, again.replayed)
    assert await world.event_types(first.id) == ["task.created", "task.completed"]


@pytest.fixture
def shortcuts(world: World) -> PostgresTaskShortcuts:
    return PostgresTaskShortcuts(world.database)


async def _tried(shortcuts: PostgresTaskShortcuts, who: Person, task_id: TaskId) -> list[TaskAnswer | None]:
    """Return what the shortcuts with rules say."""
    by = signature(who.context, who.world.clock.now())
    return [
        await shortcuts.complete(task_id, None, by),
        await shortcuts.reopen(task_id, None, by),
        await shortcuts.delete(task_id, None, by),
    ]


async def test_what_the_rules_have_a_say_in_is_left_to_them(world: World, shortcuts: PostgresTaskShortcuts) -> None:
    anna = await world.person()
    repeating = await anna.create(due=date(2026, 12, 1), recurrence=RecurrenceSpec(rule="FREQ=DAILY"))
    reminding = await anna.create(due=date(2026, 12, 1))
    draft = ReminderDraft(before="PT1H", channels=("email",))
    await world.services.reminders.add_reminder(anna.context, as_task(reminding.id), draft)

    for task in (repeating, reminding):
        before = await world.event_types(task.id)

        assert await _tried(shortcuts, anna, as_task(task.id)) == [None, None, None]
        assert await world.event_types(task.id) == before


async def test_what_is_refused_is_left_to_those_who_can_say_why(world: World, shortcuts: PostgresTaskShortcuts) -> None:
    anna, bert = await world.person(), await world.person()
    task = await anna.create()
    by, task_id = signature(anna.context, world.clock.now()), as_task(task.id)

    assert await _tried(shortcuts, bert, task_id) == [None, None, None]
    assert await shortcuts.edit(task_id, TaskChanges(title="Mine"), frozenset({7}), by) is None
    assert await shortcuts.edit(task_id, TaskChanges(title="Water the plants"), None, by) is None
    assert await world.event_types(task.id) == ["task.created"]


async def test_what_changes_meanwhile_is_not_overlooked(
    world: World, shortcuts: PostgresTaskShortcuts, nursery: trio.Nursery
) -> None:
    anna = await world.person()
    task = await anna.create()
    by, answers = signature(anna.context, world.clock.now()), list[Any]()

    async def edit() -> None:
        answers.append(await shortcuts.edit(as_task(task.id), TaskChanges(title="Mine"), None, by))

    async with world.database.transaction() as other:
        await other.execute("UPDATE tasks SET version = version + 1 WHERE id = $1", task.id)
        nursery.start_soon(edit)
        await world.somebody_waits()
    while not answers:
        await trio.lowlevel.checkpoint()

    assert answers == [None]
    assert (await anna.task(task.id))["title"] == "Water the plants"
