"""Looking at a recurrence before it is stored."""

from typing import Final

from app.web.answer import Answer
from app.web.api import documents
from app.web.api.bodies import NoQuery, Preview
from app.web.api.endpoint import Backend, Call, Endpoint


async def preview(backend: Backend, call: Call[Preview, NoQuery]) -> Answer:
    """List occurrences, the next due date, and the rule in words."""
    return Answer(200, await backend.services.recurrence.preview(call.context, call.body.query()))


ENDPOINTS: Final = (
    Endpoint(
        method="POST",
        path="/api/recurrence/preview",
        handler=preview,
        operation="previewRecurrence",
        summary="Preview a recurrence",
        description=(
            "Stores nothing. `next` is the due date after completing at `completedAt`, else now. Times without an "
            "offset are those on the wall in `timeZone`, else in the account's zone; what comes back is in UTC."
        ),
        tag="Recurrence",
        body=Preview,
        example={"rule": "FREQ=MONTHLY;BYMONTHDAY=-1", "start": "2026-11-30", "count": 5},
        answer=documents.RecurrencePreview,
    ),
)
