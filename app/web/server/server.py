"""The HTTP server: listens, admits, finds each connection its lane, and stops politely.

server = HttpServer(api=api, pages=pages, websocket=live, addresses=[TcpAddress("127.0.0.1", 8000)])
addresses = await nursery.start(server.run)
...
server.begin_drain()     # run() returns when what is in flight is answered, or after limits.drain_seconds
"""

import socket
from collections.abc import Callable, Sequence
from contextlib import ExitStack, suppress
from functools import partial
from typing import TYPE_CHECKING, Any

import trio

from app.domain.addresses import unmapped
from app.web.server import problems
from app.web.server.accepting import Acceptor
from app.web.server.admission import Admission
from app.web.server.asgi import ASGIApp, is_only
from app.web.server.edge import Edge, Peer, is_api, log
from app.web.server.forwarded import TrustedProxies
from app.web.server.http1 import Http1Connection
from app.web.server.lanes import Lanes
from app.web.server.limits import Limits, connections_that_fit
from app.web.server.listeners import Address, open_listeners
from app.web.server.problems import ErrorResponse
from app.web.server.sockets import RECEIVE_BYTES, SocketStream
from app.web.server.tls import TlsError, TlsFiles, load_context
from app.web.server.websocket import WebSocketHandler, WebSocketHandshake

if TYPE_CHECKING:
    from ssl import SSLContext

    from app.web.server.http2 import Http2Connection

_GONE = (trio.BrokenResourceError, trio.ClosedResourceError)


class HttpServer:
    """One process's edge. `run` may be called again after it returned."""

    def __init__(  # noqa: PLR0913 # each is one thing the edge cannot know
        self,
        *,
        api: ASGIApp,
        pages: ASGIApp,
        websocket: WebSocketHandler,
        addresses: Sequence[Address],
        is_api: Callable[[str], bool] = is_api,
        tls: TlsFiles | None = None,
        trusted_proxies: TrustedProxies | None = None,
        limits: Limits | None = None,
        error_response: ErrorResponse = problems.problem_response,
    ) -> None:
        self._limits = limits or Limits()
        proxies = trusted_proxies or TrustedProxies()
        self._edge = Edge(
            api=api, pages=pages, is_api=is_api, limits=self._limits, proxies=proxies, error_response=error_response
        )
        self._websocket = websocket
        self._addresses = addresses
        self._tls_files = tls
        self._tls: SSLContext | None = None
        self._http2: type[Http2Connection] | None = None
        self._lanes = Lanes()
        self._asked_to_drain = trio.Event()
        self._admission = Admission(
            total=connections_that_fit(self._limits.connections),
            per_address=self._limits.connections_per_address,
            exempt=proxies.trusts,
        )

    @property
    def connections(self) -> int:
        """Return how many clients are connected."""
        return self._admission.count

    async def run(self, *, task_status: trio.TaskStatus[list[Address]] = trio.TASK_STATUS_IGNORED) -> None:
        """Serve until `begin_drain` and what it waits for, or until cancelled. Starts with the bound addresses.

        Raises:
            ListenError: an address cannot be listened on.
            TlsError: the certificate or the key cannot be used.
        """
        self._asked_to_drain = trio.Event()
        self._edge.draining = False
        if self._tls_files:
            self._tls, self._http2 = load_context(self._tls_files), _http2()
        listeners = open_listeners(self._addresses)
        async with trio.open_nursery() as connections:
            admit = partial(self._admit, connections)
            acceptors = [Acceptor(listener.sock, admit) for listener in listeners]
            with ExitStack() as opened:
                for listener in listeners:
                    opened.callback(listener.close)
                async with trio.open_nursery() as accepting:
                    for acceptor in acceptors:
                        accepting.start_soon(acceptor.run)
                    accepting.start_soon(self._lanes.watch)
                    task_status.started([listener.address for listener in listeners])
                    await self._asked_to_drain.wait()
                    accepting.cancel_scope.cancel()
                # Those who wait already would be reset.
                for acceptor in acceptors:
                    acceptor.accept_waiting()
            connections.cancel_scope.deadline = trio.current_time() + self._limits.drain_seconds
        if connections.cancel_scope.cancelled_caught:
            log.warning("Cut off clients that did not finish in time.", event="edge.drain.timeout")

    def begin_drain(self) -> None:
        """Stop politely: accept nobody, close who is idle, answer what is in flight. Not a checkpoint."""
        self._edge.draining = True
        self._asked_to_drain.set()
        self._lanes.begin_drain()

    def reload_tls(self) -> None:
        """Use the certificate that the files hold now, for new connections; if it is unusable, keep the old one."""
        if self._tls_files is None:
            return
        try:
            self._tls = load_context(self._tls_files)
        except TlsError as error:
            log.error("Kept the old certificate.", event="edge.tls.kept", reason=str(error))
        else:
            log.info("Loaded the certificate.", event="edge.tls.loaded")

    # one connection

    def _admit(self, connections: trio.Nursery, sock: socket.socket, address: Any) -> None:
        host = None if sock.family == socket.AF_UNIX else unmapped(address[0])
        if self._admission.enter(host):
            connections.start_soon(self._serve, sock, host, address)
        else:
            _turn_away(sock, b"" if self._tls else self._edge.refusal(problems.TOO_MANY, []))

    async def _serve(self, sock: socket.socket, host: str | None, address: Any) -> None:  # noqa: ASYNC910 # serving waits for the client
        """Serve one connection. Its faults end it, and nothing else."""
        stream: SocketStream | None = None
        try:
            stream = SocketStream(sock, self._limits)
            peer = self._peer(sock, host, address)
            await (self._serve_tls(stream, peer) if self._tls else self._serve_http1(stream, peer))
        except Exception as error:  # noqa: BLE001 # a bug that one client can trigger must not disconnect all others
            if not is_only(error, (*_GONE, OSError)):
                self._edge.connection_failed(error)
        finally:
            self._admission.leave(host)
            if stream is None:
                sock.close()
            else:
                stream.close()

    def _peer(self, sock: socket.socket, host: str | None, address: Any) -> Peer:
        scheme = "https" if self._tls else "http"
        trusted = self._edge.proxies.trusts(host)
        if host is None:
            return Peer(None, (str(sock.getsockname()), None), scheme, trusted)
        ours = sock.getsockname()
        return Peer((host, address[1]), (unmapped(ours[0]), ours[1]), scheme, trusted)

    async def _serve_tls(self, transport: SocketStream, peer: Peer) -> None:
        if self._tls is None or self._http2 is None:
            raise AssertionError("TLS is on")
        stream = trio.SSLStream(transport, self._tls, server_side=True, https_compatible=True)
        with trio.move_on_after(self._limits.header_seconds) as handshake:
            await stream.do_handshake()
        if handshake.cancelled_caught:
            return
        if stream.selected_alpn_protocol() == "h2":
            connection = self._http2(stream, peer, self._edge)
            with self._lanes.opened(connection):
                await connection.run()
        else:
            await self._serve_http1(stream, peer)
        with trio.move_on_after(self._limits.linger_seconds):
            await stream.aclose()

    async def _serve_http1(self, stream: trio.abc.Stream, peer: Peer) -> None:
        connection = Http1Connection(stream, peer, self._edge)
        with self._lanes.opened(connection):
            request = await connection.run()
        if request is not None:
            handshake = WebSocketHandshake(connection.scope(request), stream, self._edge, request.leftover)
            del connection, request
            with self._lanes.opened(handshake):
                await self._websocket(handshake, stream)


def _turn_away(sock: socket.socket, answer: bytes) -> None:
    """Say why, as far as that goes without waiting, and close. Not a checkpoint."""
    with sock, suppress(OSError):
        sock.settimeout(0)
        with suppress(BlockingIOError):
            # Unread bytes would turn the close into a reset, which may overtake the answer.
            sock.recv(RECEIVE_BYTES)
        sock.send(answer)
        sock.shutdown(socket.SHUT_WR)


def _http2() -> "type[Http2Connection]":
    """Import what only TLS needs: without it Rondo starts a tenth of a second earlier."""
    from app.web.server.http2 import Http2Connection  # noqa: PLC0415 # only TLS needs it

    return Http2Connection
