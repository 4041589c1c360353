"""Frames that go out without waiting for a task: what the kernel does not take whole comes before anything else."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
import trio
from trio_websocket import ConnectionClosed
from wsproto.connection import Connection, ConnectionType
from wsproto.events import CloseConnection, Event, Ping, Pong, TextMessage

from app.web.server.websocket import text_frame

from .conftest import UPGRADE

if TYPE_CHECKING:
    from app.web.server import WebSocketHandshake

TEXT = b"0123456789" * 100_000


class Teller:
    """Tells as much at once as the kernel takes, and then does what it is asked to."""

    def __init__(self, *, is_hasty: bool = False, ending: int | None = None) -> None:
        self.is_hasty, self.ending, self.taken = is_hasty, ending, 0
        self.is_full, self.may_go_on = trio.Event(), trio.Event()

    async def talk(self, handshake: WebSocketHandshake, _stream: trio.abc.Stream) -> None:
        async with handshake.accept() as connection:
            while connection.send_at_once(text_frame(TEXT)):
                self.taken += 1
            self.is_full.set()
            if not self.is_hasty:
                await self.may_go_on.wait()
            if self.ending is not None:
                await connection.aclose(self.ending)
                return
            await connection.send_frame(text_frame(b"later"))
            await connection.send_frame(text_frame(b"the end"))
            await connection.get_message()


async def _enter(server: Any) -> trio.SocketStream:
    stream: trio.SocketStream = await server.connect(receive_buffer=4096)
    await stream.send_all(UPGRADE)
    head = b""
    while not head.endswith(b"\r\n\r\n"):
        head += await stream.receive_some(1)
    return stream


async def _hear(stream: trio.SocketStream, frames: Connection) -> list[Event]:
    """Return what comes until the last word or the close frame."""
    heard: list[Event] = []
    text = ""
    while True:
        frames.receive_data(bytes(await stream.receive_some()))
        for event in frames.events():
            text += event.data if isinstance(event, TextMessage) else ""
            if isinstance(event, TextMessage) and not event.message_finished:
                continue
            heard.append(TextMessage(text) if isinstance(event, TextMessage) else event)
            if isinstance(event, CloseConnection) or text == "the end":
                return heard
            text = "" if isinstance(event, TextMessage) else text


@pytest.mark.parametrize("manners", [{"is_hasty": False}, {"is_hasty": True}], ids=["later", "at once"])
async def test_a_frame_that_was_begun_comes_whole_before_a_pong_and_what_is_said_later(
    serve: Any, manners: dict[str, bool]
) -> None:
    teller, frames = Teller(**manners), Connection(ConnectionType.CLIENT)
    server = await serve(websocket=teller.talk)
    stream = await _enter(server)
    await teller.is_full.wait()

    await stream.send_all(frames.send(Ping(b"between")))
    teller.may_go_on.set()
    heard = await _hear(stream, frames)

    told = [event for event in heard if isinstance(event, TextMessage)]
    assert [len(event.data) for event in told] == [len(TEXT)] * teller.taken + [len("later"), len("the end")]
    assert [event.payload for event in heard if isinstance(event, Pong)] == [b"between"]
    assert teller.taken > 0


async def test_a_frame_that_was_begun_comes_whole_when_nothing_follows(serve: Any) -> None:
    teller, frames = Teller(), Connection(ConnectionType.CLIENT)
    server = await serve(websocket=teller.talk)
    stream = await _enter(server)
    await teller.is_full.wait()

    received = 0
    with trio.fail_after(10):  # a ping would push it out after 20 s
        while received < teller.taken:
            frames.receive_data(bytes(await stream.receive_some()))
            received += sum(isinstance(event, TextMessage) and event.message_finished for event in frames.events())

    assert received == teller.taken


@pytest.mark.parametrize("code", [1001, 4401])
async def test_a_close_frame_follows_a_whole_one(serve: Any, code: int) -> None:
    teller, frames = Teller(ending=code), Connection(ConnectionType.CLIENT)
    server = await serve(websocket=teller.talk)
    stream = await _enter(server)
    await teller.is_full.wait()

    teller.may_go_on.set()
    *told, last = await _hear(stream, frames)

    assert [len(event.data) for event in told if isinstance(event, TextMessage)] == [len(TEXT)] * teller.taken
    assert isinstance(last, CloseConnection)
    assert last.code == code


async def test_nothing_is_sent_at_once_after_the_end(serve: Any) -> None:
    tried: list[bool] = []

    async def talk(handshake: WebSocketHandshake, _stream: trio.abc.Stream) -> None:
        async with handshake.accept() as connection:
            with pytest.raises(ConnectionClosed):
                await connection.get_message()
            tried.append(connection.send_at_once(text_frame(b"too late")))

    server = await serve(websocket=talk)
    stream = await _enter(server)
    await stream.send_all(Connection(ConnectionType.CLIENT).send(CloseConnection(1000)))
    while await stream.receive_some():
        pass

    assert tried == [False]
