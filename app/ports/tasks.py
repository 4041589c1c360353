"""Tasks as they are kept. Every question carries the account that asks; a foreign task is not there."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from app.domain.ids import AccountId, TaskId
from app.domain.queries import TaskQuery
from app.domain.reminder import Reminder
from app.domain.task import Task
from app.domain.value import value

# What a list is sorted by: an instant, a number or a text, and None for tasks without a due date.
SortKey = datetime | int | str | None


@value
class TaskAnswer:
    """A task as the API shows it."""

    id: TaskId
    version: int
    json: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where in a list a page begins: behind this task."""

    key: SortKey
    id: TaskId


@value
class TaskPage:
    """Some tasks of a list.

    Attributes:
        items: The tasks as the API shows them, in UTF-8, with commas between them.
        last: Where the next page begins, None if this is the last one.
    """

    items: bytes
    last: Place | None


@dataclass(frozen=True, slots=True, kw_only=True)
class LockedTask:
    """A task that nobody else can change until the transaction ends.

    Attributes:
        may_change: Whether the account that asks may do more than look.
        owner_zone: IANA name of the zone of the project's owner: what a floating task follows.
        json: The task as the API shows it now.
        reminders: All that are not deleted, oldest first.
    """

    task: Task
    may_change: bool
    owner_zone: str
    json: str
    reminders: tuple[Reminder, ...]


class TaskReader(Protocol):
    """Looks at tasks; changes nothing."""

    async def get(self, account_id: AccountId, task_id: TaskId) -> TaskAnswer | None:
        """Return a task the account may see."""
        ...

    async def page(self, account_id: AccountId, query: TaskQuery, after: Place | None) -> TaskPage:
        """Return up to `query.limit` tasks the account may see."""
        ...


class TaskStore(Protocol):
    """Changes tasks inside a transaction."""

    async def lock(self, account_id: AccountId, task_id: TaskId) -> LockedTask | None:
        """Lock a task the account may see; wait for whoever holds it."""
        ...

    async def lock_next(self, account_id: AccountId, task_id: TaskId) -> LockedTask | None:
        """Lock the occurrence that the completion of this one made, None if there is none (any more).

        One that was completed before it was deleted is still there: occurrences behind it may be.
        """
        ...

    async def lock_floating(self, account_id: AccountId, zone: str) -> Sequence[LockedTask]:
        """Lock the open tasks with a due date that follow this account's clock, and are not read in `zone` yet."""
        ...

    async def insert(self, task: Task) -> str:
        """Add a task and return its JSON."""
        ...

    async def save(self, task: Task) -> str:
        """Write every column of a locked task, its version raised by one, and return its JSON."""
        ...

    async def json(self, task_id: TaskId) -> str:
        """Return the JSON of a task as this transaction has left it."""
        ...

    async def touch(self, task_id: TaskId, now: datetime) -> tuple[int, str]:
        """Raise a locked task's version, because what hangs on it changed; return version and JSON."""
        ...

    async def delete(self, task_id: TaskId, now: datetime) -> None:
        """Mark a locked task as deleted."""
        ...

    async def read_in(self, task_id: TaskId, zone: str) -> None:
        """Note that a locked task, in which nothing else changed, is read in another zone now."""
        ...
