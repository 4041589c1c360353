"""Clears what a crash left: server processes that still work on our cluster.

They are recognised by what cannot be forged by a stale file: a process whose program is ``postgres`` and whose current
directory *is* the cluster. Each is held by a pidfd before it is looked at, so a reused process id is never signalled.
"""

from __future__ import annotations

import os
import signal
from contextlib import ExitStack
from pathlib import Path

import trio

from app.adapters.postgres.system_users import EmbeddedPostgresError
from monitoring import logs

log = logs.get_logger("postgres")

# A server whose Rondo was killed stops by itself; backends without a postmaster end within moments.
PATIENCE = ((None, 2.0), (signal.SIGINT, 5.0), (signal.SIGQUIT, 5.0), (signal.SIGKILL, 5.0))


async def clear(cluster: Path) -> None:
    """Wait until no process works on the cluster; help after a while. Quick after a clean end.

    Raises:
        EmbeddedPostgresError: A process does not end, even when killed.
    """
    if not (cluster / "postmaster.pid").exists():  # a clean end removes it last
        return
    for number, seconds in PATIENCE:
        with ExitStack() as stack:
            held = _hold_processes(cluster, stack)
            if not held:
                return
            log.warning(
                "PostgreSQL of an earlier run still works", event="postgres.leftover", count=len(held), signal=number
            )
            for pidfd in held:
                _send(pidfd, number)
            with trio.move_on_after(seconds):
                for pidfd in held:
                    await trio.lowlevel.wait_readable(pidfd)
    raise EmbeddedPostgresError(f"PostgreSQL of an earlier run still works on {cluster} and does not end: reboot")


def _hold_processes(cluster: Path, stack: ExitStack) -> list[int]:
    """Return a pidfd of each server process on the cluster, to be closed by the stack."""
    held = []
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit() or not _works_on(cluster, entry):
            continue
        try:
            pidfd = os.pidfd_open(int(entry.name))
        except ProcessLookupError:
            continue
        stack.callback(os.close, pidfd)
        if _works_on(cluster, entry):  # still the same process
            held.append(pidfd)
    return held


def _works_on(cluster: Path, entry: Path) -> bool:
    try:
        return (entry / "exe").readlink().name.startswith("postgres") and (entry / "cwd").samefile(cluster)
    except OSError:  # it ended, or it is someone else's
        return False


def _send(pidfd: int, number: signal.Signals | None) -> None:
    if number is not None:
        try:
            signal.pidfd_send_signal(pidfd, number)
        except ProcessLookupError:
            return
