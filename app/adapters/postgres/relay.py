"""The relay's SQL: positions for committed events, and reading them back in that order.

``seq`` is assigned before commit, so a cursor over it skips events of transactions that commit late (33 % lost with 8
writers, see tests/integration/actors/test_relay.py). Positions are assigned to what is committed, under a lock, by the
holder of the lease: gapless and monotonic whatever commits when. Two changes of one task never commit out of ``seq``
order, because the second writer waits for the first one's row lock before it inserts; so order per task is kept. What
becomes of a reminder (fired, snoozed) is no change of its task: it is in order per reminder.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from app.adapters.postgres.statements import name
from app.domain.events import RecordedEvent

if TYPE_CHECKING:
    from uuid import UUID

    from app.adapters.postgres.database import Database

CHANNEL: Final = "rondo_events"

HOLD_LEASE: Final = """
    INSERT INTO leases AS l (name, holder, expires_at) VALUES ('relay', $1, now() + make_interval(secs => $2))
    ON CONFLICT (name) DO UPDATE SET holder = excluded.holder, expires_at = excluded.expires_at,
        term = l.term + (l.holder <> excluded.holder)::int
    WHERE l.holder = excluded.holder OR l.expires_at < now()
    RETURNING term
"""
PUBLISH: Final = name("SELECT publish_events($1, $2, $3)", operation="UPDATE", table="events")
COLUMNS: Final = """
    e.position, e.id, e.type, e.project_id, e.task_id, e.reminder_id, e.account_id, e.session_id, e.request_id,
    e.traceparent, e.occurred_at, e.before::text AS before, e.after::text AS after, e.detail::text AS detail
"""
AFTER: Final = f"""
    SELECT {COLUMNS}, ARRAY(SELECT m.account_id FROM memberships m WHERE m.project_id = e.project_id) AS audience
    FROM events e WHERE e.position > $1 ORDER BY e.position LIMIT $2
"""  # noqa: S608 - only our own constant is interpolated
AFTER_FOR: Final = f"""
    SELECT {COLUMNS}, ARRAY[$1::uuid] AS audience
    FROM events e JOIN memberships m ON m.project_id = e.project_id AND m.account_id = $1
    WHERE e.position > $2 ORDER BY e.position LIMIT $3
"""  # noqa: S608 - only our own constant is interpolated
COUNT_AFTER_FOR: Final = """
    SELECT count(*) FROM (
        SELECT FROM events e JOIN memberships m ON m.project_id = e.project_id AND m.account_id = $1
        WHERE e.position > $2 LIMIT $3) AS behind
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class PostgresPublisher:
    """Implements ``app.ports.following.Publisher``.

    Attributes:
        holder: Names this installation, not this run of it.
        teller: Names this process: the text of its notifications.
    """

    database: Database
    holder: UUID
    teller: str = ""

    async def hold_lease(self, lease_seconds: float) -> bool:
        """See the port."""
        return await self.database.fetchval(HOLD_LEASE, self.holder, lease_seconds) is not None

    async def publish(self, limit: int) -> int:
        """See the port; the work is ``publish_events`` in migration 0008."""
        published: int = await self.database.fetchval(PUBLISH, self.holder, limit, self.teller)
        return published


@dataclass(frozen=True, slots=True, kw_only=True)
class PostgresEventReader:
    """Implements ``app.ports.following.EventReader``."""

    database: Database

    async def last_position(self) -> int:
        """See the port."""
        position: int = await self.database.fetchval("SELECT last_position FROM relay_state")
        return position

    async def after(self, position: int, limit: int) -> tuple[RecordedEvent, ...]:
        """See the port."""
        return tuple(_event(row) for row in await self.database.fetch(AFTER, position, limit))

    async def after_for(self, account_id: UUID, position: int, limit: int) -> tuple[RecordedEvent, ...]:
        """See the port."""
        return tuple(_event(row) for row in await self.database.fetch(AFTER_FOR, account_id, position, limit))

    async def count_after_for(self, account_id: UUID, position: int, limit: int) -> int:
        """See the port."""
        count: int = await self.database.fetchval(COUNT_AFTER_FOR, account_id, position, limit)
        return count


def _event(row: Any) -> RecordedEvent:
    values = dict(row)
    values["audience"] = tuple(values["audience"])
    return RecordedEvent(**values)
