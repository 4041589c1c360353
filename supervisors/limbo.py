"""Where supervisors live: the outermost opens one nursery, those below it run in it too.

trio leaves no nursery while a task is in it, and trio has no kill. If each supervisor had a nursery
of its own, one stuck child would also hold every supervisor above it, and their other children would never be
stopped. So a supervisor may end while its stuck child stays behind here; only the outermost waits for it.
"""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from contextvars import ContextVar

import trio

_here: ContextVar["Limbo | None"] = ContextVar("supervisors_limbo", default=None)


class Limbo:
    """The nursery of a whole tree."""

    def __init__(self, nursery: trio.Nursery) -> None:
        self.is_open = True
        self._nursery = nursery
        self._hurries: dict[object, Callable[[], None]] = {}

    def adopt(self, live: Callable[[], Awaitable[None]], hurry: Callable[[], None]) -> None:
        """Run a supervisor's tasks here; `hurry` tells it to stop at once."""
        self._nursery.start_soon(self._keep, live, hurry)

    def hurry(self) -> None:
        """Tell every supervisor of the tree to stop at once."""
        for hurry in list(self._hurries.values()):
            hurry()

    async def _keep(self, live: Callable[[], Awaitable[None]], hurry: Callable[[], None]) -> None:
        key = object()
        self._hurries[key] = hurry
        try:
            await live()
        finally:
            del self._hurries[key]


@asynccontextmanager
async def limbo() -> AsyncIterator[Limbo]:
    """Give the limbo of the tree around us, or open one; leaving the one we opened waits for what is stuck."""
    around = _here.get()
    if around is not None and around.is_open:
        yield around
        return
    async with trio.open_nursery() as nursery:
        opened = Limbo(nursery)
        token = _here.set(opened)
        try:
            yield opened
        finally:
            opened.is_open = False
            _here.reset(token)
