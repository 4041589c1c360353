"""Moves floating times when their owner moves: the reminder actor's durable effect.

"09:00" without a zone means 09:00 wherever its owner is (R12, T8). When an account's time zone changes, its open
floating tasks keep their wall clock: their instants and reminders are computed anew, in the transaction that moves the
cursor. They go to where the account is by now, not to where it was between two moves, so a replay changes nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import orjson

from app.adapters.postgres.unit_of_work import PostgresUnitOfWork
from app.domain.events import ACCOUNT_UPDATED
from app.services.context import Context

if TYPE_CHECKING:
    from collections.abc import Sequence

    from app.adapters.postgres.connection import Connection
    from app.domain.events import NewEvent
    from app.ports.clock import Clock
    from app.services.tasks import TaskService

ZONE_NOW: Final = "SELECT time_zone FROM accounts WHERE id = $1"


def is_of_an_account(event: NewEvent) -> bool:
    """Return whether `Rezoning` may do something about it."""
    return event.type == ACCOUNT_UPDATED


@dataclass(frozen=True, slots=True, kw_only=True)
class Rezoning:
    """Handles account changes among a batch of events."""

    tasks: TaskService
    clock: Clock

    async def handle(self, connection: Connection, events: Sequence[Any]) -> bool:
        """Move what floats, for each change of a time zone in the batch; return whether anything moved."""
        work, moved = PostgresUnitOfWork(connection), 0
        for event in events:
            if event["type"] != ACCOUNT_UPDATED:
                continue
            old, new = (orjson.loads(event[side])["timeZone"] for side in ("before", "after"))
            if old != new:
                zone = await connection.fetchval(ZONE_NOW, event["account_id"])
                context = Context(traceparent=event["traceparent"])
                moved += await self.tasks.rezone_floating(
                    work, event["account_id"], zone, context=context, now=self.clock.now()
                )
        await work.flush()
        return moved > 0
