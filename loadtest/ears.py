"""Many WebSockets that listen: the least client there can be, since a thousand of them share this processor with Rondo.

Text frames are handed over, pings answered, nothing is sent otherwise. No compression is offered.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Final

import trio

from loadtest.process import HOST

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator, Sequence

OnText = Callable[[bytes], None]

TEXT: Final = 1
CLOSE: Final = 8
PING: Final = 9
# How many connect at a time.
AT_ONCE: Final = 16
CONNECT_SECONDS: Final = 60.0
UPGRADE: Final = (
    "GET /ws HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nAuthorization: Bearer {token}\r\n\r\n"
)


class EarError(Exception):
    """A WebSocket was refused, or closed by the server."""


class Ear:
    """One WebSocket; `said` is called with the text of each frame."""

    def __init__(self, stream: trio.SocketStream, said: OnText) -> None:
        self._stream = stream
        self._said = said
        self._unread = b""

    async def greet(self, token: str) -> None:
        """Upgrade the connection and wait for hello."""
        await self._stream.send_all(UPGRADE.format(token=token).encode())
        while b"\r\n\r\n" not in self._unread:
            self._unread += await self._receive()
        head, _, self._unread = self._unread.partition(b"\r\n\r\n")
        if not head.startswith(b"HTTP/1.1 101 "):
            raise EarError(f"Refused: {head[:80]!r}")
        while not self._unread:
            self._unread = await self._receive()
        for kind, text in self._frames():
            if kind != TEXT or b'"hello"' not in text:
                raise EarError(f"Not hello: {text[:80]!r}")

    async def listen(self) -> None:
        """Hand over what comes, until cancelled."""
        while True:
            self._unread += await self._receive()
            for kind, payload in self._frames():
                if kind == TEXT:
                    self._said(payload)
                elif kind == PING:  # a client masks; with a mask of zeros that changes nothing
                    await self._stream.send_all(bytes((0x8A, 0x80 | len(payload), 0, 0, 0, 0)) + payload)
                elif kind == CLOSE:
                    raise EarError(f"Closed with {int.from_bytes(payload[:2], 'big')}: {payload[2:]!r}")

    async def _receive(self) -> bytes:
        data = await self._stream.receive_some(65536)
        if not data:
            raise EarError("The server ended a connection.")
        return bytes(data)

    def _frames(self) -> Iterator[tuple[int, bytes]]:
        """Yield (opcode, payload) of every whole frame; a server does not mask."""
        data, at = self._unread, 0
        while len(data) >= at + 2:
            size, begin = data[at + 1], at + 2
            if size >= 126:
                width = 2 if size == 126 else 8
                size, begin = int.from_bytes(data[begin : begin + width], "big"), begin + width
            if len(data) < begin + size:
                break
            yield data[at] & 0x0F, data[begin : begin + size]
            at = begin + size
        self._unread = data[at:]


@asynccontextmanager
async def listening(port: int, tokens: Sequence[str], said: OnText) -> AsyncIterator[None]:
    """Have a WebSocket listen for each token, for the length of a block; each has heard hello when it begins."""
    ears: list[Ear] = []
    streams: list[trio.SocketStream] = []
    limit = trio.CapacityLimiter(AT_ONCE)

    async def connect(token: str) -> None:
        async with limit:
            stream = await trio.open_tcp_stream(HOST, port)
            streams.append(stream)
            ear = Ear(stream, said)
            await ear.greet(token)
            ears.append(ear)

    try:
        with trio.fail_after(CONNECT_SECONDS):
            async with trio.open_nursery() as nursery:
                for token in tokens:
                    nursery.start_soon(connect, token)
        async with trio.open_nursery() as nursery:
            for ear in ears:
                nursery.start_soon(ear.listen)  # noqa: ASYNC113 - hello was heard, nothing is missed before it runs
            yield
            nursery.cancel_scope.cancel()
    finally:
        with trio.CancelScope(shield=True):
            for stream in streams:
                await trio.aclose_forcefully(stream)
