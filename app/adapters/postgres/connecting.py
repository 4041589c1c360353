"""Opens sockets to PostgreSQL and puts asyncpg's protocol on them."""

from __future__ import annotations

import os
import socket
from pathlib import Path
from typing import TYPE_CHECKING

import trio

from app.adapters.postgres.transport import SocketTransport

if TYPE_CHECKING:
    import asyncio
    import ssl

    from app.adapters.postgres.loop import TrioLoop

# sun_path of Linux holds 108 bytes and a final zero.
LONGEST_SOCKET_PATH = 107
# A Unix socket whose backlog is full refuses with EAGAIN, which no poll ever ends.
BACKLOG_RETRY_SECONDS = 0.01
# A silent network is a dead one: the first probe after so many seconds, then each of these, so many times.
KEEPALIVE_IDLE_SECONDS, KEEPALIVE_INTERVAL_SECONDS, KEEPALIVE_PROBES = 15, 5, 3
# How long bytes that were sent may stay unacknowledged.
UNACKNOWLEDGED_MILLISECONDS = 15_000


async def open_tcp(host: str, port: int) -> socket.socket:
    """Connect over TCP, trying all addresses of a name.

    Raises:
        OSError: The name is unknown or nobody answers.
    """
    stream = await trio.open_tcp_stream(host, port)
    sock = _take_over(stream)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    for option, value in (
        ("TCP_KEEPIDLE", KEEPALIVE_IDLE_SECONDS),
        ("TCP_KEEPINTVL", KEEPALIVE_INTERVAL_SECONDS),
        ("TCP_KEEPCNT", KEEPALIVE_PROBES),
        ("TCP_USER_TIMEOUT", UNACKNOWLEDGED_MILLISECONDS),
    ):
        if hasattr(socket, option):  # not every system has all of them
            sock.setsockopt(socket.IPPROTO_TCP, getattr(socket, option), value)
    return sock


async def open_unix(path: str) -> socket.socket:
    """Connect to a Unix socket. The path may be longer than the kernel's limit.

    Raises:
        OSError: There is no such socket, it may not be used, or nobody listens.
    """
    while True:
        try:
            return _open_unix(path)
        except BlockingIOError:
            await trio.sleep(BACKLOG_RETRY_SECONDS)


def _open_unix(path: str) -> socket.socket:
    if len(os.fsencode(path)) <= LONGEST_SOCKET_PATH:
        return _connect_unix(path)
    directory = os.open(Path(path).parent, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        return _connect_unix(f"/proc/self/fd/{directory}/{Path(path).name}")
    finally:
        os.close(directory)


def _connect_unix(path: str) -> socket.socket:
    """Connect now: a Unix socket accepts or refuses without waiting."""
    sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        sock.settimeout(0)
        sock.connect(path)
    except BaseException:
        sock.close()
        raise
    return sock


def _take_over(stream: trio.SocketStream) -> socket.socket:
    """Return the plain socket in a trio stream: asyncpg sets options on it and reads its family."""
    sock = socket.socket(fileno=stream.socket.detach())
    sock.settimeout(0)
    return sock


def begin(loop: TrioLoop, sock: socket.socket, protocol: asyncio.Protocol) -> tuple[SocketTransport, asyncio.Protocol]:
    """Put a protocol on a socket and start reading. The loop must be entered."""
    transport = _read(loop, sock, protocol)
    protocol.connection_made(transport)
    return transport, protocol


async def begin_tls(
    loop: TrioLoop, sock: socket.socket, protocol: asyncio.Protocol, context: ssl.SSLContext, host: str
) -> tuple[SocketTransport, asyncio.Protocol]:
    """Do the TLS handshake first, then put the protocol on the socket. Asyncio-flavoured."""
    transport = _read(loop, sock, protocol)
    try:
        await transport.start_tls(context, host)
    except BaseException:
        transport.abort()
        raise
    protocol.connection_made(transport)
    return transport, protocol


def _read(loop: TrioLoop, sock: socket.socket, protocol: asyncio.Protocol) -> SocketTransport:
    """Start reading. A loop that has ended meanwhile leaves no socket behind."""
    transport = SocketTransport(loop, sock, protocol)
    try:
        loop.start_soon(transport.read_forever)
    except ConnectionError:
        sock.close()
        raise
    return transport
