"""Events: what happened, in the past tense, with the state before and after.

An event is written in the transaction it tells of. The relay gives it its `position` later.
`before` and `after` are the JSON of the thing as the API shows it; null means it was not there.
"""

from collections.abc import Mapping
from datetime import datetime
from types import MappingProxyType
from typing import Final

from app.domain.ids import AccountId, EventId, ProjectId, ReminderId, SessionId, TaskId
from app.domain.value import value

TASK_CREATED: Final = "task.created"
TASK_UPDATED: Final = "task.updated"
TASK_COMPLETED: Final = "task.completed"
TASK_REOPENED: Final = "task.reopened"
TASK_DELETED: Final = "task.deleted"
REMINDER_CREATED: Final = "reminder.created"
REMINDER_DELETED: Final = "reminder.deleted"
REMINDER_FIRED: Final = "reminder.fired"
REMINDER_ACKNOWLEDGED: Final = "reminder.acknowledged"
REMINDER_SNOOZED: Final = "reminder.snoozed"
ACCOUNT_REGISTERED: Final = "account.registered"
ACCOUNT_UPDATED: Final = "account.updated"
ACTOR_RESTARTED: Final = "ops.actor_restarted"
ACTOR_PAUSED: Final = "ops.actor_paused"
ACTOR_RESUMED: Final = "ops.actor_resumed"
DEAD_LETTER_REQUEUED: Final = "ops.dead_letter_requeued"

# What operators do to the installation. It is in their own trail and changes nothing that anybody sees in a list.
BY_OPERATORS: Final = frozenset({ACTOR_RESTARTED, ACTOR_PAUSED, ACTOR_RESUMED, DEAD_LETTER_REQUEUED})
ACCOUNT_PASSWORD_CHANGED: Final = "account.password_changed"  # noqa: S105 # what happened, not a secret

# Every event and how the audit trail words it for people. A type without a sentence is not an event.
EVENT_WORDING: Final[Mapping[str, str]] = MappingProxyType(
    {
        TASK_CREATED: "created the task",
        TASK_UPDATED: "changed the task",
        TASK_COMPLETED: "completed the task",
        TASK_REOPENED: "reopened the task",
        TASK_DELETED: "deleted the task",
        REMINDER_CREATED: "set a reminder",
        REMINDER_DELETED: "removed a reminder",
        REMINDER_FIRED: "reminded",
        REMINDER_ACKNOWLEDGED: "acknowledged a reminder",
        REMINDER_SNOOZED: "snoozed a reminder",
        ACCOUNT_REGISTERED: "registered",
        ACCOUNT_UPDATED: "changed the profile",
        ACTOR_RESTARTED: "restarted a part of Rondo",
        ACTOR_PAUSED: "paused a part of Rondo",
        ACTOR_RESUMED: "resumed a part of Rondo",
        DEAD_LETTER_REQUEUED: "sent a dead letter again",
        ACCOUNT_PASSWORD_CHANGED: "changed the password",
    }
)

# How Rondo itself is called where an account id would stand.
SYSTEM_ACTOR: Final = "system"


@value
class NewEvent:
    """An event on its way into the log.

    Attributes:
        account_id: Who did it; None is Rondo itself.
        before: JSON text of the thing before, None if it was not there.
        after: JSON text of the thing after, None if it is gone.
        detail: JSON text of an object with what else is worth knowing.
    """

    id: EventId
    type: str
    project_id: ProjectId
    occurred_at: datetime
    task_id: TaskId | None = None
    reminder_id: ReminderId | None = None
    account_id: AccountId | None = None
    session_id: SessionId | None = None
    request_id: str | None = None
    traceparent: str | None = None
    before: str | None = None
    after: str | None = None
    detail: str = "{}"


@value
class RecordedEvent(NewEvent):
    """An event that has its place in the one order all readers share.

    Attributes:
        position: Gapless, increasing, from 1.
        audience: Every account that may see it.
    """

    position: int
    audience: tuple[AccountId, ...] = ()
