"""Dead letters in SQL: what a follower or a mailbox could not get handled, and sending it again.

A letter of the event log points to its event, so sending it again is a row in `requeued_events`: the follower takes it
off in the transaction of its effect, which so happens exactly once. A bounded number is kept; the oldest make room.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from app.adapters.postgres.events import insert_events
from app.domain.errors import AlreadyRequeuedError, NotFoundError, NotRequeueableError
from app.ports.dead_letters import Requeued

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from uuid import UUID

    from app.adapters.postgres.connection import Connection
    from app.adapters.postgres.database import Database
    from app.domain.events import NewEvent
    from app.ports.dead_letters import Letter

# As many as the process keeps in memory: who has not looked at a thousand looks at the counts first.
KEPT: Final = 1_000
MAX_CHARACTERS: Final = 8_000

SAVE: Final = """
    INSERT INTO dead_letters (id, actor, reason, payload, error, stack, traceparent, attempts, created_at)
    VALUES ($1, $2, $3, to_jsonb($4::text), $5, $6, $7, 1, $8) ON CONFLICT (id) DO NOTHING
"""
BURY: Final = """
    INSERT INTO dead_letters
        (id, actor, reason, position, payload, error, stack, traceparent, attempts, created_at, requeued_from)
    SELECT $1, $2, 'crashed', e.position, dead_letter_payload(e), $4, $5, e.traceparent, $6, now(), $7
    FROM events e WHERE e.position = $3
"""
MAKE_ROOM: Final = """
    DELETE FROM dead_letters WHERE id IN (SELECT id FROM dead_letters ORDER BY created_at DESC, id DESC OFFSET $1)
"""
PAGE: Final = """
    SELECT json_build_object(
        'items', coalesce((
            SELECT json_agg(dead_letter_json(l) ORDER BY l.created_at DESC, l.id DESC)
            FROM (SELECT * FROM dead_letters WHERE $1::text IS NULL OR actor = $1
                  ORDER BY created_at DESC, id DESC LIMIT $2) AS l), '[]'::json),
        'counts', coalesce((
            SELECT json_agg(json_build_object('actor', c.actor, 'reason', c.reason, 'count', c.count)
                            ORDER BY c.actor, c.reason)
            FROM (SELECT actor, reason, count(*) FROM dead_letters GROUP BY actor, reason) AS c), '[]'::json))::text
"""
LOCK: Final = """
    SELECT actor, position, requeued_at IS NOT NULL AS requeued,
           nullif(split_part(coalesce(traceparent, ''), '-', 2), '') AS trace_id
    FROM dead_letters WHERE id = $1 FOR UPDATE
"""
REQUEUE: Final = """
    WITH marked AS (UPDATE dead_letters SET requeued_at = now(), requeued_as = $2 WHERE id = $1 RETURNING *)
    INSERT INTO requeued_events (id, consumer, position, letter_id, requeued_at)
    SELECT $2, actor, position, id, now() FROM marked
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class PostgresDeadLetters:
    """Implements ``app.ports.dead_letters.DeadLetterArchive``, and the store of ``actors.dead_letters``."""

    database: Database
    kept: int = KEPT

    async def save(self, letters: Sequence[Letter]) -> None:
        """Keep letters of mailboxes; those it has already are no error."""
        async with self.database.transaction() as connection:
            for letter in letters:
                await connection.execute(
                    SAVE,
                    letter.id,
                    letter.actor,
                    letter.reason,
                    storable(letter.payload),
                    storable(letter.error or ""),
                    storable(letter.stack or ""),
                    letter.traceparent,
                    letter.died_at,
                )
            await connection.execute(MAKE_ROOM, self.kept)

    async def page(self, actor: str | None, limit: int) -> bytes:
        """See the port."""
        text: str = await self.database.fetchval(PAGE, actor, limit)
        return text.encode()

    async def requeue(self, letter_id: UUID, new_id: UUID, told: Callable[[Requeued], NewEvent]) -> Requeued:
        """See the port."""
        async with self.database.transaction() as connection:
            letter = await connection.fetchrow(LOCK, letter_id)
            if letter is None:
                raise NotFoundError
            if letter["requeued"]:
                raise AlreadyRequeuedError
            if letter["position"] is None:
                raise NotRequeueableError
            await connection.execute(REQUEUE, letter_id, new_id)
            requeued = Requeued(
                id=new_id,
                letter=letter_id,
                actor=letter["actor"],
                position=letter["position"],
                trace_id=letter["trace_id"],
            )
            await insert_events(connection, [told(requeued)])
        return requeued


@dataclass(frozen=True, slots=True, kw_only=True)
class Death:
    """A follower's event that will not be handled: which, who should have, how often it tried, and what it met."""

    id: UUID
    actor: str
    position: int
    attempts: int
    error: str
    stack: str
    requeued_from: UUID | None = None


async def bury(connection: Connection, death: Death, kept: int = KEPT) -> None:
    """Write the letter of an event, in the caller's transaction, and make room for it."""
    await connection.execute(
        BURY,
        death.id,
        death.actor,
        death.position,
        storable(death.error),
        storable(death.stack),
        death.attempts,
        death.requeued_from,
    )
    await connection.execute(MAKE_ROOM, kept)


def storable(text: str) -> str:
    """Return the end of a text without what PostgreSQL's text cannot hold: NUL and lone surrogates."""
    return text.replace("\0", "")[-MAX_CHARACTERS:].encode("utf-8", "backslashreplace").decode()
