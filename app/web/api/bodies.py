"""The bodies and query strings that requests bring, and the domain values they become."""

from datetime import date, datetime, time
from typing import Annotated, Final, TypeAlias

from msgspec import Meta, Struct

from app.domain.account import ProfileChanges, QuietHoursChanges, RegisterDraft
from app.domain.checks import Checks
from app.domain.errors import ValidationFailedError
from app.domain.ids import TaskId
from app.domain.queries import DEFAULT_LIMIT, LARGEST_LIMIT, AuditQuery, Order, PreviewQuery, TaskQuery, TaskSort
from app.domain.reminder import ReminderDraft
from app.domain.task import (
    MissedPolicy,
    Priority,
    RecurrenceChanges,
    RecurrenceMode,
    RecurrenceSpec,
    TaskChanges,
    TaskDraft,
)
from app.domain.unset import UNSET, Unset
from app.web.api import formats
from app.web.api.choices import Weekday

# What the server alone writes. Sent back unchanged or changed, it means nothing.
READ_ONLY: Final = frozenset({"id", "version", "createdAt", "updatedAt", "completedAt", "reminders"})
LARGEST_PREVIEW: Final = 100

Title: TypeAlias = Annotated[str, formats.TITLE]
Description: TypeAlias = Annotated[str, formats.DESCRIPTION]
Tags: TypeAlias = Annotated[tuple[str, ...], formats.TAG_LIST]
Due: TypeAlias = Annotated[date, formats.DUE]
TimeZone: TypeAlias = Annotated[str, formats.TIME_ZONE]
Limit: TypeAlias = Annotated[int, Meta(ge=1, le=LARGEST_LIMIT)]
Cursor: TypeAlias = Annotated[str, formats.CURSOR]


class NoQuery(Struct, frozen=True):
    """A query string with nothing in it."""


class RecurrenceInput(Struct, frozen=True, kw_only=True):
    """How a task repeats. Null means the default."""

    rule: Annotated[str, formats.RULE]
    mode: RecurrenceMode | None = RecurrenceMode.SCHEDULE
    missed: MissedPolicy | None = MissedPolicy.SKIP

    def spec(self) -> RecurrenceSpec:
        """Return it as the domain's value."""
        return RecurrenceSpec(
            rule=self.rule, mode=self.mode or RecurrenceMode.SCHEDULE, missed=self.missed or MissedPolicy.SKIP
        )


class ChangedRecurrence(Struct, frozen=True, kw_only=True):
    """What to change about how a task repeats. `rule` is needed where the task does not repeat yet."""

    rule: Annotated[str, formats.RULE] | Unset = UNSET
    mode: RecurrenceMode | Unset | None = UNSET
    missed: MissedPolicy | Unset | None = UNSET

    def changes(self) -> RecurrenceChanges:
        """Return it as the domain's value."""
        return RecurrenceChanges(
            rule=self.rule,
            mode=RecurrenceMode.SCHEDULE if self.mode is None else self.mode,
            missed=MissedPolicy.SKIP if self.missed is None else self.missed,
        )


class NewTask(Struct, frozen=True, kw_only=True, rename="camel"):
    """A task to create. Null means the default."""

    title: Title
    description: Description | None = ""
    priority: Priority | None = Priority.MEDIUM
    tags: Tags | None = ()
    due_date: Due | None = None
    time_zone: TimeZone | None = None
    recurrence: RecurrenceInput | None = None
    completed: bool = False

    def draft(self) -> TaskDraft:
        """Return it as the domain's value.

        Raises:
            ValidationFailedError: it says that it is completed before it is there.
        """
        if self.completed:
            raise ValidationFailedError.of("completed", "invalid", "A new task is open; complete it afterwards.")
        return _draft(self)


class ReplacedTask(Struct, frozen=True, kw_only=True, rename="camel"):
    """Every writable field of a task. `completed` may be left out and then stays as it is."""

    title: Title
    description: Description | None
    priority: Priority | None
    tags: Tags | None
    due_date: Due | None
    time_zone: TimeZone | None
    recurrence: RecurrenceInput | None
    completed: bool | Unset = UNSET

    def draft(self) -> TaskDraft:
        """Return it as the domain's value, without `completed`."""
        return _draft(self)

    def changes(self) -> TaskChanges:
        """Return it as changes to every field."""
        draft = _draft(self)
        return TaskChanges(
            title=draft.title,
            description=draft.description,
            priority=draft.priority,
            tags=draft.tags,
            due=draft.due,
            time_zone=draft.time_zone,
            recurrence=draft.recurrence,
            completed=self.completed,
        )


class ChangedTask(Struct, frozen=True, kw_only=True, rename="camel"):
    """A merge patch (RFC 7396): what is not named is not touched, null means the default."""

    title: Title | Unset = UNSET
    description: Description | Unset | None = UNSET
    priority: Priority | Unset | None = UNSET
    tags: Tags | Unset | None = UNSET
    due_date: Due | Unset | None = UNSET
    time_zone: TimeZone | Unset | None = UNSET
    recurrence: ChangedRecurrence | Unset | None = UNSET
    completed: bool | Unset = UNSET

    def changes(self) -> TaskChanges:
        """Return it as the domain's value."""
        return TaskChanges(
            title=self.title,
            description="" if self.description is None else self.description,
            priority=Priority.MEDIUM if self.priority is None else self.priority,
            tags=() if self.tags is None else self.tags,
            due=self.due_date,
            time_zone=self.time_zone,
            recurrence=self.recurrence.changes() if isinstance(self.recurrence, ChangedRecurrence) else self.recurrence,
            completed=self.completed,
        )


def _draft(task: NewTask | ReplacedTask) -> TaskDraft:
    return TaskDraft(
        title=task.title,
        description=task.description or "",
        priority=task.priority or Priority.MEDIUM,
        tags=task.tags or (),
        due=task.due_date,
        time_zone=task.time_zone,
        recurrence=task.recurrence.spec() if task.recurrence is not None else None,
    )


class TaskListQuery(Struct, frozen=True, kw_only=True, rename="camel"):
    """Which tasks, in which order."""

    completed: bool | None = None
    priority: Annotated[tuple[Priority, ...], formats.PRIORITIES_IN_QUERY] = ()
    tags: Annotated[tuple[str, ...], formats.TAGS_IN_QUERY] = ()
    search: Annotated[str, formats.SEARCH] = ""
    due_before: Due | None = None
    due_after: Due | None = None
    sort: TaskSort = TaskSort.CREATED_AT
    order: Order | None = None
    limit: Limit = DEFAULT_LIMIT
    cursor: Cursor | None = None

    def query(self) -> TaskQuery:
        """Return it as the services' value."""
        return TaskQuery(
            completed=self.completed,
            priorities=frozenset(self.priority),
            tags=self.tags,
            search=self.search,
            due_before=self.due_before,
            due_after=self.due_after,
            sort=self.sort,
            order=self.order,
            limit=self.limit,
            cursor=self.cursor,
        )


class AuditListQuery(Struct, frozen=True, kw_only=True, rename="camel"):
    """Which part of the audit trail, newest first."""

    limit: Limit = DEFAULT_LIMIT
    cursor: Cursor | None = None

    def query(self, task_id: TaskId | None = None) -> AuditQuery:
        """Return it as the services' value."""
        return AuditQuery(task_id=task_id, limit=self.limit, cursor=self.cursor)


class LogQuery(Struct, frozen=True, kw_only=True):
    """How many lines of an actor's log."""

    limit: Annotated[int, Meta(ge=1, le=200)] = 100


class DeadLetterQuery(Struct, frozen=True, kw_only=True):
    """Which dead letters, newest first."""

    actor: Annotated[str, Meta(max_length=100)] | None = None
    limit: Limit = 100


class NewReminder(Struct, frozen=True, kw_only=True, rename="camel"):
    """A reminder at an instant (`remindAt`) or some time before the task is due (`before`): one of the two."""

    remind_at: Annotated[datetime, formats.INSTANT] | None = None
    before: Annotated[str, formats.DURATION] | None = None
    channels: Annotated[tuple[str, ...], formats.CHANNEL_LIST] | None = ()

    def draft(self) -> ReminderDraft:
        """Return it as the domain's value.

        Raises:
            ValidationFailedError: none or both of the two are given.
        """
        if (self.remind_at is None) == (self.before is None):
            raise ValidationFailedError.of("remindAt", "invalid", "Give either remindAt or before.")
        return ReminderDraft(remind_at=self.remind_at, before=self.before, channels=self.channels or ())


class Snooze(Struct, frozen=True, kw_only=True):
    """Until when a reminder is quiet."""

    until: Annotated[datetime, formats.INSTANT]


class Preview(Struct, frozen=True, kw_only=True, rename="camel"):
    """A recurrence to look at before it is stored."""

    rule: Annotated[str, formats.RULE]
    start: Annotated[date, formats.LOCAL_OR_DUE]
    time_zone: TimeZone | None = None
    mode: RecurrenceMode | None = RecurrenceMode.SCHEDULE
    missed: MissedPolicy | None = MissedPolicy.SKIP
    anchor: Annotated[date, formats.LOCAL_OR_DUE] | None = None
    completed_at: Annotated[datetime, formats.LOCAL_OR_INSTANT] | None = None
    count: Annotated[int, Meta(ge=1, le=LARGEST_PREVIEW)] = 10

    def query(self) -> PreviewQuery:
        """Return it as the services' value."""
        return PreviewQuery(
            rule=self.rule,
            start=self.start,
            time_zone=self.time_zone,
            mode=self.mode or RecurrenceMode.SCHEDULE,
            missed=self.missed or MissedPolicy.SKIP,
            anchor=self.anchor,
            completed_at=self.completed_at,
            count=self.count,
        )


class Registration(Struct, frozen=True, kw_only=True, rename="camel"):
    """A new account."""

    email: Annotated[str, formats.EMAIL]
    password: Annotated[str, formats.NEW_PASSWORD]
    name: Annotated[str, formats.NAME] | None = ""
    time_zone: TimeZone | None = "UTC"

    def draft(self) -> RegisterDraft:
        """Return it as the domain's value."""
        return RegisterDraft(
            email=self.email, password=self.password, name=self.name or "", time_zone=self.time_zone or "UTC"
        )


class SignIn(Struct, frozen=True, kw_only=True):
    """Who wants in."""

    email: Annotated[str, formats.EMAIL]
    password: Annotated[str, formats.PASSWORD]


class PasswordChange(Struct, frozen=True, kw_only=True, rename="camel"):
    """The password there is, and the one there shall be."""

    current_password: Annotated[str, formats.PASSWORD]
    new_password: Annotated[str, formats.NEW_PASSWORD]


class PasswordProof(Struct, frozen=True, kw_only=True):
    """The password once more, before what cannot be taken back."""

    password: Annotated[str, formats.PASSWORD]


class ChangedQuietTimes(Struct, frozen=True, kw_only=True, rename={"start": "from", "end": "to"}):
    """From when to when reminders keep quiet, on the account's wall clock. Both are needed where there are none yet."""

    start: Annotated[time, formats.TIME_OF_DAY] | Unset = UNSET
    end: Annotated[time, formats.TIME_OF_DAY] | Unset = UNSET


class ChangedProfile(Struct, frozen=True, kw_only=True, rename="camel"):
    """A merge patch of the profile. Null `quietHours` turns them off."""

    name: Annotated[str, formats.NAME] | Unset | None = UNSET
    time_zone: TimeZone | Unset = UNSET
    week_start: Weekday | Unset = UNSET
    quiet_hours: ChangedQuietTimes | Unset | None = UNSET
    email: str | Unset = UNSET
    operator: bool | Unset = UNSET

    def check_kept(self, *, email: str, operator: bool) -> None:
        """Refuse to change what cannot be changed: skipped in silence, it would look as if it had been.

        Raises:
            ValidationFailedError: It is not as it is.
        """
        checks = Checks()
        if self.email not in {UNSET, email}:
            checks.refuse("email", "read_only", "Cannot be changed.")
        if self.operator not in {UNSET, operator}:
            checks.refuse("operator", "read_only", "Cannot be changed.")
        checks.finish()

    def changes(self) -> ProfileChanges:
        """Return it as the domain's value."""
        quiet = self.quiet_hours
        return ProfileChanges(
            name="" if self.name is None else self.name,
            time_zone=self.time_zone,
            week_start=self.week_start,
            quiet_hours=QuietHoursChanges(start=quiet.start, end=quiet.end)
            if isinstance(quiet, ChangedQuietTimes)
            else quiet,
        )
