"""Use cases around reminders: one public method is one transaction. Firing them is an actor's work."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final

from app.domain import events, planning
from app.domain.changing import zone_of
from app.domain.checks import Checks, unique_texts
from app.domain.durations import parse_duration
from app.domain.errors import NotFoundError, ReminderStateError, ValidationFailedError
from app.domain.ids import ReminderId, TaskId, new_id
from app.domain.reminder import CHANNELS, REMINDERS_PER_TASK, Reminder, ReminderDraft, ReminderState
from app.ports.clock import Clock
from app.ports.reminders import LockedReminder, ReminderReader
from app.ports.tasks import LockedTask
from app.ports.unit_of_work import UnitOfWork
from app.services.context import Context
from app.services.idempotency import once
from app.services.results import Stored
from app.services.task_writing import TaskWriter
from app.services.transactions import Transactions
from monitoring import tracing

_SNOOZABLE: Final = frozenset({ReminderState.FIRED, ReminderState.ACKNOWLEDGED})


@dataclass(frozen=True, slots=True, kw_only=True)
class ReminderService:
    """Sets, removes, acknowledges and snoozes reminders. `Stored.version` is the task's version.

    Everybody has reminders of their own: a foreign one is refused like an unknown one, with `NotFoundError`.

    Attributes:
        channels: What reminders can be sent by here; the first one is the default.
    """

    reminders: ReminderReader
    transactions: Transactions
    clock: Clock
    channels: Sequence[str] = ("email",)

    async def add_reminder(self, context: Context, task_id: TaskId, draft: ReminderDraft) -> Stored:
        """Set a reminder for the caller. An instant in the past fires at once.

        Raises:
            ValidationFailedError: With one entry per fault.
        """
        with tracing.span("reminder.schedule"):
            checked = _checked(draft, self.channels)
            return await self._once(context, lambda writer: _add(writer, task_id, checked))

    async def list_reminders(self, context: Context, task_id: TaskId) -> bytes:
        """Return `{items}`, oldest first."""
        items = await self.reminders.of_task(context.caller.account_id, task_id)
        if items is None:
            raise NotFoundError
        return _items_json(items)

    async def delete_reminder(self, context: Context, reminder_id: ReminderId) -> None:
        """Remove a reminder."""
        task_id = await self._task_of(context, reminder_id)
        now = self.clock.now()
        await self.transactions.run(lambda work: _delete(TaskWriter(work, context, now), task_id, reminder_id))

    async def acknowledge(self, context: Context, reminder_id: ReminderId) -> Stored:
        """Say that a fired reminder was seen; saying it twice changes nothing.

        Raises:
            ReminderStateError: It has not fired.
        """
        return await self._once(context, lambda writer: _acknowledge(writer, reminder_id))

    async def snooze(self, context: Context, reminder_id: ReminderId, until: datetime) -> Stored:
        """Fire again at `until`.

        Raises:
            ValidationFailedError: It is not in the future.
            ReminderStateError: The reminder has not fired, or its task is completed.
        """
        checks = Checks()
        moment = checks.instant("until", until)
        checks.finish()
        return await self._once(context, lambda writer: _snooze(writer, reminder_id, moment))

    async def list_deliveries(self, context: Context, reminder_id: ReminderId) -> bytes:
        """Return `{items}`: every delivery attempt, oldest first."""
        items = await self.reminders.deliveries(context.caller.account_id, reminder_id)
        if items is None:
            raise NotFoundError
        return _items_json(items)

    async def _task_of(self, context: Context, reminder_id: ReminderId) -> TaskId:
        task_id = await self.reminders.task_of(context.caller.account_id, reminder_id)
        if task_id is None:
            raise NotFoundError
        return task_id

    async def _once(self, context: Context, step: Callable[[TaskWriter], Awaitable[Stored]]) -> Stored:
        now = self.clock.now()

        async def use_case(work: UnitOfWork) -> Stored:
            return await once(work, context, now, lambda: step(TaskWriter(work, context, now)))

        return await self.transactions.run(use_case)


async def _add(writer: TaskWriter, task_id: TaskId, draft: ReminderDraft) -> Stored:
    locked = await writer.lock(task_id)
    if len(locked.reminders) >= REMINDERS_PER_TASK:
        raise ValidationFailedError.of("reminders", "too_many", f"A task has at most {REMINDERS_PER_TASK} reminders.")
    reminder = _new(writer, locked, draft)
    json = await writer.work.reminders.insert(reminder)
    return await _told(writer, locked, reminder, events.REMINDER_CREATED, before=None, after=json)


async def _delete(writer: TaskWriter, task_id: TaskId, reminder_id: ReminderId) -> None:
    locked = await writer.lock(task_id)
    found = await _lock(writer, reminder_id)
    await writer.work.reminders.delete(replace(found.reminder, updated_at=writer.now))
    await _told(writer, locked, found.reminder, events.REMINDER_DELETED, before=found.json, after=None)


async def _acknowledge(writer: TaskWriter, reminder_id: ReminderId) -> Stored:
    found = await _lock(writer, reminder_id)
    if found.reminder.state is ReminderState.ACKNOWLEDGED:
        return _stored(found, found.json)
    if found.reminder.state is not ReminderState.FIRED:
        raise ReminderStateError
    after = replace(found.reminder, state=ReminderState.ACKNOWLEDGED, acknowledged_at=writer.now)
    return await _save(writer, found, after, events.REMINDER_ACKNOWLEDGED)


async def _snooze(writer: TaskWriter, reminder_id: ReminderId, until: datetime) -> Stored:
    if until <= writer.now:  # looked at no earlier: when a request is repeated, its moment may have come
        raise ValidationFailedError.of("until", "not_in_future", "Must be in the future.")
    found = await _lock(writer, reminder_id)
    reminder = found.reminder
    if not found.task_is_open:
        raise ReminderStateError("The task is completed.")
    if reminder.state not in _SNOOZABLE and reminder.snoozed_until is None:
        raise ReminderStateError
    after = replace(
        reminder,
        state=ReminderState.SCHEDULED,
        fire_at=until,
        snoozed_until=until,
        acknowledged_at=None,
        occurrence=reminder.occurrence + (reminder.state in _SNOOZABLE),
    )
    return await _save(writer, found, after, events.REMINDER_SNOOZED)


async def _lock(writer: TaskWriter, reminder_id: ReminderId) -> LockedReminder:
    found = await writer.work.reminders.lock(writer.context.caller.account_id, reminder_id)
    if found is None:
        raise NotFoundError
    return found


async def _save(writer: TaskWriter, found: LockedReminder, after: Reminder, event_type: str) -> Stored:
    """Write what became of a reminder, which is no change of its task."""
    json = await writer.work.reminders.save(replace(after, updated_at=writer.now))
    _record(writer, after, event_type, before=found.json, after=json, task_json=found.task_json)
    return _stored(found, json)


async def _told(
    writer: TaskWriter,
    locked: LockedTask,
    reminder: Reminder,
    event_type: str,
    *,
    before: str | None,
    after: str | None,
) -> Stored:
    """Raise the task's version, since the task lists its reminders, and tell of both."""
    version, task_json = await writer.work.tasks.touch(locked.task.id, writer.now)
    _record(writer, reminder, event_type, before=before, after=after, task_json=task_json)
    return Stored(json=(after or "").encode(), version=version, id=reminder.id)


def _record(
    writer: TaskWriter, reminder: Reminder, event_type: str, *, before: str | None, after: str | None, task_json: str
) -> None:
    writer.recorder.record(
        event_type,
        reminder.project_id,
        task_id=reminder.task_id,
        reminder_id=reminder.id,
        before=before,
        after=after,
        detail='{"task":' + task_json + "}",
    )


def _stored(found: LockedReminder, json: str) -> Stored:
    return Stored(json=json.encode(), version=found.task_version, id=found.reminder.id)


def _new(writer: TaskWriter, locked: LockedTask, draft: ReminderDraft) -> Reminder:
    duration = parse_duration(draft.before or "")
    reminder = Reminder(
        id=ReminderId(new_id(writer.now)),
        task_id=locked.task.id,
        project_id=locked.task.project_id,
        account_id=writer.context.caller.account_id,
        remind_at=draft.remind_at,
        before=draft.before,
        before_seconds=None if duration is None else duration.nominal_seconds,
        channels=draft.channels,
        created_at=writer.now,
        updated_at=writer.now,
    )
    due = planning.due_moment(locked.task.due, zone_of(locked.task, locked.owner_zone))
    return planning.planned(reminder, due=due, is_open=locked.task.completed_at is None, now=writer.now)


def _checked(draft: ReminderDraft, available: Sequence[str]) -> ReminderDraft:
    """Return the draft as it will be kept.

    Raises:
        ValidationFailedError: With one entry per fault.
    """
    checks = Checks()
    if (draft.remind_at is None) == (draft.before is None):
        checks.refuse("remindAt", "invalid", "Give either remindAt or before.")
    if draft.before is not None and parse_duration(draft.before) is None:
        checks.refuse("before", "invalid", "Is not an ISO 8601 duration of weeks to seconds, such as PT15M or P1D.")
    channels = unique_texts(draft.channels) or tuple(available[:1])
    if len(channels) > CHANNELS:
        checks.refuse("channels", "too_many", f"Must have at most {CHANNELS} channels.")
    unknown = [channel for channel in channels if channel not in available]
    if unknown:
        checks.refuse("channels", "unknown", f"Must be among {', '.join(available)}.")
    remind_at = None if draft.remind_at is None else checks.instant("remindAt", draft.remind_at)
    checks.finish()
    return replace(draft, remind_at=remind_at, channels=channels)


def _items_json(items: str) -> bytes:
    return b'{"items":%b}' % items.encode()
