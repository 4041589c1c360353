"""Rondo's own PostgreSQL, used to fill it and to see when everything that follows from a write has been done.

Only the measuring side comes in here: what is measured goes over the network.
"""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING, Any, Final, Self
from urllib.parse import quote

import asyncpg

if TYPE_CHECKING:
    from pathlib import Path
    from types import TracebackType

SETTLE_SECONDS: Final = 30.0
ASK_SECONDS: Final = 0.005

# Four of five are open, each part of a word that is searched for is in some, dates spread over a year.
FILL: Final = """
    WITH words AS (
        SELECT string_to_array('Water Paint Call Order Repair Visit Measure Print Sort Book Clean', ' ') AS verbs,
               string_to_array('fountain garden library bicycle invoice kitchen mountain dentist printer window '
                               'balcony archive neighbour', ' ') AS nouns,
               string_to_array('home work errand phone soon Büro idea', ' ') AS tags)
    INSERT INTO tasks (id, project_id, title, description, priority, tags, tag_keys, due_on, completed_at, created_at,
                       updated_at)
    SELECT gen_random_uuid(), $1, verbs[1 + i % 11] || ' the ' || nouns[1 + i % 13] || ' ' || i,
           CASE WHEN i % 3 = 0 THEN 'Ask at number ' || i || ' first, then ' || nouns[1 + (i / 13) % 13] ELSE '' END,
           i % 4, ARRAY[tags[1 + i % 7]], ARRAY[lower(tags[1 + i % 7])],
           CASE WHEN i % 2 = 0 THEN current_date + (i % 365) END,
           CASE WHEN i % 5 = 0 THEN now() - interval '1 hour' END,
           now() - interval '2 hours' - i * interval '1 second', now() - interval '1 hour'
    FROM words, generate_series(1, $2::integer) AS i
"""
FILL_TEXTS: Final = """
    INSERT INTO task_texts SELECT id, project_id, tag_keys, search_text FROM tasks WHERE project_id = $1
    ON CONFLICT DO NOTHING
"""
INBOX: Final = "SELECT project_id FROM memberships WHERE account_id = $1::text::uuid AND inbox"
OPEN: Final = """
    SELECT array_agg(id::text ORDER BY md5(id::text)) FROM tasks
    WHERE project_id = $1 AND completed_at IS NULL AND deleted_at IS NULL
"""
JOIN: Final = """
    INSERT INTO memberships (project_id, account_id, role) SELECT $1, unnest($2::text[])::uuid, 'viewer'
    ON CONFLICT DO NOTHING
"""
# Every event has its place in the log, and every durable actor has passed it.
SETTLED: Final = """
    SELECT NOT EXISTS (SELECT FROM events WHERE position IS NULL)
       AND (SELECT min(position) FROM cursors) >= (SELECT coalesce(max(position), 0) FROM events)
"""


class NotSettledError(Exception):
    """The actors did not catch up with what was written."""


class Store:
    """One connection to the embedded PostgreSQL of a data directory, as the user who runs it."""

    def __init__(self, data_dir: Path) -> None:
        self.url = f"postgresql://rondo@/rondo?host={quote(str(data_dir / 'postgres'))}&port=5432"
        self._runner = asyncio.Runner()
        self._connection: Any = None

    def __enter__(self) -> Self:
        self._connection = self._runner.run(asyncpg.connect(self.url))
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._connection.terminate()
        self._runner.close()

    def value(self, sql: str, *arguments: object) -> Any:
        """Return the first column of the first row."""
        return self._runner.run(self._connection.fetchval(sql, *arguments))

    def fill(self, account_id: str, tasks: int) -> None:
        """Give an account so many tasks, as if they had been there for long: without their history."""
        inbox = self.value(INBOX, account_id)
        self.value(FILL, inbox, tasks)
        self.value(FILL_TEXTS, inbox)

    def tidy(self) -> None:
        """Do what autovacuum does within a minute after so much was written."""
        self._runner.run(self._connection.execute("VACUUM ANALYZE"))

    def open_tasks(self, account_id: str) -> list[str]:
        """Return the ids of an account's open tasks, in no order."""
        ids: list[str] = self.value(OPEN, self.value(INBOX, account_id)) or []
        return ids

    def share(self, account_id: str, with_accounts: list[str]) -> None:
        """Let other accounts see an account's Inbox, so that its events reach them too."""
        self.value(JOIN, self.value(INBOX, account_id), with_accounts)

    def settle(self) -> None:
        """Wait until relay and actors have done what follows from the writes so far.

        Raises:
            NotSettledError: they did not within half a minute.
        """
        deadline = time.monotonic() + SETTLE_SECONDS
        while not self.value(SETTLED):
            if time.monotonic() > deadline:
                raise NotSettledError(f"The actors are behind after {SETTLE_SECONDS:.0f} s.")
            time.sleep(ASK_SECONDS)
