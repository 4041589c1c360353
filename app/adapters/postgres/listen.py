"""Hears what other processes notify, on a connection of its own.

A notification is a wake-up without content, and it can be lost: while there is no connection, nobody hears. So every
bell also rings after each new connection, and whoever is woken asks the database. A connection that went deaf in
silence is found by its heartbeat.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import trio

from app.ports.database import DatabaseUnavailableError
from monitoring import logs

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from app.adapters.postgres.connection import Connection
    from app.adapters.postgres.database import Database

log = logs.get_logger("postgres")

HEARTBEAT_SECONDS = 5.0
ANSWER_SECONDS = 2.0
# Readers poll anyway; a second without notifications harms nobody.
RETRY_SECONDS = 1.0


@dataclass(frozen=True, slots=True)
class Listener:
    """Rings bells for channels.

    Attributes:
        database: Where to listen.
        bells: What to call for a channel's notifications and after each new connection. Must not wait and not fail.
    """

    database: Database
    bells: Mapping[str, Callable[[], None]]

    async def run(self, *, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED) -> None:
        """Listen until cancelled, over as many connections as it takes. Started at once: notifications are a bonus."""
        task_status.started()
        while True:
            try:
                async with self.database.own_connection() as connection:
                    await self._listen(connection)
            except DatabaseUnavailableError as error:
                log.debug("Cannot listen for notifications", event="database.listen.failed", reason=error.reason)
            await trio.sleep(RETRY_SECONDS)

    async def _listen(self, connection: Connection) -> None:
        """Listen until the connection ends."""
        lost = trio.Event()
        connection.raw.add_termination_listener(lambda _: lost.set())
        for channel, ring in self.bells.items():
            await connection.listen(channel, ring)
            ring()
        while not lost.is_set():
            with trio.move_on_after(HEARTBEAT_SECONDS):
                await lost.wait()
            await connection.is_alive(ANSWER_SECONDS)
