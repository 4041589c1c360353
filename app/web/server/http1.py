"""The HTTP/1.1 lane: one connection, its requests answered in order by ASGI applications.

The application runs in the connection's own task. A client that leaves does not cancel it: `receive` says
`http.disconnect`, `send` raises `ClientDisconnectedError`, and a write that began is finished.
"""

import math

import trio

from app.web.server import problems
from app.web.server.asgi import VERSION, ClientDisconnectedError, Headers, Scope, is_only
from app.web.server.edge import Edge, Peer
from app.web.server.exchange import Exchange
from app.web.server.parsing import Request, RequestParser
from app.web.server.patience import Patience
from app.web.server.problems import Refusal
from app.web.server.sockets import abort, has_data

# Requests that are sent ahead while one is answered; more wait in the kernel.
AHEAD_BYTES = 64 * 1024
_LAST_CHANCE_SECONDS = 0.1
_GONE = (trio.BrokenResourceError, trio.ClosedResourceError)


class Http1Connection:
    """One client that speaks HTTP/1.1."""

    def __init__(self, stream: trio.abc.Stream, peer: Peer, edge: Edge) -> None:
        self.stream = stream
        self.edge = edge
        self._peer = peer
        self._limits = edge.limits
        self._parser = RequestParser(edge.limits)
        self._ahead = b""
        self._ended = False
        self._served = False
        # Entered once: a scope with a deadline for every request would cost a quarter of the request.
        self._idle = trio.CancelScope()
        self._idle_until = math.inf
        self._waiting = False
        self._head_deadline = math.inf
        self._patience = Patience(edge.limits)

    def begin_drain(self) -> None:
        """Close if idle; otherwise what is in flight is answered with `Connection: close`. Not a checkpoint."""
        if self._waiting and not has_data(self.stream):
            self._idle.cancel()

    def look_after(self, now: float) -> None:
        """Close if it has been idle for too long; `now` is trio's time. Not a checkpoint."""
        if self._waiting and self._idle_until < now:
            self._idle.cancel()

    async def run(self) -> Request | None:
        """Serve until the connection ends; return the request that asks for a WebSocket, if one does.

        The caller closes the stream.
        """
        with self._idle:
            try:
                while (request := await self._next_request()) is not None:
                    if request.upgrade:
                        return request
                    if not await self._answer(request):
                        break
            except _GONE:
                pass
        return None  # noqa: ASYNC910 # its caller has waited for bytes

    # reading heads

    async def _next_request(self) -> Request | None:
        parser = self._parser
        if parser.requests:
            # Sent ahead, so nothing was waited for: the other connections' turn.
            await trio.lowlevel.checkpoint()
        while not parser.requests:
            if parser.refusal is not None:
                await self._refuse(parser.refusal, parser.refused_headers)
                return None
            data = await self._receive_head()
            if not data:
                return None
            parser.feed(data)
        self._head_deadline = math.inf
        request = parser.requests.popleft()
        if not self._served:
            self._served = True
            self._look_for_proxies(request)
        return request  # noqa: ASYNC910 # its caller has waited for bytes

    def _look_for_proxies(self, request: Request) -> None:
        """Once per connection: what proxies add, they add to every request."""
        if not self._peer.trusted:
            self.edge.unbelieved.look(self._peer.client, request.headers)

    async def _receive_head(self) -> bytes:
        """Return more bytes, or none when the client left, was idle or too slow, or the server drains."""
        if self._ahead or self._ended:
            data, self._ahead = self._ahead, b""
            return data  # noqa: ASYNC910 # its caller has waited for bytes
        if self._parser.in_head:
            return await self._receive_rest_of_head()
        if self.edge.draining:
            return await self._receive_at_last()
        seconds = self._limits.idle_seconds if self._served else self._limits.header_seconds
        self._idle_until = trio.current_time() + seconds
        self._waiting = True
        data = bytes(await self.stream.receive_some())
        self._waiting = False
        # Closed in the same moment in which data came: what has not begun must not be cancelled half way.
        return b"" if self._idle.cancel_called else data

    async def _receive_at_last(self) -> bytes:
        """Give a client that was accepted while the server stops the time to say what it has said already."""
        with trio.move_on_after(_LAST_CHANCE_SECONDS):
            return bytes(await self.stream.receive_some())
        return b""

    async def _receive_rest_of_head(self) -> bytes:
        if self._head_deadline == math.inf:
            self._head_deadline = trio.current_time() + self._limits.header_seconds
        with trio.move_on_at(self._head_deadline):
            return bytes(await self.stream.receive_some())
        await self._refuse(problems.TIMED_OUT, [])
        return b""

    # one request

    async def _answer(self, request: Request) -> bool:
        """Have it answered; tell whether the connection stays open."""
        if not request.complete:
            self._patience = Patience(self._limits)
        scope = self.scope(request)
        exchange = Exchange(self, request)
        try:
            await self.edge.dispatch(scope, exchange.receive, exchange.send)
        except Exception as error:  # noqa: BLE001 # the border to the applications: their bug is one client's 500
            if not is_only(error, ClientDisconnectedError):
                self.edge.application_failed(scope, error)
        if not await exchange.conclude():
            return False
        while not request.complete:
            if not await self.read_body():
                return False
        return True

    def scope(self, request: Request) -> Scope:
        """Return what ASGI says about a request."""
        peer = self._peer
        client, scheme = peer.client, peer.scheme
        if peer.trusted:
            client, scheme = self.edge.proxies.client(client, scheme, request.headers)
        return {
            "type": "http",
            "asgi": VERSION,
            "http_version": request.http_version,
            "method": request.method,
            "scheme": scheme,
            "path": request.path,
            "raw_path": request.raw_path,
            "query_string": request.query_string,
            "root_path": "",
            "headers": request.headers,
            "client": client,
            "server": peer.server,
            "extensions": {},
        }

    # what an exchange asks of its connection

    @property
    def refusal(self) -> Refusal | None:
        """Return what is wrong with the request whose body is being read."""
        return self._parser.refusal

    async def read_body(self) -> bool:
        """Wait for more of the body; false when no more will come: it was refused, or the client left."""
        if self._parser.refusal is not None or self._ended:
            return False  # noqa: ASYNC910 # its caller has waited for bytes
        began = trio.current_time()
        with trio.move_on_after(self._patience.seconds):
            data = await self.stream.receive_some()
            self._patience.spend(trio.current_time() - began, len(data))
            self._ended = not data
            self._parser.feed(bytes(data))
            return bool(data)
        self._parser.refusal = problems.TIMED_OUT
        return False

    async def wait_disconnect(self) -> None:
        """Wait until the client left. What it sends meanwhile is kept for later, up to a limit."""
        while not self._ended:
            if len(self._ahead) >= AHEAD_BYTES:
                await trio.sleep_forever()
            try:
                data = await self.stream.receive_some()
            except _GONE:
                self._ended = True
                return  # noqa: ASYNC910 # its caller has waited for bytes
            self._ahead += data
            self._ended = not data
        # It may only have closed its sending side, and still read.
        await trio.sleep(self._limits.half_close_seconds)

    # refusing

    def abort(self) -> None:
        """Break a response off so that the client can tell it from one that ended."""
        abort(self.stream)

    async def _refuse(self, refusal: Refusal, given: Headers) -> None:
        await self.stream.send_all(self.edge.refusal(refusal, given))
        await self.linger()

    async def linger(self) -> None:
        """Read and ignore for a while: closing with unread bytes would reset what the client has yet to read."""
        with trio.move_on_after(self._limits.linger_seconds):
            if isinstance(self.stream, trio.abc.HalfCloseableStream):
                await self.stream.send_eof()
            while await self.stream.receive_some():
                pass
