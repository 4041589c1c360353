"""What follows when an occurrence of a recurring task is completed."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from app.domain import recurrence as rules
from app.domain.ids import ReminderId, TaskId
from app.domain.planning import carried_on, distance, due_moment, moved
from app.domain.reminder import Reminder, ReminderState
from app.domain.task import Due, Recurrence, Task


@dataclass(frozen=True, slots=True, kw_only=True)
class Following:
    """The next occurrence.

    Attributes:
        task: A new open task.
        missed: Occurrences that were passed over or are still to be done, local, oldest first.
    """

    task: Task
    missed: tuple[Due, ...]


def following(task: Task, *, task_id: TaskId, owner_zone: str, completed_at: datetime) -> Following | None:
    """Return the occurrence after this one, None if the task does not repeat (any more).

    It is computed from the anchor of the series, never from a due date that was moved.
    """
    if task.recurrence is None:
        return None
    zone = ZoneInfo(task.time_zone or owner_zone)
    found = rules.next_occurrence(
        _understood(task.recurrence),
        anchor=task.recurrence.anchor,
        current=task.recurrence.current,
        number=task.recurrence.number,
        completed_at=completed_at,
        zone=zone,
    )
    if found is None:
        return None
    due = rules.to_instant(found.due, zone) if isinstance(found.due, datetime) else found.due
    next_task = replace(
        task,
        id=task_id,
        due=due,
        wall_zone=zone.key,
        recurrence=replace(task.recurrence, current=found.due, number=found.number),
        generated_from=task.id,
        completed_at=None,
        version=1,
        created_at=completed_at,
        updated_at=completed_at,
    )
    return Following(task=next_task, missed=found.missed)


def carried(reminder: Reminder, *, reminder_id: ReminderId, before: Task, after: Task, owner_zone: str) -> Reminder:
    """Return a reminder of an occurrence as the next one has it: as long before it as it was before this one."""
    zone = after.time_zone or owner_zone
    instant = reminder.remind_at
    fresh = replace(
        reminder,
        id=reminder_id,
        task_id=after.id,
        remind_at=None if instant is None else moved(instant, _step(before, after, zone), zone),
        state=ReminderState.WAITING,
        occurrence=1,
        fired_at=None,
        acknowledged_at=None,
        snoozed_until=None,
        created_at=after.created_at,
        updated_at=after.created_at,
    )
    return carried_on(fresh, due=due_moment(after.due, zone), now=after.created_at)


def _step(before: Task, after: Task, zone: str) -> timedelta:
    """Return how far the due date moves; without one, how far the series does."""
    if before.due is not None and after.due is not None:
        return distance(before.due, after.due, zone)
    if before.recurrence is None or after.recurrence is None:
        return timedelta()
    return distance(before.recurrence.current, after.recurrence.current, zone)


def _understood(recurrence: Recurrence) -> rules.Recurrence:
    spec = recurrence.spec
    return rules.Recurrence(rule=rules.parse_rule(spec.rule), mode=spec.mode, missed=spec.missed)
