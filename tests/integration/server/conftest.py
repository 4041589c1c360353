"""A server on 127.0.0.1 and raw sockets to it."""

from __future__ import annotations

import socket
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
import trio
import trustme

from app.web.server import HttpServer, Limits, TcpAddress, TlsFiles

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from app.web.server import Address, ASGIApp, Receive, Scope, Send, WebSocketHandshake

GET = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"
UPGRADE = (
    b"GET /ws HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
    b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n"
)


async def echo(scope: Scope, receive: Receive, send: Send) -> None:
    """Answer with what was asked: protocol, scheme, method, path and the length of the body."""
    size = 0
    more = True
    while more:
        message = await receive()
        if message["type"] == "http.disconnect":
            return
        size += len(message["body"])
        more = message["more_body"]
    words = [scope["http_version"], scope["scheme"], scope["method"], scope["path"], str(size)]
    text = " ".join(words).encode()
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-type", b"text/plain")]})
    await send({"type": "http.response.body", "body": text})


async def flood(_scope: Scope, _receive: Receive, send: Send) -> None:
    """Answer without an end."""
    await send({"type": "http.response.start", "status": 200, "headers": []})
    while True:
        await send({"type": "http.response.body", "body": b"x" * 65536, "more_body": True})


async def talk(handshake: WebSocketHandshake, _stream: trio.abc.Stream) -> None:
    """Say what was said; flood who asks for it."""
    async with handshake.accept() as connection:
        while True:
            message = await connection.get_message()
            await connection.send_message(message)
            while message == "flood":
                await connection.send_message("x" * 65536)


class Server(HttpServer):
    """A server that runs, and the ways to reach it."""

    port: int
    stopped: trio.Event
    clients: list[trio.SocketStream]

    async def run(self, *, task_status: trio.TaskStatus[list[Address]] = trio.TASK_STATUS_IGNORED) -> None:  # noqa: ASYNC128 # it hands task_status on
        self.stopped = trio.Event()
        await super().run(task_status=task_status)
        self.stopped.set()

    async def connect(self, *, receive_buffer: int | None = None) -> trio.SocketStream:
        sock = trio.socket.socket()
        if receive_buffer:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        await sock.connect(("127.0.0.1", self.port))
        stream = trio.SocketStream(sock)
        self.clients.append(stream)
        return stream

    async def ask(self, data: bytes) -> bytes:
        """Send, and return all that comes until the end."""
        async with await self.connect() as stream:
            await stream.send_all(data)
            return await everything(stream)


async def everything(stream: trio.abc.ReceiveStream) -> bytes:
    data = b""
    with trio.fail_after(10):
        while piece := await stream.receive_some():
            data += piece
    return data


class Servers:
    """Starts servers that end with the test."""

    def __init__(self, nursery: trio.Nursery) -> None:
        self._nursery = nursery
        self.clients: list[trio.SocketStream] = []

    async def __call__(self, app: ASGIApp = echo, *, tls: TlsFiles | None = None, **options: Any) -> Server:
        fields = set(Limits.__dataclass_fields__)
        limits = replace(Limits(), **{name: options.pop(name) for name in fields & set(options)})
        server = Server(
            api=app,
            pages=options.pop("pages", app),
            websocket=options.pop("websocket", talk),
            addresses=options.pop("addresses", [TcpAddress("127.0.0.1", 0)]),
            limits=limits,
            tls=tls,
            **options,
        )
        server.clients = self.clients

        bound = await self._nursery.start(server.run)
        server.port = next((address.port for address in bound if isinstance(address, TcpAddress)), 0)
        return server


@pytest.fixture
async def serve(nursery: trio.Nursery) -> AsyncIterator[Servers]:
    servers = Servers(nursery)
    with trio.fail_after(30):
        yield servers
        for client in servers.clients:
            await client.aclose()


@pytest.fixture
def flooding() -> Any:
    return flood


@pytest.fixture(scope="session")
def authority() -> trustme.CA:
    return trustme.CA()


def issue(authority: trustme.CA, directory: Path, name: str = "localhost") -> TlsFiles:
    """Write a certificate for this name."""
    certificate = authority.issue_cert(name)
    files = TlsFiles(certificate=directory / "cert.pem", key=directory / "key.pem")
    files.certificate.write_bytes(b"".join(blob.bytes() for blob in certificate.cert_chain_pems))
    certificate.private_key_pem.write_to_path(str(files.key))
    return files


@pytest.fixture
def certificate(authority: trustme.CA, tmp_path: Path) -> TlsFiles:
    return issue(authority, tmp_path)
