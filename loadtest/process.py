"""Other processes: start one, wait until it serves, read what it uses, end it. Only on 127.0.0.1.

What is started here ends here, whatever happens in between: `running` asks politely and then pulls the plug.
"""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

ROOT: Final = Path(__file__).parents[1]
HOST: Final = "127.0.0.1"
START_SECONDS: Final = 60.0
STOP_SECONDS: Final = 30.0
# How often readiness is asked for: the error of a start-up time.
ASK_SECONDS: Final = 0.01
READY: Final = b"GET /health/ready HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"


class StartError(Exception):
    """A process did not begin to serve; the message holds the end of its log."""


def cpu_seconds(pid: int) -> float:
    """Return the CPU time (user and system, all threads) that a process has used.

    It is what `utime + stime` of ``/proc/PID/stat`` say, in nanoseconds instead of hundredths of a second: the clock
    that clock_getcpuclockid(3) names for a process.
    """
    return time.clock_gettime((~pid << 3) | 2)


def resident_bytes(pid: int) -> int:
    """Return the memory of a process that is in RAM (VmRSS of proc(5)); its children not included."""
    for line in Path(f"/proc/{pid}/status").read_text(encoding="utf-8").splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) * 1024
    raise ProcessLookupError(pid)


def free_port() -> int:
    """Return a port that nobody listens on right now."""
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        port: int = probe.getsockname()[1]
        return port


@dataclass(kw_only=True)
class Rondo:
    """One Rondo on a data directory, as a user starts it; `module` is what Python runs.

    Its settings are the defaults, except that whoever measures may register as often as they like, and that the log is
    JSON lines in a file.
    """

    data_dir: Path
    environment: Mapping[str, str] = field(default_factory=dict)
    module: str = "app.cli"
    port: int = field(default_factory=free_port)
    process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        """Return where it serves."""
        return f"http://{HOST}:{self.port}"

    @property
    def pid(self) -> int:
        """Return the id of the Python process; PostgreSQL is a child of it with ids of its own."""
        if self.process is None:
            raise StartError("It does not run.")
        return self.process.pid

    @property
    def log_path(self) -> Path:
        """Return where its log lines are."""
        return self.data_dir.with_suffix(".log")

    def start(self) -> float:
        """Start it; return the seconds until ``/health/ready`` said yes.

        Raises:
            StartError: it ended, or did not become ready in a minute.
        """
        environment = {name: value for name, value in os.environ.items() if not name.startswith("RONDO_")}
        environment |= {
            "RONDO_PORT": str(self.port),
            "RONDO_DATA_DIR": str(self.data_dir),
            "RONDO_AUTH_RATE": "1000000",
            "RONDO_LOG_FORMAT": "json",
            **self.environment,
        }
        began = time.perf_counter()
        with self.log_path.open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", self.module, "serve"],
                env=environment,
                cwd=ROOT,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        while not is_ready(self.port):
            if self.process.poll() is not None or time.perf_counter() - began > START_SECONDS:
                self.stop()
                raise StartError(f"Rondo is not ready:\n{self.log_path.read_text(errors='replace')[-4000:]}")
            time.sleep(ASK_SECONDS)
        return time.perf_counter() - began

    def stop(self) -> None:
        """End it: SIGTERM, and SIGKILL for all of its processes when that takes too long."""
        process, self.process = self.process, None
        if process is None:
            return
        process.terminate()
        try:
            process.wait(STOP_SECONDS)
        except BaseException:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()
            raise


def is_ready(port: int) -> bool:
    """Tell whether ``/health/ready`` answers 200."""
    try:
        with socket.create_connection((HOST, port), timeout=2) as link:
            link.sendall(READY)
            return link.recv(64).startswith(b"HTTP/1.1 200")
    except OSError:
        return False


@contextlib.contextmanager
def running(data_dir: Path, *, module: str = "app.cli", **environment: str) -> Iterator[Rondo]:
    """Run a Rondo for the length of a block."""
    rondo = Rondo(data_dir=data_dir, environment=environment, module=module)
    try:
        rondo.start()
        yield rondo
    finally:
        rondo.stop()


@contextlib.contextmanager
def printing_its_port(*command: str) -> Iterator[tuple[int, int]]:
    """Run a Python module of ours that prints its port when it serves; yield its process id and that port."""
    process = subprocess.Popen([sys.executable, "-m", *command], cwd=ROOT, stdout=subprocess.PIPE, text=True)
    try:
        line = process.stdout.readline() if process.stdout else ""
        if not line.strip().isdigit():
            raise StartError(f"{command[0]} did not start.")
        yield process.pid, int(line)
    finally:
        process.terminate()
        process.wait(STOP_SECONDS)
        if process.stdout:
            process.stdout.close()
