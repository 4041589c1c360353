"""Use cases around the audit trail. It is written by an actor; here it is only read."""

from dataclasses import dataclass
from typing import Final

import orjson

from app.domain.errors import NotFoundError, ValidationFailedError
from app.domain.queries import LARGEST_LIMIT, AuditQuery
from app.ports.audit import AuditReader
from app.services.context import Context
from app.services.cursors import decode_cursor, digest, encode_cursor, page_json, refused_cursor
from monitoring import logs, metrics

log = logs.get_logger("audit")

# Of a cursor: which list, and the position of the last row.
_PARTS: Final = 2
# PostgreSQL's bigint.
_LARGEST_POSITION: Final = 2**63 - 1


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditService:
    """Shows and checks the chains of the projects the caller belongs to."""

    trail: AuditReader

    async def list_audit(self, context: Context, query: AuditQuery) -> bytes:
        """Return `{items, nextCursor}`, newest first; of one task also after it was deleted.

        Raises:
            ValidationFailedError: The limit or the cursor makes no sense.
            NotFoundError: The caller has no such task.
        """
        if not 1 <= query.limit <= LARGEST_LIMIT:
            raise ValidationFailedError.of("limit", "out_of_range", f"Must be between 1 and {LARGEST_LIMIT}.")
        account_id, before = context.caller.account_id, _before(query)
        if query.task_id is None:
            found = await self.trail.page(account_id, before, query.limit)
        else:
            of_task = await self.trail.page_of_task(account_id, query.task_id, before, query.limit)
            if of_task is None:
                raise NotFoundError
            found = of_task
        shown = found[: query.limit]
        cursor = encode_cursor(_name(query), shown[-1].position) if len(found) > query.limit else None
        return page_json(",".join(line.json for line in shown).encode(), cursor)

    async def verify(self, context: Context) -> bytes:
        """Walk the chains the caller may see, for an operator all, and return `{ok, checked, firstBreak, reason}`."""
        caller = context.caller
        verdict = await self.trail.verify(None if caller.operator else caller.account_id)
        is_whole = verdict.reason is None
        if caller.operator:
            metrics.AUDIT_LOG_CHAIN_VERIFIED.set(int(is_whole))
        if not is_whole:
            log.error(
                "The audit trail has been tampered with.",
                event="audit.chain.broken",
                position=verdict.first_break,
                reason=verdict.reason,
                audit=True,
            )
        answer = {
            "ok": is_whole,
            "checked": verdict.checked,
            "firstBreak": verdict.first_break,
            "reason": verdict.reason,
        }
        return orjson.dumps(answer)


def _before(query: AuditQuery) -> int | None:
    if query.cursor is None:
        return None
    name, position = decode_cursor(query.cursor, _PARTS)
    if name != _name(query) or type(position) is not int or not 0 < position <= _LARGEST_POSITION:
        raise refused_cursor()
    return position


def _name(query: AuditQuery) -> str:
    return digest("audit", query.task_id)
