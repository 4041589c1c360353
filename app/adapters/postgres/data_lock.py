"""One Rondo per data directory."""

from __future__ import annotations

import errno
import fcntl
import os
import time
from contextlib import ExitStack, asynccontextmanager, contextmanager
from typing import TYPE_CHECKING, Final

import trio

from app.adapters.postgres.system_users import EmbeddedPostgresError
from monitoring import logs

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterator
    from pathlib import Path

FILE_NAME = "rondo.lock"
# So long one waits for the command before, having said so, and looks whether that has ended.
TURN_SECONDS: Final = 60.0
LOOK_AGAIN_SECONDS: Final = 0.1
# Behind the process id of whoever holds the lock, if it is a command.
_COMMAND = "command"
# Somebody who looks holds it for microseconds; a hundred of them in a row are somebody who holds it.
_LOOK_SECONDS = 0.001
_TRIES = 100

log = logs.get_logger("postgres")


class HeldError(EmbeddedPostgresError):
    """Another process holds the lock.

    Attributes:
        directory: The data directory.
        owner: Its process id, as it wrote it; "unknown" in the moment before it does.
        by_command: Whether it is a command, which will soon have ended, not a Rondo that serves.
    """

    def __init__(self, directory: Path, note: str) -> None:
        self.directory = directory
        self.owner, _, purpose = note.partition(" ")
        self.by_command = purpose == _COMMAND or not note
        self.owner = self.owner or "unknown"
        super().__init__(
            f"another command (process {self.owner}) uses the data directory {directory}: try again when it has ended"
            if self.by_command
            else f"another Rondo (process {self.owner}) uses the data directory {directory}: stop it, or choose another"
            " one"
        )


def is_held(directory: Path) -> bool:
    """Return whether another process uses the directory right now.

    Raises:
        EmbeddedPostgresError: The lock cannot be opened.
    """
    with _opened(directory) as descriptor:
        return not _flock(descriptor, fcntl.LOCK_SH)


def log_wait(held: HeldError) -> None:
    """Say in the log for whom this process waits."""
    log.warning(
        "Waiting for another command, which uses the data directory",
        event="rondo.waiting",
        pid=held.owner,
        dataDirectory=str(held.directory),
    )


@asynccontextmanager
async def take_turn(
    directory: Path, *, for_command: bool = False, on_wait: Callable[[HeldError], object] = log_wait
) -> AsyncIterator[None]:
    """Hold the directory's lock as `hold` does, but wait while a command holds it: that will soon have ended.

    Args:
        directory: The data directory.
        for_command: Whether a command holds it, for which others can wait.
        on_wait: Told once for whom it waits.

    Raises:
        HeldError: A Rondo that serves holds it, or a command still does after `TURN_SECONDS`.
        EmbeddedPostgresError: It cannot be opened.
    """
    patience, waits = trio.current_time() + TURN_SECONDS, False
    with ExitStack() as holding:
        while True:
            try:
                holding.enter_context(hold(directory, for_command=for_command))
                break
            except HeldError as held:
                if not held.by_command or trio.current_time() > patience:
                    raise
                if not waits:
                    on_wait(held)
                waits = True
            await trio.sleep(LOOK_AGAIN_SECONDS)
        yield


@contextmanager
def hold(directory: Path, *, for_command: bool = False) -> Iterator[None]:
    """Hold the directory's lock. The kernel releases it when this process ends, however it ends.

    Args:
        directory: The data directory.
        for_command: Whether a command holds it, for which others can wait.

    Raises:
        HeldError: Another process holds it.
        EmbeddedPostgresError: It cannot be opened.
    """
    with _opened(directory) as descriptor:
        if not _take(descriptor):
            raise HeldError(directory, os.pread(descriptor, 32, 0).decode(errors="replace").strip())
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, f"{os.getpid()}{f' {_COMMAND}' if for_command else ''}\n".encode(), 0)
        try:
            yield
        finally:
            os.ftruncate(descriptor, 0)  # nobody shall read our name in what the next one holds


@contextmanager
def _opened(directory: Path) -> Iterator[int]:
    path = directory / FILE_NAME
    try:
        descriptor = _open(path)
    except OSError as problem:
        raise EmbeddedPostgresError(_explain(path, problem)) from problem
    try:
        yield descriptor
    finally:
        os.close(descriptor)


def _take(descriptor: int) -> bool:
    """Take the lock, or return False when it is held; who only looks (`is_held`) is not in the way for long."""
    for _ in range(_TRIES):
        if _flock(descriptor, fcntl.LOCK_EX):
            return True
        if not _flock(descriptor, fcntl.LOCK_SH):
            return False
        fcntl.flock(descriptor, fcntl.LOCK_UN)
        time.sleep(_LOOK_SECONDS)
    return False


def _flock(descriptor: int, kind: int) -> bool:
    try:
        fcntl.flock(descriptor, kind | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _open(path: Path) -> int:
    """Open the file, or make it: for the owner of its directory, who comes next, if it is root who makes it."""
    flags = os.O_RDWR | os.O_CLOEXEC | os.O_NOFOLLOW
    try:
        descriptor = os.open(path, flags | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return os.open(path, flags)
    if os.geteuid() == 0:
        owner = path.parent.stat()
        os.fchown(descriptor, owner.st_uid, owner.st_gid)
    return descriptor


def _explain(path: Path, problem: OSError) -> str:
    if problem.errno == errno.ELOOP:
        return f"{path} is a symbolic link, which Rondo does not follow: remove it"
    try:
        owner = path.owner()
    except (KeyError, OSError):  # without a name on this system, or there is no file
        return f"{path} cannot be opened ({problem.strerror}): make it a file that this user may read and write"
    return (
        f"{path} belongs to the user {owner} and cannot be opened ({problem.strerror}): start Rondo as {owner}, or give"
        f" the file to the owner of its directory with chown --reference={path.parent} {path}"
    )
