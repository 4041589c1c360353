"""Events as use cases tell them: who, in which request, in which trace."""

from dataclasses import dataclass, replace
from datetime import datetime

import orjson

from app.domain.events import NewEvent
from app.domain.ids import EventId, ProjectId, ReminderId, TaskId, new_id
from app.ports.shortcuts import Signature
from app.ports.unit_of_work import UnitOfWork
from app.services.context import Context
from monitoring import tracing


@dataclass(frozen=True, slots=True)
class Recorder:
    """Records the events of one use case. Without a principal Rondo itself did it."""

    work: UnitOfWork
    context: Context
    now: datetime

    def record(
        self,
        event_type: str,
        project_id: ProjectId,
        *,
        task_id: TaskId | None = None,
        reminder_id: ReminderId | None = None,
        before: str | None = None,
        after: str | None = None,
        detail: str = "{}",
    ) -> None:
        """Record an event; `before`, `after` and `detail` are JSON text. Not a checkpoint."""
        event = new_event(self.context, self.now, event_type, project_id, before=before, after=after, detail=detail)
        self.work.record(replace(event, task_id=task_id, reminder_id=reminder_id))


def new_event(
    context: Context,
    now: datetime,
    event_type: str,
    project_id: ProjectId,
    *,
    before: str | None = None,
    after: str | None = None,
    detail: str = "{}",
) -> NewEvent:
    """Return an event that tells who did it, in which request and in which trace."""
    who = context.principal
    return NewEvent(
        id=EventId(new_id(now)),
        type=event_type,
        project_id=project_id,
        account_id=None if who is None else who.account_id,
        session_id=None if who is None else who.session_id,
        request_id=context.request_id,
        traceparent=tracing.current_traceparent() or context.traceparent,
        occurred_at=now,
        before=before,
        after=after,
        detail=detail,
    )


def signature(context: Context, now: datetime) -> Signature:
    """Return what a write in one statement says of whoever asks for it."""
    caller, promise = context.caller, context.idempotency
    return Signature(
        event_id=EventId(new_id(now)),
        account_id=caller.account_id,
        session_id=caller.session_id,
        at=now,
        request_id=context.request_id,
        traceparent=tracing.current_traceparent() or context.traceparent,
        key=None if promise is None else promise.key,
        request_hash=None if promise is None else promise.request_hash,
    )


def detail_of(**fields: object) -> str:
    """Return the JSON text of an object."""
    return orjson.dumps(fields, default=str).decode()  # ids that PostgreSQL gave are not quite UUIDs
