"""No socket outlives the loop it was opened for, whatever it was doing."""

from __future__ import annotations

import asyncio
import socket

import pytest
import trio
import trio.testing

from app.adapters.postgres import connecting
from app.adapters.postgres.loop import TrioLoop


class Protocol(asyncio.Protocol):
    """Notes how it ends."""

    def __init__(self) -> None:
        self.ended = 0

    def connection_lost(self, exc: Exception | None) -> None:
        assert exc is None
        self.ended += 1


async def test_a_connection_that_reads_ends_with_the_loop(nursery: trio.Nursery) -> None:
    loop = TrioLoop()  # type: ignore[abstract] # what is missing raises NotImplementedError
    protocol = Protocol()
    await nursery.start(loop.run)
    ours, theirs = socket.socketpair()
    ours.settimeout(0)
    with theirs:
        loop.enter(connecting.begin, loop, ours, protocol)
        await trio.testing.wait_all_tasks_blocked()

        loop.stop()
        with trio.fail_after(5):
            await trio.lowlevel.wait_readable(theirs)

        assert (ours.fileno(), protocol.ended, theirs.recv(1)) == (-1, 1, b"")


def test_a_connection_made_when_the_loop_has_ended_is_closed() -> None:
    loop = TrioLoop()  # type: ignore[abstract] # what is missing raises NotImplementedError
    ours, theirs = socket.socketpair()

    with theirs, pytest.raises(ConnectionError):
        connecting.begin(loop, ours, Protocol())

    assert ours.fileno() == -1


async def test_a_socket_opened_for_a_call_that_is_cancelled_just_then_is_closed(
    nursery: trio.Nursery, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As asyncpg's request to cancel is, when its connection ends while the one for the request is opened."""
    loop = TrioLoop()  # type: ignore[abstract] # what is missing raises NotImplementedError
    await nursery.start(loop.run)
    ours, theirs = socket.socketpair()

    async def open_and_cancel(_path: str) -> socket.socket:  # noqa: ASYNC910 # so does a Unix socket
        loop.call_soon(task.cancel)  # before whoever waits for the socket has had a turn
        return ours

    monkeypatch.setattr(connecting, "open_unix", open_and_cancel)
    with theirs:
        task = loop.create_task(loop.create_unix_connection(Protocol, "/nowhere"))
        await trio.testing.wait_all_tasks_blocked()
        loop.stop()

    assert (ours.fileno(), task.cancelled()) == (-1, True)
