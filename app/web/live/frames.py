"""What goes over the WebSocket, encoded once per event however many sockets see it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import orjson

from app.domain.events import ACCOUNT_REGISTERED, BY_OPERATORS
from app.web.server.websocket import text_frame

if TYPE_CHECKING:
    from uuid import UUID

    from app.domain.events import RecordedEvent

SYSTEM_ACTOR: Final = "system"

# Nobody was connected when it happened, or no list shows it: to whoever is connected it is not a change.
SILENT: Final = frozenset({ACCOUNT_REGISTERED}) | BY_OPERATORS

PONG: Final = text_frame(b'{"type":"pong"}')
RESET: Final = text_frame(b'{"type":"reset"}')


def hello(position: int, user_id: UUID) -> bytes:
    """Return the first frame after authentication."""
    return text_frame(orjson.dumps({"type": "hello", "position": position, "userId": str(user_id)}))


def error(code: str, message: str) -> bytes:
    """Return the frame that answers a message we do not understand; the connection stays."""
    return text_frame(orjson.dumps({"type": "error", "code": code, "message": message}))


def event_frame(event: RecordedEvent) -> bytes:
    """Return the frame of a published event; the task's JSON is passed through as PostgreSQL wrote it."""
    frame: dict[str, Any] = {
        "type": event.type,
        "position": event.position,
        "taskId": None if event.task_id is None else str(event.task_id),
        "task": _task(event),
        "actor": SYSTEM_ACTOR if event.account_id is None else str(event.account_id),
        "requestId": event.request_id,
        "at": event.occurred_at.isoformat().replace("+00:00", "Z"),
    }
    if event.reminder_id is not None:
        frame["reminder"] = orjson.Fragment(event.after or "null")
    elif event.task_id is None:
        frame["user"] = orjson.Fragment(event.after or "null")
    return text_frame(orjson.dumps(frame))


def _task(event: RecordedEvent) -> Any:
    if event.reminder_id is not None:
        return orjson.loads(event.detail).get("task")
    if event.task_id is None:
        return None
    return orjson.Fragment(event.after or "null")
