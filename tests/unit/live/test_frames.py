"""What an event looks like on the wire."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any
from uuid import UUID

from app.domain.ids import ReminderId
from app.web.live.frames import event_frame
from tests.unit.actors.fakes import ACCOUNT, event
from tests.unit.live.sockets import said

if TYPE_CHECKING:
    from app.domain.events import RecordedEvent


def frame(recorded: RecordedEvent) -> dict[str, Any]:
    return said(event_frame(recorded))


def test_a_change_of_a_task_shows_the_task_as_it_is_now() -> None:
    assert frame(event(7)) == {
        "type": "task.updated",
        "position": 7,
        "taskId": str(UUID(int=8)),
        "task": {"title": "x"},
        "actor": str(ACCOUNT),
        "requestId": "request-7",
        "at": "2026-11-23T12:00:00Z",
    }


def test_a_deleted_task_is_null() -> None:
    shown = frame(replace(event(1, kind="task.deleted"), after=None))

    assert (shown["task"], shown["taskId"]) == (None, str(UUID(int=8)))


def test_what_happens_to_a_reminder_shows_both_it_and_its_task() -> None:
    fired = replace(
        event(1, kind="reminder.fired"),
        account_id=None,
        reminder_id=ReminderId(UUID(int=5)),
        after='{"state": "fired"}',
        detail='{"task": {"title": "x"}}',
    )

    shown = frame(fired)

    assert (shown["reminder"], shown["task"], shown["actor"]) == ({"state": "fired"}, {"title": "x"}, "system")
    assert frame(replace(fired, after=None))["reminder"] is None


def test_a_change_of_the_profile_shows_the_person() -> None:
    shown = frame(replace(event(1, kind="account.updated"), task_id=None, after='{"name": "Ada"}'))

    assert (shown["task"], shown["taskId"], shown["user"]) == (None, None, {"name": "Ada"})
