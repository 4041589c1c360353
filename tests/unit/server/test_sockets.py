"""What can be sent to a socket without waiting is sent whole, or not at all."""

from __future__ import annotations

import socket
from typing import TYPE_CHECKING

import pytest
import trio

from app.web.server.limits import Limits
from app.web.server.sockets import SEGMENT_BYTES, SocketStream

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(params=[socket.AF_INET, socket.AF_UNIX])
def pair(request: pytest.FixtureRequest) -> Iterator[tuple[SocketStream, socket.socket]]:
    """Return our end and the client's."""
    if request.param == socket.AF_UNIX:
        ours, client = socket.socketpair()
    else:
        with socket.create_server(("127.0.0.1", 0)) as server:
            client = socket.create_connection(server.getsockname())
            ours = server.accept()[0]
    with ours, client:
        yield SocketStream(ours, Limits()), client


@pytest.mark.parametrize("size", [1, 1000, SEGMENT_BYTES])
async def test_a_socket_that_is_free_takes_it(pair: tuple[SocketStream, socket.socket], size: int) -> None:
    ours, client = pair

    assert ours.send_whole(b"x" * size)
    assert await trio.to_thread.run_sync(client.recv, size, socket.MSG_WAITALL) == b"x" * size


async def test_what_is_more_than_a_segment_is_left_to_others(pair: tuple[SocketStream, socket.socket]) -> None:
    assert not pair[0].send_whole(b"x" * (SEGMENT_BYTES + 1))
    await trio.lowlevel.checkpoint()


async def test_a_peer_that_does_not_read_gets_whole_ones_only(pair: tuple[SocketStream, socket.socket]) -> None:
    ours, client = pair
    client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    frame = bytes(range(250)) * 60
    taken = 0
    while ours.send_whole(frame):  # the kernel takes much, but not everything
        taken += 1
        assert taken < 10_000

    received = await trio.to_thread.run_sync(client.recv, taken * len(frame), socket.MSG_WAITALL)

    assert received == frame * taken


async def test_a_closed_socket_takes_nothing_and_says_so_quietly(pair: tuple[SocketStream, socket.socket]) -> None:
    pair[0].close()

    assert not pair[0].send_whole(b"late")
    await trio.lowlevel.checkpoint()
