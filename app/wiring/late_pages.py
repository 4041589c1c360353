"""The pages, whose framework is imported after Rondo is ready.

It is a third of all that is imported, and programs that wait for the API need none of it. Whoever opens the UI in the
first half second waits for the rest of it.
"""

from __future__ import annotations

import gc
from typing import TYPE_CHECKING

import trio

if TYPE_CHECKING:
    from app.web.server.asgi import ASGIApp, Receive, Scope, Send


class LatePages:
    """The pages as an ASGI application that loads itself."""

    def __init__(self) -> None:
        self._application: ASGIApp | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request (ASGI 3)."""
        application = self._application or await self.load()
        await application(scope, receive, send)

    async def load(self) -> ASGIApp:
        """Return the application. Imported in a thread: requests are answered meanwhile."""
        application = await trio.to_thread.run_sync(_create)
        if self._application is None:
            self._application = application
            gc.freeze()
        return self._application


def _create() -> ASGIApp:
    from app.web.pages import create_pages  # noqa: PLC0415 # after Rondo is ready, not with it

    return create_pages()
