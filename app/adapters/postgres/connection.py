"""One connection to PostgreSQL, lent to one task at a time.

A cancelled statement is cancelled in PostgreSQL as well, and the connection is used again only when PostgreSQL has
said that it is idle; otherwise it is cut. BEGIN, COMMIT and ROLLBACK are all or nothing: no cancellation reaches
them, a deadline does.
"""

from __future__ import annotations

from time import perf_counter
from typing import TYPE_CHECKING, Any, Literal, Self, TypeVar

import asyncpg
import trio

from app.adapters.postgres import errors
from app.adapters.postgres.driver import drive
from app.adapters.postgres.statements import Statement, describe
from app.ports.database import DatabaseUnavailableError
from monitoring import metrics

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Iterable, Sequence
    from types import TracebackType

    from app.adapters.postgres.loop import TrioLoop

T = TypeVar("T")
Isolation = Literal["READ COMMITTED", "REPEATABLE READ", "SERIALIZABLE"]

# BEGIN, COMMIT and ROLLBACK take a round trip and at most one fsync. Longer means that PostgreSQL is away.
BORDER_SECONDS = 5.0
# A cancel request takes one more connection and one round trip.
SETTLE_SECONDS = 2.0

_ended = {outcome: metrics.DATABASE_TRANSACTIONS_TOTAL.labels(outcome) for outcome in ("commit", "rollback", "error")}


class Connection:
    """A connection as adapters use it. Made by `Database`; valid until given back.

    Every method raises `DatabaseUnavailableError` when the connection is lost or PostgreSQL is overloaded, and
    `OutcomeUnknownError` when that happened to a write outside a transaction. Other errors are asyncpg's own.
    Arguments are `$1`, `$2`, …; json and jsonb travel as `str`.
    """

    __slots__ = ("_loop", "busy_since", "idle_since", "raw")

    def __init__(self, loop: TrioLoop, raw: Any) -> None:
        self._loop = loop
        self.raw = raw
        self.busy_since: float | None = None
        self.idle_since = trio.current_time()

    @property
    def is_usable(self) -> bool:
        """Return whether it is open and outside any transaction. Asks asyncpg, not the network."""
        return not self.raw.is_closed() and not self.raw.is_in_transaction()

    @property
    def server_pid(self) -> int:
        """Return the process id of the backend."""
        pid: int = self.raw.get_server_pid()
        return pid

    async def fetch(self, sql: str, *args: object) -> list[Any]:
        """Return all rows."""
        return await self._call(describe(sql), self.raw.fetch(sql, *args))

    async def fetchrow(self, sql: str, *args: object) -> Any:
        """Return the first row, or None."""
        return await self._call(describe(sql), self.raw.fetchrow(sql, *args))

    async def fetchval(self, sql: str, *args: object) -> Any:
        """Return the first column of the first row, or None."""
        return await self._call(describe(sql), self.raw.fetchval(sql, *args))

    async def execute(self, sql: str, *args: object) -> str:
        """Return the command's tag, e.g. ``UPDATE 3``. Without arguments the text may hold several statements."""
        return await self._call(describe(sql), self.raw.execute(sql, *args))

    async def executemany(self, sql: str, rows: Iterable[Sequence[object]]) -> None:
        """Run one statement for each row, as one transaction and one round trip."""
        await self._call(describe(sql), self.raw.executemany(sql, rows))

    async def listen(self, channel: str, heard: Callable[[str], None]) -> None:
        """LISTEN on a channel, on a connection of one's own, which is cut when one stops.

        The callback gets the text of each notification; it must not wait and not fail.
        """
        listening = self.raw.add_listener(channel, lambda *told: heard(told[3]))
        await self._call(describe("LISTEN"), listening, settle=False)

    def transaction(self, *, isolation: Isolation | None = None, read_only: bool = False) -> Transaction:
        """Return a context: BEGIN…COMMIT, or ROLLBACK when an exception leaves it."""
        words = ["BEGIN", f"ISOLATION LEVEL {isolation}" if isolation else "", "READ ONLY" if read_only else ""]
        return Transaction(self, " ".join(filter(None, words)))

    def savepoint(self) -> Savepoint:
        """Return a context inside a transaction: what fails in it is undone, and the transaction goes on."""
        return Savepoint(self)

    def terminate(self) -> None:
        """Cut the connection. Whoever waits for it gets an error."""
        self._loop.enter(self.raw.terminate)

    async def is_alive(self, seconds: float) -> bool:
        """Return whether PostgreSQL answers in time, whatever it says; if not, the connection is cut."""
        with trio.move_on_after(seconds):
            try:
                await drive(self._loop, self.raw.execute("SELECT 1"))
            except (*errors.LOST, asyncpg.InterfaceError):
                self.terminate()
                return False
            except asyncpg.PostgresError:  # "current transaction is aborted" is an answer too
                return True
            return True
        self.terminate()
        return False

    async def _call(self, statement: Statement, coroutine: Coroutine[Any, Any, T], *, settle: bool = True) -> T:
        """Run one statement of asyncpg and account for it."""
        raw = self.raw
        if raw.is_closed():
            coroutine.close()
            raise DatabaseUnavailableError("PostgreSQL cannot be used: the connection was lost")
        ambiguous = statement.writes and not raw.is_in_transaction()
        self.busy_since = started = perf_counter()
        try:
            return await drive(self._loop, coroutine)
        except trio.Cancelled:
            if settle:
                await self._settle()  # noqa: ASYNC102 # shielded inside, with a deadline
            raise
        except errors.BUSY as error:
            _count(statement, error)
            raise errors.unavailable(error) from error
        except errors.LOST as error:
            _count(statement, error)
            self.terminate()
            raise (errors.outcome_unknown(error) if ambiguous else errors.unavailable(error)) from error
        except asyncpg.PostgresError as error:
            _count(statement, error)
            raise
        except asyncpg.InterfaceError as error:
            if not raw.is_closed():
                raise  # the code used the connection wrongly
            raise errors.unavailable(error) from error
        finally:
            self.busy_since = None
            statement.observe(perf_counter() - started)

    async def _settle(self) -> None:
        """After a cancelled statement: wait until PostgreSQL is idle again, or cut the connection."""
        if self.raw.is_closed():
            return
        with trio.move_on_after(SETTLE_SECONDS + 1, shield=True):  # is_alive cuts the connection before that
            await self.is_alive(SETTLE_SECONDS)

    async def border(self, sql: str) -> str:
        """Run BEGIN, COMMIT, ROLLBACK or their like: not cancellable, but with a deadline.

        Raises:
            DatabaseUnavailableError: The connection is lost, or was cut at the deadline.
        """
        statement = describe(sql)
        with trio.move_on_after(BORDER_SECONDS, shield=True):
            return await self._call(statement, self.raw.execute(sql), settle=False)
        self.terminate()
        raise DatabaseUnavailableError(f"PostgreSQL did not answer {statement.operation} in {BORDER_SECONDS:g} s")


def _count(statement: Statement, error: BaseException) -> None:
    sqlstate = errors.sqlstate_class(error) if isinstance(error, asyncpg.PostgresError) else "08"
    metrics.DATABASE_QUERY_ERRORS_TOTAL.labels(statement.operation, sqlstate).inc()


class Transaction:
    """BEGIN at the start; COMMIT at the end, or ROLLBACK if an exception leaves the block.

    When the block ends without an exception, PostgreSQL has confirmed the commit.

    Raises:
        OutcomeUnknownError: The connection was lost during COMMIT.
        DatabaseUnavailableError: It was lost before, or a failed statement's error was swallowed inside the block,
            so that PostgreSQL rolled back.
    """

    __slots__ = ("_begin", "_connection")

    def __init__(self, connection: Connection, begin: str) -> None:
        self._connection = connection
        self._begin = begin

    async def __aenter__(self) -> Connection:
        await self._connection.border(self._begin)
        return self._connection

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is None:
            await self._commit()  # noqa: ASYNC102 # `border` is shielded and has a deadline
        else:
            await self._roll_back()  # noqa: ASYNC102 # likewise

    async def _commit(self) -> None:
        try:
            tag = await self._connection.border("COMMIT")
        except DatabaseUnavailableError as error:
            _ended["error"].inc()
            raise errors.outcome_unknown(error) from error
        except asyncpg.PostgresError:  # a deferred constraint, a serialization failure: rolled back
            _ended["rollback"].inc()
            raise
        if tag != "COMMIT":
            _ended["rollback"].inc()
            raise DatabaseUnavailableError("the transaction was rolled back: a statement in it had failed")
        _ended["commit"].inc()

    async def _roll_back(self) -> None:
        _ended["rollback"].inc()
        if self._connection.raw.is_closed():
            return
        try:
            await self._connection.border("ROLLBACK")
        except (DatabaseUnavailableError, asyncpg.PostgresError):
            self._connection.terminate()  # PostgreSQL rolls back by itself; the block's own error says more


class Savepoint:
    """SAVEPOINT at the start; RELEASE at the end, or ROLLBACK TO if an exception leaves the block."""

    __slots__ = ("_connection",)

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def __aenter__(self) -> Self:
        await self._connection.border("SAVEPOINT inner_block")
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is None:
            await self._connection.border("RELEASE SAVEPOINT inner_block")  # noqa: ASYNC102 # shielded inside
        elif not self._connection.raw.is_closed():
            undo = "ROLLBACK TO SAVEPOINT inner_block; RELEASE SAVEPOINT inner_block"
            await self._connection.border(undo)  # noqa: ASYNC102 # shielded inside
