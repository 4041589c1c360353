"""`/api/tasks`: create, list, read, change, complete."""

from typing import Final, TypeAlias

from app.domain.ids import TaskId
from app.domain.unset import UNSET
from app.services.results import Stored
from app.web.answer import Answer, Header
from app.web.api import documents, preconditions
from app.web.api.bodies import READ_ONLY, ChangedTask, NewTask, NoQuery, ReplacedTask, TaskListQuery
from app.web.api.endpoint import Backend, Call, Endpoint, Link

Bare: TypeAlias = Call[None, NoQuery]

EXAMPLE: Final = {
    "title": "Water the plants",
    "description": "The fern too.",
    "priority": "high",
    "tags": ["home"],
    "dueDate": "2026-11-27",
    "timeZone": "Europe/Berlin",
    "recurrence": {"rule": "FREQ=WEEKLY;BYDAY=FR", "mode": "schedule", "missed": "skip"},
}
_BY_ID: Final = {"id": "$response.body#/id"}


async def create_task(backend: Backend, call: Call[NewTask, NoQuery]) -> Answer:
    """Create a task in the caller's Inbox."""
    stored = await backend.services.tasks.create_task(call.context, call.body.draft())
    location = (b"location", f"/api/tasks/{stored.id}".encode())
    return _task(stored, location, status=201)


async def list_tasks(backend: Backend, call: Call[None, TaskListQuery]) -> Answer:
    """List the tasks the caller may see."""
    return Answer(200, await backend.services.tasks.list_tasks(call.context, call.query.query()))


async def get_task(backend: Backend, call: Bare) -> Answer:
    """Return one task, or 304 if the caller has it."""
    stored = await backend.services.tasks.get_task(call.context, TaskId(call.target))
    if call.if_none_match is not None and call.if_none_match.has(stored.version):
        return Answer(304, headers=((b"etag", preconditions.etag(stored.version)),))
    return _task(stored)


async def replace_task(backend: Backend, call: Call[ReplacedTask, NoQuery]) -> Answer:
    """Set every writable field."""
    tasks, task_id = backend.services.tasks, TaskId(call.target)
    expected = _expected(call.if_match)
    if call.body.completed is UNSET:
        return _task(await tasks.replace_task(call.context, task_id, call.body.draft(), expected))
    return _task(await tasks.patch_task(call.context, task_id, call.body.changes(), expected))


async def patch_task(backend: Backend, call: Call[ChangedTask, NoQuery]) -> Answer:
    """Change the fields that are named."""
    expected = _expected(call.if_match)
    changes = call.body.changes()
    return _task(await backend.services.tasks.patch_task(call.context, TaskId(call.target), changes, expected))


async def delete_task(backend: Backend, call: Bare) -> Answer:
    """Delete a task."""
    expected = _expected(call.if_match)
    await backend.services.tasks.delete_task(call.context, TaskId(call.target), expected)
    return Answer(204)


async def complete_task(backend: Backend, call: Bare) -> Answer:
    """Complete a task; a recurring one gets its next occurrence."""
    expected = _expected(call.if_match)
    return _task(await backend.services.tasks.complete_task(call.context, TaskId(call.target), expected))


async def reopen_task(backend: Backend, call: Bare) -> Answer:
    """Undo a completion."""
    return _task(await backend.services.tasks.reopen_task(call.context, TaskId(call.target)))


def _task(stored: Stored, *more: Header, status: int = 200) -> Answer:
    etag = (b"etag", preconditions.etag(stored.version))
    return Answer(status, stored.json, headers=(etag, *more), replayed=stored.replayed)


def _expected(wanted: preconditions.EntityTags | None) -> frozenset[int] | None:
    """Return the versions that `If-Match` takes, None if it takes any.

    Whoever holds the task compares them, and not before it is known whether the request is a repetition: that is
    answered as the first time, whose change has made the version another one.
    """
    return None if wanted is None or wanted.every else wanted.strong


ENDPOINTS: Final = (
    Endpoint(
        method="POST",
        path="/api/tasks",
        handler=create_task,
        operation="createTask",
        summary="Create a task",
        description="Only `title` must be given. What only the server writes is skipped.",
        tag="Tasks",
        own_limit=True,
        body=NewTask,
        read_only=READ_ONLY,
        example=EXAMPLE,
        success=201,
        answer=documents.Task,
        etag=True,
        idempotent=True,
        location=True,
        links={
            "get": Link(operation="getTask", parameters=_BY_ID),
            "replace": Link(operation="replaceTask", parameters=_BY_ID),
            "change": Link(operation="patchTask", parameters=_BY_ID),
            "complete": Link(operation="completeTask", parameters=_BY_ID),
            "delete": Link(operation="deleteTask", parameters=_BY_ID),
            "remind": Link(operation="addReminder", parameters=_BY_ID),
            "history": Link(operation="listTaskAudit", parameters=_BY_ID),
        },
    ),
    Endpoint(
        method="GET",
        path="/api/tasks",
        handler=list_tasks,
        operation="listTasks",
        summary="List, filter, sort and search tasks",
        description=(
            "`tags` must all be there; a comma in a tag is written `\\,`, and a backslash `\\\\`. `priority` takes any "
            "of several, `search` finds parts of words in title, description and tags. `dueAfter` includes its moment, "
            "`dueBefore` does not; a date is its midnight in UTC. Tasks without a due date come last either way. "
            "Without `order`, `createdAt` and `priority` go down, `dueDate` and `title` go up. `nextCursor` goes on "
            "with the same filters; null is the end."
        ),
        tag="Tasks",
        query=TaskListQuery,
        answer=documents.TaskPage,
    ),
    Endpoint(
        method="GET",
        path="/api/tasks/{id}",
        handler=get_task,
        operation="getTask",
        summary="Get a task",
        tag="Tasks",
        answer=documents.Task,
        etag=True,
        refusals=("not_found",),
    ),
    Endpoint(
        method="PUT",
        path="/api/tasks/{id}",
        handler=replace_task,
        operation="replaceTask",
        summary="Replace a task",
        description="Every writable field must be named; nothing is blanked in silence. `completed` may be left out.",
        tag="Tasks",
        own_limit=True,
        body=ReplacedTask,
        read_only=READ_ONLY,
        example=EXAMPLE,
        answer=documents.Task,
        etag=True,
        if_match=True,
        refusals=("not_found", "next_occurrence_completed"),
    ),
    Endpoint(
        method="PATCH",
        path="/api/tasks/{id}",
        handler=patch_task,
        operation="patchTask",
        summary="Change some fields of a task",
        description="A JSON merge patch (RFC 7396). `completed` completes or reopens.",
        tag="Tasks",
        own_limit=True,
        body=ChangedTask,
        read_only=READ_ONLY,
        merge_patch=True,
        example={"priority": "urgent", "dueDate": "2026-11-28"},
        answer=documents.Task,
        etag=True,
        if_match=True,
        refusals=("not_found", "next_occurrence_completed"),
    ),
    Endpoint(
        method="DELETE",
        path="/api/tasks/{id}",
        handler=delete_task,
        operation="deleteTask",
        summary="Delete a task",
        tag="Tasks",
        own_limit=True,
        success=204,
        if_match=True,
        refusals=("not_found",),
    ),
    Endpoint(
        method="POST",
        path="/api/tasks/{id}/complete",
        handler=complete_task,
        operation="completeTask",
        summary="Complete a task",
        description="`next` is the next occurrence of a recurring task, else null. The `ETag` is the completed task's.",
        tag="Tasks",
        own_limit=True,
        answer=documents.Completion,
        etag=True,
        if_match=True,
        idempotent=True,
        refusals=("not_found", "task_already_completed"),
        links={"undo": Link(operation="reopenTask", parameters={"id": "$response.body#/task/id"})},
    ),
    Endpoint(
        method="POST",
        path="/api/tasks/{id}/reopen",
        handler=reopen_task,
        operation="reopenTask",
        summary="Reopen a task",
        description="Undoes a completion exactly: due date, reminders, and the occurrence it made.",
        tag="Tasks",
        own_limit=True,
        answer=documents.Task,
        etag=True,
        idempotent=True,
        refusals=("not_found", "task_not_completed", "next_occurrence_completed"),
    ),
)
