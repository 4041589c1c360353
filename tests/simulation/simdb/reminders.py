"""Reminders in the simulated database: the ports of `app.ports.reminders`."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import orjson

from app.domain.reminder import Reminder, ReminderState
from app.ports.reminders import LockedReminder
from tests.simulation.simdb.locks import Mode
from tests.simulation.simdb.rows import ReminderRow, TaskRow, reminder_json
from tests.simulation.simdb.tasks import reminders_of, role_of, shown

if TYPE_CHECKING:
    from collections.abc import Sequence
    from uuid import UUID

    from app.domain.ids import AccountId, ReminderId, TaskId
    from tests.simulation.simdb.client import Client
    from tests.simulation.simdb.transaction import Transaction


@dataclass(frozen=True, slots=True)
class SimReminderReader:
    """Implements `app.ports.reminders.ReminderReader`."""

    client: Client

    async def of_task(self, account_id: AccountId, task_id: TaskId) -> str | None:
        """See the port."""
        async with self.client.transaction() as work:
            await work.statement("reminders of task")
            row: TaskRow | None = work.get("tasks", task_id)
            if row is None or row.deleted_at is not None or not role_of(work, account_id, row.task.project_id):
                return None
            return f"[{','.join(map(reminder_json, reminders_of(work, task_id)))}]"

    async def task_of(self, account_id: AccountId, reminder_id: ReminderId) -> TaskId | None:
        """See the port."""
        async with self.client.transaction() as work:
            await work.statement("task of reminder")
            reminder = _own(work, account_id, reminder_id)
            return None if reminder is None else reminder.task_id

    async def deliveries(self, account_id: AccountId, reminder_id: ReminderId) -> str | None:
        """See the port; here only how each attempt ended."""
        async with self.client.transaction() as work:
            await work.statement("deliveries")
            if _own(work, account_id, reminder_id) is None:
                return None
            rows = work.rows("deliveries", lambda row: row.reminder_id == reminder_id)
            return orjson.dumps([{"state": row.state, "outcomes": row.attempts} for row in rows]).decode()


@dataclass(frozen=True, slots=True)
class SimReminderStore:
    """Implements `app.ports.reminders.ReminderStore`."""

    work: Transaction

    async def lock(self, account_id: AccountId, reminder_id: ReminderId) -> LockedReminder | None:
        """See the port: the task first, then the reminder, then a look."""
        await self.work.statement("lock task of reminder")
        reminder = _own(self.work, account_id, reminder_id, deleted=True)
        if reminder is None:
            return None
        await self.work.lock("tasks", reminder.task_id, Mode.SHARE)
        if self.work.newest("tasks", reminder.task_id).deleted_at is not None:
            return None
        await self.work.statement("lock reminder")
        await self.work.lock("reminders", reminder_id)
        if self.work.newest("reminders", reminder_id).deleted_at is not None:
            return None
        await self.work.statement("look")
        return self._locked(reminder_id)

    async def insert(self, reminder: Reminder) -> str:
        """See the port."""
        await self.insert_many([reminder])
        return reminder_json(reminder)

    async def insert_many(self, reminders: Sequence[Reminder]) -> None:
        """See the port."""
        await self.work.statement("insert reminders")
        for reminder in reminders:
            self.work.put("reminders", reminder.id, ReminderRow(reminder=reminder))

    async def save(self, reminder: Reminder) -> str:
        """See the port."""
        await self.save_many([reminder])
        return reminder_json(reminder)

    async def save_many(self, reminders: Sequence[Reminder]) -> None:
        """See the port."""
        for reminder in reminders:
            await self.work.statement("save reminder")
            await self.work.lock("reminders", reminder.id)
            row = self.work.newest("reminders", reminder.id)
            self.work.put("reminders", reminder.id, replace(row, reminder=reminder))

    async def delete(self, reminder: Reminder) -> None:
        """See the port."""
        await self.work.statement("delete reminder")
        gone = replace(reminder, state=ReminderState.CANCELLED)
        self.work.put("reminders", reminder.id, ReminderRow(reminder=gone, deleted_at=reminder.updated_at))

    def _locked(self, reminder_id: UUID) -> LockedReminder:
        reminder: Reminder = self.work.get("reminders", reminder_id).reminder
        row: TaskRow = self.work.get("tasks", reminder.task_id)
        return LockedReminder(
            reminder=reminder,
            json=reminder_json(reminder),
            task_json=shown(self.work, row.task),
            task_version=row.task.version,
            task_is_open=row.task.completed_at is None and row.deleted_at is None,
        )


def _own(work: Transaction, account_id: UUID, reminder_id: UUID, *, deleted: bool = False) -> Reminder | None:
    """Return one of an account's own reminders, of a task that is not deleted."""
    row: ReminderRow | None = work.get("reminders", reminder_id)
    if row is None or row.reminder.account_id != account_id or (row.deleted_at is not None and not deleted):
        return None
    task: TaskRow = work.get("tasks", row.reminder.task_id)
    is_there = task.deleted_at is None and role_of(work, account_id, task.task.project_id) is not None
    return row.reminder if is_there else None
