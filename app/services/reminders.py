"""Use cases around reminders."""

from datetime import datetime

from app.domain.ids import ReminderId, TaskId
from app.domain.reminder import ReminderDraft
from app.services.context import Context
from app.services.results import Stored


class ReminderService:
    """Sets, removes, acknowledges and snoozes reminders. `Stored.version` is the task's version."""

    async def add_reminder(self, context: Context, task_id: TaskId, draft: ReminderDraft) -> Stored:
        """Set a reminder for the caller."""
        raise NotImplementedError

    async def list_reminders(self, context: Context, task_id: TaskId) -> bytes:
        """Return `{items}`."""
        raise NotImplementedError

    async def delete_reminder(self, context: Context, reminder_id: ReminderId) -> None:
        """Remove a reminder."""
        raise NotImplementedError

    async def acknowledge(self, context: Context, reminder_id: ReminderId) -> Stored:
        """Say that a fired reminder was seen."""
        raise NotImplementedError

    async def snooze(self, context: Context, reminder_id: ReminderId, until: datetime) -> Stored:
        """Fire again at `until` (aware, in the future)."""
        raise NotImplementedError

    async def list_deliveries(self, context: Context, reminder_id: ReminderId) -> bytes:
        """Return `{items}`: every attempt, oldest first."""
        raise NotImplementedError
