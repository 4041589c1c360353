"""A byte stream over one accepted socket whose sends are bounded at the bottom.

Every lane (HTTP/1.1, HTTP/2, WebSocket, TLS under any of them) ends in `SocketStream.send_all`. The deadline is there,
so no lane above can be held for ever by a client that does not read, shielded or not.

Compared with `trio.SocketStream` it also saves two turns of the scheduler per request: it waits before it reads (a
server nearly always has to), and it does not wait after a send that the kernel took at once.
"""

import socket
import struct

import trio

from app.web.server.limits import Limits

RECEIVE_BYTES = 32 * 1024
# SO_LINGER on, zero seconds: close() then sends RST and frees what was not yet delivered.
_RESET = struct.pack("ii", 1, 0)


class SocketStream(trio.abc.HalfCloseableStream):
    """One connected, non-blocking stream socket."""

    __slots__ = ("_limits", "_rest", "_socket")

    def __init__(self, sock: socket.socket, limits: Limits) -> None:
        sock.settimeout(0)
        if sock.family != socket.AF_UNIX:
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._socket = sock
        self._limits = limits
        self._rest = b""

    async def receive_some(self, max_bytes: int | None = None) -> bytes:
        """Return the next bytes, empty at the end. Always a checkpoint; a cancelled call has read nothing.

        Raises:
            trio.BrokenResourceError: the peer reset the connection.
            trio.ClosedResourceError: it was closed on this side, perhaps while waiting.
        """
        while True:
            self._check_open()
            await trio.lowlevel.wait_readable(self._socket)
            try:
                return self._socket.recv(max_bytes or RECEIVE_BYTES)
            except BlockingIOError:
                continue
            except OSError as error:
                raise trio.BrokenResourceError("the peer reset the connection") from error

    def has_data(self) -> bool:
        """Tell whether the peer has sent something that waits. Not a checkpoint."""
        try:
            return bool(self._socket.recv(1, socket.MSG_PEEK))
        except OSError:
            return False

    async def send_all(self, data: bytes | bytearray | memoryview) -> None:  # noqa: ASYNC910 # sending at once is the point
        """Send everything, or end the connection after `write_seconds` and what the size earns.

        *Not a checkpoint* when the kernel takes all of it at once. One sender at a time.

        Raises:
            trio.BrokenResourceError: the peer is gone or does not read; nothing more can be sent.
            trio.ClosedResourceError: it was closed on this side, perhaps while waiting.
        """
        if self._rest:
            data, self._rest = self._rest + data, b""
        sent = self._send_now(data)
        if sent < len(data):
            await self._wait_and_send(memoryview(data)[sent:])

    async def _wait_and_send(self, rest: memoryview) -> None:
        with trio.move_on_after(self._limits.send_seconds(len(rest))):  # noqa: ASYNC912 # it is entered only to wait
            while rest:
                await trio.lowlevel.wait_writable(self._socket)
                rest = rest[self._send_now(rest) :]
            return  # noqa: ASYNC910 # sending at once is the point
        self.abort()
        raise trio.BrokenResourceError("the peer does not read")

    def _send_now(self, data: bytes | bytearray | memoryview) -> int:
        self._check_open()
        try:
            return self._socket.send(data)
        except BlockingIOError:
            return 0
        except OSError as error:
            raise trio.BrokenResourceError("the peer reset the connection") from error

    def begin_to_send(self, data: bytes) -> bool:
        """Send at once what the kernel takes; say whether that was anything. Not a checkpoint.

        What it does not take goes before the next `send_all`, which has to come soon if there `has_rest`. If it takes
        nothing, nothing is kept. Never an error: whoever must know sends again.
        """
        if self._rest:
            return False
        try:
            sent = self._socket.send(data)
        except OSError:  # the peer is gone, there is no room, or it is closed
            return False
        if sent < len(data):
            self._rest = data[sent:]
        return True

    @property
    def has_rest(self) -> bool:
        """Whether something waits that `begin_to_send` has begun."""
        return bool(self._rest)

    async def wait_send_all_might_not_block(self) -> None:
        """Wait until the kernel has room again."""
        self._check_open()
        await trio.lowlevel.wait_writable(self._socket)

    async def send_eof(self) -> None:
        """Close the sending side; the peer may still send."""
        self._check_open()
        try:
            self._socket.shutdown(socket.SHUT_WR)
        except OSError as error:
            raise trio.BrokenResourceError("the peer reset the connection") from error
        await trio.lowlevel.checkpoint()

    def close(self) -> None:
        """Close now; whoever waits on it, shielded or not, gets `trio.ClosedResourceError`. Not a checkpoint."""
        if self._socket.fileno() != -1:
            trio.lowlevel.notify_closing(self._socket)
            self._socket.close()

    def abort(self) -> None:
        """Close with a reset: what was not delivered is dropped, and the peer can tell. Not a checkpoint."""
        if self._socket.fileno() != -1:
            self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
            self.close()

    async def aclose(self) -> None:
        """Close it."""
        self.close()
        await trio.lowlevel.checkpoint()

    def _check_open(self) -> None:
        if self._socket.fileno() == -1:
            raise trio.ClosedResourceError("this connection is closed")


def abort(stream: trio.abc.AsyncResource) -> None:
    """Reset the connection under this stream, if there is one. Not a checkpoint."""
    if bottom := _socket_under(stream):
        bottom.abort()


def has_data(stream: trio.abc.AsyncResource) -> bool:
    """Tell whether the peer of this stream has sent something that waits in the kernel. Not a checkpoint."""
    bottom = _socket_under(stream)
    return bottom is not None and bottom.has_data()


def _socket_under(stream: trio.abc.AsyncResource) -> SocketStream | None:
    while isinstance(stream, trio.SSLStream):
        stream = stream.transport_stream
    return stream if isinstance(stream, SocketStream) else None
