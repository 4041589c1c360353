"""PostgreSQL for the adapters: connections, transactions, statements; metrics and recovery included.

`Database.run` keeps a fixed number of connections open, replaces lost ones with backoff and jitter, and notices a
PostgreSQL that is silent instead of gone. While PostgreSQL is away, every call fails at once with
`DatabaseUnavailableError`; nothing has to be restarted when it is back.
"""

from __future__ import annotations

from contextlib import asynccontextmanager
from random import SystemRandom
from typing import TYPE_CHECKING, Any

import trio

from app.adapters.postgres import opening, silence
from app.adapters.postgres.loop import TrioLoop
from app.adapters.postgres.pool import Pool
from app.ports.database import DatabaseUnavailableError
from monitoring import logs, metrics

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
    from types import TracebackType

    from app.adapters.postgres.connection import Connection, Isolation

log = logs.get_logger("postgres")

# A restart of PostgreSQL takes a second or two; a full recovery may not take ten.
FIRST_RETRY_SECONDS, LONGEST_RETRY_SECONDS = 0.05, 1.0
# At the end, statements in flight may finish; a commit takes at most `connection.BORDER_SECONDS`.
DRAIN_SECONDS = 5.0
# Spread, so that several processes do not come back in step.
_random = SystemRandom()


class Database:
    """A pool of connections to one PostgreSQL."""

    def __init__(
        self,
        url: str,
        *,
        size: int = 8,
        name: str = "main",
        acquire_seconds: float = 5.0,
        statement_seconds: float = 10.0,
        idle_in_transaction_seconds: float = 10.0,
        turns: int | None = None,
        server_settings: Mapping[str, str] | None = None,
    ) -> None:
        """Describe a database; `run` connects.

        Args:
            url: A libpq URL, TLS options included. Never logged.
            size: How many connections to keep.
            name: The pool's label in metrics, and part of `application_name`.
            acquire_seconds: How long a task may wait for a connection.
            statement_seconds: PostgreSQL ends a statement after so long.
            idle_in_transaction_seconds: PostgreSQL ends a session whose transaction does nothing for so long.
            turns: How many connections are used at once for what reads much. None: see `pool.turns_of`.
            server_settings: More settings of the session, e.g. ``{"role": "rondo_app"}``.
        """
        self._loop = TrioLoop()  # type: ignore[abstract] # what is missing raises NotImplementedError, as it should
        self._work = trio.Event()
        self.pool = Pool(name, size, acquire_seconds, self._wake, turns)
        self._statement_seconds = statement_seconds
        self._opener = opening.Opener(
            self._loop,
            url,
            {
                "application_name": f"rondo {name}",
                "statement_timeout": f"{statement_seconds * 1000:.0f}",
                "idle_in_transaction_session_timeout": f"{idle_in_transaction_seconds * 1000:.0f}",
                "jit": "off",  # compiling costs more than any statement of ours
                # So does planning each page again for its values: a millisecond. The plans for any values are held to
                # the same limits in tests/integration/postgres/test_plans.py.
                "plan_cache_mode": "force_generic_plan",
                # A plan is kept until the next ANALYZE: one made for tables that hold next to nothing must not read
                # them from end to end when they have grown. See docs/postgres.md.
                "enable_seqscan": "off",
                **(server_settings or {}),
            },
        )
        self._reconnects = metrics.DATABASE_RECONNECTS_TOTAL.labels(name)
        self._opened = 0

    # Its life.

    async def run(self, *, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED) -> None:
        """Keep the connections until cancelled. Started when the first attempt to connect has ended, well or not.

        At the end, what is in flight gets `DRAIN_SECONDS`, then every connection is cut. asyncpg's background work
        runs in a nursery of this function; a bug there leaves as a group.
        """
        async with trio.open_nursery() as nursery:
            await nursery.start(self._loop.run)
            try:
                nursery.start_soon(silence.watch, self.pool, self._opener, self._statement_seconds)
                failures = await self._open_one(0)
                task_status.started()
                await self._keep(failures)
            finally:
                self.pool.refuse("this process is shutting down")
                with trio.move_on_after(DRAIN_SECONDS, shield=True):
                    await self.pool.wait_all_back()
                self.pool.cut_all()
                self._loop.stop()

    def _wake(self) -> None:
        self._work.set()

    async def _keep(self, failures: int) -> None:
        """Open what is missing, for ever."""
        while True:
            if failures:
                await trio.sleep(_pause(failures))
            self._work = trio.Event()
            if self.pool.open < self.pool.size:
                failures = await self._open_one(failures)
            else:
                await self._work.wait()

    async def _open_one(self, failures: int) -> int:
        """Try to open a connection and return the number of failures in a row."""
        try:
            connection = await self._opener.open(self.pool.forget)
        except DatabaseUnavailableError as error:
            self._went_wrong(error.reason)
            return failures + 1
        self._opened += 1
        if self._opened > self.pool.size:
            self._reconnects.inc()
        if self.pool.problem is not None:
            log.info("PostgreSQL is available", event="database.available", server=self.server)
        self.pool.accept()
        self.pool.put(connection)
        return 0

    def _went_wrong(self, reason: str) -> None:
        """A connection could not be made. If none is left, PostgreSQL counts as away."""
        if self.pool.open or self.pool.problem == reason:
            return
        log.warning("PostgreSQL is not available", event="database.unavailable", reason=reason, server=self.server)
        self.pool.refuse(reason)

    @property
    def problem(self) -> str | None:
        """Return why PostgreSQL cannot be used now, or None: one sentence without secrets."""
        return self.pool.problem

    @property
    def server(self) -> str:
        """Return where the server is, without user and password."""
        return self._opener.server

    async def wait_available(self) -> None:
        """Wait until PostgreSQL can be used, as far as is known when this returns."""
        while True:
            await self.pool.available.wait()
            if self.pool.available.is_set():  # else it went away before this task had its turn
                return

    # Its use.

    def connection(self) -> Lease:
        """Return a context that lends a connection."""
        return Lease(self.pool)

    def transaction(self, *, isolation: Isolation | None = None, read_only: bool = False) -> TransactionLease:
        """Return a context that lends a connection inside BEGIN…COMMIT. See `connection.Transaction`."""
        return TransactionLease(self.pool, isolation, read_only)

    async def fetch(self, sql: str, *args: object) -> list[Any]:
        """Run one statement on any connection and return all rows."""
        pool = self.pool
        connection = pool.take() or await pool.wait()
        try:
            return await connection.fetch(sql, *args)
        finally:
            pool.give_back(connection)

    async def fetchrow(self, sql: str, *args: object) -> Any:
        """Run one statement on any connection and return the first row, or None."""
        pool = self.pool
        connection = pool.take() or await pool.wait()
        try:
            return await connection.fetchrow(sql, *args)
        finally:
            pool.give_back(connection)

    async def read_page(self, sql: str, *args: object) -> Any:
        """Run one statement that may read much and return its one row. See `pool`."""
        pool = self.pool
        connection = pool.take(reads_much=True) or await pool.wait(reads_much=True)
        try:
            return await connection.fetchrow(sql, *args)
        finally:
            pool.give_back(connection)

    async def fetchval(self, sql: str, *args: object) -> Any:
        """Run one statement on any connection and return its first value, or None."""
        pool = self.pool
        connection = pool.take() or await pool.wait()
        try:
            return await connection.fetchval(sql, *args)
        finally:
            pool.give_back(connection)

    async def execute(self, sql: str, *args: object) -> str:
        """Run one statement on any connection and return the command's tag."""
        async with self.connection() as connection:
            return await connection.execute(sql, *args)

    async def executemany(self, sql: str, rows: Iterable[Sequence[object]]) -> None:
        """Run one statement for each row, as one transaction on any connection."""
        async with self.connection() as connection:
            await connection.executemany(sql, rows)

    @asynccontextmanager
    async def own_connection(self, server_settings: Mapping[str, str] | None = None) -> AsyncIterator[Connection]:
        """Lend a new connection outside the pool, for long work: LISTEN, migrations. The caller minds the time.

        Raises:
            DatabaseUnavailableError: It cannot be made.
        """
        connection = await self._opener.open(lambda _: None, server_settings)
        try:
            yield connection
        finally:
            connection.terminate()


def _pause(failures: int) -> float:
    """Return the seconds to wait after so many failures: doubled each time, and spread."""
    longest: float = min(LONGEST_RETRY_SECONDS, FIRST_RETRY_SECONDS * 2 ** min(failures, 10))
    return longest * _random.uniform(0.5, 1.0)


class Lease:
    """Lends a connection for the length of a block. Giving it back does not wait."""

    __slots__ = ("_connection", "_pool")

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    async def __aenter__(self) -> Connection:
        self._connection = self._pool.take() or await self._pool.wait()
        return self._connection

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._pool.give_back(self._connection)


class TransactionLease:
    """Lends a connection inside a transaction for the length of a block."""

    __slots__ = ("_connection", "_isolation", "_pool", "_read_only", "_transaction")

    def __init__(self, pool: Pool, isolation: Isolation | None, read_only: bool) -> None:  # noqa: FBT001 # internal
        self._pool = pool
        self._isolation = isolation
        self._read_only = read_only

    async def __aenter__(self) -> Connection:
        connection = self._pool.take() or await self._pool.wait()
        transaction = connection.transaction(isolation=self._isolation, read_only=self._read_only)
        try:
            await transaction.__aenter__()
        except BaseException:
            self._pool.give_back(connection)
            raise
        self._connection, self._transaction = connection, transaction
        return connection

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            await self._transaction.__aexit__(kind, error, trace)  # noqa: ASYNC102 # shielded inside
        finally:
            self._pool.give_back(self._connection)
