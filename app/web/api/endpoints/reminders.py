"""Reminders of a task, and what became of them."""

from typing import Final, TypeAlias

from app.domain.ids import ReminderId, TaskId
from app.services.results import Stored
from app.web.answer import Answer
from app.web.api import documents
from app.web.api.bodies import NewReminder, NoQuery, Snooze
from app.web.api.endpoint import Backend, Call, Endpoint, Link

Bare: TypeAlias = Call[None, NoQuery]

_BY_ID: Final = {"id": "$response.body#/id"}


async def add_reminder(backend: Backend, call: Call[NewReminder, NoQuery]) -> Answer:
    """Set a reminder for the caller."""
    added = await backend.services.reminders.add_reminder(call.context, TaskId(call.target), call.body.draft())
    return _reminder(added, status=201)


async def list_reminders(backend: Backend, call: Bare) -> Answer:
    """List the reminders of a task."""
    return Answer(200, await backend.services.reminders.list_reminders(call.context, TaskId(call.target)))


async def delete_reminder(backend: Backend, call: Bare) -> Answer:
    """Remove a reminder."""
    await backend.services.reminders.delete_reminder(call.context, ReminderId(call.target))
    return Answer(204)


async def acknowledge(backend: Backend, call: Bare) -> Answer:
    """Say that a reminder was seen."""
    return _reminder(await backend.services.reminders.acknowledge(call.context, ReminderId(call.target)))


async def snooze(backend: Backend, call: Call[Snooze, NoQuery]) -> Answer:
    """Let a reminder fire again later."""
    until = call.body.until
    return _reminder(await backend.services.reminders.snooze(call.context, ReminderId(call.target), until))


async def list_deliveries(backend: Backend, call: Bare) -> Answer:
    """List every attempt to deliver a reminder."""
    return Answer(200, await backend.services.reminders.list_deliveries(call.context, ReminderId(call.target)))


def _reminder(stored: Stored, status: int = 200) -> Answer:
    return Answer(status, stored.json, replayed=stored.replayed)


ENDPOINTS: Final = (
    Endpoint(
        method="POST",
        path="/api/tasks/{id}/reminders",
        handler=add_reminder,
        operation="addReminder",
        summary="Set a reminder",
        description=(
            "At an instant (`remindAt`), or some time before the task is due (`before`), which then moves with it; a "
            "date without a time counts as 09:00. Without `channels` the installation's default is used."
        ),
        tag="Reminders",
        body=NewReminder,
        example={"before": "PT15M", "channels": ["email"]},
        success=201,
        answer=documents.Reminder,
        idempotent=True,
        refusals=("not_found",),
        links={
            "acknowledge": Link(operation="acknowledgeReminder", parameters=_BY_ID),
            "snooze": Link(operation="snoozeReminder", parameters=_BY_ID),
            "deliveries": Link(operation="listDeliveries", parameters=_BY_ID),
            "delete": Link(operation="deleteReminder", parameters=_BY_ID),
        },
    ),
    Endpoint(
        method="GET",
        path="/api/tasks/{id}/reminders",
        handler=list_reminders,
        operation="listReminders",
        summary="List the reminders of a task",
        tag="Reminders",
        answer=documents.ReminderList,
        refusals=("not_found",),
    ),
    Endpoint(
        method="DELETE",
        path="/api/reminders/{id}",
        handler=delete_reminder,
        operation="deleteReminder",
        summary="Remove a reminder",
        tag="Reminders",
        success=204,
        refusals=("not_found",),
    ),
    Endpoint(
        method="POST",
        path="/api/reminders/{id}/acknowledge",
        handler=acknowledge,
        operation="acknowledgeReminder",
        summary="Acknowledge a reminder that fired",
        tag="Reminders",
        answer=documents.Reminder,
        idempotent=True,
        refusals=("not_found", "reminder_state"),
    ),
    Endpoint(
        method="POST",
        path="/api/reminders/{id}/snooze",
        handler=snooze,
        operation="snoozeReminder",
        summary="Let a reminder fire again later",
        tag="Reminders",
        body=Snooze,
        example={"until": "2099-11-27T10:00:00Z"},  # what works today has to work tomorrow
        answer=documents.Reminder,
        idempotent=True,
        refusals=("not_found", "reminder_state"),
    ),
    Endpoint(
        method="GET",
        path="/api/reminders/{id}/deliveries",
        handler=list_deliveries,
        operation="listDeliveries",
        summary="List every attempt to deliver a reminder",
        tag="Reminders",
        answer=documents.DeliveryList,
        refusals=("not_found",),
    ),
)
