"""What a draft makes of nothing and what changes make of a task: pure values, no reminders, no rights.

The zone of a task is its own, or its owner's while it floats.
"""

from dataclasses import replace
from datetime import datetime
from typing import TypeVar
from zoneinfo import ZoneInfo

from app.domain.errors import ValidationFailedError
from app.domain.ids import ProjectId, TaskId
from app.domain.recurrence import InvalidRuleError, check_start, parse_rule, to_local
from app.domain.task import (
    Due,
    Recurrence,
    RecurrenceChanges,
    RecurrenceMode,
    RecurrenceSpec,
    Task,
    TaskChanges,
    TaskDraft,
)
from app.domain.unset import Unset

_T = TypeVar("_T")


def drafted(
    draft: TaskDraft, *, task_id: TaskId, project_id: ProjectId, owner_zone: str, series_id: TaskId, now: datetime
) -> Task:
    """Return the new task.

    Raises:
        ValidationFailedError: The rule gives no date from the due date on.
    """
    zone = draft.time_zone or owner_zone
    return Task(
        id=task_id,
        project_id=project_id,
        title=draft.title,
        description=draft.description,
        priority=draft.priority,
        tags=draft.tags,
        due=draft.due,
        time_zone=draft.time_zone,
        wall_zone=zone,
        recurrence=None if draft.recurrence is None else _started(draft.recurrence, draft.due, zone, series_id, now),
        created_at=now,
        updated_at=now,
    )


def changed(task: Task, changes: TaskChanges, *, owner_zone: str, series_id: TaskId, now: datetime) -> Task:
    """Return the task with the named fields changed; the same value when nothing is different.

    `completed` is not looked at here.

    Raises:
        ValidationFailedError: The rule gives no date from the due date on, or there is none to change.
    """
    after = replace(
        task,
        title=_or(changes.title, task.title),
        description=_or(changes.description, task.description),
        priority=_or(changes.priority, task.priority),
        tags=_or(changes.tags, task.tags),
        due=task.due if isinstance(changes.due, Unset) else changes.due,
        time_zone=task.time_zone if isinstance(changes.time_zone, Unset) else changes.time_zone,
    )
    if (after.due, after.time_zone) != (task.due, task.time_zone):
        after = replace(after, wall_zone=after.time_zone or owner_zone)
    recurrence = _recurrence(task, after, changes.recurrence, owner_zone, series_id, now)
    return replace(after, recurrence=recurrence)


def is_asked_of_nobody(changes: TaskChanges) -> bool:
    """Whether no rule has a say in these changes: they are of words and weight, not of time."""
    return all(
        isinstance(field, Unset) for field in (changes.due, changes.time_zone, changes.recurrence, changes.completed)
    )


def as_changes(draft: TaskDraft) -> TaskChanges:
    """Return the changes that set every writable field."""
    return TaskChanges(
        title=draft.title,
        description=draft.description,
        priority=draft.priority,
        tags=draft.tags,
        due=draft.due,
        time_zone=draft.time_zone,
        recurrence=draft.recurrence,
    )


def zone_of(task: Task, owner_zone: str) -> str:
    """Return the zone whose wall clock the task means."""
    return task.time_zone or owner_zone


def local_due(due: Due, zone: str) -> Due:
    """Return a due date as the wall clock shows it: a date, or a naive date and time."""
    return to_local(due, ZoneInfo(zone)) if isinstance(due, datetime) else due


def _recurrence(
    before: Task,
    after: Task,
    asked: RecurrenceSpec | RecurrenceChanges | Unset | None,
    owner_zone: str,
    series_id: TaskId,
    now: datetime,
) -> Recurrence | None:
    running = before.recurrence
    wanted = _wanted(None if running is None else running.spec, asked)
    if wanted is None:
        return None
    zone = zone_of(after, owner_zone)
    if running is None or (wanted.rule, wanted.mode) != (running.spec.rule, running.spec.mode):
        return _started(wanted, after.due, zone, series_id, now)
    kept = replace(running, spec=wanted)
    is_moved = (after.due, after.time_zone) != (before.due, before.time_zone)
    if not is_moved or running.number > 1 or after.due is None:
        return kept
    return _anchored(kept, local_due(after.due, zone), zone)


def _wanted(
    current: RecurrenceSpec | None, asked: RecurrenceSpec | RecurrenceChanges | Unset | None
) -> RecurrenceSpec | None:
    if isinstance(asked, Unset):
        return current
    if not isinstance(asked, RecurrenceChanges):
        return asked
    if current is not None:
        return RecurrenceSpec(
            rule=_or(asked.rule, current.rule),
            mode=_or(asked.mode, current.mode),
            missed=_or(asked.missed, current.missed),
        )
    if isinstance(asked.rule, Unset):
        raise ValidationFailedError.of("recurrence.rule", "required", "Must be given: the task does not repeat yet.")
    return _wanted(RecurrenceSpec(rule=asked.rule), asked)


def _started(spec: RecurrenceSpec, due: Due | None, zone: str, series_id: TaskId, now: datetime) -> Recurrence:
    """Return a new series; without a due date it counts from today."""
    first = to_local(now, ZoneInfo(zone)).date() if due is None else local_due(due, zone)
    return _anchored(Recurrence(spec=spec, anchor=first, current=first, number=1, series_id=series_id), first, zone)


def _anchored(recurrence: Recurrence, first: Due, zone: str) -> Recurrence:
    if recurrence.spec.mode is RecurrenceMode.SCHEDULE:  # after a completion every rule counts from something
        try:
            check_start(parse_rule(recurrence.spec.rule), first, zone=ZoneInfo(zone))
        except InvalidRuleError as error:
            raise ValidationFailedError.of("recurrence.rule", "invalid", error.message) from error
    return replace(recurrence, anchor=first, current=first)


def _or(change: _T | Unset, current: _T) -> _T:
    return current if isinstance(change, Unset) else change
