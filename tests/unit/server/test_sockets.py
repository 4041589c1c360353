"""What can be sent to a socket without waiting is sent at once; what is begun is finished before anything else."""

from __future__ import annotations

import socket
from typing import TYPE_CHECKING

import pytest
import trio

from app.web.server.limits import Limits
from app.web.server.sockets import SocketStream

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


# More than a socket of either kind has room for.
FRAME = bytes(range(250)) * 40_000


def _fill(ours: SocketStream) -> int:
    """Send frames until one is not taken whole; return how many were begun."""
    for begun in range(1, 10):
        assert ours.begin_to_send(FRAME)
        if ours.has_rest:
            return begun
    raise AssertionError("the kernel takes everything")


@pytest.mark.parametrize("size", [1, 1000, 64 * 1024])
async def test_a_socket_that_is_free_takes_it(pair: tuple[SocketStream, socket.socket], size: int) -> None:
    ours, client = pair

    assert ours.begin_to_send(b"x" * size)
    assert not ours.has_rest
    assert await trio.to_thread.run_sync(client.recv, size, socket.MSG_WAITALL) == b"x" * size


async def test_what_was_begun_is_finished_before_anything_else(pair: tuple[SocketStream, socket.socket]) -> None:
    ours, client = pair
    begun = _fill(ours)
    size = begun * len(FRAME) + len(b"next")

    assert not ours.begin_to_send(b"between")
    async with trio.open_nursery() as nursery:
        nursery.start_soon(ours.send_all, b"next")
        received = await trio.to_thread.run_sync(client.recv, size, socket.MSG_WAITALL)

    assert received == FRAME * begun + b"next"
    assert not ours.has_rest
    assert ours.begin_to_send(b"later")
    assert client.recv(100) == b"later"


async def test_a_closed_socket_takes_nothing_and_says_so_quietly(pair: tuple[SocketStream, socket.socket]) -> None:
    pair[0].close()

    assert not pair[0].begin_to_send(b"late")
    await trio.lowlevel.checkpoint()
