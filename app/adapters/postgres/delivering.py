"""The delivery ledger's SQL: claims with a lease and a fencing term, attempts recorded before and after."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from app.ports.delivering import Delivery, Outcome

if TYPE_CHECKING:
    from uuid import UUID

    from app.adapters.postgres.database import Database

MAX_RESPONSE_CHARACTERS: Final = 500

# Nobody wants to be reminded of what is done, seen, put off or planned anew: a mail that still waits for its next
# attempt is not sent. A reminder keeps its occurrence when it fires, and the next one is armed with a higher one.
WANTED: Final = """
    t.completed_at IS NULL AND t.deleted_at IS NULL AND r.deleted_at IS NULL
    AND r.occurrence = d.occurrence AND r.state <> 'acknowledged'
"""
CANCEL_DONE: Final = f"""
    UPDATE deliveries d SET state = 'cancelled', next_attempt_at = NULL, claimed_until = NULL, finished_at = now()
    FROM reminders r JOIN tasks t ON t.id = r.task_id
    WHERE r.id = d.reminder_id AND d.state = 'pending' AND d.channel = $1 AND d.next_attempt_at <= now()
      AND NOT ({WANTED})
"""  # noqa: S608 - only our own constant is interpolated
# Asked again here, of the rows as they are when they are locked: who sees, puts off, completes or deletes it either was
# first, and it is not claimed, or waits for the claim. What is being changed at this moment is left for the next look.
CLAIM: Final = f"""
    WITH due AS (
        SELECT d.id FROM deliveries d JOIN reminders r ON r.id = d.reminder_id JOIN tasks t ON t.id = r.task_id
        WHERE d.state = 'pending' AND d.channel = $1 AND d.next_attempt_at <= now() AND {WANTED}
        ORDER BY d.next_attempt_at LIMIT $2 FOR UPDATE OF d SKIP LOCKED FOR SHARE OF r, t SKIP LOCKED
    ), claimed AS (
        UPDATE deliveries d
        SET attempts = d.attempts + 1, claim_term = d.claim_term + 1,
            claimed_until = now() + make_interval(secs => $3), next_attempt_at = now() + make_interval(secs => $3)
        FROM due WHERE d.id = due.id
        RETURNING d.*
    ), begun AS (
        INSERT INTO delivery_attempts (delivery_id, attempt, started_at) SELECT id, attempts, now() FROM claimed
    )
    SELECT c.id, c.claim_term AS term, c.attempts AS attempt, c.channel, c.address, c.message_id, c.due_at,
           c.traceparent, a.name AS account_name, a.time_zone, t.id AS task_id, t.title AS task_title,
           coalesce(t.due_on::text, instant_text(t.due_at)) AS task_due,
           extract(epoch FROM now() - c.due_at)::float8 AS late_seconds
    FROM claimed c JOIN reminders r ON r.id = c.reminder_id JOIN tasks t ON t.id = r.task_id
    JOIN accounts a ON a.id = r.account_id
"""  # noqa: S608 - only our own constant is interpolated
RECORD: Final = """
    WITH current AS (
        UPDATE deliveries SET state = $3, claimed_until = NULL,
            next_attempt_at = CASE WHEN $3 = 'pending' THEN now() + make_interval(secs => $4) END,
            finished_at = CASE WHEN $3 <> 'pending' THEN now() END
        WHERE id = $1 AND claim_term = $2 AND state = 'pending' RETURNING id, attempts
    )
    UPDATE delivery_attempts a SET finished_at = now(), outcome = $5, response = $6
    FROM current WHERE a.delivery_id = current.id AND a.attempt = current.attempts
    RETURNING a.attempt
"""
# A row or none, not min(): greatest() leaves nulls out, and "nothing waits" would become "at once".
SECONDS_TO_NEXT: Final = """
    SELECT greatest(extract(epoch FROM next_attempt_at - now()), 0)::float8
    FROM deliveries WHERE state = 'pending' AND channel = $1
    ORDER BY next_attempt_at LIMIT 1
"""
WAITING: Final = """
    SELECT count(*) FROM deliveries d JOIN reminders r ON r.id = d.reminder_id
    WHERE d.state = 'pending' AND d.channel = $2 AND r.account_id = $1 AND d.due_at <= now()
"""
STATE_AFTER: Final = {"sent": "sent", "retry": "pending", "failed": "failed"}


@dataclass(frozen=True, slots=True, kw_only=True)
class PostgresDeliveryLedger:
    """Implements ``app.ports.delivering.DeliveryLedger`` and ``Backlog``."""

    database: Database

    async def claim(self, channel: str, limit: int, lease_seconds: float) -> tuple[Delivery, ...]:
        """See the port."""
        await self.database.execute(CANCEL_DONE, channel)
        rows = await self.database.fetch(CLAIM, channel, limit, lease_seconds)
        return tuple(Delivery(**dict(row)) for row in rows)

    async def record(self, delivery: Delivery, outcome: Outcome, retry_seconds: float) -> bool:
        """See the port."""
        response = outcome.response.replace("\0", "")[:MAX_RESPONSE_CHARACTERS]
        state = STATE_AFTER[outcome.result]
        return (
            await self.database.fetchval(
                RECORD, delivery.id, delivery.term, state, retry_seconds, outcome.result, response
            )
            is not None
        )  # fmt: skip - one question

    async def seconds_to_next(self, channel: str) -> float | None:
        """See the port."""
        seconds: float | None = await self.database.fetchval(SECONDS_TO_NEXT, channel)
        return seconds

    async def waiting(self, account_id: UUID, channel: str) -> int:
        """See ``app.ports.delivering.Backlog``."""
        count: int = await self.database.fetchval(WAITING, account_id, channel)
        return count
