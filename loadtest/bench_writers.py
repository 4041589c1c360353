"""PostgreSQL's CPU time for changes of tasks of one project by many at once, beside those with a foreign key.

Until migration 0014 each event referred to its project, and all who wrote in it locked that one row together. What
Rondo's actors do about the events is in both figures.

Usage: python -m loadtest.bench_writers. Starts Rondo on a new directory with 10,000 tasks; prints medians in a minute.
"""

from __future__ import annotations

import sys
import tempfile
from datetime import UTC, datetime
from pathlib import Path
from statistics import median
from typing import Final
from uuid import UUID

import trio

from app.adapters.postgres import Database
from app.adapters.postgres.shortcuts import PostgresTaskShortcuts
from app.domain.ids import AccountId, EventId, SessionId, TaskId, new_id
from app.domain.task import TaskChanges
from app.ports.shortcuts import Signature
from loadtest.bench.stage import Person, register
from loadtest.bench.store import Store
from loadtest.process import Rondo, cpu_seconds

TASKS: Final = 10_000
WRITERS: Final = 8
WRITES: Final = 100  # of each of them
ROUNDS: Final = 20
REFER: Final = "ALTER TABLE events ADD CONSTRAINT before FOREIGN KEY (project_id) REFERENCES projects NOT VALID"
REFER_NO_MORE: Final = "ALTER TABLE events DROP CONSTRAINT IF EXISTS before"
WAYS: Final = {"a change and its event": REFER_NO_MORE, "the same with a foreign key": REFER}


def main() -> int:
    """Measure and print."""
    with tempfile.TemporaryDirectory(prefix="rondo-bench-") as folder:
        rondo = Rondo(data_dir=Path(folder) / "data")
        rondo.start()
        try:
            [owner] = register(rondo.port, ["owner"])
            with Store(rondo.data_dir) as store:
                store.fill(owner.id, TASKS)
                store.tidy()
                trio.run(_measure, store, rondo.data_dir, owner)
        finally:
            rondo.stop()
    return 0


async def _measure(store: Store, data_dir: Path, owner: Person) -> None:
    ids = [TaskId(UUID(each)) for each in store.open_tasks(owner.id)[: WRITERS * WRITES]]
    account_id, taken = AccountId(UUID(owner.id)), {what: list[float]() for what in WAYS}
    async with trio.open_nursery() as nursery:
        database = Database(store.url, size=WRITERS)
        await nursery.start(database.run)
        for what, change in [*WAYS.items()] * ROUNDS:  # in turn: the machine's speed changes within seconds
            await database.execute(change)
            before = _cpu_seconds(data_dir)
            await _write(database, account_id, ids)
            await trio.to_thread.run_sync(store.settle)
            taken[what].append((_cpu_seconds(data_dir) - before) / len(ids))
        nursery.cancel_scope.cancel()
    for what, seconds in taken.items():
        sys.stdout.write(f"{what + f', {WRITERS} at once':<48} {median(seconds) * 1e6:7.0f} µs each\n")


async def _write(database: Database, account_id: AccountId, ids: list[TaskId]) -> None:
    """Change each task once; no two wait for the same one."""
    shortcuts, at = PostgresTaskShortcuts(database), datetime.now(UTC)

    async def write(mine: list[TaskId]) -> None:
        for task_id in mine:
            event_id = new_id(at)
            by = Signature(event_id=EventId(event_id), account_id=account_id, session_id=SessionId(event_id), at=at)
            if await shortcuts.edit(task_id, TaskChanges(description=f"As of {event_id}"), None, by) is None:
                raise RuntimeError("A change was refused.")

    async with trio.open_nursery() as nursery:
        for number in range(WRITERS):
            nursery.start_soon(write, ids[number::WRITERS])


def _cpu_seconds(data_dir: Path) -> float:
    """Return what the processes have used that are the embedded PostgreSQL now."""
    server = (data_dir / "postgres" / "postmaster.pid").read_text(encoding="utf-8").split()[0]
    children = Path(f"/proc/{server}/task/{server}/children").read_text(encoding="utf-8").split()
    return sum(cpu_seconds(int(pid)) for pid in (server, *children))


if __name__ == "__main__":
    sys.exit(main())
