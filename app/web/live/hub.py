"""The hub: who is connected, and what each of them still has to be sent.

Knows no database and no network. ``deliver`` waits for nobody: it sends at once what a socket takes at once, and queues
the rest for the connection's own writer. A connection whose queue is full is let go (1013) and resumes from the last
position it saw, so a slow reader delays nobody.
"""

from __future__ import annotations

from collections import defaultdict, deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, Protocol

import trio

from app.web.live.frames import SILENT, event_frame
from monitoring import logs, metrics

if TYPE_CHECKING:
    from collections.abc import Collection
    from uuid import UUID

    from app.domain.events import RecordedEvent

log = logs.get_logger("live")

# Frames that wait for one connection. Who pays when it is full: that connection, it is closed and resumes.
QUEUE_FRAMES: Final = 1024
# And how long they may be together: a frame can hold a description of 64 kB.
QUEUE_BYTES: Final = 4 * 1024 * 1024
# After so many sockets of one event other tasks have their turn: a millisecond of sending.
AT_ONCE: Final = 64
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
        writer: Who sends its frames: the session.
        sending: The scopes of frames that are on their way; closing shortens their time.
        waiting_bytes: The length of all frames in the queue.
        recheck: Set when it should be asked at once whether the session still holds.
    """

    account_id: UUID
    session_id: UUID
    writer: Writer | None = None
    queue: deque[tuple[int, str, bytes]] = field(default_factory=deque)
    scope: trio.CancelScope = field(default_factory=trio.CancelScope)
    sending: set[trio.CancelScope] = field(default_factory=set)
    closing: Closing | None = None
    waiting_bytes: int = 0
    recheck: trio.Event = field(default_factory=trio.Event)

    def put(self, position: int, kind: str, frame: bytes) -> None:
        """Send a frame at once if that can be, else queue it; one whose queue is full is closed. Never waits."""
        writer = self.writer
        if writer is not None and not self.queue and writer.send_at_once(position, kind, frame):
            return
        if len(self.queue) == QUEUE_FRAMES or self.waiting_bytes + len(frame) > QUEUE_BYTES:
            self.close(TOO_SLOW, "Too slow: resume from the last position")
            return
        self.queue.append((position, kind, frame))
        self.waiting_bytes += len(frame)
        if writer is not None:
            writer.wake()

    def take(self) -> tuple[int, str, bytes] | None:
        """Return the next frame, (position, type, frame), or None."""
        if not self.queue:
            return None
        taken = self.queue.popleft()
        self.waiting_bytes -= len(taken[2])
        return taken

    def close(self, code: int, reason: str) -> None:
        """Have the connection closed by its own task; the first reason stays."""
        if self.closing is None:
            self.closing = Closing(code, reason)
        for frame in self.sending:
            frame.deadline = min(frame.deadline, trio.current_time() + LAST_FRAME_SECONDS)
        self.scope.cancel()


class Writer(Protocol):
    """Sends the frames of one connection."""

    def send_at_once(self, position: int, kind_of_event: str, frame: bytes) -> bool:
        """Send an event if nothing else is on its way and the socket takes it whole; say whether it is done with."""
        ...

    def wake(self) -> None:
        """See to the queue soon."""
        ...


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
        if len(self.connections_of(account_id)) >= CONNECTIONS_PER_ACCOUNT or self._count >= CONNECTIONS:
            raise HubFullError("Too many connections")
        connection = Connection(account_id=account_id, session_id=session_id)
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

    def connections_of(self, account_id: UUID) -> Collection[Connection]:
        """Return the connections of an account."""
        return self._by_account.get(account_id, ())

    def begin(self, position: int) -> None:
        """See ``actors.sync.Audience``. Connections that were there before it, since PostgreSQL was away, resume."""
        if position != self.position:
            for connections in list(self._by_account.values()):
                for connection in connections:
                    connection.close(TOO_SLOW, "Resume from the last position")
        self.position = position

    async def deliver(self, event: RecordedEvent) -> int:  # noqa: ASYNC910 # few listeners are served in one go
        """See ``actors.sync.Audience``."""
        began, deepest = trio.current_time(), 0
        listeners: list[Connection] = []
        if event.type not in SILENT:
            for account_id in event.audience:
                listeners += self.connections_of(account_id)
        frame = event_frame(event) if listeners else b""
        for number, connection in enumerate(listeners, 1):
            connection.put(event.position, event.type, frame)
            deepest = max(deepest, len(connection.queue))
            if number % AT_ONCE == 0:
                await trio.lowlevel.checkpoint()
        self.position = event.position
        metrics.WEBSOCKET_SEND_QUEUE_DEPTH_MAX.set(deepest)
        metrics.WEBSOCKET_BROADCAST_DURATION_SECONDS.observe(trio.current_time() - began)
        return len(listeners)

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
