"""One socket to PostgreSQL, as asyncpg wants to see it: an asyncio transport over a trio reader task.

Writes go to the kernel at once; what it does not take is buffered and flushed by a task, and above `HIGH_WATER_BYTES`
the protocol is asked to pause. TLS is an inner layer (`tls.TlsLayer`) switched on in place. The protocol's
`connection_lost` is called exactly once, whoever ends the connection.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import trio

from app.adapters.postgres.tls import TlsLayer

if TYPE_CHECKING:
    import socket
    import ssl
    from collections.abc import Iterable

    from app.adapters.postgres.loop import TrioLoop

# Below glibc's threshold for mmap, so that a read of a small answer costs no page faults.
READ_BYTES = 65_536
# asyncio's own default: a pause must be rarer than a flush.
HIGH_WATER_BYTES = 65_536


class SocketTransport(asyncio.Transport):
    """A connected non-blocking stream socket. All methods are synchronous and run inside `loop.enter`."""

    def __init__(self, loop: TrioLoop, sock: socket.socket, protocol: asyncio.Protocol) -> None:
        super().__init__()
        self._loop = loop
        self._sock = sock
        self._protocol = protocol
        self._tls: TlsLayer | None = None
        self._unsent = bytearray()
        self._closing = False
        self._closed = False
        self._resumed: trio.Event | None = None
        self._paused_protocol = False

    # What asyncpg asks of a transport.

    def get_extra_info(self, name: str, default: Any = None) -> Any:
        """Return the socket, or the TLS object if there is one."""
        if name == "socket":
            return self._sock
        if name == "ssl_object" and self._tls is not None:
            return self._tls.ssl_object
        return default

    def is_closing(self) -> bool:
        """Return whether `close` or `abort` was called, or the peer is gone."""
        return self._closing

    def set_protocol(self, protocol: asyncio.BaseProtocol) -> None:
        """Give the bytes to another protocol from now on."""
        assert isinstance(protocol, asyncio.Protocol)  # noqa: S101 # asyncpg has no other kind; this tells mypy
        self._protocol = protocol

    def write(self, data: bytes | bytearray | memoryview) -> None:
        """Send, now or as soon as the kernel takes it. What is written after the end is dropped."""
        if self._closing:
            return
        if self._tls is not None:
            data = self._tls.encrypt(data)
        self._send(data)

    def writelines(self, list_of_data: Iterable[bytes | bytearray | memoryview]) -> None:
        """Send several buffers with one system call."""
        self.write(b"".join(list_of_data))

    def pause_reading(self) -> None:
        """Leave further bytes in the kernel."""
        if self._resumed is None:
            self._resumed = trio.Event()

    def resume_reading(self) -> None:
        """Read again."""
        if self._resumed is not None:
            self._resumed.set()
            self._resumed = None

    def close(self) -> None:
        """End after what is buffered has been sent."""
        self._closing = True
        if not self._unsent:
            self._end(None)

    def abort(self) -> None:
        """End now."""
        self._closing = True
        self._end(None)

    async def start_tls(self, context: ssl.SSLContext, server_hostname: str) -> None:
        """Do the TLS handshake. Asyncio-flavoured.

        Raises:
            OSError: The handshake failed (`ssl.SSLError`), or the connection ended meanwhile.
        """
        self._tls = TlsLayer(context, server_hostname, self._loop.create_future())
        self._send(self._tls.begin())
        await self._tls.ready

    # Sending.

    def _send(self, data: bytes | bytearray | memoryview) -> None:
        if self._unsent:
            self._unsent += data
        else:
            try:
                sent = self._sock.send(data)
            except BlockingIOError:
                sent = 0
            except OSError as error:
                self._end(error)
                return
            if sent == len(data):
                return
            self._unsent += memoryview(data)[sent:]  # a copy: asyncpg uses its buffer again
            self._loop.start_soon(self._flush)
        if len(self._unsent) > HIGH_WATER_BYTES and not self._paused_protocol:
            self._paused_protocol = True
            self._protocol.pause_writing()

    async def _flush(self) -> None:
        """Send what is buffered. Errors reach the protocol, not the caller."""
        try:
            while self._unsent:  # the end clears it
                await trio.lowlevel.wait_writable(self._sock)
                del self._unsent[: self._sock.send(self._unsent)]
        except OSError as error:
            self._loop.enter(self._end, error)
        except trio.ClosedResourceError:
            return
        else:
            self._loop.enter(self._flushed)

    def _flushed(self) -> None:
        if self._closing:
            self._end(None)
        elif self._paused_protocol:
            self._paused_protocol = False
            self._protocol.resume_writing()

    # Receiving.

    async def read_forever(self) -> None:
        """Hand every byte to the protocol until the connection ends. The loop's end is that of the connection too."""
        enter, receive, take, sock = self._loop.enter, self._sock.recv, self._take, self._sock
        try:
            while not self._closed:
                await trio.lowlevel.wait_readable(sock)
                if self._resumed is not None:
                    await self._resumed.wait()
                try:
                    data = receive(READ_BYTES)
                except BlockingIOError:
                    continue
                if not data:
                    break
                enter(take, data)
        except trio.ClosedResourceError:
            return
        except OSError as error:
            enter(self._end, error)
        except trio.Cancelled:
            enter(self._end, None)
            raise
        else:
            enter(self._end, None)

    def _take(self, data: bytes) -> None:
        if self._tls is None:
            self._protocol.data_received(data)
            return
        try:
            clear, answer = self._tls.decrypt(data)
        except OSError as error:  # every ssl.SSLError is one
            self._end(error)
            return
        if answer:
            self._send(answer)
        if clear:
            self._protocol.data_received(clear)

    # The end.

    def _end(self, error: OSError | None) -> None:
        """Close the socket and tell the protocol, once."""
        if self._closed:
            return
        self._closing = self._closed = True
        self._unsent.clear()
        self.resume_reading()
        trio.lowlevel.notify_closing(self._sock)
        self._sock.close()
        if self._tls is not None and not self._tls.ready.done():
            self._tls.ready.set_exception(error or ConnectionError("the connection ended during the TLS handshake"))
        self._loop.call_soon(self._protocol.connection_lost, error)
