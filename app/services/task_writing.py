"""The steps that use cases around tasks are made of: each changes a locked task, its reminders and the event log.

A step takes the task as it is locked and returns it as it is then, so that steps follow one another in one transaction.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial
from time import perf_counter
from zoneinfo import ZoneInfo

from app.domain import events, planning
from app.domain.changing import changed, drafted, zone_of
from app.domain.errors import (
    ForbiddenError,
    NextOccurrenceCompletedError,
    NotFoundError,
    TaskAlreadyCompletedError,
    TaskNotCompletedError,
    VersionConflictError,
)
from app.domain.ids import ReminderId, TaskId, new_id
from app.domain.recurrence import InvalidRuleError, parse_rule, to_instant, to_local
from app.domain.reminder import Reminder, ReminderState
from app.domain.repeating import Following, carried, following
from app.domain.task import Task, TaskChanges, TaskDraft
from app.ports.tasks import LockedTask
from app.ports.unit_of_work import UnitOfWork
from app.services.context import Context, Principal
from app.services.recording import Recorder, detail_of
from app.services.results import Stored
from monitoring import metrics

_OVER = frozenset({ReminderState.FIRED, ReminderState.ACKNOWLEDGED})


@dataclass(frozen=True, slots=True)
class TaskWriter:
    """Changes tasks inside one unit of work."""

    work: UnitOfWork
    context: Context
    now: datetime

    @property
    def recorder(self) -> Recorder:
        """Where events go."""
        return Recorder(self.work, self.context, self.now)

    async def lock(self, task_id: TaskId, expected: frozenset[int] | None = None) -> LockedTask:
        """Lock a task that the caller may change.

        Raises:
            NotFoundError: There is none, or it is not the caller's.
            ForbiddenError: The caller may only look.
            VersionConflictError: Its version is not among the expected ones.
        """
        locked = await self.work.tasks.lock(self.context.caller.account_id, task_id)
        if locked is None:
            raise NotFoundError
        if not locked.may_change:
            raise ForbiddenError
        if expected is not None and locked.task.version not in expected:
            raise VersionConflictError(locked.task.version)
        return locked

    async def create(self, draft: TaskDraft) -> Stored:
        """Create a task in the caller's Inbox."""
        task = new_task(self.context.caller, draft, self.now)
        json = await self.work.tasks.insert(task)
        self._record(events.TASK_CREATED, task, after=json)
        return Stored(json=json.encode(), version=task.version, id=task.id)

    async def edit(self, locked: LockedTask, changes: TaskChanges) -> LockedTask:
        """Change the named fields; when nothing is different, nothing is written."""
        zone = locked.owner_zone
        after = changed(locked.task, changes, owner_zone=zone, series_id=self._new_task_id(), now=self.now)
        if after == locked.task:
            return locked  # noqa: ASYNC910 # locking it was a checkpoint
        before_due, due = (planning.due_moment(task.due, zone_of(task, zone)) for task in (locked.task, after))
        reminders = locked.reminders
        if due != before_due:
            plan = partial(
                planning.replanned,
                due=due,
                is_same_date=after.due == locked.task.due,
                is_open=after.completed_at is None,
                now=self.now,
            )
            reminders = await self._replan(locked, plan)
        return await self._save(locked, after, reminders, events.TASK_UPDATED)

    async def complete(self, locked: LockedTask) -> tuple[LockedTask, str | None]:
        """Complete an open task; return it, and the JSON of the next occurrence if there is one.

        Raises:
            TaskAlreadyCompletedError: It is not open.
        """
        if locked.task.completed_at is not None:
            raise TaskAlreadyCompletedError
        reminders = await self._replan(locked, planning.cancelled)
        found = self._following(locked)
        detail = _series_detail(locked.task, found, next=None if found is None else found.task.id)
        after = replace(locked.task, completed_at=self.now)
        completed = await self._save(locked, after, reminders, events.TASK_COMPLETED, detail)
        return completed, None if found is None else await self._generate(locked, found.task)

    def _following(self, locked: LockedTask) -> Following | None:
        try:
            return following(
                locked.task, task_id=self._new_task_id(), owner_zone=locked.owner_zone, completed_at=self.now
            )
        except InvalidRuleError:
            # A rule that was fine when it was stored: a bug of ours, counted where people look for it.
            metrics.RECURRING_TASK_GENERATION_FAILED_TOTAL.labels("invalid_rule").inc()
            raise

    async def reopen(self, locked: LockedTask) -> LockedTask:
        """Undo a completion: the reminders come back, the occurrence that it made goes.

        A floating task whose owner has moved meanwhile shows the same time on the wall clock there.

        Raises:
            TaskNotCompletedError: It is open.
            NextOccurrenceCompletedError: What it made is completed too.
        """
        task, completed_at = locked.task, locked.task.completed_at
        if completed_at is None:
            raise TaskNotCompletedError
        made = await self.work.tasks.lock_next(self.context.caller.account_id, task.id)
        if made is not None:
            if made.task.completed_at is not None:
                raise NextOccurrenceCompletedError
            await self._remove(made, detail_of(undoneBy=task.id))
        passed = following(task, task_id=task.id, owner_zone=locked.owner_zone, completed_at=completed_at)
        detail = _series_detail(task, passed)
        after = replace(_read_in(task, zone_of(task, locked.owner_zone)), completed_at=None)
        reminders = await self._replan(locked, lambda reminder: self._restored(reminder, task, after))
        return await self._save(locked, after, reminders, events.TASK_REOPENED, detail)

    async def delete(self, locked: LockedTask) -> None:
        """Delete a task; a series ends with its open occurrence."""
        await self._remove(locked, _series_detail(locked.task) if locked.task.completed_at is None else "{}")

    async def rezone(self, locked: LockedTask, zone: str) -> None:
        """Let a floating task show the same time on the wall clock of another zone, and its reminders too."""
        task, old = locked.task, locked.task.wall_zone
        after = _read_in(task, zone)
        due = planning.due_moment(after.due, zone)
        moved = await self._replan(locked, lambda reminder: self._rezoned(reminder, due, old, zone))
        is_visible = after.due != task.due or any(
            new.remind_at != reminder.remind_at for new, reminder in zip(moved, locked.reminders, strict=True)
        )
        if is_visible:
            await self._save(locked, after, moved, events.TASK_UPDATED)
        else:
            await self.work.tasks.read_in(task.id, zone)

    def _rezoned(self, reminder: Reminder, due: planning.DueMoment | None, old: str, zone: str) -> Reminder:
        if reminder.state in _OVER or reminder.snoozed_until is not None:
            return reminder
        if reminder.remind_at is not None:
            reminder = replace(reminder, remind_at=_same_time(reminder.remind_at, old, zone))
        return planning.carried_on(reminder, due=due, now=self.now)

    def _restored(self, reminder: Reminder, before: Task, after: Task) -> Reminder:
        restored = planning.restored(reminder, now=self.now)
        if after.wall_zone == before.wall_zone:
            return restored
        due = planning.due_moment(after.due, after.wall_zone)
        return self._rezoned(restored, due, before.wall_zone, after.wall_zone)

    async def _generate(self, locked: LockedTask, task: Task) -> str:
        started = perf_counter()
        json = await self.work.tasks.insert(task)
        if locked.reminders:
            await self.work.reminders.insert_many(
                [self._carried(locked, reminder, task) for reminder in locked.reminders]
            )
            json = await self.work.tasks.json(task.id)
        self._record(events.TASK_CREATED, task, after=json, detail=detail_of(generatedFrom=locked.task.id))
        _count_generated(task, perf_counter() - started)
        return json

    def _carried(self, locked: LockedTask, reminder: Reminder, task: Task) -> Reminder:
        reminder_id = ReminderId(new_id(self.now))
        return carried(reminder, reminder_id=reminder_id, before=locked.task, after=task, owner_zone=locked.owner_zone)

    async def _remove(self, locked: LockedTask, detail: str) -> None:
        await self._replan(locked, planning.cancelled)
        await self.work.tasks.delete(locked.task.id, self.now)
        self._record(events.TASK_DELETED, locked.task, before=locked.json, detail=detail)

    async def _replan(self, locked: LockedTask, plan: Callable[[Reminder], Reminder]) -> tuple[Reminder, ...]:
        """Plan every reminder anew and save those that changed."""
        planned = tuple(map(plan, locked.reminders))
        pairs = zip(planned, locked.reminders, strict=True)
        different = [replace(new, updated_at=self.now) for new, old in pairs if new != old]
        if different:
            await self.work.reminders.save_many(different)
        return planned  # noqa: ASYNC910 # a step of something that writes

    async def _save(
        self, locked: LockedTask, after: Task, reminders: tuple[Reminder, ...], event_type: str, detail: str = "{}"
    ) -> LockedTask:
        """Write a task after its reminders, since its JSON lists them."""
        after = replace(after, updated_at=self.now)
        json = await self.work.tasks.save(after)
        self._record(event_type, after, before=locked.json, after=json, detail=detail)
        return replace(locked, task=replace(after, version=after.version + 1), json=json, reminders=reminders)

    def _record(
        self, event_type: str, task: Task, *, before: str | None = None, after: str | None = None, detail: str = "{}"
    ) -> None:
        self.recorder.record(event_type, task.project_id, task_id=task.id, before=before, after=after, detail=detail)

    def _new_task_id(self) -> TaskId:
        return TaskId(new_id(self.now))


def new_task(caller: Principal, draft: TaskDraft, now: datetime) -> Task:
    """Return what a checked draft becomes in the caller's Inbox.

    Raises:
        ValidationFailedError: The rule gives no date from the due date on.
    """
    return drafted(
        draft,
        task_id=TaskId(new_id(now)),
        project_id=caller.inbox_id,
        owner_zone=caller.time_zone,
        series_id=TaskId(new_id(now)),
        now=now,
    )


def stored(locked: LockedTask) -> Stored:
    """Return the answer for a task as a step has left it."""
    return Stored(json=locked.json.encode(), version=locked.task.version, id=locked.task.id)


def _series_detail(task: Task, found: Following | None = None, **more: object) -> str:
    """Return the detail of an event: for an occurrence of a series which one it is, for whoever keeps its history."""
    if task.recurrence is None:
        return detail_of(**more)
    missed = [] if found is None else [moment.isoformat() for moment in found.missed]
    occurrence = task.recurrence.current.isoformat()
    return detail_of(**more, seriesId=task.recurrence.series_id, occurrence=occurrence, missed=missed)


def _read_in(task: Task, zone: str) -> Task:
    """Return a task that shows on the wall clock of a zone what it showed on that where it was last read."""
    if zone == task.wall_zone:
        return task
    due = _same_time(task.due, task.wall_zone, zone) if isinstance(task.due, datetime) else task.due
    return replace(task, due=due, wall_zone=zone)


def _same_time(instant: datetime, old: str, new: str) -> datetime:
    return to_instant(to_local(instant, ZoneInfo(old)).replace(fold=0), ZoneInfo(new))


def _count_generated(task: Task, seconds: float) -> None:
    metrics.RECURRING_TASK_GENERATION_DURATION_SECONDS.observe(seconds)
    if task.recurrence is not None:
        frequency = parse_rule(task.recurrence.spec.rule).frequency
        metrics.RECURRING_TASK_GENERATED_TOTAL.labels(frequency.name).inc()
