"""Opens connections: asyncpg's `connect` with our settings, our deadline, and errors that can be shown."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import parse_qs, urlsplit

import asyncpg
import trio

from app.adapters.postgres import errors
from app.adapters.postgres.connection import Connection
from app.adapters.postgres.driver import drive
from app.ports.database import DatabaseUnavailableError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from app.adapters.postgres.loop import TrioLoop

# A fresh TLS connection with SCRAM across a continent takes half a second.
CONNECT_SECONDS = 3.0
OLDEST_MAJOR_VERSION = 15
# Every statement of ours stays prepared; there are a few hundred.
STATEMENTS_CACHED = 512


class Opener:
    """Knows where PostgreSQL is and how its sessions are set up."""

    def __init__(self, loop: TrioLoop, url: str, server_settings: Mapping[str, str]) -> None:
        self._loop = loop
        self._url = url
        self._server_settings = dict(server_settings)

    @property
    def server(self) -> str:
        """Return where the server is, without user and password."""
        return server_of(self._url)

    async def open(
        self, ended: Callable[[Connection], None], server_settings: Mapping[str, str] | None = None
    ) -> Connection:
        """Return a new connection.

        Args:
            ended: Called, without waiting, when it is gone, whoever ended it.
            server_settings: Settings of this session beside the usual ones.

        Raises:
            DatabaseUnavailableError: PostgreSQL is away, refuses us, or is too old.
        """
        with trio.move_on_after(CONNECT_SECONDS):
            connection = Connection(self._loop, await self._connect(server_settings or {}))
            connection.raw.add_termination_listener(lambda _: ended(connection))
            return connection
        raise DatabaseUnavailableError(
            f"PostgreSQL cannot be used: no connection in {CONNECT_SECONDS:g} s", self.server
        )

    async def _connect(self, server_settings: Mapping[str, str]) -> asyncpg.Connection:
        try:
            raw = await drive(
                self._loop,
                asyncpg.connect(
                    self._url,
                    loop=self._loop,
                    timeout=None,
                    statement_cache_size=STATEMENTS_CACHED,
                    max_cached_statement_lifetime=0,
                    server_settings={**self._server_settings, **server_settings},
                ),
            )
        except (*errors.LOST, *errors.BUSY, *errors.REFUSED, ValueError) as error:
            raise DatabaseUnavailableError(errors.unavailable(error).reason, self.server) from error
        version = raw.get_server_version()
        if version.major < OLDEST_MAJOR_VERSION:
            self._loop.enter(raw.terminate)
            raise DatabaseUnavailableError(
                f"PostgreSQL {version.major} is too old: Rondo needs PostgreSQL {OLDEST_MAJOR_VERSION} or newer"
            )
        return raw


def server_of(url: str) -> str:
    """Return where a URL leads, without user and password: ``db.example.org:5432/rondo``, or a socket's directory."""
    parts = urlsplit(url)
    hosts = parse_qs(parts.query).get("host", [])
    return f"{parts.netloc.rpartition('@')[2] or ','.join(hosts)}{parts.path}"
