"""Reminders as they are kept."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from app.domain.ids import AccountId, ReminderId, TaskId
from app.domain.reminder import Reminder


@dataclass(frozen=True, slots=True, kw_only=True)
class LockedReminder:
    """A reminder that nobody else can change until the transaction ends.

    Attributes:
        json: The reminder as the API shows it now.
        task_json: Its task likewise.
        task_is_open: Whether the task is neither completed nor deleted.
    """

    reminder: Reminder
    json: str
    task_json: str
    task_version: int
    task_is_open: bool


class ReminderReader(Protocol):
    """Looks at reminders; changes nothing."""

    async def of_task(self, account_id: AccountId, task_id: TaskId) -> str | None:
        """Return a JSON array of a task's reminders, None if the account may not see the task."""
        ...

    async def task_of(self, account_id: AccountId, reminder_id: ReminderId) -> TaskId | None:
        """Return the task of one of the account's own reminders, None if it has no such."""
        ...

    async def deliveries(self, account_id: AccountId, reminder_id: ReminderId) -> str | None:
        """Return a JSON array of every delivery attempt, None if the account has no such reminder."""
        ...


class ReminderStore(Protocol):
    """Changes reminders inside a transaction. The task is locked first, then its reminder."""

    async def lock(self, account_id: AccountId, reminder_id: ReminderId) -> LockedReminder | None:
        """Lock one of the account's own reminders, and keep others from changing its task."""
        ...

    async def insert(self, reminder: Reminder) -> str:
        """Add a reminder and return its JSON."""
        ...

    async def insert_many(self, reminders: Sequence[Reminder]) -> None:
        """Add reminders."""
        ...

    async def save(self, reminder: Reminder) -> str:
        """Write what can change of a reminder and return its JSON."""
        ...

    async def save_many(self, reminders: Sequence[Reminder]) -> None:
        """Write what can change of some reminders."""
        ...

    async def delete(self, reminder: Reminder) -> None:
        """Mark a reminder as deleted."""
        ...
