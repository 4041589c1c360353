"""Use cases around the audit trail. It is written by an actor; here it is only read."""

from app.services.context import Context
from app.services.queries import AuditQuery


class AuditService:
    """Shows and checks the chains of the projects the caller belongs to."""

    async def list_audit(self, context: Context, query: AuditQuery) -> bytes:
        """Return `{items, nextCursor}`, newest first."""
        raise NotImplementedError

    async def verify(self, context: Context) -> bytes:
        """Walk the chains the caller may see, for an operator all, and return `{ok, checked, firstBreak, reason}`."""
        raise NotImplementedError
