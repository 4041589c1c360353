"""One Rondo per data directory."""

from __future__ import annotations

import fcntl
import os
from contextlib import contextmanager
from typing import TYPE_CHECKING

from app.adapters.postgres.system_users import EmbeddedPostgresError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

FILE_NAME = "rondo.lock"


def is_held(directory: Path) -> bool:
    """Return whether another process uses the directory right now."""
    try:
        with hold(directory):
            return False
    except EmbeddedPostgresError:
        return True


@contextmanager
def hold(directory: Path) -> Iterator[None]:
    """Hold the directory's lock. The kernel releases it when this process ends, however it ends.

    Raises:
        EmbeddedPostgresError: Another process holds it.
    """
    path = directory / FILE_NAME
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            owner = os.read(descriptor, 32).decode(errors="replace").strip() or "unknown"
            raise EmbeddedPostgresError(
                f"another Rondo (process {owner}) uses the data directory {directory}: stop it, or choose another one"
            ) from None
        os.ftruncate(descriptor, 0)
        os.write(descriptor, f"{os.getpid()}\n".encode())
        yield
    finally:
        os.close(descriptor)
