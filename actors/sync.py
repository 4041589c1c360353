"""Hands published events to the live hub, in the order of their positions, none twice and none left out.

Volatile: keeps no cursor. It starts at the newest position, since whoever connects later loads first and then follows.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal, Protocol

import trio

from actors.mailbox import MISSED
from monitoring import metrics, tracing

if TYPE_CHECKING:
    from actors.envelope import Envelope
    from actors.mailbox import Mailbox, Missed
    from app.domain.events import RecordedEvent
    from app.ports.following import EventReader

PAGE: Final = 500
# Waiting for each event of a batch would let everybody else run in between, which costs more than an event. After so
# many they have their turn.
AT_ONCE: Final = 32

# Every event pays for these.
_seconds_to_here = metrics.EVENT_END_TO_END_SECONDS.labels("sync")
_delivered, _without_audience = map(metrics.SYNC_UPDATES_DELIVERED_TOTAL.labels, ("delivered", "no_audience"))


class Audience(Protocol):
    """Who listens: the hub. Delivering waits for no listener; a slow one is the hub's matter."""

    position: int

    def begin(self, position: int) -> None:
        """Begin behind a position. Who listens already may have missed what led there, and has to ask. Never waits."""
        ...

    async def deliver(self, event: RecordedEvent) -> int:
        """Pass an event to every connection that may see it, then remember its position; return how many there were.

        Lets other tasks run now and then. If it is cancelled the event is delivered again, and known ones are left out.
        """
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class SyncActor:
    """Moves events from its mailbox to the audience."""

    reader: EventReader
    mailbox: Mailbox[Envelope[RecordedEvent]]
    audience: Audience

    async def run(self, *, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED) -> None:
        """Run until cancelled. After a crash it goes on behind the last position that the audience has seen."""
        with self.mailbox, metrics.AGENT_UP.labels("sync").track_inprogress():
            if self.audience.position:
                await self._catch_up()
            else:
                self.audience.begin(await self.reader.last_position())
            task_status.started()
            while True:
                await self._handle(await self.mailbox.receive())
                for _ in range(AT_ONCE):
                    if (waiting := self.mailbox.receive_nowait()) is None:
                        break
                    await self._handle(waiting)

    async def _handle(self, envelope: Envelope[RecordedEvent] | Literal[Missed.MISSED]) -> None:
        if envelope is MISSED or envelope.message.position > self.audience.position + 1:
            await self._catch_up()
        elif envelope.message.position == self.audience.position + 1:
            with tracing.span("sync.broadcast", parent=envelope.traceparent, attributes={"rondo.agent": "sync"}):
                await self._deliver(envelope.message)

    async def _catch_up(self) -> None:
        while events := await self.reader.after(self.audience.position, PAGE):
            for event in events:
                await self._deliver(event)

    async def _deliver(self, event: RecordedEvent) -> None:
        listeners = await self.audience.deliver(event)
        age = time.time() - event.occurred_at.timestamp()
        _seconds_to_here.observe(max(age, 0.0))
        (_delivered if listeners else _without_audience).inc()
