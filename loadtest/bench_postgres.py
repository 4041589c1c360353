"""What a query costs: CPU time of this process per `SELECT 1`, beside asyncpg on its own loop, which is the floor.

Usage: python -m loadtest.bench_postgres [URL]; without a URL a throw-away embedded server is used.
"""

import asyncio
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

import asyncpg
import trio

from app.adapters.postgres import Database
from app.adapters.postgres.embedded import EmbeddedPostgres

CONNECTIONS = 8
QUERIES = 8_000
CALLERS = (1, 8, 32)
SQL = "SELECT 1"


async def measure_trio(name: str, query: Callable[[], Awaitable[object]], callers: int) -> None:
    """Print the CPU time per query for so many callers at once."""

    async def call(times: int) -> None:
        for _ in range(times):
            await query()

    await call(300)
    began = time.process_time()
    async with trio.open_nursery() as nursery:
        for _ in range(callers):
            nursery.start_soon(call, QUERIES // callers)
    report(name, callers, time.process_time() - began)


async def measure_asyncio(url: str) -> None:
    """Print the same for asyncpg as it comes, one connection for each of eight callers: no pool, no metrics."""
    connections = [await asyncpg.connect(url) for _ in range(CONNECTIONS)]

    async def call(connection: asyncpg.Connection, times: int) -> None:
        for _ in range(times):
            await connection.fetchval(SQL)

    await asyncio.gather(*(call(connection, 40) for connection in connections))
    began = time.process_time()
    await asyncio.gather(*(call(connection, QUERIES // CONNECTIONS) for connection in connections))
    report("asyncpg on asyncio", CONNECTIONS, time.process_time() - began)
    await asyncio.gather(*(connection.close() for connection in connections))


def report(name: str, callers: int, seconds: float) -> None:
    """Print one line of the table."""
    print(f"{name:24} {callers:3} callers {seconds / QUERIES * 1e6:7.1f} µs CPU per query")


async def bench(url: str) -> None:
    """Measure a database that runs."""
    async with trio.open_nursery() as nursery:
        database = Database(url, size=CONNECTIONS, name="bench")
        await nursery.start(database.run)
        for callers in CALLERS:
            await measure_trio("rondo, pool", lambda: database.fetchval(SQL), callers)
        async with database.connection() as connection:
            await measure_trio("rondo, one connection", lambda: connection.fetchval(SQL), 1)

        async def write() -> None:
            async with database.transaction() as connection:
                await connection.fetchval(SQL)

        await measure_trio("rondo, transaction", write, CONNECTIONS)
        await trio.to_thread.run_sync(asyncio.run, measure_asyncio(url))
        nursery.cancel_scope.cancel()


async def main(url: str | None) -> None:
    """Measure the given database, or a new one."""
    if url is not None:
        await bench(url)
        return
    with tempfile.TemporaryDirectory() as directory:
        async with trio.open_nursery() as nursery:
            server = EmbeddedPostgres(Path(directory) / "data", sync_new_files=False)
            await bench(await nursery.start(server.run))
            nursery.cancel_scope.cancel()


if __name__ == "__main__":
    trio.run(main, sys.argv[1] if len(sys.argv) > 1 else None)
