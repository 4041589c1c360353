"""What is in the tables, and how the API shows it: what migration 0002 does in SQL, said again."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import orjson

if TYPE_CHECKING:
    from collections.abc import Iterable
    from uuid import UUID

    from app.domain.account import Profile
    from app.domain.events import NewEvent
    from app.domain.ids import AccountId, ProjectId, SessionId
    from app.domain.reminder import Reminder
    from app.domain.task import Task
    from app.ports.delivering import Delivery


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountRow:
    """Table `accounts`, with the Inbox that `memberships` names."""

    id: AccountId
    inbox_id: ProjectId
    email: str
    profile: Profile
    created_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionRecord:
    """Table `sessions`."""

    id: SessionId
    account_id: AccountId
    last_seen_at: datetime
    expires_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskRow:
    """Table `tasks`."""

    task: Task
    deleted_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ReminderRow:
    """Table `reminders`."""

    reminder: Reminder
    deleted_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class EventRow:
    """Table `events`."""

    seq: int
    event: NewEvent
    position: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Lease:
    """Table `leases`."""

    holder: UUID
    expires_at: datetime
    term: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditRow:
    """Table `audit_log`."""

    position: int
    project_id: UUID
    seq: int
    event_id: UUID
    action: str
    changes: str
    previous_hash: bytes
    hash: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class OccurrenceRow:
    """Table `occurrences`."""

    series_id: UUID
    occurrence: str
    state: str
    due: str
    task_id: UUID | None
    completed_at: datetime | None
    account_id: UUID | None
    position: int


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliveryRow:
    """Table `deliveries`, with its attempts: None is one that was begun and never heard of again."""

    id: UUID
    reminder_id: UUID
    occurrence: int
    channel: str
    address: str
    message_id: str
    due_at: datetime
    next_attempt_at: datetime | None
    traceparent: str | None
    state: str = "pending"
    attempts: tuple[str | None, ...] = ()
    term: int = 0

    def is_claim_of(self, delivery: Delivery) -> bool:
        """Whether a claim is still the newest one of a delivery that is not over."""
        return self.term == delivery.term and self.state == "pending"


def instant_text(moment: datetime | None) -> str | None:
    """Return RFC 3339 in UTC with as many fractional digits as there are (SQL: `instant_text`)."""
    if moment is None:
        return None
    text = moment.astimezone(UTC).replace(tzinfo=None).isoformat()
    return (text.rstrip("0") if "." in text else text) + "Z"


def due_text(task: Task) -> str | None:
    """Return a due date as the API shows it."""
    if isinstance(task.due, datetime):
        return instant_text(task.due)
    return None if task.due is None else task.due.isoformat()


def task_json(task: Task, reminders: Iterable[Reminder]) -> str:
    """Return a task as the API shows it (SQL: `task_json`)."""
    return _dumped(
        {
            "id": task.id,
            "title": task.title,
            "description": task.description,
            "completed": task.completed_at is not None,
            "completedAt": instant_text(task.completed_at),
            "priority": task.priority,
            "tags": task.tags,
            "dueDate": due_text(task),
            "timeZone": task.time_zone,
            "recurrence": _recurrence(task),
            "reminders": [_setting(reminder) for reminder in reminders],
            "version": task.version,
            "createdAt": instant_text(task.created_at),
            "updatedAt": instant_text(task.updated_at),
        }
    )


def reminder_json(reminder: Reminder) -> str:
    """Return a reminder as the API shows it (SQL: `reminder_json`)."""
    return _dumped(
        {
            "id": reminder.id,
            "taskId": reminder.task_id,
            "remindAt": instant_text(reminder.remind_at),
            "before": reminder.before,
            "channels": reminder.channels,
            "state": reminder.state,
            "fireAt": instant_text(reminder.fire_at),
            "firedAt": instant_text(reminder.fired_at),
            "acknowledgedAt": instant_text(reminder.acknowledged_at),
            "snoozedUntil": instant_text(reminder.snoozed_until),
            "createdAt": instant_text(reminder.created_at),
        }
    )


def account_json(account: AccountRow) -> str:
    """Return an account as the API shows it (SQL: `account_json`). Nobody here is an operator or keeps quiet hours."""
    return _dumped(
        {
            "id": account.id,
            "email": account.email,
            "name": account.profile.name,
            "timeZone": account.profile.time_zone,
            "weekStart": account.profile.week_start,
            "quietHours": None,
            "operator": False,
            "createdAt": instant_text(account.created_at),
        }
    )


def _setting(reminder: Reminder) -> dict[str, Any]:
    return {
        "id": reminder.id,
        "remindAt": instant_text(reminder.remind_at),
        "before": reminder.before,
        "channels": reminder.channels,
    }


def _recurrence(task: Task) -> dict[str, Any] | None:
    if task.recurrence is None:
        return None
    spec = task.recurrence.spec
    return {"rule": spec.rule, "mode": spec.mode, "missed": spec.missed}


def _dumped(value: dict[str, Any]) -> str:
    return orjson.dumps(value).decode()
