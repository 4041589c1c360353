"""Whole writes in one statement: the row, its event and the kept answer become true together, in one round trip.

Only where no rule has to be asked. Each method returns None, having done nothing, whenever there is anything to decide
or to refuse: the task repeats or reminds, is not there, is of another version, is being changed by somebody else, or
already is as it should be; or the key was used before. A unit of work then finds out and does what is right.
"""

from datetime import datetime
from typing import Protocol

from app.domain.ids import AccountId, EventId, SessionId, TaskId
from app.domain.task import Task, TaskChanges
from app.domain.value import value
from app.ports.tasks import TaskAnswer


@value
class Signature:
    """Who writes, when, and in which request.

    Attributes:
        event_id: Of the event that will tell of it.
        at: The current instant.
        key: The `Idempotency-Key` under which the answer is kept, None if it is not.
        request_hash: Of the request with that key.
    """

    event_id: EventId
    account_id: AccountId
    session_id: SessionId
    at: datetime
    request_id: str | None = None
    traceparent: str | None = None
    key: str | None = None
    request_hash: bytes | None = None


class TaskShortcuts(Protocol):
    """Changes one task at once, if it can be done without looking.

    Raises:
        OutcomeUnknownError: From every method: PostgreSQL was lost while it wrote.
        DatabaseUnavailableError: From every method: nothing was written.
    """

    async def create(self, task: Task, by: Signature) -> TaskAnswer | None:
        """Add a task."""
        ...

    async def edit(
        self, task_id: TaskId, changes: TaskChanges, expected: frozenset[int] | None, by: Signature
    ) -> TaskAnswer | None:
        """Change title, description, priority and tags as far as they are named; nothing else may be named."""
        ...

    async def complete(self, task_id: TaskId, expected: frozenset[int] | None, by: Signature) -> TaskAnswer | None:
        """Complete an open task that does not repeat and reminds nobody."""
        ...

    async def reopen(self, task_id: TaskId, expected: frozenset[int] | None, by: Signature) -> TaskAnswer | None:
        """Reopen a completed task that does not repeat, reminds nobody and has no next occurrence."""
        ...

    async def delete(self, task_id: TaskId, expected: frozenset[int] | None, by: Signature) -> TaskAnswer | None:
        """Delete a task that does not repeat and reminds nobody; the answer is the task as it was."""
        ...
