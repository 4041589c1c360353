"""One WebSocket: authenticate, hello, live events in ``position`` order, resume, close with a reason.

What is sent is a cursor over positions. Live frames go out as the hub delivers them; a socket that does not take one at
once gets a writer, which empties the queue and ends. After a ``resume`` the writer reads the gap from the database, in
order, and then goes on with the queue behind what it has sent: nothing is left out or comes twice.
"""

from __future__ import annotations

import contextlib
import functools
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Protocol

import trio
from trio_websocket import ConnectionClosed

from app.ports.database import DatabaseUnavailableError
from app.web.live import frames
from app.web.live.hub import POLICY, SIGNED_OUT, TOO_SLOW, HubFullError
from app.web.live.messages import Authenticate, MessageError, Ping, Resume, kind, read_message
from monitoring import logs, metrics, tracing

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from app.ports.following import EventReader
    from app.services.context import Principal
    from app.web.live.hub import Connection, Hub
    from monitoring.series import Counter

log = logs.get_logger("live")

AUTHENTICATE_SECONDS: Final = 5.0
# A client that takes longer for one frame has stopped reading.
SEND_SECONDS: Final = 10.0
# Live events wait this long for a resume to come in first. Without it, who resumes would see what happens meanwhile
# before what it missed, and take the older for old. Longer than most round trips; nobody notices it. Who is further
# away says ``?since=`` in the address, which needs no round trip.
RESUME_GRACE_SECONDS: Final = 0.25
CLOSE_SECONDS: Final = 2.0
MESSAGES_PER_SECOND: Final = 20
PAGE: Final = 200
# Further back than this a fresh load is cheaper than the replay.
RESUME_EVENTS: Final = 10_000
# Who is signed out is told to the hub; expiry is not, so it is asked for this often.
RECHECK_SECONDS: Final = 60.0
# And again after so long while the database is away.
RECHECK_AGAIN_SECONDS: Final = 1.0


class Socket(Protocol):
    """What a session needs of ``app.web.server.websocket.EdgeWebSocket``."""

    async def get_message(self) -> str | bytes:
        """Return the next message; raises ``ConnectionClosed``."""
        ...

    async def send_frame(self, frame: bytes) -> None:
        """Send one frame; raises ``ConnectionClosed``."""
        ...

    def send_at_once(self, frame: bytes) -> bool:
        """Send one frame if that needs no waiting; say whether it was sent."""
        ...

    async def aclose(self, code: int = ..., reason: str | None = ...) -> None:
        """Close with a code."""
        ...

    async def cut_off(self) -> None:
        """End without a word."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Live:
    """What every session shares: the hub, the event log, and how a token becomes a person."""

    hub: Hub
    reader: EventReader
    authenticate: Callable[[str], Awaitable[Principal | None]]

    async def serve(self, socket: Socket, token: str | None, since: int | None = None) -> None:
        """Serve one accepted socket until it closes.

        Args:
            socket: The socket.
            token: None when it has yet to be sent as a message.
            since: The position behind which the client resumes, when its address said so.
        """
        with tracing.span("ws.session"):
            try:
                await self._serve(socket, token, since)
            except* ConnectionClosed:
                pass
            except* DatabaseUnavailableError:
                await _close(socket, TOO_SLOW, "Try again: the database is away")

    async def _serve(self, socket: Socket, token: str | None, since: int | None) -> None:
        token = token or await _first_token(socket)
        principal = await self.authenticate(token) if token else None
        if principal is None:
            metrics.AUTH_ATTEMPTS_TOTAL.labels("websocket", "failure").inc()
            await _close(socket, SIGNED_OUT, "Authentication required")
            return
        try:
            connection = self.hub.connect(principal.account_id, principal.session_id)
        except HubFullError as full:
            await _close(socket, POLICY, str(full))
            return
        try:
            await Session(live=self, socket=socket, connection=connection, token=token or "", since=since).run()
        finally:
            self.hub.disconnect(connection)


class Session:
    """An authenticated connection: one task reads, one asks now and then whether it may go on, one writes if needed.

    Implements ``app.web.live.hub.Writer``.
    """

    def __init__(
        self, *, live: Live, socket: Socket, connection: Connection, token: str, since: int | None = None
    ) -> None:
        self._live = live
        self._socket = socket
        self._connection = connection
        self._token = token
        self._sent = live.hub.position
        self._resume = since
        self._resumed = trio.Event()
        self._is_writing = True  # live frames wait until it is known whether the client resumes
        self._frame_is_cut = False
        self._nursery: trio.Nursery

    async def run(self) -> None:
        """Run until either side closes."""
        with self._connection.scope:
            await self._send(frames.hello(self._sent, self._connection.account_id), "hello")
            async with trio.open_nursery() as nursery:
                self._nursery = nursery
                self._connection.writer = self
                nursery.start_soon(self._begin_writing)
                nursery.start_soon(self._recheck_forever)
                await self._read_forever()
        closing = self._connection.closing
        if self._frame_is_cut:
            await self._socket.cut_off()  # a close frame would be read as the rest of the one that was cut
        elif closing is not None:
            await _close(self._socket, closing.code, closing.reason)

    async def _read_forever(self) -> None:
        allowance, since = float(MESSAGES_PER_SECOND), trio.current_time()
        while True:
            raw = await self._socket.get_message()
            now = trio.current_time()
            allowance, since = min(MESSAGES_PER_SECOND, allowance + (now - since) * MESSAGES_PER_SECOND) - 1, now
            if allowance < 0:
                self._connection.close(POLICY, "Too many messages")
                await trio.lowlevel.checkpoint()
            await self._handle(raw)

    async def _handle(self, raw: str | bytes) -> None:
        try:
            message = read_message(raw)
        except MessageError as problem:
            metrics.WEBSOCKET_MESSAGES_RECEIVED_TOTAL.labels("invalid").inc()
            await self._send(frames.error(problem.code, str(problem)), "error")
            return
        metrics.WEBSOCKET_MESSAGES_RECEIVED_TOTAL.labels(kind(message)).inc()
        if isinstance(message, Ping):
            await self._send(frames.PONG, "pong")
        elif isinstance(message, Resume):
            self._resume = message.since
            self._resumed.set()
            self.wake()
        elif isinstance(message, Authenticate):
            await self._send(frames.error("already_authenticated", "You are authenticated already."), "error")

    def send_at_once(self, position: int, kind_of_event: str, frame: bytes) -> bool:
        """See ``app.web.live.hub.Writer``."""
        if self._is_writing:
            return False
        if position > self._sent:
            if not self._socket.send_at_once(frame):
                return False
            self._sent = position
            _sent(kind_of_event).inc()
        return True

    def wake(self) -> None:
        """See ``app.web.live.hub.Writer``."""
        if not self._is_writing:
            with contextlib.suppress(RuntimeError):  # the nursery is closed: the session has ended
                self._nursery.start_soon(self._write)
                self._is_writing = True

    async def _begin_writing(self) -> None:
        if self._resume is None:
            with trio.move_on_after(RESUME_GRACE_SECONDS):
                await self._resumed.wait()
        await self._write()

    async def _write(self) -> None:
        """Send what waits, then end: from then on the hub sends."""
        while True:
            if self._resume is not None:
                await self._replay(self._resume)
            elif (waiting := self._connection.take()) is not None:
                position, kind_of_event, frame = waiting
                if position > self._sent:
                    await self._send(frame, kind_of_event)
                    self._sent = position
            else:
                self._is_writing = False
                return  # noqa: ASYNC910 # no checkpoint between the last look at the queue and the end

    async def _replay(self, since: int) -> None:
        self._resume = None
        account_id = self._connection.account_id
        behind = await self._live.reader.count_after_for(account_id, since, RESUME_EVENTS + 1)
        # Asked of the log, not of the hub: a replay may have shown this client more than the hub has delivered.
        if since > await self._live.reader.last_position() or behind > RESUME_EVENTS:
            metrics.WEBSOCKET_RESUMES_TOTAL.labels("reset").inc()
            self._sent = self._live.hub.position
            await self._send(frames.RESET, "reset")
            return
        metrics.WEBSOCKET_RESUMES_TOTAL.labels("resumed").inc()
        self._sent = since
        while events := await self._live.reader.after_for(account_id, self._sent, PAGE):
            for event in events:
                if event.type not in frames.SILENT:
                    await self._send(frames.event_frame(event), event.type)
                self._sent = event.position

    async def _recheck_forever(self) -> None:
        while True:
            with trio.move_on_after(RECHECK_SECONDS):
                await self._connection.recheck.wait()
            self._connection.recheck = trio.Event()
            try:
                is_signed_out = await self._live.authenticate(self._token) is None
            except DatabaseUnavailableError:
                await trio.sleep(RECHECK_AGAIN_SECONDS)
                self._connection.recheck.set()
                continue
            if is_signed_out:
                self._connection.close(SIGNED_OUT, "Signed out")

    async def _send(self, frame: bytes, kind_of_frame: str) -> None:
        """Send a whole frame, also when the connection is being closed meanwhile: then it has little time left."""
        with trio.move_on_after(SEND_SECONDS, shield=True) as limit:
            self._connection.sending.add(limit)
            try:
                await self._socket.send_frame(frame)
            finally:
                self._connection.sending.discard(limit)
            _sent(kind_of_frame).inc()
        if limit.cancelled_caught:
            self._frame_is_cut = True
            self._connection.close(TOO_SLOW, "Too slow: resume from the last position")
        await trio.lowlevel.checkpoint_if_cancelled()


@functools.cache
def _sent(kind_of_frame: str) -> Counter:
    """Return the counter of a type of frame; there are few types."""
    return metrics.WEBSOCKET_MESSAGES_SENT_TOTAL.labels(kind_of_frame)


async def _first_token(socket: Socket) -> str | None:
    """Return the token of the first message, None when it does not come in time or is something else."""
    with trio.move_on_after(AUTHENTICATE_SECONDS):
        try:
            message = read_message(await socket.get_message())
        except MessageError:
            return None
        return message.token if isinstance(message, Authenticate) else None
    return None


async def _close(socket: Socket, code: int, reason: str) -> None:
    """Say goodbye within a limit; a peer that does not answer is cut off by the listener."""
    with trio.move_on_after(CLOSE_SECONDS, shield=True):
        await socket.aclose(code, reason)
