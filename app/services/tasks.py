"""Use cases around tasks: one public method is one transaction."""

from app.domain.ids import TaskId
from app.domain.task import TaskChanges, TaskDraft
from app.services.context import Context
from app.services.queries import TaskQuery
from app.services.results import Stored


class TaskService:
    """Creates, changes, completes and lists tasks of the projects the caller belongs to.

    A foreign id is refused exactly like an unknown one, with `NotFoundError`.
    """

    async def create_task(self, context: Context, draft: TaskDraft) -> Stored:
        """Create a task in the caller's Inbox."""
        raise NotImplementedError

    async def get_task(self, context: Context, task_id: TaskId) -> Stored:
        """Return a task."""
        raise NotImplementedError

    async def list_tasks(self, context: Context, query: TaskQuery) -> bytes:
        """Return `{items, nextCursor}`."""
        raise NotImplementedError

    async def patch_task(
        self, context: Context, task_id: TaskId, changes: TaskChanges, expected: int | None = None
    ) -> Stored:
        """Change the named fields; may complete or reopen. What changes nothing writes nothing."""
        raise NotImplementedError

    async def replace_task(
        self, context: Context, task_id: TaskId, draft: TaskDraft, expected: int | None = None
    ) -> Stored:
        """Set every writable field."""
        raise NotImplementedError

    async def delete_task(self, context: Context, task_id: TaskId, expected: int | None = None) -> None:
        """Delete a task."""
        raise NotImplementedError

    async def complete_task(self, context: Context, task_id: TaskId, expected: int | None = None) -> Stored:
        """Complete a task; the JSON is `{task, next}`."""
        raise NotImplementedError

    async def reopen_task(self, context: Context, task_id: TaskId) -> Stored:
        """Undo a completion exactly."""
        raise NotImplementedError
