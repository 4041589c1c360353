"""Use cases around tasks: one public method is one transaction."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TypeVar

from app.domain.changing import as_changes, is_asked_of_nobody
from app.domain.drafts import checked_changes, checked_draft
from app.domain.errors import NotFoundError, ValidationFailedError
from app.domain.ids import AccountId, TaskId
from app.domain.queries import TaskQuery
from app.domain.task import TaskChanges, TaskDraft
from app.ports.clock import Clock
from app.ports.shortcuts import TaskShortcuts
from app.ports.tasks import TaskAnswer, TaskReader
from app.ports.unit_of_work import UnitOfWork
from app.services.context import Context
from app.services.cursors import page_json
from app.services.idempotency import once
from app.services.operations import task_operation
from app.services.recording import signature
from app.services.results import Stored
from app.services.task_pages import begin, checked_query, next_cursor
from app.services.task_writing import TaskWriter, new_task, stored
from app.services.transactions import Transactions

_T = TypeVar("_T")


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskService:
    """Creates, changes, completes and lists tasks of the projects the caller belongs to.

    A foreign id is refused exactly like an unknown one, with `NotFoundError`. Changes with `expected` versions raise
    `VersionConflictError` when the current one is not among them. What changes nothing writes nothing.

    Attributes:
        shortcuts: Tried before a transaction, where the rules may have nothing to say. None: everything is a
            transaction, with the same result.
        news: Called after a shortcut, which leaves an event behind and no reminder. Must not wait.
    """

    tasks: TaskReader
    transactions: Transactions
    clock: Clock
    shortcuts: TaskShortcuts | None = None
    news: Callable[[], None] = lambda: None

    async def create_task(self, context: Context, draft: TaskDraft) -> Stored:
        """Create a task in the caller's Inbox.

        Raises:
            ValidationFailedError: With one entry per fault.
        """
        with task_operation("create"):
            checked, now = checked_draft(draft), self.clock.now()
            written = await self._created_at_once(context, checked, now)
            if written is not None:
                return _stored(written)
            return await self._once(context, lambda writer: writer.create(checked))

    async def _created_at_once(self, context: Context, checked: TaskDraft, now: datetime) -> TaskAnswer | None:
        try:
            task = new_task(context.caller, checked, now)
        except ValidationFailedError:
            if context.idempotency is None:
                raise
            return None  # noqa: ASYNC910 # what makes no sense today may have been done yesterday: the key says
        return await self._at_once(lambda quick: quick.create(task, signature(context, now)))

    async def get_task(self, context: Context, task_id: TaskId) -> Stored:
        """Return a task."""
        with task_operation("read"):
            found = await self.tasks.get(context.caller.account_id, task_id)
            if found is None:
                raise NotFoundError
            return _stored(found)

    async def list_tasks(self, context: Context, query: TaskQuery) -> bytes:
        """Return `{items, nextCursor}`.

        Raises:
            ValidationFailedError: A filter makes no sense, or the cursor is not of this list.
        """
        with task_operation("list"):
            query = checked_query(query)
            page = await self.tasks.page(context.caller.account_id, query, begin(query))
            return page_json(page.items, None if page.last is None else next_cursor(query, page.last))

    async def patch_task(
        self, context: Context, task_id: TaskId, changes: TaskChanges, expected: frozenset[int] | None = None
    ) -> Stored:
        """Change the named fields. `completed` completes or reopens, unless the task already is as it says.

        Raises:
            ValidationFailedError: With one entry per fault.
            NextOccurrenceCompletedError: It cannot be reopened.
        """
        with task_operation("update"):
            checked = checked_changes(changes)
            if is_asked_of_nobody(checked):
                by = signature(context, self.clock.now())
                written = await self._at_once(lambda quick: quick.edit(task_id, checked, expected, by))
                if written is not None:
                    return _stored(written)
            return await self._run(context, lambda writer: _patch(writer, task_id, checked, expected))

    async def replace_task(
        self, context: Context, task_id: TaskId, draft: TaskDraft, expected: frozenset[int] | None = None
    ) -> Stored:
        """Set every writable field.

        Raises:
            ValidationFailedError: With one entry per fault.
        """
        with task_operation("replace"):
            checked = as_changes(checked_draft(draft))
            return await self._run(context, lambda writer: _patch(writer, task_id, checked, expected))

    async def delete_task(self, context: Context, task_id: TaskId, expected: frozenset[int] | None = None) -> None:
        """Delete a task. Its history stays."""
        with task_operation("delete"):
            by = signature(context, self.clock.now())
            if await self._at_once(lambda quick: quick.delete(task_id, expected, by)) is not None:
                return
            await self._run(context, lambda writer: _delete(writer, task_id, expected))

    async def complete_task(self, context: Context, task_id: TaskId, expected: frozenset[int] | None = None) -> Stored:
        """Complete a task; the JSON is `{task, next}`, where `next` is the next occurrence or null.

        Raises:
            TaskAlreadyCompletedError: It is not open; of many who try at once, all but one get this.
        """
        with task_operation("complete"):
            by = signature(context, self.clock.now())
            written = await self._at_once(lambda quick: quick.complete(task_id, expected, by))
            if written is not None:
                return _with_next(_stored(written), None)
            return await self._once(context, lambda writer: _complete(writer, task_id, expected))

    async def reopen_task(self, context: Context, task_id: TaskId, expected: frozenset[int] | None = None) -> Stored:
        """Undo a completion exactly.

        Raises:
            TaskNotCompletedError: It is open.
            NextOccurrenceCompletedError: The occurrence that it made is completed too.
        """
        with task_operation("reopen"):
            by = signature(context, self.clock.now())
            written = await self._at_once(lambda quick: quick.reopen(task_id, expected, by))
            if written is not None:
                return _stored(written)
            return await self._once(context, lambda writer: _reopen(writer, task_id, expected))

    async def rezone_floating(
        self, work: UnitOfWork, account_id: AccountId, zone: str, *, context: Context, now: datetime
    ) -> int:
        """Let an account's floating tasks follow its clock to another zone, in somebody else's transaction.

        Each task knows in which zone it was last read, so this is safe to repeat, and tasks made since the account
        moved are left alone. Completed tasks keep the instant that they had.

        Args:
            work: The transaction; who owns it rings the bell.
            account_id: Whose tasks.
            zone: IANA name of the zone that the account is in now.
            context: Without a principal, Rondo itself did it.
            now: The current instant.

        Returns:
            How many tasks there were.
        """
        writer = TaskWriter(work, context, now)
        floating = await work.tasks.lock_floating(account_id, zone)
        for locked in floating:
            await writer.rezone(locked, zone)
        return len(floating)

    async def _at_once(self, write: Callable[[TaskShortcuts], Awaitable[TaskAnswer | None]]) -> TaskAnswer | None:  # noqa: ASYNC910 # what follows when there are no shortcuts is a checkpoint
        """Try to write in one statement; None if the rules have to be asked."""
        if self.shortcuts is None:
            return None
        written = await write(self.shortcuts)
        if written is not None:
            self.news()
        return written

    async def _run(self, context: Context, step: Callable[[TaskWriter], Awaitable[_T]]) -> _T:
        now = self.clock.now()
        return await self.transactions.run(lambda work: step(TaskWriter(work, context, now)))

    async def _once(self, context: Context, step: Callable[[TaskWriter], Awaitable[Stored]]) -> Stored:
        now = self.clock.now()
        return await self.transactions.run(
            lambda work: once(work, context, now, lambda: step(TaskWriter(work, context, now)))
        )


async def _patch(writer: TaskWriter, task_id: TaskId, changes: TaskChanges, expected: frozenset[int] | None) -> Stored:
    """Reopen before the change and complete after it, so that what is to come takes the change along."""
    locked = await writer.lock(task_id, expected)
    if changes.completed is False and locked.task.completed_at is not None:
        locked = await writer.reopen(locked)
    locked = await writer.edit(locked, changes)
    if changes.completed is True and locked.task.completed_at is None:
        locked, _ = await writer.complete(locked)
    return stored(locked)


async def _delete(writer: TaskWriter, task_id: TaskId, expected: frozenset[int] | None) -> None:
    await writer.delete(await writer.lock(task_id, expected))


async def _complete(writer: TaskWriter, task_id: TaskId, expected: frozenset[int] | None) -> Stored:
    locked, following = await writer.complete(await writer.lock(task_id, expected))
    return _with_next(stored(locked), following)


async def _reopen(writer: TaskWriter, task_id: TaskId, expected: frozenset[int] | None) -> Stored:
    return stored(await writer.reopen(await writer.lock(task_id, expected)))


def _with_next(completed: Stored, following: str | None) -> Stored:
    return replace(completed, json=b'{"task":%b,"next":%b}' % (completed.json, (following or "null").encode()))


def _stored(answer: TaskAnswer) -> Stored:
    return Stored(json=answer.json.encode(), version=answer.version, id=answer.id)
