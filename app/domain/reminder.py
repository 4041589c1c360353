"""A reminder: when somebody wants to hear of a task, and what became of it."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final

from app.domain.ids import AccountId, ProjectId, ReminderId, TaskId

CHANNELS: Final = 10
REMINDERS_PER_TASK: Final = 20


class ReminderState(StrEnum):
    """Where a reminder is in its life.

    `waiting`: there is nothing to count from, or its moment had passed when it was planned.
    `cancelled`: the task is completed or deleted.
    """

    SCHEDULED = "scheduled"
    WAITING = "waiting"
    FIRED = "fired"
    ACKNOWLEDGED = "acknowledged"
    CANCELLED = "cancelled"


@dataclass(frozen=True, slots=True, kw_only=True)
class ReminderDraft:
    """A reminder as asked for: at an instant, or some time before the task is due. Exactly one is given.

    Attributes:
        remind_at: An aware instant.
        before: ISO 8601 duration, e.g. `PT15M` or `P1D`.
        channels: How to tell, e.g. `email`; empty is the installation's default.
    """

    remind_at: datetime | None = None
    before: str | None = None
    channels: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Reminder:
    """A reminder as it is stored.

    Attributes:
        account_id: Who is reminded.
        fire_at: When it is due, derived; None while there is nothing to count from.
        occurrence: Grows each time it is armed anew after firing: one firing each.
    """

    id: ReminderId
    task_id: TaskId
    project_id: ProjectId
    account_id: AccountId
    remind_at: datetime | None = None
    before: str | None = None
    before_seconds: int | None = None
    channels: tuple[str, ...] = ()
    state: ReminderState = ReminderState.SCHEDULED
    fire_at: datetime | None = None
    occurrence: int = 1
    fired_at: datetime | None = None
    acknowledged_at: datetime | None = None
    snoozed_until: datetime | None = None
    created_at: datetime
    updated_at: datetime
