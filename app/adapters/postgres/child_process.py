"""Runs a program of PostgreSQL as a child that cannot outlive this process."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Self

import trio

if TYPE_CHECKING:
    from collections.abc import Sequence

    from app.adapters.postgres.system_users import Account

# Given as text: the user that runs it need not reach our code.
_LAUNCHER = Path(__file__).with_name("launcher.py").read_text()
# The server's own messages are parsed, so they must be English; nothing of our environment is its business.
_ENVIRONMENT = {"PATH": "/usr/local/bin:/usr/bin:/bin", "LC_ALL": "C.UTF-8", "LANGUAGE": ""}
_READ_BYTES = 65_536


@dataclass(slots=True)
class ChildProcess:
    """A running program; what it prints can be read.

    Attributes:
        pid: Its process id.
        output: Standard output and standard error, joined.
    """

    pid: int
    output: trio.lowlevel.FdStream
    _process: subprocess.Popen[bytes]
    _pidfd: int

    @classmethod
    def start(cls, directory: Path, account: Account, program: Sequence[str | Path], death_signal: int) -> Self:
        """Start a program in a directory. Blocks for about a millisecond; call it on the main thread.

        The death signal is bound to the thread that calls this, so it must not be a worker thread.
        """
        identity = (account.uid, account.gid) if account.is_other else (-1, -1)
        reading, writing = os.pipe()
        try:
            process = subprocess.Popen(  # noqa: S603 # our own launcher with our own arguments
                [
                    *(sys.executable, "-I", "-S", "-c", _LAUNCHER, directory),
                    *map(str, (*identity, os.getpid(), death_signal)),
                    *program,
                ],
                stdin=subprocess.DEVNULL,
                stdout=writing,
                stderr=writing,
                env=_ENVIRONMENT,
                start_new_session=True,  # Ctrl-C in the terminal is for us; we stop the server when it is its turn
            )
        except OSError:
            os.close(reading)
            raise
        finally:
            os.close(writing)
        return cls(process.pid, trio.lowlevel.FdStream(reading), process, os.pidfd_open(process.pid))

    async def wait(self) -> int:
        """Wait for the end and return the exit code; negative for a signal."""
        await trio.lowlevel.wait_readable(self._pidfd)
        return self._process.wait()

    def send(self, number: signal.Signals) -> None:
        """Send a signal, if it still runs."""
        self._process.send_signal(number)

    async def stop(self, steps: Sequence[tuple[signal.Signals, float]]) -> int:
        """Ask it to end, ever more firmly, at last with SIGKILL; return the exit code. Not cancellable.

        Args:
            steps: Signals and how many seconds each has to work.
        """
        for number, seconds in steps:
            self.send(number)
            with trio.move_on_after(seconds, shield=True):
                return await self.wait()
        self.send(signal.SIGKILL)
        with trio.CancelScope(shield=True):  # without a deadline: the kernel does not refuse
            code = await self.wait()
        return code  # noqa: RET504 # mypy does not know that this scope never swallows anything

    def close(self) -> None:
        """Close what belongs to it. It must have ended, and nobody may read its output any more."""
        os.close(self._pidfd)
        self.output.close()


async def run(directory: Path, account: Account, program: Sequence[str | Path]) -> tuple[int, str]:
    """Run a program to its end; return its exit code and what it printed. Cancelling kills it."""
    child = ChildProcess.start(directory, account, program, signal.SIGKILL)
    printed = bytearray()
    try:
        while data := await child.output.receive_some(_READ_BYTES):
            printed += data
        return await child.wait(), printed.decode(errors="replace")
    finally:
        await child.stop([])  # noqa: ASYNC102 # shielded inside, and SIGKILL works
        child.close()
