"""What is still to be done, in words; nothing is left when everything that follows the event log has caught up."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final

import orjson

from app.domain.reminder import ReminderState
from tests.simulation.process import FOLLOWERS
from tests.simulation.simdb.rows import task_json

if TYPE_CHECKING:
    from uuid import UUID

    from app.domain.reminder import Reminder
    from tests.simulation.world import World

# Between a moment and what happens at it lie a nap, a transaction and a mail.
PATIENCE: Final = timedelta(seconds=3)


def what_is_left(world: World) -> list[str]:
    """Return a sentence for everything that lags behind."""
    store = world.around.db.store
    newest = store.read(("relay_state", True), store.newest) or 0
    left = [f"{len(list(store.rows('unpublished')))} events have no position"] if any(store.rows("unpublished")) else []
    for consumer in FOLLOWERS:
        cursor = store.read(("cursors", consumer), store.newest) or 0
        if cursor != newest:
            left.append(f"{consumer} is at {cursor} of {newest}")
    left += [f"{name} does not run well" for name in _ailing(world)]
    left += [f"reminder {one.id} was due at {one.fire_at}" for one in _overdue(world)]
    left += [f"client {number}: {why}" for number, why in _behind(world)]
    return left


def undelivered(world: World) -> list[str]:
    """Return a sentence for every delivery that is neither sent nor given up."""
    rows = world.around.db.store.rows("deliveries")
    return [f"{row.message_id} is {row.state} after {row.attempts}" for row in rows if row.state == "pending"]


def fresh_query(world: World, account_id: UUID) -> dict[str, dict[str, Any]]:
    """Return every task that an account may see, as the API would show it now."""
    store = world.around.db.store
    memberships: list[Any] = store.keys("memberships")
    projects = {project for (project, account) in memberships if account == account_id}
    reminders: dict[UUID, list[Reminder]] = {}
    for row in store.rows("reminders"):
        if row.deleted_at is None:
            reminders.setdefault(row.reminder.task_id, []).append(row.reminder)
    found = {}
    for row in store.rows("tasks"):
        if row.deleted_at is None and row.task.project_id in projects:
            mine = sorted(reminders.get(row.task.id, ()), key=lambda one: (one.created_at, one.id))
            found[str(row.task.id)] = orjson.loads(task_json(row.task, mine))
    return found


def _ailing(world: World) -> list[str]:
    return [f"process {slot}" for slot, process in enumerate(world.processes) if process is None or not process.is_well]


def _overdue(world: World) -> list[Reminder]:
    store, now = world.around.db.store, world.around.db.clock.now()
    open_tasks = {
        row.task.id for row in store.rows("tasks") if row.deleted_at is None and row.task.completed_at is None
    }
    reminders = (row.reminder for row in store.rows("reminders") if row.deleted_at is None)
    return [
        one
        for one in reminders
        if one.state is ReminderState.SCHEDULED
        and one.task_id in open_tasks
        and one.fire_at is not None
        and one.fire_at <= now - PATIENCE
    ]


def _behind(world: World) -> list[tuple[int, str]]:
    left = []
    for number, client in enumerate(world.clients):
        truth = fresh_query(world, client.person.account_id)
        if not client.is_loaded or client.tasks != truth:
            different = [key for key in {**truth, **client.tasks} if truth.get(key) != client.tasks.get(key)]
            left.append((number, f"at position {client.position}, {len(different)} tasks differ: {different[:3]}"))
    return left
