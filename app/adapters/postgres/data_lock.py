"""One Rondo per data directory."""

from __future__ import annotations

import errno
import fcntl
import os
from contextlib import contextmanager
from typing import TYPE_CHECKING

from app.adapters.postgres.system_users import EmbeddedPostgresError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

FILE_NAME = "rondo.lock"


class HeldError(EmbeddedPostgresError):
    """Another process holds the lock."""


def is_held(directory: Path) -> bool:
    """Return whether another process uses the directory right now.

    Raises:
        EmbeddedPostgresError: The lock cannot be opened.
    """
    try:
        with hold(directory):
            return False
    except HeldError:
        return True


@contextmanager
def hold(directory: Path) -> Iterator[None]:
    """Hold the directory's lock. The kernel releases it when this process ends, however it ends.

    Raises:
        HeldError: Another process holds it.
        EmbeddedPostgresError: It cannot be opened.
    """
    path = directory / FILE_NAME
    try:
        descriptor = _open(path)
    except OSError as problem:
        raise EmbeddedPostgresError(_explain(path, problem)) from problem
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            owner = os.read(descriptor, 32).decode(errors="replace").strip() or "unknown"
            raise HeldError(
                f"another Rondo (process {owner}) uses the data directory {directory}: stop it, or choose another one"
            ) from None
        os.ftruncate(descriptor, 0)
        os.write(descriptor, f"{os.getpid()}\n".encode())
        yield
    finally:
        os.close(descriptor)


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
