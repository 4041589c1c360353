"""People with reminders that are due by the database's clock, which no test can move."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from app.adapters.postgres.firing import PostgresReminderSchedule
from app.domain.ids import ReminderId
from app.domain.reminder import ReminderDraft
from tests.integration.services.world import StoppedClock, World, as_task

if TYPE_CHECKING:
    from uuid import UUID

    from app.adapters.postgres import Database
    from tests.integration.services.world import Person


def present_day(database: Database) -> World:
    """Return all services, with a clock that stands where the database's is."""
    return World(database=database, clock=StoppedClock(datetime.now(UTC)))


def schedule(house: World) -> PostgresReminderSchedule:
    return PostgresReminderSchedule(database=house.database, clock=house.clock)


async def due_reminder(person: Person, title: str = "Call mother", *, seconds: float = -1.0) -> tuple[UUID, ReminderId]:
    """Make a task with a reminder due in so many seconds; return the ids of both."""
    task = await person.create(title)
    moment = person.world.clock.now() + timedelta(seconds=seconds)
    return task.id, await remind(person, task.id, ReminderDraft(remind_at=moment))


async def remind(person: Person, task_id: UUID, draft: ReminderDraft) -> ReminderId:
    stored = await person.world.services.reminders.add_reminder(person.context, as_task(task_id), draft)
    return ReminderId(stored.id)


async def reminder_row(house: World, reminder_id: UUID) -> Any:
    return await house.database.fetchrow("SELECT * FROM reminders WHERE id = $1", reminder_id)
