"""What Rondo looks at before it says that it is ready. Each check returns a reason, or None."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING, Final

import trio

from app.ports.database import DatabaseUnavailableError
from supervisors.live_tree import not_running

if TYPE_CHECKING:
    from pathlib import Path

    from app.adapters.postgres import Database
    from supervisors.stall_detector import StallDetector
    from supervisors.supervisor import Supervisor

# Less than this and PostgreSQL may soon not be able to write.
LEAST_FREE_BYTES: Final = 200 * 1024 * 1024


async def database_reason(database: Database) -> str | None:
    """Return why the database cannot be used."""
    try:
        await database.fetchval("SELECT 1")
    except DatabaseUnavailableError as away:
        return away.reason
    return None


async def actors_reason(root: Supervisor) -> str | None:
    """Return which actors do not run."""
    await trio.lowlevel.checkpoint()
    missing = not_running(root)
    return f"Not running: {', '.join(missing)}." if missing else None


async def loop_reason(stalls: StallDetector) -> str | None:
    """Return why the event loop is not as quick as it should be, in words for strangers; None: it is."""
    await trio.lowlevel.checkpoint()
    seconds = stalls.degraded_seconds
    return None if seconds is None else f"The event loop was held for {seconds:.1f} s just now."


async def disk_reason(directory: Path) -> str | None:
    """Return why data may soon not be kept."""
    await trio.lowlevel.checkpoint()
    free = shutil.disk_usage(directory).free
    return None if free >= LEAST_FREE_BYTES else f"Only {free // 2**20} MiB are free where Rondo keeps its data."
