"""When reminders fire: their plan whenever a task, its due date or its zone changes.

A moment that is already over when it is planned is not caught up on: people change a date to look ahead. An instant
that somebody asks for in so many words is an exception: it fires at once.
"""

from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from app.domain.durations import parse_duration
from app.domain.recurrence import to_instant, to_local
from app.domain.reminder import Reminder, ReminderState
from app.domain.task import Due

# A date without a time is remembered at the start of a working day.
MORNING: Final = time(9)
# Planning happens a little after the moment was chosen; within this it still counts as not over.
GRACE: Final = timedelta(seconds=60)

_PENDING: Final = frozenset({ReminderState.SCHEDULED, ReminderState.WAITING})
_OVER: Final = frozenset({ReminderState.FIRED, ReminderState.ACKNOWLEDGED})


@dataclass(frozen=True, slots=True)
class DueMoment:
    """The instant from which `before` is counted, and on whose wall clock."""

    at: datetime
    zone: str


def due_moment(due: Due | None, zone: str) -> DueMoment | None:
    """Return the moment of a due date: a date counts as 09:00 in its zone."""
    if due is None:
        return None
    instant = due if isinstance(due, datetime) else to_instant(datetime.combine(due, MORNING), ZoneInfo(zone))
    return DueMoment(instant, zone)


def planned(reminder: Reminder, *, due: DueMoment | None, is_open: bool, now: datetime) -> Reminder:
    """Return a new reminder with its first plan, as somebody asked for it.

    Args:
        reminder: As it was asked for.
        due: What `due_moment` says of its task.
        is_open: Whether its task is open.
        now: The current instant.
    """
    armed = carried_on(reminder, due=due, now=now)
    if reminder.remind_at is not None:
        armed = replace(armed, state=ReminderState.SCHEDULED)
    return armed if is_open else replace(armed, state=ReminderState.CANCELLED)


def carried_on(reminder: Reminder, *, due: DueMoment | None, now: datetime) -> Reminder:
    """Return the reminder of an open task, planned as far as its moment is still to come."""
    fire_at = _fire_at(reminder, due)
    return replace(reminder, fire_at=fire_at, state=_state(fire_at, now))


def replanned(
    reminder: Reminder, *, due: DueMoment | None, is_same_date: bool = False, is_open: bool, now: datetime
) -> Reminder:
    """Return the reminder after its task's due moment changed; an instant asked for as such stays.

    A snooze ends when the new moment is still to come. When that is over, or there is none, the snooze is all that is
    left to remind of the task. With `is_same_date` the moment is another one only since it is read in another zone:
    nobody put the task off, and a snooze, an instant that somebody asked for, stays as well.
    """
    was_over = reminder.state in _OVER
    is_snoozed = reminder.snoozed_until is not None and not was_over
    if reminder.remind_at is not None or (is_snoozed and is_same_date):
        return reminder
    fire_at = _fire_at(reminder, due)
    state = _state(fire_at, now)
    if (was_over or reminder.snoozed_until is not None) and state is not ReminderState.SCHEDULED:
        return reminder
    return replace(
        reminder,
        fire_at=fire_at,
        state=state if is_open else ReminderState.CANCELLED,
        occurrence=reminder.occurrence + was_over,
        fired_at=None,
        acknowledged_at=None,
        snoozed_until=None,
    )


def cancelled(reminder: Reminder) -> Reminder:
    """Return the reminder after its task was completed or deleted; what has fired has fired."""
    return replace(reminder, state=ReminderState.CANCELLED) if reminder.state in _PENDING else reminder


def restored(reminder: Reminder, *, now: datetime) -> Reminder:
    """Return the reminder after its task was reopened: as it was, unless its moment passed in between."""
    if reminder.state is not ReminderState.CANCELLED:
        return reminder
    return replace(reminder, state=_state(reminder.fire_at, now))


def moved(instant: datetime, by: timedelta, zone: str) -> datetime:
    """Return the instant as far away on the wall clock of the zone as `by` says."""
    if not by:
        return instant  # the wall clock shows some times twice
    wall = ZoneInfo(zone)
    try:
        return to_instant(to_local(instant, wall).replace(fold=0) + by, wall)
    except OverflowError:
        return instant


def distance(earlier: Due, later: Due, zone: str) -> timedelta:
    """Return how far apart two due dates are on the wall clock of the zone."""
    return _wall(later, zone) - _wall(earlier, zone)


def _wall(due: Due, zone: str) -> datetime:
    if isinstance(due, datetime):
        return due if due.tzinfo is None else to_local(due, ZoneInfo(zone))
    return datetime.combine(date(due.year, due.month, due.day), time())


def _fire_at(reminder: Reminder, due: DueMoment | None) -> datetime | None:
    if reminder.remind_at is not None:
        return reminder.remind_at
    before = parse_duration(reminder.before or "")
    if due is None or before is None:
        return None
    return moved(due.at, -timedelta(days=before.days), due.zone) - timedelta(seconds=before.seconds)


def _state(fire_at: datetime | None, now: datetime) -> ReminderState:
    is_ahead = fire_at is not None and fire_at >= now - GRACE
    return ReminderState.SCHEDULED if is_ahead else ReminderState.WAITING
