"""The hub: who is connected, and what each of them still has to be sent.

Knows no database and no network. ``deliver`` never waits: every connection has a queue of its own, and one that does
not empty it is let go (1013) and resumes from the last position it saw, so a slow reader delays nobody.
"""

from __future__ import annotations

import contextlib
from collections import defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

import trio

from app.web.live.frames import SILENT, event_frame
from monitoring import logs, metrics

if TYPE_CHECKING:
    from uuid import UUID

    from app.domain.events import RecordedEvent

log = logs.get_logger("live")

# Frames that wait for one connection. Who pays when it is full: that connection, it is closed and resumes.
QUEUE_FRAMES: Final = 1024
# And how much text they may be together: a frame can hold a description of 64 kB.
QUEUE_CHARACTERS: Final = 4 * 1024 * 1024
CONNECTIONS_PER_ACCOUNT: Final = 20
CONNECTIONS: Final = 10_000

# How long a frame that is being sent when its connection is closed may take to the end; a close frame can only follow a
# whole one.
LAST_FRAME_SECONDS: Final = 2.0

GOING_AWAY: Final = 1001
POLICY: Final = 1008
TOO_SLOW: Final = 1013
SIGNED_OUT: Final = 4401
REASONS: Final = {GOING_AWAY: "going_away", POLICY: "policy", TOO_SLOW: "too_slow", SIGNED_OUT: "signed_out"}


@dataclass(frozen=True, slots=True)
class Closing:
    """Why and how a connection is being closed."""

    code: int
    reason: str


@dataclass(eq=False, slots=True, kw_only=True)
class Connection:
    """One authenticated socket: its queue of (position, type, frame), and the order to close it, if there is one.

    Attributes:
        sending: The scopes of frames that are on their way; closing shortens their time.
        waiting_characters: The length of all frames in the queue.
        recheck: Set when it should be asked at once whether the session still holds.
    """

    account_id: UUID
    session_id: UUID
    inbox: trio.MemoryReceiveChannel[tuple[int, str, str]]
    outbox: trio.MemorySendChannel[tuple[int, str, str]]
    scope: trio.CancelScope = field(default_factory=trio.CancelScope)
    sending: set[trio.CancelScope] = field(default_factory=set)
    closing: Closing | None = None
    waiting_characters: int = 0
    recheck: trio.Event = field(default_factory=trio.Event)

    def put(self, position: int, kind: str, frame: str) -> None:
        """Queue a frame, or close a connection whose queue is full. Never waits."""
        if self.waiting_characters + len(frame) <= QUEUE_CHARACTERS:
            with contextlib.suppress(trio.WouldBlock):
                self.outbox.send_nowait((position, kind, frame))
                self.waiting_characters += len(frame)
                return
        self.close(TOO_SLOW, "Too slow: resume from the last position")

    async def take(self) -> tuple[int, str, str]:
        """Return the next frame: (position, type, frame)."""
        taken = await self.inbox.receive()
        self.waiting_characters -= len(taken[2])
        return taken

    def close(self, code: int, reason: str) -> None:
        """Have the connection closed by its own task; the first reason stays."""
        if self.closing is None:
            self.closing = Closing(code, reason)
        for frame in self.sending:
            frame.deadline = min(frame.deadline, trio.current_time() + LAST_FRAME_SECONDS)
        self.scope.cancel()


class HubFullError(Exception):
    """No room for one more connection; ``str()`` is what the client is told."""


class Hub:
    """Connections by account. ``position`` is that of the newest event that was delivered."""

    def __init__(self) -> None:
        self.position = 0
        self._by_account: defaultdict[UUID, set[Connection]] = defaultdict(set)
        self._count = 0
        self._closing: Closing | None = None
        self._empty = trio.Event()
        self._empty.set()

    def connect(self, account_id: UUID, session_id: UUID) -> Connection:
        """Register a connection; every event delivered from now on reaches its queue.

        Raises:
            HubFullError: too many connections of this account, or in all.
        """
        if self._closing is not None:
            raise HubFullError("Going away")
        if len(self._by_account.get(account_id, ())) >= CONNECTIONS_PER_ACCOUNT or self._count >= CONNECTIONS:
            raise HubFullError("Too many connections")
        outbox, inbox = trio.open_memory_channel[tuple[int, str, str]](QUEUE_FRAMES)
        connection = Connection(account_id=account_id, session_id=session_id, inbox=inbox, outbox=outbox)
        self._by_account[account_id].add(connection)
        self._count += 1
        self._empty = trio.Event()
        metrics.WEBSOCKET_CONNECTIONS_OPENED_TOTAL.inc()
        metrics.WEBSOCKET_CONNECTIONS_ACTIVE.set(self._count)
        return connection

    def disconnect(self, connection: Connection) -> None:
        """Forget a connection."""
        peers = self._by_account[connection.account_id]
        peers.discard(connection)
        if not peers:
            del self._by_account[connection.account_id]
        self._count -= 1
        if self._count == 0:
            self._empty.set()
        reason = REASONS[connection.closing.code] if connection.closing else "client"
        metrics.WEBSOCKET_DISCONNECTS_TOTAL.labels(reason).inc()
        metrics.WEBSOCKET_CONNECTIONS_ACTIVE.set(self._count)

    def deliver(self, event: RecordedEvent) -> int:
        """See ``actors.sync.Audience``."""
        began = trio.current_time()
        self.position = event.position
        if event.type in SILENT:
            return 0
        frame, deepest, listeners = "", 0, 0
        for account_id in event.audience:
            for connection in self._by_account.get(account_id, ()):
                frame = frame or event_frame(event)
                connection.put(event.position, event.type, frame)
                listeners += 1
                deepest = max(deepest, connection.inbox.statistics().current_buffer_used)
        metrics.WEBSOCKET_SEND_QUEUE_DEPTH_MAX.set(deepest)
        metrics.WEBSOCKET_BROADCAST_DURATION_SECONDS.observe(trio.current_time() - began)
        return listeners

    def revoke(self, session_or_account_id: UUID) -> None:
        """Close the connections of a session, or all of an account: they are signed out."""
        for connections in list(self._by_account.values()):
            for connection in connections:
                if session_or_account_id in (connection.session_id, connection.account_id):
                    connection.close(SIGNED_OUT, "Signed out")

    def recheck_all(self) -> None:
        """Have every connection ask soon whether it may go on: somebody may have been signed out unheard."""
        for connections in self._by_account.values():
            for connection in connections:
                connection.recheck.set()

    def close_all(self) -> None:
        """Tell every connection that we are going away, and take no more."""
        self._closing = Closing(GOING_AWAY, "Going away")
        for connections in list(self._by_account.values()):
            for connection in connections:
                connection.close(GOING_AWAY, "Going away")

    async def wait_empty(self) -> None:
        """Wait until the last connection is gone."""
        await self._empty.wait()

    async def run(self, *, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED) -> None:
        """Run until cancelled, then close every connection with 1001 and wait until they are gone.

        The wait is shielded; the supervisor's shutdown limit bounds it (and the listener aborts what is left).
        """
        self._closing = None
        task_status.started()
        try:
            await trio.sleep_forever()
        finally:
            self.close_all()
            with trio.move_on_after(5, shield=True):
                await self.wait_empty()
