"""Keeps the index of texts and tags, a follower of the event log: the work is ``index_texts`` in migration 0011.

A write does not wait for it. It is behind by up to a second under load, or by as long as this does not run, and
`task_pages` looks itself at the tasks it has not come to. So a search finds what was written a moment ago.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from app.adapters.postgres.followers import UNHURRIED
from app.adapters.postgres.statements import name

if TYPE_CHECKING:
    from app.adapters.postgres.database import Database

INDEX: Final = name(
    f"SELECT handled, reached, {UNHURRIED} FROM index_texts($1)",  # noqa: S608 - only our own constant is interpolated
    operation="INSERT",
    table="task_texts",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class TextFollower:
    """Brings the words of tasks up to date.

    It sets no event aside: it goes by what tasks are now, and no event says anything that it could stumble over.
    """

    database: Database

    async def advance(self, limit: int) -> tuple[int, int]:
        """See ``app.ports.following.Follower``."""
        row = await self.database.fetchrow(INDEX, limit)  # one statement is a transaction
        return row["handled"], row["reached"]
