"""The audit trail in SQL. It is written by `append_audit` and checked by `verify_audit`, both in the migrations."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from app.adapters.postgres.database import Database
from app.domain.ids import AccountId, TaskId
from app.ports.audit import AuditLine, Verdict

# The newest of each project, then the newest of those.
PAGE: Final = """
    SELECT p.position, audit_json(p.entry)::text AS json
    FROM memberships m CROSS JOIN LATERAL (
        SELECT l AS entry, l.position FROM audit_log l
        WHERE l.project_id = m.project_id AND l.position < $2 ORDER BY l.position DESC LIMIT $3
    ) p
    WHERE m.account_id = $1 ORDER BY p.position DESC LIMIT $3
"""
# A deleted task has a history too, and the row of a task is never removed.
IS_VISIBLE: Final = """
    SELECT EXISTS (SELECT FROM tasks t JOIN memberships m ON m.project_id = t.project_id AND m.account_id = $1
                   WHERE t.id = $2)
"""
PAGE_OF_TASK: Final = """
    SELECT l.position, audit_json(l)::text AS json
    FROM audit_log l JOIN memberships m ON m.project_id = l.project_id AND m.account_id = $1
    WHERE l.task_id = $4 AND l.position < $2 ORDER BY l.position DESC LIMIT $3
"""
CHAINS: Final = "SELECT project_id FROM memberships WHERE account_id = $1"
VERIFY: Final = "SELECT checked, first_break, reason FROM verify_audit($1)"

# Behind every position there is.
END: Final = 2**63 - 1


@dataclass(frozen=True, slots=True)
class PostgresAuditReader:
    """Implements `app.ports.audit.AuditReader`."""

    database: Database

    async def page(self, account_id: AccountId, before: int | None, limit: int) -> Sequence[AuditLine]:
        """See the port."""
        return _lines(await self.database.fetch(PAGE, account_id, before or END, limit + 1))

    async def page_of_task(
        self, account_id: AccountId, task_id: TaskId, before: int | None, limit: int
    ) -> Sequence[AuditLine] | None:
        """See the port."""
        if not await self.database.fetchval(IS_VISIBLE, account_id, task_id):
            return None
        return _lines(await self.database.fetch(PAGE_OF_TASK, account_id, before or END, limit + 1, task_id))

    async def verify(self, account_id: AccountId | None) -> Verdict:
        """See the port."""
        chains = None
        if account_id is not None:
            chains = [row["project_id"] for row in await self.database.fetch(CHAINS, account_id)]
        row = await self.database.fetchrow(VERIFY, chains)
        return Verdict(checked=row["checked"], first_break=row["first_break"], reason=row["reason"])


def _lines(rows: Sequence[Any]) -> list[AuditLine]:
    return [AuditLine(position=row["position"], json=row["json"]) for row in rows]
