"""Events as use cases tell them: who, in which request, in which trace."""

from dataclasses import dataclass
from datetime import datetime

import orjson

from app.domain.events import NewEvent
from app.domain.ids import AccountId, EventId, ProjectId, ReminderId, SessionId, TaskId, new_id
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
        who = self.context.principal
        account_id: AccountId | None = None if who is None else who.account_id
        session_id: SessionId | None = None if who is None else who.session_id
        event = NewEvent(
            id=EventId(new_id(self.now)),
            type=event_type,
            project_id=project_id,
            task_id=task_id,
            reminder_id=reminder_id,
            account_id=account_id,
            session_id=session_id,
            request_id=self.context.request_id,
            traceparent=tracing.current_traceparent() or self.context.traceparent,
            occurred_at=self.now,
            before=before,
            after=after,
            detail=detail,
        )
        self.work.record(event)


def detail_of(**fields: object) -> str:
    """Return the JSON text of an object."""
    return orjson.dumps(fields, default=str).decode()  # ids that PostgreSQL gave are not quite UUIDs
