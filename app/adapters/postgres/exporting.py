"""Everything of an account in SQL, a page at a time."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from app.adapters.postgres.database import Database
from app.domain.ids import AccountId
from app.ports.own_account import ExportPage

# A description has at most 64 kB, so a page has a few megabytes at most.
PAGE: Final = 100

# Each returns `key` and `json` of the entries after a key (null: from the start), in the order of the key.
SESSIONS: Final = """
    SELECT s.id AS key, json_build_object('id', s.id, 'createdAt', instant_text(s.created_at),
        'lastSeenAt', instant_text(s.last_seen_at), 'client', s.client, 'address', s.address,
        'expiresAt', instant_text(s.expires_at), 'revokedAt', instant_text(s.revoked_at))::text AS json
    FROM sessions s WHERE s.account_id = $1 AND ($2::uuid IS NULL OR s.id > $2) ORDER BY s.id LIMIT $3
"""
TASKS: Final = """
    SELECT t.id AS key, t.json
    FROM tasks t JOIN memberships m ON m.project_id = t.project_id AND m.account_id = $1
    WHERE t.deleted_at IS NULL AND ($2::uuid IS NULL OR t.id > $2) ORDER BY t.id LIMIT $3
"""
DELETED_TASKS: Final = """
    SELECT t.id AS key, json_build_object('deletedAt', instant_text(t.deleted_at), 'task', t.json::json)::text AS json
    FROM tasks t JOIN memberships m ON m.project_id = t.project_id AND m.account_id = $1
    WHERE t.deleted_at IS NOT NULL AND ($2::uuid IS NULL OR t.id > $2) ORDER BY t.id LIMIT $3
"""
REMINDERS: Final = """
    SELECT r.id AS key, reminder_json(r)::text AS json
    FROM reminders r WHERE r.account_id = $1 AND ($2::uuid IS NULL OR r.id > $2) ORDER BY r.id LIMIT $3
"""
DELIVERIES: Final = """
    SELECT d.id AS key, json_build_object('id', d.id, 'reminderId', d.reminder_id, 'channel', d.channel,
        'address', d.address, 'state', d.state, 'dueAt', instant_text(d.due_at),
        'finishedAt', instant_text(d.finished_at), 'attempts', coalesce((
            SELECT json_agg(json_build_object('attempt', a.attempt, 'at', instant_text(a.started_at),
                'finishedAt', instant_text(a.finished_at), 'outcome', a.outcome, 'response', a.response)
                ORDER BY a.attempt)
            FROM delivery_attempts a WHERE a.delivery_id = d.id), '[]'::json))::text AS json
    FROM deliveries d JOIN reminders r ON r.id = d.reminder_id
    WHERE r.account_id = $1 AND ($2::uuid IS NULL OR d.id > $2) ORDER BY d.id LIMIT $3
"""
OCCURRENCES: Final = """
    SELECT o.series_id || ' ' || o.occurrence AS key, json_build_object('seriesId', o.series_id,
        'occurrence', o.occurrence, 'taskId', o.task_id, 'state', o.state, 'due', o.due,
        'completedAt', instant_text(o.completed_at))::text AS json
    FROM occurrences o JOIN memberships m ON m.project_id = o.project_id AND m.account_id = $1
    WHERE $2::text IS NULL OR (o.series_id || ' ' || o.occurrence) COLLATE "C" > $2
    ORDER BY (o.series_id || ' ' || o.occurrence) COLLATE "C" LIMIT $3
"""
AUDIT: Final = """
    SELECT a.position AS key, audit_json(a)::text AS json
    FROM audit_log a JOIN memberships m ON m.project_id = a.project_id AND m.account_id = $1
    WHERE $2::bigint IS NULL OR a.position > $2 ORDER BY a.position LIMIT $3
"""
SECTIONS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "sessions": SESSIONS,
        "tasks": TASKS,
        "deletedTasks": DELETED_TASKS,
        "reminders": REMINDERS,
        "deliveries": DELIVERIES,
        "occurrences": OCCURRENCES,
        "audit": AUDIT,
    }
)


@dataclass(frozen=True, slots=True)
class PostgresExporter:
    """Implements `app.ports.own_account.Exporter`."""

    database: Database

    @property
    def sections(self) -> Sequence[str]:
        """See the port."""
        return tuple(SECTIONS)

    async def page(self, section: str, account_id: AccountId, after: object | None) -> ExportPage:
        """See the port."""
        rows = await self.database.fetch(SECTIONS[section], account_id, after, PAGE)
        return ExportPage(entries=[row["json"] for row in rows], after=rows[-1]["key"] if len(rows) == PAGE else None)
