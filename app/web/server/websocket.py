"""The WebSocket lane: an upgrade request becomes a trio-websocket connection, or is rejected.

trio-websocket sees a head that is written anew from what llhttp parsed, followed by the bytes that came after it: two
parsers can then not disagree about one request. Extensions are not passed on, so compression is never agreed to.
The session belongs to the live room; the bounds belong here: message size, sends, pongs, and every way to close.
"""

import struct
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from contextlib import asynccontextmanager, suppress
from typing import Final

import trio
from trio_websocket import ConnectionClosed, WebSocketConnection
from wsproto import ConnectionType, WSConnection
from wsproto.connection import ConnectionState
from wsproto.events import CloseConnection
from wsproto.utilities import LocalProtocolError

from app.web.server.asgi import ClientAddress, Headers, Scope
from app.web.server.edge import Edge, header_values
from app.web.server.limits import Limits
from app.web.server.problems import Refusal
from app.web.server.responses import whole_response
from app.web.server.sockets import SocketStream, abort

GOING_AWAY: Final = 1001
# How long the peer may take to answer our close frame.
CLOSE_SECONDS: Final = 2.0
# Not passed on: extensions are never agreed to, and the connection headers are written anew.
_NOT_REPLAYED: Final = frozenset({b"sec-websocket-extensions", b"connection", b"upgrade"})
_TEXT_FRAME: Final = 0x81

WebSocketHandler = Callable[["WebSocketHandshake", trio.abc.Stream], Awaitable[None]]


class EdgeWebSocket(WebSocketConnection):
    """A trio-websocket connection on which nothing can wait for ever.

    Args:
        stream: What the connection reads and writes.
        nursery: Where the rest of a frame is sent that the kernel did not take whole.
        message_bytes: The longest message that is taken.
    """

    def __init__(self, stream: "_ReplayedStream", nursery: trio.Nursery, message_bytes: int) -> None:
        super().__init__(stream, WSConnection(ConnectionType.SERVER), max_message_size=message_bytes)
        self._replayed = stream
        self._carrier = stream.stream
        self._nursery = nursery

    async def aclose(self, code: int = 1000, reason: str | None = None) -> None:  # noqa: ASYNC910 # its caller waits
        """Close with this code; a peer that does not answer within `CLOSE_SECONDS` is cut off."""
        answered = False
        with trio.move_on_after(CLOSE_SECONDS), suppress(LocalProtocolError):  # the peer's close frame crossed ours
            await super().aclose(code, reason)
            answered = True
        if not answered:
            await self.cut_off()

    async def _handle_close_connection_event(self, event: CloseConnection) -> None:
        """Tell the peer what is wrong with its frames: stock trio-websocket would only hang up."""
        if self._wsproto.state is ConnectionState.OPEN:
            await self._send(CloseConnection(code=event.code, reason=event.reason))
            self._replayed.must_be_heard = True
        await super()._handle_close_connection_event(event)

    async def cut_off(self) -> None:
        """End without a word; waiting senders and receivers get `ConnectionClosed`."""
        abort(self._carrier)
        await trio.aclose_forcefully(self._carrier)

    async def send_frame(self, frame: bytes) -> None:
        """Send a frame made by `text_frame`: encoded once, sent to many.

        Raises:
            ConnectionClosed: the connection is closed or being closed.
        """
        async with self._stream_lock:
            if self.closed is not None or self._wsproto.state is not ConnectionState.OPEN:
                raise ConnectionClosed(self.closed)
            try:
                await self._stream.send_all(frame)
            except (trio.BrokenResourceError, trio.ClosedResourceError):
                await self._abort_web_socket()  # noqa: ASYNC120 # the error is told anew below
                raise ConnectionClosed(self.closed) from None

    def send_at_once(self, frame: bytes) -> bool:
        """Send a frame made by `text_frame` if nothing else is on its way; say whether it was. Not a checkpoint.

        A fan-out that woke a task for each socket would cost 64 µs per socket, and this costs 10
        (`python -m loadtest bench`); what cannot be sent at once still goes by `send_frame`.
        """
        carrier = self._carrier
        if (
            not isinstance(carrier, SocketStream)  # what encrypts has state of its own
            or self._stream_lock.locked()
            or self._wsproto.state is not ConnectionState.OPEN
            or not carrier.begin_to_send(frame)
        ):
            return False
        if carrier.has_rest:
            self._nursery.start_soon(self._send_rest)
        return True

    async def _send_rest(self) -> None:
        with suppress(ConnectionClosed):  # who reads hears of it as well
            await self.send_frame(b"")


def text_frame(text: bytes) -> bytes:
    """Return this UTF-8 text as one unmasked WebSocket frame (RFC 6455, 5.2)."""
    size = len(text)
    if size < 126:
        return struct.pack("!BB", _TEXT_FRAME, size) + text
    if size < 65536:
        return struct.pack("!BBH", _TEXT_FRAME, 126, size) + text
    return struct.pack("!BBQ", _TEXT_FRAME, 127, size) + text


class WebSocketHandshake:
    """A valid upgrade request that waits for `accept` or `reject`."""

    def __init__(self, scope: Scope, stream: trio.abc.Stream, edge: Edge, leftover: bytes = b"") -> None:
        self.path: str = scope["path"]
        self.query_string: bytes = scope["query_string"]
        self.headers: Headers = scope["headers"]
        self.client: ClientAddress | None = scope["client"]
        self.scheme = "wss" if scope["scheme"] == "https" else "ws"
        self._scope = scope
        self._edge = edge
        self._stream = stream
        self._leftover = leftover
        self._session: _Session | None = None

    @property
    def subprotocols(self) -> list[str]:
        """Return what the client proposes, in its order of preference."""
        offered = b",".join(header_values(self.headers, b"sec-websocket-protocol")).decode("latin-1")
        return [name.strip() for name in offered.split(",") if name.strip()]

    @property
    def draining(self) -> bool:
        """Tell whether the server stops: a session should not begin now."""
        return self._edge.draining

    def begin_drain(self) -> None:
        """Close the session with 1001. Not a checkpoint."""
        if self._session is not None:
            self._session.begin_drain()

    def look_after(self, now: float) -> None:
        """Ping the peer when it is time to. Not a checkpoint."""
        if self._session is not None:
            self._session.look_after(now)

    @asynccontextmanager
    async def accept(
        self, *, subprotocol: str | None = None, headers: Iterable[tuple[bytes, bytes]] = ()
    ) -> AsyncIterator[EdgeWebSocket]:
        """Open the connection for the length of the block.

        In it, the peer is pinged and cut off when no pong comes; a message over the limit closes with 1009; a send
        that the peer does not take in time cuts it off; a stopping server closes with 1001. `ConnectionClosed` may
        leave the block: it ends it quietly. Leaving the block closes with 1000, unless it was closed before.
        """
        limits = self._edge.limits
        replayed = _ReplayedStream(self._head(), self._leftover, self._stream)
        try:
            async with trio.open_nursery() as nursery:
                connection = EdgeWebSocket(replayed, nursery, limits.websocket_message_bytes)
                nursery.start_soon(connection._reader_task)  # noqa: SLF001 # what wrap_server_stream does, with our class
                with trio.fail_after(limits.header_seconds):
                    request = await connection._get_request()  # noqa: SLF001 # as above
                    await request.accept(subprotocol=subprotocol, extra_headers=list(headers))
                replayed.accepted.set()
                self._session = _Session(connection, nursery, limits)
                if self._edge.draining:
                    self._session.begin_drain()
                try:
                    yield connection
                finally:
                    self._session = None
                    # Under cancellation this only closes the stream: a hard stop does not wait for goodbyes.
                    await connection.aclose()  # noqa: ASYNC102 # see above
                    nursery.cancel_scope.cancel()
        except BaseExceptionGroup as group:
            rest = group.split((ConnectionClosed, LocalProtocolError))[1]
            if rest is not None:
                raise _single(rest) from None
        with trio.move_on_after(limits.linger_seconds):
            await _linger(self._stream)

    async def reject(self, status: int, headers: Headers, body: bytes) -> None:
        """Answer with an HTTP response instead, and close."""
        with trio.move_on_after(self._edge.limits.linger_seconds):
            await self._stream.send_all(whole_response(status, headers, body, self._edge.dates.line()))
            await _linger(self._stream)

    async def refuse(self, status: int, code: str, detail: str) -> None:
        """Answer with a problem in the format of the API, and close."""
        headers, body = self._edge.refusal_parts(Refusal(status, code, detail), self.headers, "GET")
        await self.reject(status, headers, body)

    def _head(self) -> bytes:
        target = self._scope["raw_path"] + (b"?" + self.query_string if self.query_string else b"")
        lines = [b"GET %b HTTP/1.1" % target, b"connection: upgrade", b"upgrade: websocket"]
        lines += [b"%b: %b" % pair for pair in self.headers if pair[0] not in _NOT_REPLAYED]
        return b"\r\n".join(lines) + b"\r\n\r\n"


class _Session:
    """An open connection, as the server looks after it."""

    def __init__(self, connection: EdgeWebSocket, nursery: trio.Nursery, limits: Limits) -> None:
        self._connection = connection
        self._nursery = nursery
        self._limits = limits
        self._ping_at = trio.current_time() + limits.ping_seconds

    def begin_drain(self) -> None:
        self._nursery.start_soon(self._connection.aclose, GOING_AWAY, "going away")

    def look_after(self, now: float) -> None:
        if now >= self._ping_at:
            self._ping_at = now + self._limits.ping_seconds + self._limits.pong_seconds
            self._nursery.start_soon(self._ping)

    async def _ping(self) -> None:  # noqa: ASYNC910 # its caller waits
        """Ping the peer, and cut it off when no pong comes in time."""
        with trio.move_on_after(self._limits.pong_seconds) as patience, suppress(ConnectionClosed, LocalProtocolError):
            await self._connection.ping()
        if patience.cancelled_caught:
            await self._connection.cut_off()
        self._ping_at = trio.current_time() + self._limits.ping_seconds


class _ReplayedStream(trio.abc.Stream):
    """A stream that begins with a head, and goes on with what was read before once that is accepted.

    trio-websocket would forget frames that came together with the head.

    Attributes:
        must_be_heard: The peer sends on and has not been told to stop before: to close would reset our last words away
            together with what it sent (RFC 9112, 9.6). So only our side is closed, and `accept` reads the rest.
    """

    def __init__(self, head: bytes, leftover: bytes, stream: trio.abc.Stream) -> None:
        self._head = head
        self._leftover = leftover
        self._closed = False
        self.accepted = trio.Event()
        self.must_be_heard = False
        self.stream = stream

    async def receive_some(self, max_bytes: int | None = None) -> bytes:
        if self._closed:
            raise trio.ClosedResourceError
        if self._head:
            await trio.lowlevel.checkpoint()
            data, self._head = self._head, b""
            return data
        await self.accepted.wait()
        if self._leftover:
            data, self._leftover = self._leftover, b""
            return data
        return bytes(await self.stream.receive_some(max_bytes))

    async def send_all(self, data: bytes | bytearray | memoryview) -> None:
        await self.stream.send_all(data)

    async def wait_send_all_might_not_block(self) -> None:
        await self.stream.wait_send_all_might_not_block()

    async def aclose(self) -> None:
        if self.must_be_heard and isinstance(self.stream, trio.abc.HalfCloseableStream):
            self._closed = True
            await self.stream.send_eof()
        else:
            await self.stream.aclose()


async def _linger(stream: trio.abc.Stream) -> None:
    """Read until the client closes, so that our last words are not reset away."""
    try:
        if isinstance(stream, trio.abc.HalfCloseableStream):
            await stream.send_eof()
        while await stream.receive_some():
            pass
    except (trio.BrokenResourceError, trio.ClosedResourceError):
        return  # noqa: ASYNC910 # its caller waits


def _single(error: BaseException) -> BaseException:
    while isinstance(error, BaseExceptionGroup) and len(error.exceptions) == 1:
        error = error.exceptions[0]
    return error
