"""Looking at a recurrence before it is stored."""

from app.services.context import Context
from app.services.queries import PreviewQuery


class RecurrenceService:
    """Previews rules; stores nothing."""

    async def preview(self, context: Context, query: PreviewQuery) -> bytes:
        """Return `{occurrences, next, text}`."""
        raise NotImplementedError
