"""Clears what a crash left: server processes that still work on our cluster.

They are recognised by what a stale file cannot tell: a process whose program is ``postgres`` and whose current
directory *is* the cluster. Each is held by a pidfd while it is looked at, so a reused process id is never signalled.
"""

from __future__ import annotations

import os
import signal
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

import trio

from app.adapters.postgres.system_users import EmbeddedPostgresError
from monitoring import logs

if TYPE_CHECKING:
    from collections.abc import Sequence

log = logs.get_logger("postgres")

LOCK_FILES = ("postmaster.pid", ".s.PGSQL.5432.lock")
# A server whose Rondo was killed stops by itself; backends without a postmaster end within moments.
PATIENCE: Sequence[tuple[signal.Signals | None, float]] = (
    (None, 2.0),
    (signal.SIGINT, 5.0),
    (signal.SIGQUIT, 5.0),
    (signal.SIGKILL, 5.0),
)


async def clear(cluster: Path) -> None:
    """Wait until no process works on the cluster; help after a while. Quick after a clean end.

    Raises:
        EmbeddedPostgresError: A process does not end, even when killed.
    """
    stale = [cluster / name for name in LOCK_FILES]
    if not any(path.exists() for path in stale):  # a clean end removes them last
        return
    for number, seconds in (*PATIENCE, (None, 0.0)):
        if await _is_deserted(cluster, number, seconds):
            # PostgreSQL would believe them as long as any process, even a zombie, has the number in them.
            for path in stale:
                path.unlink(missing_ok=True)
            return
    raise EmbeddedPostgresError(f"PostgreSQL of an earlier run still works on {cluster} and does not end: reboot")


async def _is_deserted(cluster: Path, number: signal.Signals | None, seconds: float) -> bool:
    """Return whether no process works on the cluster. If one does, signal it, and wait for a while."""
    with ExitStack() as stack:
        held = _hold_processes(cluster, stack)
        if not held:
            return True
        log.warning("PostgreSQL of an earlier run works", event="postgres.leftover", count=len(held), signal=number)
        for pid, pidfd in held.items():
            # Only a postmaster understands SIGINT as "stop".
            if number is not None and (number != signal.SIGINT or pid == _postmaster(cluster)):
                _send(pidfd, number)
        with trio.move_on_after(seconds):
            for pidfd in held.values():
                await trio.lowlevel.wait_readable(pidfd)
    return False


def _hold_processes(cluster: Path, stack: ExitStack) -> dict[int, int]:
    """Return the server processes on the cluster, each with a pidfd that the stack closes."""
    held = {}
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit() or not _works_on(cluster, entry):
            continue
        try:
            pidfd = os.pidfd_open(int(entry.name))
        except ProcessLookupError:
            continue
        stack.callback(os.close, pidfd)
        if _works_on(cluster, entry):  # still the same process
            held[int(entry.name)] = pidfd
    return held


def _works_on(cluster: Path, entry: Path) -> bool:
    try:
        return (entry / "exe").readlink().name.startswith("postgres") and (entry / "cwd").samefile(cluster)
    except OSError:  # it ended, or it is someone else's
        return False


def _postmaster(cluster: Path) -> int:
    """Return the process id in the lock file; 0 if there is none."""
    try:
        first = (cluster / LOCK_FILES[0]).read_text().partition("\n")[0]
    except FileNotFoundError:
        return 0
    return int(first) if first.isdigit() else 0


def _send(pidfd: int, number: signal.Signals) -> None:
    try:
        signal.pidfd_send_signal(pidfd, number)
    except ProcessLookupError:
        return
