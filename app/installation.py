"""This installation: its data directory, which one process at a time may use, and the id that outlives processes."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from pathlib import Path

ID_FILE: Final = "installation-id"


class DataDirectoryError(Exception):
    """The data directory cannot be used; the message is one sentence that says what to do."""


def open_data_directory(path: Path) -> Path:
    """Make the data directory if it is missing (mode 0700) and return it as an absolute path.

    Raises:
        DataDirectoryError: it cannot be made or written to.
    """
    directory = path.absolute()
    try:
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        probe = directory / ".writable"
        probe.touch()
        probe.unlink()
    except OSError as problem:
        raise DataDirectoryError(
            f"The data directory {directory} cannot be used ({problem.strerror}): "
            "make it writable for this user, or choose another one with RONDO_DATA_DIR."
        ) from problem
    return directory


def installation_id(directory: Path) -> uuid.UUID:
    """Return the id of this installation; made once. It names the holder of leases across restarts.

    An id that cannot be read, say because the power failed while it was written, is made anew: all that costs is a
    wait for the old one's lease to run out.

    Raises:
        DataDirectoryError: The file cannot be read or written.
    """
    path = directory / ID_FILE
    try:
        return _read_id(path) or _write_id(path)
    except OSError as problem:
        raise DataDirectoryError(
            f"{path} cannot be used ({problem.strerror}): make it readable and writable for this user."
        ) from problem


def _read_id(path: Path) -> uuid.UUID | None:
    if not path.exists():
        return None
    try:
        return uuid.UUID(path.read_bytes().decode("ascii").strip())
    except ValueError:
        return None


def _write_id(path: Path) -> uuid.UUID:
    made = uuid.uuid4()
    draft = path.with_suffix(".new")
    draft.write_text(f"{made}\n", encoding="ascii")
    draft.replace(path)
    return made
