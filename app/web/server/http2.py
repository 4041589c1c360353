"""The HTTP/2 lane: hypercorn's connection class on our streams, with our bounds.

hypercorn's `H2Protocol` speaks the protocol; its trio worker is not used, because it shields its sends without a
deadline. What is added here: sends that end, heads held to the rules of `parsing.py`, 100 Continue, bodies with a limit
and a deadline, as many running applications as streams (a client that resets streams quickly gains nothing), no server
push, no WebSocket over HTTP/2 (browsers then open an HTTP/1.1 connection for it), and a drain that ends.
"""

import math
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Any, Final, cast

import trio
from h2.errors import ErrorCodes
from h2.events import DataReceived, RequestReceived
from h2.events import Event as H2Event
from h2.exceptions import ProtocolError
from h2.settings import SettingCodes, Settings
from hypercorn.config import Config
from hypercorn.events import Closed, Event, RawData, Updated
from hypercorn.protocol.events import InformationalResponse
from hypercorn.protocol.h2 import (
    BUFFER_HIGH_WATER,
    BUFFER_LOW_WATER,
    BufferCompleteError,
    H2Protocol,
    StreamBuffer,
)
from hypercorn.trio.worker_context import WorkerContext
from hypercorn.typing import AppWrapper, ConnectionState, TaskGroup
from hypercorn.typing import Event as IOEvent

from app.web.server import problems
from app.web.server.asgi import DISCONNECT, ClientDisconnectedError, Headers, Message, Scope, is_only
from app.web.server.edge import Edge, Peer
from app.web.server.parsing import RefusedError, judge
from app.web.server.patience import Patience
from app.web.server.problems import Refusal
from app.web.server.sockets import abort

# Pieces of a body that wait for the application, of at most one frame (16 KiB) each.
_INBOX_PIECES: Final = 4
_GONE = (trio.BrokenResourceError, trio.ClosedResourceError)
# Headers that mean one HTTP/1.1 connection; HTTP/2 forbids them.
_FORBIDDEN: Final = frozenset({b"connection", b"keep-alive", b"transfer-encoding", b"upgrade"})


class Http2Connection:
    """One client that speaks HTTP/2."""

    def __init__(self, stream: trio.abc.Stream, peer: Peer, edge: Edge) -> None:
        self.edge = edge
        self.closed = False
        self._stream = stream
        self.peer = peer
        self._looked_for_proxies = False
        self._send_lock = trio.Lock()
        self._reading = trio.CancelScope()
        self._sending: set[trio.CancelScope] = set()
        self._protocol: _Protocol

    def begin_drain(self) -> None:
        """Refuse new streams, and close once the open ones are answered. Not a checkpoint."""
        self.end_if_drained()

    def end_if_drained(self) -> None:
        """End a connection on which everything is answered and sent, if the server drains. Not a checkpoint."""
        if self.edge.draining and self._protocol.quiet:
            self._reading.cancel()

    def look_after(self, now: float) -> None:
        """Nothing becomes due: reading has its own deadline here. Not a checkpoint."""

    async def run(self) -> None:
        """Serve until the connection ends. The caller closes the stream."""
        async with trio.open_nursery() as nursery:
            self._protocol = _Protocol(self, _Applications(self, nursery))
            await self._protocol.initiate()
            with self._reading:
                await self._read()
            await self._end()

    async def _read(self) -> None:
        while True:  # noqa: ASYNC913 # every round waits for bytes
            data = b""
            with trio.move_on_after(self.edge.limits.idle_seconds) as idle:  # noqa: ASYNC912 # it is entered only to wait
                try:
                    data = bytes(await self._stream.receive_some())
                except _GONE:
                    return  # noqa: ASYNC910 # its caller has waited for bytes
            if data:
                await self._protocol.handle(RawData(data))
            elif not idle.cancelled_caught or self._protocol.idle:
                return  # noqa: ASYNC910 # its caller has waited for bytes

    async def _end(self) -> None:
        """Say goodbye, and let the applications that still run know that nobody reads."""
        with trio.move_on_after(self.edge.limits.linger_seconds):
            await self._protocol.say_goodbye()
        self._close()
        await self._protocol.handle(Closed())

    def _close(self) -> None:
        self.closed = True
        self._reading.cancel()
        for scope in self._sending:
            scope.cancel()

    def look_for_proxies(self, headers: Headers) -> None:
        """Once per connection: what proxies add, they add to every request. Not a checkpoint."""
        if not self._looked_for_proxies:
            self._looked_for_proxies = True
            self.edge.unbelieved.look(self.peer.client, headers)

    async def write(self, event: Event) -> None:  # noqa: ASYNC910 # its caller has waited for bytes
        """Do what the protocol asks for."""
        if isinstance(event, RawData):
            async with self._send_lock:
                try:
                    await self._stream.send_all(event.data)
                except _GONE:
                    self._close()
        elif isinstance(event, Closed):
            self._reading.cancel()
        elif isinstance(event, Updated):
            self.end_if_drained()

    async def proceed(self, stream_id: int) -> None:
        """Send 100 Continue.

        Raises:
            ClientDisconnectedError: nobody reads it.
        """

        async def send(_: Message | None) -> None:
            await self._protocol.stream_send(InformationalResponse(stream_id=stream_id, headers=[], status_code=100))

        await self.send(send, None)

    async def send(self, send: Callable[[Message | None], Awaitable[None]], message: Message | None) -> None:
        """Pass a part of a response on; a client that gives no window in time is cut off.

        Raises:
            ClientDisconnectedError: nobody reads it.
        """
        # hypercorn drops what is said to a stream that is gone, and does not wait for anything: without this, whoever
        # goes on sending would let nobody have a turn, not even the task that finds that the client left.
        await trio.lowlevel.checkpoint()
        if self.closed:
            raise ClientDisconnectedError("the client left")
        size = BUFFER_HIGH_WATER + len(message.get("body", b"")) if message else BUFFER_HIGH_WATER
        with trio.move_on_after(self.edge.limits.send_seconds(size)) as scope:
            self._sending.add(scope)
            try:
                await send(message)
            finally:
                self._sending.discard(scope)
        if scope.cancelled_caught:
            abort(self._stream)
            self._close()
            raise ClientDisconnectedError("the client does not read")


class _Protocol(H2Protocol):
    """hypercorn's connection, minus what we do not offer and what brings it down."""

    def __init__(self, lane: Http2Connection, applications: "_Applications") -> None:
        limits, peer = lane.edge.limits, lane.peer
        config = _config(lane.edge)
        server = None if peer.server is None else (peer.server[0], peer.server[1] or 0)
        super().__init__(
            cast("AppWrapper", None),  # `applications` knows what to call
            config,
            WorkerContext(None),
            cast("TaskGroup", applications),
            ConnectionState({}),
            True,  # noqa: FBT003 # hypercorn's signature: ssl
            peer.client,
            server,
            lane.write,
        )
        self._edge = lane.edge
        self._lane = lane
        self._applications = applications
        # hypercorn would offer WebSocket over HTTP/2 (RFC 8441) here.
        self.connection.local_settings = Settings(
            client=False,
            initial_values={
                SettingCodes.MAX_CONCURRENT_STREAMS: limits.streams_per_connection,
                SettingCodes.MAX_HEADER_LIST_SIZE: limits.head_bytes,
                SettingCodes.ENABLE_PUSH: 0,
            },
        )
        # What is more ends the connection; up to here, a head that is too large is answered.
        self.connection.decoder.max_header_list_size = 2 * limits.head_bytes

        self.stream_buffers = _Buffers(self.context.event_class)

    @property
    def quiet(self) -> bool:
        """Tell whether every stream is answered and sent."""
        return not (self.streams or self.stream_buffers)

    async def _send_data(self, stream_id: int) -> None:
        await super()._send_data(stream_id)
        self._lane.end_if_drained()

    async def _close_stream(self, stream_id: int) -> None:
        """Forget a stream. One that is not complete is reset: hypercorn would leave it open, and keep its buffer."""
        await super()._close_stream(stream_id)
        buffer = self.stream_buffers.get(stream_id)
        if buffer is None or buffer._complete:  # noqa: SLF001 # its property means: and sent
            return
        with suppress(ProtocolError):
            self.connection.reset_stream(stream_id, ErrorCodes.INTERNAL_ERROR)
        # The sending task finds it complete, and removes it.
        await buffer.close()
        self.priority.unblock(stream_id)
        await self.has_data.set()
        await self._flush()

    async def _create_stream(self, request: RequestReceived) -> None:
        self._applications.stream_id = request.stream_id
        await super()._create_stream(request)

    async def _handle_events(self, events: list[H2Event]) -> None:
        for event in events:
            if isinstance(event, RequestReceived) and self._refuses(event):
                continue
            if isinstance(event, DataReceived) and event.stream_id not in self.streams:
                # Answered before its body was complete: hypercorn would fail on the rest.
                self.connection.acknowledge_received_data(event.flow_controlled_length or 0, event.stream_id)
                continue
            await super()._handle_events([event])
        await self._flush()

    def _refuses(self, event: RequestReceived) -> bool:
        headers = dict(event.headers)
        if headers.get(b":method") == b"CONNECT":
            code = ErrorCodes.HTTP_1_1_REQUIRED
        elif not headers.get(b":path", b"").startswith(b"/") or not headers[b":path"].isascii():
            code = ErrorCodes.PROTOCOL_ERROR
        elif self._edge.draining:
            code = ErrorCodes.REFUSED_STREAM
        else:
            return False
        self.connection.reset_stream(event.stream_id, code)
        return True

    async def say_goodbye(self) -> None:
        """Send GOAWAY."""
        self.connection.close_connection()
        await self._flush()


class _Buffer(StreamBuffer):
    """What a stream has yet to send, bounded.

    hypercorn's own lets the application go on after any small piece was sent, and even when the client gives no
    window at all: then it spins, and grows until the memory ends.
    """

    async def push(self, data: bytes) -> None:
        if self._complete:
            raise BufferCompleteError
        self.buffer.extend(data)
        await self._is_empty.clear()
        while len(self.buffer) >= BUFFER_HIGH_WATER:
            await self._paused.wait()
            await self._paused.clear()

    async def pop(self, max_length: int) -> bytes:
        data = bytes(self.buffer[:max_length])
        del self.buffer[:max_length]
        if len(self.buffer) < BUFFER_LOW_WATER:
            await self._paused.set()
        if not self.buffer:
            await self._is_empty.set()
        return data  # noqa: ASYNC910 # its caller has waited for bytes


class _Buffers(dict[int, StreamBuffer]):
    """Puts our buffer where hypercorn puts its own."""

    def __init__(self, event_class: type[IOEvent]) -> None:
        self._event_class = event_class

    def __setitem__(self, stream_id: int, _: StreamBuffer) -> None:
        super().__setitem__(stream_id, _Buffer(self._event_class))


class _Applications:
    """What hypercorn calls its task group: starts the application of each stream, and the sending task."""

    def __init__(self, lane: Http2Connection, nursery: trio.Nursery) -> None:
        self._lane = lane
        self._nursery = nursery
        self._slots = trio.Semaphore(lane.edge.limits.streams_per_connection)
        # Of the stream that is being created: hypercorn does not say it to `spawn_app`.
        self.stream_id = 0

    def spawn(self, function: Callable[..., Awaitable[None]], *args: Any) -> None:
        """Start a task of the protocol."""
        self._nursery.start_soon(function, *args)

    async def spawn_app(
        self, _app: object, _config: Config, scope: Scope, send: Callable[[Message | None], Awaitable[None]]
    ) -> Callable[[Message], Awaitable[None]]:
        """Start the application of a stream; return where its body goes. Waits while too many run."""
        stream_id = self.stream_id
        await self._slots.acquire()
        exchange = _Exchange(self._lane, stream_id, scope, send)
        self._nursery.start_soon(self._run, exchange)
        return exchange.put

    async def _run(self, exchange: "_Exchange") -> None:
        try:
            await exchange.run()
        finally:
            self._slots.release()


class _Exchange:
    """One stream: bounds between hypercorn and the application."""

    def __init__(
        self, lane: Http2Connection, stream_id: int, scope: Scope, send: Callable[[Message | None], Awaitable[None]]
    ) -> None:
        self._lane = lane
        self._stream_id = stream_id
        self._edge = lane.edge
        self._scope = scope
        self._app_send = send
        self._inlet, self._outlet = trio.open_memory_channel[Message](_INBOX_PIECES)
        self._patience = Patience(lane.edge.limits)
        self._body_bytes = 0
        self._body_ended = False
        self._expects_continue = False
        self._started = False
        self._refused = False
        self._left = False

    async def put(self, message: Message) -> None:
        """Take a piece of the body, or the news that the client left."""
        if message["type"] == DISCONNECT:
            self._left = True
            self._inlet.close()
            return  # noqa: ASYNC910 # its caller has waited for bytes
        try:
            await self._inlet.send(message)
        except _GONE:
            # The application has answered and does not want it.
            return  # noqa: ASYNC910 # its caller has waited for bytes

    async def run(self) -> None:
        """Run the application, and make sure that the stream is answered or reset."""
        scope = self._scope
        scope["asgi"] = {"version": "3.0", "spec_version": "2.4"}
        scope["extensions"] = {}
        self._apply_proxies()
        try:
            refusal = self._judge()
            if refusal is not None:
                await self._refuse(refusal)
            else:
                await self._edge.dispatch(scope, self.receive, self.send)
        except Exception as error:  # noqa: BLE001 # the border to the applications: their bug is one client's 500
            if not is_only(error, ClientDisconnectedError):
                self._edge.application_failed(scope, error)
        self._outlet.close()
        try:
            if not (self._started or self._lane.closed):
                await self._refuse(problems.INTERNAL)
            # hypercorn: the application ended.
            await self._lane.send(self._app_send, None)
        except ClientDisconnectedError:
            return  # noqa: ASYNC910 # its caller has waited for bytes

    def _judge(self) -> Refusal | None:
        scope = self._scope
        target = scope["raw_path"] + (b"?" + scope["query_string"] if scope["query_string"] else b"")
        try:
            request = judge(scope["method"], target, scope["headers"], self._edge.limits)
        except RefusedError as refused:
            return refused.refusal
        self._expects_continue = request.expects_continue
        return None

    def _apply_proxies(self) -> None:
        peer = self._lane.peer
        if peer.trusted:
            scope = self._scope
            scope["client"], scope["scheme"] = self._edge.proxies.client(peer.client, scope["scheme"], scope["headers"])
        else:
            self._lane.look_for_proxies(self._scope["headers"])

    async def receive(self) -> Message:
        """Return the next piece of the body, or `http.disconnect`."""
        if self._refused:
            await trio.lowlevel.checkpoint()
            return {"type": DISCONNECT}
        await self._proceed()
        began = trio.current_time()
        with trio.move_on_after(math.inf if self._body_ended else self._patience.seconds):
            try:
                message = await self._outlet.receive()
            except trio.EndOfChannel:
                return {"type": DISCONNECT}  # noqa: ASYNC910 # its caller has waited for bytes
            return await self._bounded(message, trio.current_time() - began)
        return await self._give_up(problems.TIMED_OUT)

    async def _proceed(self) -> None:  # noqa: ASYNC910 # its caller waits for the body
        """Let a client that waits for it send its body, now that the application wants it."""
        expected, self._expects_continue = self._expects_continue, False
        if expected and not (self._started or self._outlet.statistics().current_buffer_used):
            with suppress(ClientDisconnectedError):  # the application hears of it in place of the body
                await self._lane.proceed(self._stream_id)

    async def _bounded(self, message: Message, waited_seconds: float) -> Message:
        size = len(message["body"])
        self._patience.spend(waited_seconds, size)
        self._body_bytes += size
        self._body_ended = not message["more_body"]
        if self._body_bytes > self._edge.limits.body_bytes:
            return await self._give_up(problems.BODY_TOO_LARGE)
        return message  # noqa: ASYNC910 # its caller has waited for bytes

    async def _give_up(self, refusal: Refusal) -> Message:
        if not self._started:
            await self._refuse(refusal)
        self._refused = True
        return {"type": DISCONNECT}  # noqa: ASYNC910 # its caller has waited for bytes

    async def send(self, message: Message) -> None:
        """Pass a part of the response on.

        Raises:
            ClientDisconnectedError: nobody reads it.
            ValueError: a header holds a line break.
        """
        if self._refused or self._left:
            await trio.lowlevel.checkpoint()
            raise ClientDisconnectedError("the edge has answered" if self._refused else "the client left")
        if message["type"] == "http.response.start":
            message = {**message, "headers": self._checked(message.get("headers", ()))}
            self._started = True
        await self._lane.send(self._app_send, message)

    def _checked(self, headers: Any) -> Headers:
        kept = [(name, value) for name, value in headers if name not in _FORBIDDEN]
        if any(b"\n" in value or b"\r" in value for _, value in kept):
            raise ValueError("a response header holds a line break")
        if not any(name == b"date" for name, _ in kept):
            kept.append((b"date", self._edge.dates.value()))
        return kept

    async def _refuse(self, refusal: Refusal) -> None:
        headers, body = self._edge.refusal_parts(refusal, self._scope["headers"], self._scope["method"])
        await self.send({"type": "http.response.start", "status": refusal.status, "headers": headers})
        await self.send({"type": "http.response.body", "body": body})
        self._refused = True


def _config(edge: Edge) -> Config:
    """Return hypercorn's settings. It neither logs nor names itself."""
    config = Config()
    config.errorlog = None
    config.include_server_header = False
    config.include_date_header = False
    # hypercorn closes such a connection without waiting for what is in flight.
    config.keep_alive_max_requests = 2**31
    config.h2_max_concurrent_streams = edge.limits.streams_per_connection
    return config
