"""Sockets between hub clients and processes: bounded, breakable, and as slow as their reader."""

from __future__ import annotations

from dataclasses import dataclass, field

import trio
from trio_websocket import ConnectionClosed

# Frames on the way. Small, so that a client that stops reading is noticed.
ON_THE_WAY = 4


@dataclass(eq=False, slots=True)
class Wire:
    """One WebSocket, both ends of it. The server's end is an `app.web.live.session.Socket`."""

    code: int | None = None
    _closed: trio.Event = field(default_factory=trio.Event)
    _down: tuple[trio.MemorySendChannel[str], trio.MemoryReceiveChannel[str]] = field(init=False)
    _up: tuple[trio.MemorySendChannel[str], trio.MemoryReceiveChannel[str]] = field(init=False)

    def __post_init__(self) -> None:
        self._down = trio.open_memory_channel[str](ON_THE_WAY)
        self._up = trio.open_memory_channel[str](ON_THE_WAY)

    # --- The server's end ---------------------------------------------------------------------------

    async def get_message(self) -> str | bytes:
        """Return what the client says next."""
        try:
            return await self._up[1].receive()
        except (trio.EndOfChannel, trio.ClosedResourceError):
            raise ConnectionClosed(None) from None

    async def send_frame(self, frame: bytes) -> None:
        """Send a frame; waits for a reader that is behind."""
        try:
            await self._down[0].send(_text(frame))
        except (trio.BrokenResourceError, trio.ClosedResourceError):
            raise ConnectionClosed(None) from None

    def send_at_once(self, frame: bytes) -> bool:
        """Send a frame if the reader is not behind."""
        try:
            self._down[0].send_nowait(_text(frame))
        except (trio.WouldBlock, trio.BrokenResourceError, trio.ClosedResourceError):
            return False
        return True

    async def aclose(self, code: int = 1000, reason: str | None = None) -> None:  # noqa: ARG002 - the protocol's
        """Close with a code."""
        await trio.lowlevel.checkpoint()
        self.cut(code)

    async def cut_off(self) -> None:
        """End without a word."""
        await trio.lowlevel.checkpoint()
        self.cut()

    # --- The client's end ---------------------------------------------------------------------------

    async def receive(self) -> str | None:
        """Return the next frame, None when there will be no more."""
        try:
            return await self._down[1].receive()
        except (trio.EndOfChannel, trio.ClosedResourceError):
            return None

    async def say(self, message: str) -> None:
        """Send a message, if anybody is there."""
        try:
            await self._up[0].send(message)
        except (trio.BrokenResourceError, trio.ClosedResourceError):
            return

    # --- The line -----------------------------------------------------------------------------------

    def cut(self, code: int | None = None) -> None:
        """Break the line; what is on the way down still arrives after a close, and is lost with a cut."""
        if self._closed.is_set():
            return
        self.code = code
        self._down[0].close()
        self._up[0].close()
        self._up[1].close()
        if code is None:
            self._down[1].close()
        self._closed.set()

    async def wait_closed(self) -> None:
        """Wait until it is over."""
        await self._closed.wait()


def _text(frame: bytes) -> str:
    """Return what a text frame says (RFC 6455, 5.2)."""
    return frame[{126: 4, 127: 10}.get(frame[1], 2) :].decode()
