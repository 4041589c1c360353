"""Writing events in SQL: all of a transaction in one statement, in the order in which they happened."""

from collections.abc import Sequence
from typing import Final

from app.adapters.postgres.connection import Connection
from app.domain.events import NewEvent

# A statement of its own: `executemany` would take one row at a time.
INSERT: Final = """
    INSERT INTO events (id, type, project_id, task_id, reminder_id, account_id, session_id, request_id, traceparent,
                        occurred_at, before, after, detail)
    SELECT e.id, e.type, e.project_id, e.task_id, e.reminder_id, e.account_id, e.session_id, e.request_id,
           e.traceparent, e.occurred_at, e.before::jsonb, e.after::jsonb, e.detail::jsonb
    FROM unnest($1::uuid[], $2::text[], $3::uuid[], $4::uuid[], $5::uuid[], $6::uuid[], $7::uuid[], $8::text[],
                $9::text[], $10::timestamptz[], $11::text[], $12::text[], $13::text[])
         WITH ORDINALITY AS e (id, type, project_id, task_id, reminder_id, account_id, session_id, request_id,
                               traceparent, occurred_at, before, after, detail, place)
    ORDER BY e.place
"""


async def insert_events(connection: Connection, events: Sequence[NewEvent]) -> None:
    """Write events of the transaction that the connection is in."""
    rows = [
        (
            event.id,
            event.type,
            event.project_id,
            event.task_id,
            event.reminder_id,
            event.account_id,
            event.session_id,
            event.request_id,
            event.traceparent,
            event.occurred_at,
            event.before,
            event.after,
            event.detail,
        )
        for event in events
    ]
    await connection.execute(INSERT, *(list(column) for column in zip(*rows, strict=True)))
