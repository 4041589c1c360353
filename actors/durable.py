"""A durable actor: catches up from the database, then follows its mailbox.

The mailbox carries news, not truth: whatever it says, the work is what lies behind the cursor. So a full mailbox, a
crash or a second process costs a query and never an effect, and each effect happens exactly once, since it is written
in the transaction that moves the cursor.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

import trio

from actors.mailbox import MISSED
from monitoring import logs, metrics, tracing

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

    from actors.envelope import Envelope
    from actors.mailbox import Mailbox
    from app.domain.events import RecordedEvent
    from app.ports.following import Follower, Passing

log = logs.get_logger("actors")

BATCH: Final = 200
# Other processes' events reach us by the relay; this bounds the delay when that, too, was lost.
TICK_SECONDS: Final = 5.0
# A batch costs up to six round trips however long it is. The first after a calm is handled at once; under load the next
# begins so much later at the earliest, and takes along what came meanwhile. These effects are read by people later.
PACE_SECONDS: Final = 0.1
# Where nobody waits for the effect, batches that take long may follow each other more slowly, so that it takes no more
# than a tenth of the time from those who wait for an answer. More than a batch is handled without a pause all the same.
SHARE: Final = 0.1


@dataclass(frozen=True, slots=True, kw_only=True)
class DurableActor:
    """Follows the event log for one effect.

    Attributes:
        name: Of the actor, e.g. ``audit``.
        span: Names the effect in traces.
        batch: How many events it asks for at once.
        pace_seconds: Under load, from the beginning of a batch to that of the next, at least.
        longest_pace_seconds: The same after batches that took long.
        passing: The follower again, if most events do not concern it.
        lane: Held for a batch. Actors that share one have their batches one after the other: woken by the same event,
            they would take all processors from those who wait for an answer.
    """

    name: str
    span: str
    follower: Follower
    mailbox: Mailbox[Envelope[RecordedEvent]]
    batch: int = BATCH
    pace_seconds: float = PACE_SECONDS
    longest_pace_seconds: float = PACE_SECONDS
    passing: Passing | None = None
    lane: trio.Lock = field(default_factory=trio.Lock)

    async def run(self, *, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED) -> None:
        """Run until cancelled."""
        with self.mailbox, metrics.AGENT_UP.labels(self.name).track_inprogress():
            reached = await self._catch_up(None)
            task_status.started()
            while True:
                reached = await self._follow(reached)

    async def _follow(self, reached: int) -> int:
        with trio.move_on_after(TICK_SECONDS) as tick:
            envelope = await self.mailbox.receive()
        began, before = trio.current_time(), reached
        if tick.cancelled_caught or envelope is MISSED:
            reached = await self._catch_up(None)
        elif envelope.message.position > reached:
            reached = await self._pass_by(envelope, reached) or await self._catch_up(envelope)
        self.mailbox.skip(lambda waiting: waiting.message.position <= reached)
        if reached > before:
            await trio.sleep_until(began + self._pace(trio.current_time() - began))
        return reached

    async def _pass_by(self, envelope: Envelope[RecordedEvent], reached: int) -> int:
        """Pass by what waits if nothing of it concerns the follower; return the position reached then, else 0."""
        if (passing := self.passing) is None:
            return 0
        last = reached

        def is_next(waiting: Envelope[RecordedEvent]) -> bool:
            nonlocal last
            event = waiting.message
            if event.position != last + 1 or passing.concerns(event):
                return False
            last = event.position
            return True

        if not is_next(envelope):
            return 0
        self.mailbox.skip(is_next)
        if self.mailbox.depth:
            return 0
        with self._tracing(envelope):
            passed = await passing.pass_by(reached, last)
        if not passed:
            return 0
        self._count(last - reached)
        return last

    async def _catch_up(self, envelope: Envelope[RecordedEvent] | None) -> int:
        """Handle everything behind the cursor; return the position reached."""
        while True:
            handled, reached = await self._advance(envelope)
            if handled < self.batch:
                return reached

    async def _advance(self, envelope: Envelope[RecordedEvent] | None) -> tuple[int, int]:
        with self._tracing(envelope):
            async with self.lane:
                began = trio.current_time()
                handled, reached = await self.follower.advance(self.batch)
        if handled:
            metrics.AGENT_OPERATION_DURATION_SECONDS.labels(self.name, self.span).observe(trio.current_time() - began)
        self._count(handled)
        return handled, reached

    def _tracing(self, envelope: Envelope[RecordedEvent] | None) -> AbstractContextManager[object]:
        parent = envelope.traceparent if envelope else None
        return tracing.span(self.span, parent=parent, attributes={"rondo.agent": self.name})

    def _count(self, handled: int) -> None:
        if handled:
            metrics.AGENT_OPERATIONS_TOTAL.labels(self.name, self.span, "success").inc(handled)
        metrics.AGENT_LAST_SUCCESS_TIMESTAMP_SECONDS.labels(self.name).set_to_current_time()

    def _pace(self, seconds: float) -> float:
        """Return how long after the beginning of a batch that took so long the next may begin, in seconds."""
        return min(max(self.pace_seconds, seconds / SHARE), self.longest_pace_seconds)
