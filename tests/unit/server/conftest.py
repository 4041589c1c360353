"""A client and a connection of the edge joined in memory, so that time can be virtual."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import pytest
import trio
import trio.testing

from app.web.server.edge import Edge, Peer
from app.web.server.http1 import Http1Connection
from app.web.server.lanes import Lanes
from app.web.server.limits import Limits
from app.web.server.websocket import WebSocketHandshake

if TYPE_CHECKING:
    from app.web.server.asgi import ASGIApp, Message, Receive, Scope, Send
    from app.web.server.websocket import WebSocketHandler

PEER = Peer(("192.0.2.7", 4711), ("127.0.0.1", 8000), "http")


async def echo(scope: Scope, receive: Receive, send: Send) -> None:
    """Answer with what was asked: method, path, query and body."""
    body = b""
    more = True
    while more:
        message = await receive()
        if message["type"] == "http.disconnect":
            return
        body += message["body"]
        more = message["more_body"]
    text = b" ".join([scope["method"].encode(), scope["path"].encode(), scope["query_string"], body])
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"%d" % len(text))]})
    await send({"type": "http.response.body", "body": text})


@dataclass
class Wire:
    """One connection, seen from the client."""

    nursery: trio.Nursery
    app: ASGIApp = echo
    limits: Limits = field(default_factory=Limits)
    peer: Peer = PEER
    websocket: WebSocketHandler | None = None
    ended: trio.Event = field(default_factory=trio.Event)

    def __post_init__(self) -> None:
        self.client, self.server = trio.testing.memory_stream_pair()
        self.edge = Edge(api=self.app, pages=self.app, limits=self.limits)
        self.lanes = Lanes()
        self.connection = Http1Connection(self.server, self.peer, self.edge)
        self.nursery.start_soon(self._serve)
        self.nursery.start_soon(self.lanes.watch)

    async def _serve(self) -> None:
        with self.lanes.opened(self.connection):
            request = await self.connection.run()
        if request is not None and self.websocket is not None:
            scope = self.connection.scope(request)
            handshake = WebSocketHandshake(scope, self.server, self.edge, request.leftover)
            with self.lanes.opened(handshake):
                await self.websocket(handshake, self.server)
        await self.server.aclose()
        self.ended.set()

    async def send(self, data: bytes) -> None:
        """Send bytes as one piece."""
        await self.client.send_all(data)

    async def receive(self, until: bytes) -> bytes:
        """Return what comes, up to and with these bytes."""
        data = b""
        while not data.endswith(until):
            piece = await self.client.receive_some()
            assert piece, f"the connection ended after {data!r}"
            data += piece
        return data  # noqa: ASYNC910 # a test's client

    async def receive_all(self) -> bytes:
        """Return all that comes until the end."""
        data = b""
        while piece := await self.client.receive_some():
            data += piece
        return data

    async def ask(self, data: bytes) -> bytes:
        """Send, say that this was all, and return all that comes."""
        await self.client.send_all(data)
        await self.client.send_eof()
        return await self.receive_all()


class Wires:
    """Makes connections, all with these limits and this application."""

    def __init__(self, nursery: trio.Nursery) -> None:
        self._nursery = nursery

    def __call__(
        self, app: ASGIApp = echo, *, peer: Peer = PEER, websocket: WebSocketHandler | None = None, **limits: Any
    ) -> Wire:
        return Wire(self._nursery, app, replace(Limits(), **limits), peer, websocket)


@pytest.fixture
def wire(nursery: trio.Nursery) -> Wires:
    return Wires(nursery)


def answer(body: bytes = b"ok", *, status: int = 200, headers: list[tuple[bytes, bytes]] | None = None) -> ASGIApp:
    """Return an application that always answers this."""

    async def application(_scope: Scope, _receive: Receive, send: Send) -> None:
        message: Message = {"type": "http.response.start", "status": status, "headers": headers or []}
        await send(message)
        await send({"type": "http.response.body", "body": body})

    return application


@pytest.fixture
def answering() -> Any:
    return answer
