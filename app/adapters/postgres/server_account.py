"""Which operating system user runs the embedded server. PostgreSQL refuses to run as root, and rightly."""

from __future__ import annotations

import grp
import os
import pwd
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

# The user made for it, if the system has one; else the user that owns nothing.
CANDIDATES = ("postgres", "nobody")


class EmbeddedPostgresError(Exception):
    """The embedded server cannot run; the message is one sentence that says what to do."""


@dataclass(frozen=True, slots=True)
class Account:
    """A user of the operating system.

    Attributes:
        name: As in the password database.
        uid: Its number.
        gid: Its first group's number.
    """

    name: str
    uid: int
    gid: int

    @property
    def is_other(self) -> bool:
        """Return whether it is not the user of this process."""
        return self.uid != os.geteuid()


def current() -> Account:
    """Return the user of this process.

    Raises:
        EmbeddedPostgresError: It has no name, and PostgreSQL needs one.
    """
    try:
        entry = pwd.getpwuid(os.geteuid())
    except KeyError:
        raise EmbeddedPostgresError(
            f"the user number {os.geteuid()} has no name on this system, which PostgreSQL needs: add it to /etc/passwd,"
            " or set RONDO_DATABASE_URL to a PostgreSQL of your own"
        ) from None
    return Account(entry.pw_name, entry.pw_uid, entry.pw_gid)


def choose(cluster: Path, wanted: str | None) -> Account:
    """Return who shall run the server on a cluster's directory, which need not exist yet.

    Args:
        cluster: The directory of the server's files.
        wanted: A user's name, if the settings give one.

    Raises:
        EmbeddedPostgresError: There is no such user, or the directory belongs to someone else.
    """
    me = current()
    account = _named(wanted) if wanted else _owner(cluster) or me
    if me.uid != 0:
        if account.uid != me.uid:
            raise EmbeddedPostgresError(
                f"{cluster} belongs to the user {account.name}, but Rondo runs as {me.name}: start Rondo as"
                f" {account.name} or as root, or choose another data directory"
            )
        return me
    if account.uid == 0:
        return _unprivileged()
    return account


def _named(name: str) -> Account:
    try:
        entry = pwd.getpwnam(name)
    except KeyError:
        raise EmbeddedPostgresError(f"there is no user {name} on this system to run PostgreSQL as") from None
    if entry.pw_uid == 0:
        raise EmbeddedPostgresError(f"PostgreSQL does not run as {name}: name a user without privileges")
    return Account(entry.pw_name, entry.pw_uid, entry.pw_gid)


def _owner(cluster: Path) -> Account | None:
    """Return whose directory it is. A cluster made once stays with the user who made it."""
    try:
        uid = cluster.lstat().st_uid
    except FileNotFoundError:
        return None
    try:
        entry = pwd.getpwuid(uid)
    except KeyError:
        raise EmbeddedPostgresError(
            f"{cluster} belongs to the user number {uid}, which has no name on this system: give it to another user"
            " with chown -R"
        ) from None
    return Account(entry.pw_name, entry.pw_uid, entry.pw_gid)


def _unprivileged() -> Account:
    for name in CANDIDATES:
        try:
            return _named(name)
        except EmbeddedPostgresError:
            continue
    raise EmbeddedPostgresError(
        "PostgreSQL does not run as root and this system has neither a user postgres nor nobody: create one with"
        " useradd --system postgres, or set RONDO_DATABASE_URL"
    )


def may_use(account: Account, path: Path) -> bool:
    """Return whether a user may enter every directory down to a file and read and execute the file itself."""
    groups = {account.gid, *(group.gr_gid for group in grp.getgrall() if account.name in group.gr_mem)}
    *_, top = resolved_parents = [path.resolve(), *path.resolve().parents]
    assert top.is_absolute()  # noqa: S101 # resolve() says so; a relative path would prove nothing
    return all(_executable_by(account.uid, groups, step.stat()) for step in resolved_parents)


def _executable_by(uid: int, groups: set[int], status: os.stat_result) -> bool:
    if status.st_uid == uid:
        return bool(status.st_mode & 0o100)
    if status.st_gid in groups:
        return bool(status.st_mode & 0o010)
    return bool(status.st_mode & 0o001)
