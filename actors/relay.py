"""Publishes committed events: gives them their position and hands them to the mailboxes of this process.

Wakes on the doorbell (a write of this process), on a notification (a write of another one) and on a tick, so a lost
ring costs a second and never an event. The holder of the lease assigns positions; every relay hands on what is
published.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

import trio

from actors.envelope import Envelope
from monitoring import logs, metrics, tracing

if TYPE_CHECKING:
    from collections.abc import Sequence

    from actors.doorbell import Doorbell
    from actors.mailbox import Mailbox
    from app.domain.events import RecordedEvent
    from app.ports.following import EventReader, Publisher

log = logs.get_logger("relay")

BATCH: Final = 500
# Bounds the delay after a lost ring or notification.
TICK_SECONDS: Final = 1.0
# A dead holder on another machine is replaced after this long; renewed three times as often.
LEASE_SECONDS: Final = 15.0
RENEW_SECONDS: Final = LEASE_SECONDS / 3
# A batch costs the same whether it is one event or ten. The first after a calm goes out at once; under load the next
# batch begins so much later at the earliest, and what is written meanwhile goes with it. Nobody sees four milliseconds.
PACE_SECONDS: Final = 0.004

# Every event pays for it.
_seconds_to_here = metrics.EVENT_END_TO_END_SECONDS.labels("relay")
_publishing = metrics.OUTBOX_PUBLISH_DURATION_SECONDS.labels("local")


@dataclass(slots=True, kw_only=True)
class Relay:
    """The one way from the event log to the actors."""

    publisher: Publisher
    reader: EventReader
    bell: Doorbell
    subscribers: Sequence[Mailbox[Envelope[RecordedEvent]]]
    _renew_at: float = field(default=0.0, init=False)
    _leader: bool = field(default=False, init=False)
    _handed_on: int | None = field(default=None, init=False)

    async def run(self, *, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED) -> None:
        """Run until cancelled. After a crash it goes on behind what it has handed on, so no listener misses any."""
        self._renew_at = 0.0
        if self._handed_on is None:
            self._handed_on = await self.reader.last_position()
        await self._hold_lease()
        task_status.started()
        while True:
            began = trio.current_time()
            published = await self._publish()
            seen = await self._hand_on(self._handed_on)
            if max(published, seen) < BATCH:
                if seen:
                    await trio.sleep_until(began + PACE_SECONDS)
                with trio.move_on_after(TICK_SECONDS):
                    await self.bell.wait()
            await self._hold_lease()

    async def _hold_lease(self) -> None:
        if trio.current_time() < self._renew_at:
            return
        leader = await self.publisher.hold_lease(LEASE_SECONDS)
        if leader != self._leader:
            log.info("The relay's lease changed hands", event="relay.lease", leader=leader)
        self._leader = leader
        self._renew_at = trio.current_time() + RENEW_SECONDS

    async def _publish(self) -> int:
        if not self._leader:
            return 0
        began = trio.current_time()
        published = await self.publisher.publish(BATCH)
        if published:
            _publishing.observe(trio.current_time() - began)
        return published

    async def _hand_on(self, position: int) -> int:
        """Give what is published behind ``position`` to every mailbox; return how many events that were."""
        events = await self.reader.after(position, BATCH)
        for event in events:
            with tracing.span("outbox.relay", parent=event.traceparent, attributes={"rondo.event.type": event.type}):
                envelope = Envelope(message=event, traceparent=tracing.current_traceparent() or event.traceparent)
            for mailbox in self.subscribers:
                mailbox.tell_nowait(envelope)
            age = time.time() - event.occurred_at.timestamp()
            _seconds_to_here.observe(max(age, 0.0))
            self._handed_on = event.position
        return len(events)
