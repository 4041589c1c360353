"""Says "look again". Rings merge, ringing never waits, and a ring while nobody waits is kept."""

import trio


class Doorbell:
    """A bell with one owner who waits; anybody in trio's thread may ring. May be built outside of trio."""

    def __init__(self) -> None:
        self._rung = trio.Event()

    def ring(self) -> None:
        """Let the owner look again. Not a checkpoint."""
        self._rung.set()

    async def wait(self) -> None:
        """Wait for a ring; all rings so far are answered by one return. A cancelled wait loses none."""
        await self._rung.wait()
        self._rung = trio.Event()
