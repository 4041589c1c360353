"""A WebSocket without a network, and the people who may use it."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from uuid import UUID, uuid4

import trio
from trio_websocket import CloseReason, ConnectionClosed
from wsproto.connection import Connection, ConnectionType
from wsproto.events import TextMessage

from app.domain.ids import AccountId, ProjectId, SessionId
from app.ports.database import DatabaseUnavailableError
from app.services.context import Principal
from app.web.live.hub import Hub
from app.web.live.session import RESUME_GRACE_SECONDS, Live
from tests.unit.actors.fakes import ACCOUNT, Log, event

if TYPE_CHECKING:
    from app.domain.events import RecordedEvent


# What a client sees of a connection that ended without a word.
CUT_OFF = 1006


def said(frame: bytes) -> dict[str, Any]:
    """Return what a client reads of a frame, with a parser that is not ours."""
    client = Connection(ConnectionType.CLIENT)
    client.receive_data(frame)
    (message,) = client.events()
    assert isinstance(message, TextMessage)
    content: dict[str, Any] = json.loads(message.data)
    return content


@dataclass(eq=False)
class FakeSocket:
    """Keeps what it is sent; ``stuck`` it takes nothing, as a client that does not read."""

    sent: list[dict[str, Any]] = field(default_factory=list)
    closed: tuple[int, str | None] | None = None
    stuck: bool = False
    unstuck: trio.Event = field(default_factory=trio.Event)
    gone: trio.Event = field(default_factory=trio.Event)

    def __post_init__(self) -> None:
        self._inbox_in, self._inbox = trio.open_memory_channel[str | bytes](1000)

    def say(self, message: object) -> None:
        """Send as the client does; text and bytes go as they are."""
        self._inbox_in.send_nowait(message if isinstance(message, str | bytes) else json.dumps(message))

    def leave(self) -> None:
        """Close as the client does."""
        self._inbox_in.close()

    async def get_message(self) -> str | bytes:
        try:
            return await self._inbox.receive()
        except trio.EndOfChannel:
            raise ConnectionClosed(CloseReason(1000, "")) from None

    async def send_frame(self, frame: bytes) -> None:
        await trio.lowlevel.checkpoint()
        if self.stuck:
            await self.unstuck.wait()
        self.sent.append(said(frame))

    def send_at_once(self, frame: bytes) -> bool:
        if self.stuck:
            return False
        self.sent.append(said(frame))
        return True

    async def aclose(self, code: int = 1000, reason: str | None = None) -> None:
        await trio.lowlevel.checkpoint()
        self.closed = self.closed or (code, reason)
        self.gone.set()

    async def cut_off(self) -> None:
        await trio.lowlevel.checkpoint()
        self.closed = self.closed or (CUT_OFF, None)
        self.gone.set()

    @property
    def types(self) -> list[str]:
        return [frame["type"] for frame in self.sent]

    @property
    def positions(self) -> list[int]:
        return [frame["position"] for frame in self.sent if "taskId" in frame]


@dataclass
class Door:
    """Tokens and whose they are."""

    people: dict[str, Principal] = field(default_factory=dict)
    away: bool = False

    def admit(self, account_id: UUID = ACCOUNT) -> str:
        """Return a token of a new session of an account."""
        token = f"token-{len(self.people)}"
        self.people[token] = Principal(
            account_id=AccountId(account_id),
            session_id=SessionId(uuid4()),
            inbox_id=ProjectId(uuid4()),
            email="ada@example.org",
        )
        return token

    async def authenticate(self, token: str) -> Principal | None:
        await trio.lowlevel.checkpoint()
        if self.away:
            raise DatabaseUnavailableError("away")
        return self.people.get(token)


@dataclass
class House:
    """The live room with a log in memory: what is published is in the log, and then delivered."""

    log: Log = field(default_factory=Log)
    hub: Hub = field(default_factory=Hub)
    door: Door = field(default_factory=Door)

    @property
    def live(self) -> Live:
        return Live(hub=self.hub, reader=self.log, authenticate=self.door.authenticate)

    async def publish(self, count: int = 1, **details: Any) -> list[RecordedEvent]:
        """Put events into the log and hand them to the hub."""
        events = self.write(count, **details)
        for one in events:
            await self.hub.deliver(one)
        return events

    def write(self, count: int, **details: Any) -> list[RecordedEvent]:
        """Put events into the log; the hub does not know them yet."""
        first = len(self.log.published) + 1
        events = [event(position, **details) for position in range(first, first + count)]
        self.log.published += events
        return events

    async def enter(self, nursery: trio.Nursery, socket: FakeSocket | None = None) -> FakeSocket:
        """Connect somebody who does not resume at once."""
        socket = await self.knock(nursery, socket)
        await trio.sleep(RESUME_GRACE_SECONDS)
        await trio.testing.wait_all_tasks_blocked()
        return socket

    async def knock(self, nursery: trio.Nursery, socket: FakeSocket | None = None) -> FakeSocket:
        """Connect somebody, up to their hello."""
        socket = socket or FakeSocket()
        nursery.start_soon(self.live.serve, socket, self.door.admit())
        await trio.testing.wait_all_tasks_blocked()
        return socket
