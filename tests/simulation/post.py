"""The provider behind the mail channel: takes messages, refuses them, is away, or takes one and does not say so."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import trio

from app.ports.delivering import Delivery, Outcome
from tests.simulation.simdb.errors import CrashError

if TYPE_CHECKING:
    from tests.simulation.dice import Dice
    from tests.simulation.trace import Trace


@dataclass(slots=True)
class PostOffice:
    """Outlives the processes. `sent` is every copy that arrived, by its stable message id."""

    dice: Dice
    trace: Trace
    sent: list[str] = field(default_factory=list)
    unreachable: float = 0.0
    crash: float = 0.0

    async def take(self, delivery: Delivery) -> Outcome:
        """Take one message."""
        await trio.sleep(self.dice.between(0.01, 0.3))
        if self.dice.chance(self.unreachable):
            return Outcome(result="retry", response="connection refused", reason="unreachable")
        self.sent.append(delivery.message_id)
        self.trace.note("sent", delivery.message_id, delivery.attempt)
        if self.dice.chance(self.crash):
            raise CrashError("after sending")
        return Outcome(result="sent", response="250 OK")


@dataclass(frozen=True, slots=True)
class SimChannel:
    """Implements `app.ports.delivering.Channel`."""

    office: PostOffice
    name: str = "email"

    async def send(self, delivery: Delivery) -> Outcome:
        """See the port."""
        return await self.office.take(delivery)
