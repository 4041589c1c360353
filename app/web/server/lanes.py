"""The open connections as the server sees them: things to drain, and to look at now and then.

One task looks after all of them. A deadline per wait would be a cancel scope per request, a quarter of its cost, and a
pinging task per WebSocket would be a few kilobytes each.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final, Protocol

import trio

from monitoring import pulse

# How late an idle connection may be closed or a peer be pinged. A multiple of the beat of others (`monitoring.pulse`).
WATCH_SECONDS: Final = 0.3


class Lane(Protocol):
    """One connection in one of its forms. Neither method is a checkpoint."""

    def begin_drain(self) -> None:
        """Finish what is in flight, and end."""
        ...

    def look_after(self, now: float) -> None:
        """Do what has become due at `now` (trio's time): close if idle for too long, ping."""
        ...


class Lanes:
    """Every lane of one server."""

    def __init__(self) -> None:
        self._open: set[Lane] = set()

    @contextmanager
    def opened(self, lane: Lane) -> Iterator[None]:
        """List this lane for the length of the block."""
        self._open.add(lane)
        try:
            yield
        finally:
            self._open.discard(lane)

    def begin_drain(self) -> None:
        """Ask all of them to end. Not a checkpoint."""
        for lane in list(self._open):
            lane.begin_drain()

    async def watch(self) -> None:
        """Look after all of them. Runs until cancelled."""
        while True:
            await pulse.beat(WATCH_SECONDS)
            now = trio.current_time()
            for lane in list(self._open):
                lane.look_after(now)
