"""The hand-over of a connection to trio-websocket, under virtual time."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import pytest
import trio
import trio.testing
from trio.testing import wait_all_tasks_blocked
from trio_websocket import ConnectionClosed
from wsproto.connection import Connection, ConnectionType
from wsproto.events import BytesMessage, CloseConnection, Event, Ping, Pong, TextMessage

from app.web.server.websocket import CLOSE_SECONDS, EdgeWebSocket, text_frame

if TYPE_CHECKING:
    from app.web.server.websocket import WebSocketHandshake

UPGRADE = (
    b"GET /ws?since=7 HTTP/1.1\r\nHost: a\r\nConnection: keep-alive, Upgrade\r\nUpgrade: websocket\r\n"
    b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n"
    b"Sec-WebSocket-Extensions: permessage-deflate\r\nSec-WebSocket-Protocol: rondo.v1, other\r\n\r\n"
)
ACCEPT = b"s3pPLMBiTxaQ9kYGzzhZRbK+xOo="


class Client:
    """A WebSocket client that says and hears single frames."""

    def __init__(self, wire: Any) -> None:
        self.stream = wire.client
        self.head = b""
        self._frames = Connection(ConnectionType.CLIENT)
        self._events: list[Event] = []

    async def open(self, early: bytes = b"") -> None:
        """Send the upgrade, perhaps with frames that did not wait for the answer."""
        await self.stream.send_all(UPGRADE + early)
        data = b""
        while b"\r\n\r\n" not in data:
            data += await self.stream.receive_some()
        self.head, _, rest = data.partition(b"\r\n\r\n")
        self._hear(rest)

    def frame(self, event: Event) -> bytes:
        return bytes(self._frames.send(event))

    async def say(self, event: Event) -> None:
        await self.stream.send_all(self.frame(event))

    async def hear(self) -> Event | None:
        """Return the next frame, None when the connection ended."""
        while not self._events:
            data = bytes(await self.stream.receive_some())
            if not data:
                return None
            self._hear(data)
        return self._events.pop(0)  # noqa: ASYNC910 # the edge has checkpoints

    def _hear(self, data: bytes) -> None:
        if data:
            self._frames.receive_data(data)
            self._events.extend(self._frames.events())


async def echo(handshake: WebSocketHandshake, _stream: trio.abc.Stream) -> None:
    """Say what was said, until the client leaves."""
    async with handshake.accept(subprotocol="rondo.v1", headers=[(b"x-hub", b"1")]) as connection:
        while True:
            await connection.send_message(await connection.get_message())


@pytest.fixture
async def client(wire: Any) -> Client:
    return Client(wire(websocket=echo))


async def test_an_upgrade_is_accepted_without_compression(client: Client) -> None:
    await client.open()

    assert client.head.startswith(b"HTTP/1.1 101")
    assert ACCEPT in client.head
    assert b"rondo.v1" in client.head
    assert b"x-hub: 1" in client.head.lower()
    assert b"extensions" not in client.head.lower()


async def test_messages_go_both_ways(client: Client) -> None:
    await client.open()
    await client.say(TextMessage("hällo"))
    await client.say(BytesMessage(b"\x00\xff"))

    assert await client.hear() == TextMessage("hällo")
    assert await client.hear() == BytesMessage(bytearray(b"\x00\xff"))


async def test_frames_that_came_with_the_upgrade_are_not_lost(client: Client) -> None:
    await client.open(early=client.frame(TextMessage("early")))

    assert await client.hear() == TextMessage("early")


async def test_the_session_knows_who_asks_for_what(wire: Any) -> None:
    seen: dict[str, object] = {}

    async def session(handshake: WebSocketHandshake, _stream: trio.abc.Stream) -> None:
        seen.update(
            path=handshake.path,
            query=handshake.query_string,
            client=handshake.client,
            scheme=handshake.scheme,
            subprotocols=handshake.subprotocols,
            host=dict(handshake.headers)[b"host"],
            draining=handshake.draining,
        )
        await handshake.refuse(403, "forbidden", "Not from there.")

    connection = wire(websocket=session)

    data = await connection.ask(UPGRADE)

    assert seen == {
        "path": "/ws",
        "query": b"since=7",
        "client": ("192.0.2.7", 4711),
        "scheme": "ws",
        "subprotocols": ["rondo.v1", "other"],
        "host": b"a",
        "draining": False,
    }
    assert data.startswith(b"HTTP/1.1 403 Forbidden\r\n")
    assert b"connection: close" in data
    assert b'"code":"forbidden"' in data


async def test_a_close_of_the_client_ends_the_session_quietly(client: Client) -> None:
    await client.open()
    await client.say(CloseConnection(code=1000))

    assert await client.hear() == CloseConnection(code=1000, reason="")
    assert await client.hear() is None


async def test_a_session_that_returns_closes_with_1000(wire: Any) -> None:
    async def session(handshake: WebSocketHandshake, _stream: trio.abc.Stream) -> None:
        async with handshake.accept():
            pass

    client = Client(wire(websocket=session))
    await client.open()

    assert await client.hear() == CloseConnection(code=1000, reason="")


async def test_a_session_may_close_with_its_own_code(wire: Any, autojump_clock: trio.testing.MockClock) -> None:
    async def session(handshake: WebSocketHandshake, _stream: trio.abc.Stream) -> None:
        async with handshake.accept() as connection:
            await connection.aclose(1013, "try again later")

    client = Client(wire(websocket=session))
    await client.open()

    assert await client.hear() == CloseConnection(code=1013, reason="try again later")


async def test_a_client_that_never_answers_a_close_does_not_hold_the_session(
    wire: Any, autojump_clock: trio.testing.MockClock
) -> None:
    connection = wire(websocket=returning)
    client = Client(connection)
    await client.open()

    await connection.ended.wait()

    assert trio.current_time() <= CLOSE_SECONDS + connection.limits.linger_seconds


@pytest.mark.accepts("X20")
async def test_a_message_over_the_limit_closes_with_1009(
    client: Client, autojump_clock: trio.testing.MockClock
) -> None:
    await client.open()
    await client.say(TextMessage("x" * 65_537))

    event = await client.hear()

    assert isinstance(event, CloseConnection)
    assert event.code == 1009


async def test_a_message_of_many_frames_is_measured_as_a_whole(
    client: Client, autojump_clock: trio.testing.MockClock
) -> None:
    await client.open()
    for _ in range(17):
        await client.say(TextMessage("x" * 4096, message_finished=False))

    event = await client.hear()

    assert isinstance(event, CloseConnection)
    assert event.code == 1009


@pytest.mark.accepts("C20")
async def test_a_compressed_frame_is_a_protocol_error(client: Client, autojump_clock: trio.testing.MockClock) -> None:
    await client.open()
    frame = bytearray(client.frame(TextMessage("x")))
    frame[0] |= 0x40  # RSV1: compressed

    await client.stream.send_all(bytes(frame))
    event = await client.hear()

    assert isinstance(event, CloseConnection)
    assert event.code == 1002


async def test_a_peer_that_goes_on_after_its_broken_frame_hears_why_and_is_not_reset(wire: Any) -> None:
    for _ in range(20):  # what closes and what reads the rest are two tasks
        client = Client(wire(websocket=echo))
        await client.open()
        await client.stream.send_all(b"\xf1\x80\x00\x00\x00\x00")

        refusal = await client.hear()
        assert isinstance(refusal, CloseConnection)
        assert refusal.code == 1002
        assert await client.hear() is None
        await client.stream.send_all(b"more of it")
        await client.stream.aclose()


async def test_a_peer_is_pinged_and_stays_as_long_as_it_answers(
    client: Client, autojump_clock: trio.testing.MockClock
) -> None:
    await client.open()
    for _ in range(5):
        event = await client.hear()
        assert isinstance(event, Ping)
        await client.say(Pong(payload=bytes(event.payload)))

    assert 100 <= trio.current_time() <= 105


@pytest.mark.accepts("C19")
async def test_a_peer_that_does_not_answer_a_ping_is_dropped(wire: Any, autojump_clock: trio.testing.MockClock) -> None:
    connection = wire(websocket=echo)
    client = Client(connection)
    await client.open()

    await connection.ended.wait()

    limits = connection.limits
    assert trio.current_time() <= limits.ping_seconds + limits.pong_seconds + CLOSE_SECONDS + limits.linger_seconds + 1


async def test_a_draining_server_says_that_it_goes_away(wire: Any) -> None:
    connection = wire(websocket=echo)
    client = Client(connection)
    await client.open()
    await wait_all_tasks_blocked()

    connection.edge.draining = True
    connection.lanes.begin_drain()

    assert await client.hear() == CloseConnection(code=1001, reason="going away")


async def test_a_session_that_begins_while_the_server_drains_ends_at_once(wire: Any) -> None:
    async def draining(handshake: WebSocketHandshake, stream: trio.abc.Stream) -> None:
        connection.edge.draining = True
        await echo(handshake, stream)

    connection = wire(websocket=draining)
    client = Client(connection)
    await client.open()

    assert await client.hear() == CloseConnection(code=1001, reason="going away")


async def test_an_error_of_the_session_arrives_as_itself(wire: Any, nursery: trio.Nursery) -> None:
    caught: list[BaseException] = []

    async def session(handshake: WebSocketHandshake, _stream: trio.abc.Stream) -> None:  # noqa: ASYNC910 # the edge has checkpoints
        try:
            async with handshake.accept():
                os.environ["MINE"]
        except KeyError as error:
            caught.append(error)

    connection = wire(websocket=session)
    client = Client(connection)
    await client.open()
    await client.say(CloseConnection(code=1000))
    await connection.ended.wait()

    assert [str(error) for error in caught] == ["'MINE'"]


@pytest.mark.parametrize("size", [0, 125, 126, 65_535, 65_536])
async def test_a_frame_is_encoded_once_and_understood(wire: Any, size: int) -> None:
    frame = text_frame(b"x" * size)

    async def session(handshake: WebSocketHandshake, _stream: trio.abc.Stream) -> None:
        async with handshake.accept() as connection:
            await connection.send_frame(frame)
            await connection.get_message()

    client = Client(wire(websocket=session))
    await client.open()
    text = ""
    while len(text) < size or not text:
        event = await client.hear()
        assert isinstance(event, TextMessage)
        text += event.data
        if event.message_finished:
            break

    assert text == "x" * size


async def test_a_frame_to_a_closed_connection_is_refused(wire: Any) -> None:
    refused: list[object] = []

    async def session(handshake: WebSocketHandshake, _stream: trio.abc.Stream) -> None:
        async with handshake.accept() as connection:
            await connection.aclose(1013)
            try:
                await connection.send_frame(text_frame(b"late"))
            except ConnectionClosed as closed:
                refused.append(closed)

    connection = wire(websocket=session)
    client = Client(connection)
    await client.open()
    await client.say(CloseConnection(code=1000))
    await connection.ended.wait()

    assert len(refused) == 1


async def test_a_client_that_vanishes_ends_the_session(wire: Any) -> None:
    connection = wire(websocket=echo)
    client = Client(connection)
    await client.open()

    await client.stream.aclose()

    with trio.fail_after(5):
        await connection.ended.wait()


async def returning(handshake: WebSocketHandshake, _stream: trio.abc.Stream) -> None:
    """Accept and leave."""
    async with handshake.accept() as connection:
        assert isinstance(connection, EdgeWebSocket)
