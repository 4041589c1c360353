"""Tasks in the simulated database: the ports of `app.ports.tasks`, statement by statement as the adapter does it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from app.domain.queries import Order, TaskQuery, TaskSort
from app.ports.tasks import LockedTask, Place, TaskAnswer, TaskPage
from tests.simulation.simdb.errors import UniqueViolationError
from tests.simulation.simdb.rows import TaskRow, task_json

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import datetime
    from uuid import UUID

    from app.domain.ids import AccountId, TaskId
    from app.domain.reminder import Reminder
    from app.domain.task import Task
    from tests.simulation.simdb.client import Client
    from tests.simulation.simdb.transaction import Transaction


def role_of(work: Transaction, account_id: UUID, project_id: UUID) -> str | None:
    """Return what an account is in a project, None if it is no member."""
    role: str | None = work.get("memberships", (project_id, account_id))
    return role


def reminders_of(work: Transaction, task_id: UUID) -> tuple[Reminder, ...]:
    """Return the reminders of a task that are not deleted, oldest first."""
    rows = work.rows("reminders", lambda row: row.reminder.task_id == task_id and row.deleted_at is None)
    return tuple(sorted((row.reminder for row in rows), key=lambda reminder: (reminder.created_at, reminder.id)))


def shown(work: Transaction, task: Task) -> str:
    """Return the JSON of a task as a transaction sees it."""
    return task_json(task, reminders_of(work, task.id))


@dataclass(frozen=True, slots=True)
class SimTaskReader:
    """Implements `app.ports.tasks.TaskReader`."""

    client: Client

    async def get(self, account_id: AccountId, task_id: TaskId) -> TaskAnswer | None:
        """See the port."""
        async with self.client.transaction() as work:
            await work.statement("get task")
            row = _visible(work, account_id, task_id)
            if row is None:
                return None
            return TaskAnswer(id=task_id, version=row.task.version, json=shown(work, row.task))

    async def page(self, account_id: AccountId, query: TaskQuery, after: Place | None) -> TaskPage:
        """See the port; the simulation lists by creation, without filters but `completed`."""
        assert query.sort is TaskSort.CREATED_AT
        async with self.client.transaction() as work:
            await work.statement("list tasks")
            rows = work.rows("tasks", lambda row: row.deleted_at is None and _is_asked_for(row.task, query))
            mine = [row.task for row in rows if role_of(work, account_id, row.task.project_id)]
            mine.sort(key=lambda task: (task.created_at, task.id), reverse=query.order is Order.DESC)
            if after is not None:
                mine = [task for task in mine if _is_behind(task, after, query.order)]
            page = mine[: query.limit]
            last = Place(key=page[-1].created_at, id=page[-1].id) if len(mine) > query.limit else None
            return TaskPage(items=",".join(shown(work, task) for task in page).encode(), last=last)


@dataclass(frozen=True, slots=True)
class SimTaskStore:
    """Implements `app.ports.tasks.TaskStore`."""

    work: Transaction

    async def lock(self, account_id: AccountId, task_id: TaskId) -> LockedTask | None:
        """See the port: first the lock, then a look with a newer snapshot."""
        await self.work.statement("lock task")
        if _visible(self.work, account_id, task_id) is None:
            return None
        await self.work.lock("tasks", task_id)
        row: TaskRow = self.work.newest("tasks", task_id)
        return None if row.deleted_at is not None else await self._look(account_id, task_id)

    async def lock_next(self, account_id: AccountId, task_id: TaskId) -> LockedTask | None:
        """See the port."""
        await self.work.statement("lock next")
        before: TaskRow | None = self.work.get("tasks", task_id)
        found = self._rows(account_id, lambda row: before is not None and _counts_as_next(row, before))
        for row in sorted(found, key=lambda row: row.deleted_at is not None):
            await self.work.lock("tasks", row.task.id)
            newest: TaskRow = self.work.newest("tasks", row.task.id)
            if newest.deleted_at is None or newest.task.completed_at is not None:
                return await self._look(account_id, row.task.id)
        return None

    async def lock_floating(self, account_id: AccountId, zone: str) -> Sequence[LockedTask]:
        """See the port."""
        await self.work.statement("lock floating")
        locked = []
        floating = self._rows(account_id, lambda row: _floats(row, zone), roles=("owner",))
        for task_id in sorted(row.task.id for row in floating):
            await self.work.lock("tasks", task_id)
            if _floats(self.work.newest("tasks", task_id), zone):
                locked.append(task_id)
        if locked:
            await self.work.statement("look")
        return [self._locked(account_id, task_id) for task_id in locked]

    async def insert(self, task: Task) -> str:
        """See the port; one next occurrence, whoever tries."""
        await self.work.statement("insert task")
        if task.generated_from is not None:
            await self.work.lock("tasks_one_next", task.generated_from)
            if any(self.work.rows("tasks", lambda row: _is_next_of(row, task.generated_from))):
                raise UniqueViolationError(f"tasks_one_next {task.generated_from}")
        return self._written(TaskRow(task=task))

    async def save(self, task: Task) -> str:
        """See the port."""
        await self.work.statement("save task")
        return self._written(TaskRow(task=replace(task, version=task.version + 1)))

    async def touch(self, task_id: TaskId, now: datetime) -> tuple[int, str]:
        """See the port."""
        await self.work.statement("touch task")
        task = self.work.get("tasks", task_id).task
        json = self._written(TaskRow(task=replace(task, version=task.version + 1, updated_at=now)))
        return task.version + 1, json

    async def json(self, task_id: TaskId) -> str:
        """See the port."""
        await self.work.statement("task json")
        return shown(self.work, self.work.get("tasks", task_id).task)

    async def delete(self, task_id: TaskId, now: datetime) -> None:
        """See the port."""
        await self.work.statement("delete task")
        task = self.work.get("tasks", task_id).task
        gone = replace(task, version=task.version + 1, updated_at=now)
        self.work.put("tasks", task_id, TaskRow(task=gone, deleted_at=now))

    async def read_in(self, task_id: TaskId, zone: str) -> None:
        """See the port."""
        await self.work.statement("read in")
        task = self.work.get("tasks", task_id).task
        self.work.put("tasks", task_id, TaskRow(task=replace(task, wall_zone=zone)))

    def _written(self, row: TaskRow) -> str:
        self.work.put("tasks", row.task.id, row)
        return shown(self.work, row.task)

    def _rows(
        self, account_id: UUID, where: Callable[[Any], bool], roles: tuple[str, ...] = ("owner", "editor", "viewer")
    ) -> list[TaskRow]:
        rows = self.work.rows("tasks", where)
        return [row for row in rows if role_of(self.work, account_id, row.task.project_id) in roles]

    async def _look(self, account_id: UUID, task_id: TaskId) -> LockedTask:
        await self.work.statement("look")
        return self._locked(account_id, task_id)

    def _locked(self, account_id: UUID, task_id: TaskId) -> LockedTask:
        task: Task = self.work.get("tasks", task_id).task
        owner = next(self.work.rows("accounts", lambda row: row.inbox_id == task.project_id))
        return LockedTask(
            task=task,
            may_change=role_of(self.work, account_id, task.project_id) != "viewer",
            owner_zone=owner.profile.time_zone,
            json=shown(self.work, task),
            reminders=reminders_of(self.work, task_id),
        )


def _visible(work: Transaction, account_id: UUID, task_id: UUID) -> TaskRow | None:
    row: TaskRow | None = work.get("tasks", task_id)
    if row is None or row.deleted_at is not None or role_of(work, account_id, row.task.project_id) is None:
        return None
    return row


def _is_asked_for(task: Task, query: TaskQuery) -> bool:
    return query.completed is None or query.completed is (task.completed_at is not None)


def _is_behind(task: Task, place: Place, order: Order | None) -> bool:
    here, there = (task.created_at, task.id), (place.key, place.id)
    return here < there if order is Order.DESC else here > there


def _floats(row: TaskRow, zone: str) -> bool:
    task = row.task
    is_open = row.deleted_at is None and task.completed_at is None
    return is_open and task.due is not None and task.time_zone is None and task.wall_zone != zone


def _is_next_of(row: TaskRow, task_id: UUID | None) -> bool:
    return row.deleted_at is None and row.task.generated_from == task_id


def _counts_as_next(row: TaskRow, before: TaskRow) -> bool:
    """Whether an occurrence was made by the completion of another, and is not gone without a trace."""
    if row.task.generated_from != before.task.id:
        return False
    series, other = (None if task.recurrence is None else task.recurrence.series_id for task in (row.task, before.task))
    return row.deleted_at is None or (row.task.completed_at is not None and series is not None and series == other)
