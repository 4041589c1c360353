"""Hears what other processes notify, on a connection of its own.

A notification can be lost: while there is no connection, nobody hears. So everyone is also told after each new
connection, and then asks the database. A connection that went deaf in silence is found by its heartbeat.
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
class Ear:
    """Who is told of a channel. Neither call may wait or fail.

    Attributes:
        heard: Called with the text of each notification.
        missed: Called after each new connection, when there may have been any number of notifications.
    """

    heard: Callable[[str], None]
    missed: Callable[[], None]

    @classmethod
    def bell(cls, ring: Callable[[], None], *, own: str | None = None) -> Ear:
        """Return one for a channel whose notifications mean "look". Those with the text `own` are ours: old news."""

        def heard(text: str) -> None:
            if text != own:
                ring()

        return cls(heard=heard, missed=ring)


@dataclass(frozen=True, slots=True)
class Listener:
    """Listens to channels.

    Attributes:
        database: Where to listen.
        ears: Who is told, by channel.
    """

    database: Database
    ears: Mapping[str, Ear]

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
        for channel, ear in self.ears.items():
            await connection.listen(channel, ear.heard)
            ear.missed()
        while not lost.is_set():
            with trio.move_on_after(HEARTBEAT_SECONDS):
                await lost.wait()
            await connection.is_alive(ANSWER_SECONDS)
