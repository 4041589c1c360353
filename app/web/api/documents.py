"""The documents that answers hold, as the contract describes them.

PostgreSQL builds the JSON and Python passes it through, so nothing here is ever made. Tests hold real answers against
these types: a field that is not listed here leaves the service in no answer.
"""

from datetime import date, datetime
from enum import StrEnum
from typing import Annotated, Any
from uuid import UUID

from msgspec import Meta, Struct

from app.domain.reminder import ReminderState
from app.domain.task import MissedPolicy, Priority, RecurrenceMode
from app.web.api import formats
from app.web.api.choices import Weekday

Version = Annotated[int, Meta(ge=1)]


class Recurrence(Struct, rename="camel"):
    """How a task repeats."""

    rule: str
    mode: RecurrenceMode
    missed: MissedPolicy


class ReminderSetting(Struct, rename="camel"):
    """A reminder as it is listed in its task: what was asked for, not what became of it."""

    id: UUID
    remind_at: datetime | None
    before: Annotated[str, Meta(examples=["PT15M"])] | None
    channels: tuple[str, ...]


class Task(Struct, rename="camel"):
    """A task."""

    id: UUID
    title: str
    description: str
    completed: bool
    completed_at: datetime | None
    priority: Priority
    tags: tuple[str, ...]
    due_date: Annotated[date, formats.DUE] | None
    time_zone: Annotated[str, Meta(description="Null is floating: the clock on its owner's wall.")] | None
    recurrence: Recurrence | None
    reminders: tuple[ReminderSetting, ...]
    version: Version
    created_at: datetime
    updated_at: datetime


class TaskPage(Struct, rename="camel"):
    """A part of a list."""

    items: tuple[Task, ...]
    next_cursor: str | None


class Completion(Struct, rename="camel"):
    """A completed task, and the next occurrence of a recurring one."""

    task: Task
    next: Task | None


class Reminder(Struct, rename="camel"):
    """A reminder, and what became of it."""

    id: UUID
    task_id: UUID
    remind_at: datetime | None
    before: str | None
    channels: tuple[str, ...]
    state: ReminderState
    fire_at: Annotated[datetime, Meta(description="When it is due; null while there is nothing to count from.")] | None
    fired_at: datetime | None
    acknowledged_at: datetime | None
    snoozed_until: datetime | None
    created_at: datetime


class ReminderList(Struct, rename="camel"):
    """The reminders of a task."""

    items: tuple[Reminder, ...]


class DeliveryState(StrEnum):
    """Where a delivery is in its life."""

    PENDING = "pending"
    SENT = "sent"
    FAILED = "failed"
    CANCELLED = "cancelled"
    EXPIRED = "expired"


class AttemptOutcome(StrEnum):
    """How one attempt ended."""

    SENT = "sent"
    RETRY = "retry"
    FAILED = "failed"


class Delivery(Struct, rename="camel"):
    """One attempt to deliver a reminder, or a delivery that waits for its first."""

    id: UUID
    channel: str
    attempt: int
    at: datetime | None
    finished_at: datetime | None
    outcome: AttemptOutcome | None
    response: Annotated[str, Meta(description="What the provider said.")]
    state: DeliveryState
    address: str


class DeliveryList(Struct, rename="camel"):
    """The ledger of a reminder, oldest first."""

    items: tuple[Delivery, ...]


class QuietTimes(Struct, rename={"start": "from", "end": "to"}):
    """When reminders keep quiet, on the account's wall clock."""

    start: Annotated[str, formats.TIME_OF_DAY]
    end: Annotated[str, formats.TIME_OF_DAY]


class Account(Struct, rename="camel"):
    """An account, as its owner sees it."""

    id: UUID
    email: str
    name: str
    time_zone: str
    week_start: Weekday
    quiet_hours: QuietTimes | None
    operator: bool
    created_at: datetime


class Session(Struct, rename="camel"):
    """A new session. The token is shown this once."""

    user: Account
    token: str
    expires_at: datetime


class OwnSession(Struct, rename="camel"):
    """A session that has not ended."""

    id: UUID
    current: Annotated[bool, Meta(description="It is the one that asks.")]
    created_at: datetime
    last_seen_at: Annotated[datetime, Meta(description="Written at most once a minute.")]
    client: Annotated[str, Meta(description="What the program called itself (`User-Agent`).")]
    address: Annotated[str, Meta(description="From where it signed in.")]
    expires_at: Annotated[datetime, Meta(description="At the latest; earlier when it is not used for 7 days.")]


class SessionList(Struct, rename="camel"):
    """The caller's sessions, at most 200: this one first, then the latest used."""

    items: tuple[OwnSession, ...]


class RecurrencePreview(Struct, rename="camel"):
    """What a rule means."""

    occurrences: tuple[Annotated[date, formats.DUE], ...]
    next: Annotated[date, formats.DUE] | None
    text: Annotated[str, Meta(description="The rule in words.")]


class AuditEntry(Struct, rename="camel"):
    """One link of the chain: who changed what."""

    position: Annotated[int, Meta(description="Of the event in the one order that all readers share.")]
    action: Annotated[str, Meta(examples=["task.updated"])]
    task_id: UUID | None
    actor: Annotated[str, Meta(description="An account's id, or `system`.")]
    at: datetime
    changes: Annotated[dict[str, Any], Meta(description="Old and new value of every field that changed.")]
    request_id: str | None
    hash: Annotated[str, Meta(description="SHA-256 over the link before and this one.")]


class AuditPage(Struct, rename="camel"):
    """A part of the audit trail, newest first."""

    items: tuple[AuditEntry, ...]
    next_cursor: str | None


class Export(Struct, rename="camel"):
    """Everything that an account has. What is not described here is as the other calls answer it."""

    format: Annotated[str, Meta(examples=["rondo-export"])]
    version: Annotated[int, Meta(ge=1, description="Of this document's form.")]
    exported_at: datetime
    account: Account
    sessions: Annotated[tuple[Any, ...], Meta(description="Where somebody signed in, also those that have ended.")]
    tasks: tuple[Task, ...]
    deleted_tasks: Annotated[tuple[Any, ...], Meta(description="`{deletedAt, task}`.")]
    reminders: tuple[Reminder, ...]
    deliveries: Annotated[tuple[Any, ...], Meta(description="Of reminders, with every attempt.")]
    occurrences: Annotated[tuple[Any, ...], Meta(description="What became of each occurrence of a series.")]
    audit: Annotated[tuple[AuditEntry, ...], Meta(description="Oldest first.")]


class Verification(Struct, rename="camel"):
    """Whether the chains are what they say they are."""

    ok: bool
    checked: Annotated[int, Meta(ge=0, description="How many links were walked.")]
    first_break: Annotated[int, Meta(description="The position of the first link that is wrong.")] | None
    reason: Annotated[str, Meta(examples=["changed", "missing"])] | None


class CheckResult(Struct, rename="camel"):
    """One check."""

    ok: bool
    reason: str | None


class HealthSummary(Struct, rename="camel"):
    """The state of the service."""

    status: Annotated[str, Meta(examples=["ok", "degraded"])]
    version: str
    uptime_seconds: float
    checks: dict[str, CheckResult]


class Liveness(Struct, rename="camel"):
    """The loop turns."""

    status: Annotated[str, Meta(examples=["live"])]


class Readiness(Struct, rename="camel"):
    """Whether the service can do its work."""

    status: Annotated[str, Meta(examples=["ready", "not ready"])]
    reasons: Annotated[dict[str, str], Meta(description="The checks that fail, and why.")]


class LastExit(Struct, rename="camel"):
    """How the life before ended."""

    reason: Annotated[str, Meta(examples=["normal", "crashed", "shutdown", "ignored", "not_started"])]
    at: datetime
    error: str | None


class LastError(Struct, rename="camel"):
    """What an actor raised last, in any of its lives."""

    message: str
    at: datetime
    trace_id: str | None
    stack: str


class ActorMailbox(Struct, rename="camel"):
    """What waits for an actor."""

    name: str
    life: Annotated[str, Meta(examples=["alive", "restarting", "stopped"])]
    length: int
    capacity: int
    policy: Annotated[str, Meta(description="Who pays when it is full.")]
    oldest_seconds: float | None
    full: Annotated[int, Meta(description="How many messages met it full.")]
    missed: Annotated[int, Meta(description="How many of them its owner found in the database.")]
    dead: Annotated[int, Meta(description="How many nobody will handle.")]


class Breaker(Struct, rename="camel"):
    """Whether what is outside is asked."""

    name: str
    state: Annotated[str, Meta(examples=["closed", "half_open", "open"])]
    retry_at: datetime | None


class Actor(Struct, rename="camel"):
    """A worker of the live tree."""

    id: str
    path: str
    kind: Annotated[str, Meta(examples=["worker"])]
    state: Annotated[str, Meta(examples=["starting", "running", "stopping", "restarting", "stopped", "stuck"])]
    restart: Annotated[str, Meta(examples=["permanent", "transient", "temporary"])]
    incarnation: int
    started_at: datetime | None
    restarts: int
    last_exit: LastExit | None
    attempt: int
    backoff_seconds: float | None
    next_attempt_at: datetime | None
    last_error: LastError | None
    paused: bool
    controllable: bool
    mailbox: ActorMailbox | None
    in_hand_seconds: float | None
    messages_per_second: float | None
    handled: int | None
    breaker: Breaker | None


class ActorTree(Struct, rename="camel"):
    """The live supervision tree: its root. Children are supervisors like it, with a life, or actors."""

    id: str
    path: str
    kind: str
    state: str
    strategy: str
    intensity: float | None
    period_seconds: float
    restarts_in_period: int
    children: tuple[dict[str, Any], ...]


class ActorLogLine(Struct, rename="camel"):
    """A line of an actor's log."""

    at: datetime
    level: str
    message: str
    event: str
    component: str
    fields: dict[str, Any]


class ActorLog(Struct, rename="camel"):
    """The last lines of an actor's log, newest last."""

    items: tuple[ActorLogLine, ...]


class DeadLetter(Struct, rename="camel"):
    """A message that its actor could not handle."""

    id: UUID
    actor: str
    reason: Annotated[str, Meta(examples=["crashed", "stopped"])]
    position: Annotated[int, Meta(description="Of the event; null for a message that was in memory only.")] | None
    payload: Any
    error: str
    stack: str
    trace_id: str | None
    attempts: int
    at: datetime
    requeued_at: datetime | None
    requeued_as: UUID | None
    requeued_from: UUID | None


class DeadLetterCount(Struct, rename="camel"):
    """How many dead letters of one kind there are."""

    actor: str
    reason: str
    count: int


class DeadLetterPage(Struct, rename="camel"):
    """The newest dead letters, and how many there are."""

    items: tuple[DeadLetter, ...]
    counts: tuple[DeadLetterCount, ...]


class Requeued(Struct, rename="camel"):
    """A dead letter that was sent again."""

    id: Annotated[UUID, Meta(description="If it dies once more, the new letter has this id.")]
    letter: UUID
    actor: str
    position: int
    trace_id: str | None


class DegradedPart(Struct, rename="camel"):
    """Something people rely on that does not work as it should."""

    part: Annotated[str, Meta(examples=["email", "database", "live", "reminders", "history"])]
    sentence: str
    waiting: Annotated[int, Meta(description="How many mails of the caller wait.")] | None
    since: datetime | None


class Status(Struct, rename="camel"):
    """What does not work as it should; nothing when all is well."""

    degraded: tuple[DegradedPart, ...]


class Contract(Struct, rename="camel"):
    """An OpenAPI 3.1 document."""


class WrongField(Struct, rename="camel"):
    """What is wrong with one field."""

    field: str
    code: str
    message: str


class Problem(Struct, rename="camel"):
    """A refusal (RFC 9457)."""

    type: Annotated[str, Meta(description="Where this code is explained.")]
    title: str
    status: int
    detail: str
    code: Annotated[str, Meta(description="Stable; programs go by this.")]
    request_id: Annotated[str, Meta(description="By which the log can be searched.")]
    errors: Annotated[tuple[WrongField, ...], Meta(description="For 422: every field that is wrong.")] = ()
    current_version: Annotated[int, Meta(description="For 412: the version that is current.")] = 0
