"""The embedded server's files: made once by initdb, checked at every start, and the settings it runs with."""

from __future__ import annotations

import os
import shutil
from typing import TYPE_CHECKING, Final

from app.adapters.postgres import child_process
from app.adapters.postgres.binaries import MAJOR_VERSION
from app.adapters.postgres.system_users import Account, EmbeddedPostgresError, current
from monitoring import logs

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

log = logs.get_logger("postgres")

# The role and the database of Rondo.
NAME: Final = "rondo"
# The server's current directory under a name that needs no right to the directories above it.
HERE: Final = "/proc/self/cwd"

SETTINGS: Final[Mapping[str, str]] = {
    # Reachable through the data directory only, which nobody but the server's user and root can enter.
    "listen_addresses": "",
    "unix_socket_directories": ".",
    "unix_socket_permissions": "0700",
    "port": "5432",
    # Acknowledged means on disk.
    "fsync": "on",
    "synchronous_commit": "on",
    # A small machine: about 100 MB in all, most of it shared.
    "shared_buffers": "64MB",
    "effective_cache_size": "256MB",
    "work_mem": "4MB",
    "maintenance_work_mem": "32MB",
    "wal_buffers": "4MB",
    "min_wal_size": "64MB",
    "max_wal_size": "512MB",
    "max_connections": "60",
    "max_wal_senders": "2",
    "max_worker_processes": "4",
    "max_parallel_workers_per_gather": "0",
    "max_logical_replication_workers": "0",
    "io_method": "sync",
    "jit": "off",
    "random_page_cost": "1.1",
    "autovacuum_vacuum_scale_factor": "0.05",
    "track_io_timing": "on",
    # Its log is joined to ours: no values of statements in it, and its own words in English.
    "logging_collector": "off",
    "log_destination": "stderr",
    "log_line_prefix": "%p|%b|%e|",
    "log_error_verbosity": "terse",
    "log_min_error_statement": "panic",
    "log_checkpoints": "off",
    "log_timezone": "UTC",
    "TimeZone": "UTC",
    "lc_messages": "C",
}

# `peer` asks the kernel which user of the system connects; the map says who may be Rondo. No password exists.
_HBA = f"local all all peer map={NAME}\n"
_IDENT: Final = "pg_ident.conf"
_PRIVATE = 0o700


async def prepare(cluster: Path, account: Account, programs: Path, *, sync: bool = True) -> None:
    """Make the cluster if there is none, check it if there is one, and let our user in.

    Args:
        cluster: Its directory; the parent exists.
        account: Who runs the server.
        programs: Where initdb is.
        sync: Whether to wait until the new files are on disk.

    Raises:
        EmbeddedPostgresError: It cannot be made or used; the sentence says what to do.
    """
    if cluster.exists():  # noqa: ASYNC240 # a local directory, once per start
        _check(cluster)
    else:
        await _make(cluster, account, programs, sync=sync)
    _let_us_in(cluster, account)


def _check(cluster: Path) -> None:
    try:
        version = (cluster / "PG_VERSION").read_text().strip()
    except FileNotFoundError:
        raise EmbeddedPostgresError(
            f"{cluster} is not a PostgreSQL data directory: move it away, or restore it from a backup"
        ) from None
    if version != MAJOR_VERSION:
        raise EmbeddedPostgresError(
            f"{cluster} was made by PostgreSQL {version}, this Rondo brings {MAJOR_VERSION}: dump it with the Rondo"
            " that made it and restore the dump here"
        )


async def _make(cluster: Path, account: Account, programs: Path, *, sync: bool) -> None:
    """Run initdb under another name and rename: a crash in between leaves no half cluster."""
    draft = cluster.with_name(f"{cluster.name}.new")
    shutil.rmtree(draft, ignore_errors=True)
    draft.mkdir(mode=_PRIVATE)
    if account.is_other:
        os.chown(draft, account.uid, account.gid)
    # The operating system's C.UTF-8 tells pg_trgm what a letter is; sorting is PostgreSQL's own, the same everywhere.
    locale = ["--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--locale=C.UTF-8", "--encoding=UTF8"]
    options = ["--auth=peer", "--data-checksums", *locale, *([] if sync else ["--no-sync"])]
    await _run_in(draft, account, [programs / "initdb", "-D", HERE, f"--username={NAME}", *options])
    create = f"CREATE DATABASE {NAME}"
    single: list[str | Path] = [programs / "postgres", "--single", "-D", HERE, "-j", "template1"]
    script: list[str | Path] = [
        "/bin/sh",
        "-c",
        'query="$1"; shift; printf "%s\\n" "$query" | "$@"',
        "sh",
        create,
        *single,
    ]
    await _run_in(draft, account, script)
    draft.rename(cluster)
    log.info("Made a new PostgreSQL cluster", event="postgres.created", directory=str(cluster), user=account.name)


async def _run_in(draft: Path, account: Account, program: list[str | Path]) -> None:
    code, printed = await child_process.run(draft, account, program)
    if code != 0:
        last = (printed.strip().splitlines() or ["no message"])[-1]
        raise EmbeddedPostgresError(f"the PostgreSQL data directory could not be made in {draft.parent}: {last}")


def _let_us_in(cluster: Path, account: Account) -> None:
    """Write who may connect: the user of this process, who may be another than at the last start."""
    _replace(cluster / "pg_hba.conf", _HBA, account)
    _replace(cluster / _IDENT, f"{NAME} {current().name} {NAME}\n", account)


def let_in(cluster: Path) -> str | None:
    """Return the user of the system who may connect; None if that cannot be read."""
    try:
        words = (cluster / _IDENT).read_text().split()
    except OSError:
        return None
    return words[1] if len(words) == 3 else None  # as `_let_us_in` writes them


def _replace(path: Path, text: str, account: Account) -> None:
    """Replace a file in a directory that belongs to a lesser user: a link planted there is never followed."""
    draft = path.with_name(f"{path.name}.new")
    draft.unlink(missing_ok=True)
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    with os.fdopen(descriptor, "w") as file:
        if account.is_other:
            os.fchown(descriptor, account.uid, account.gid)
        file.write(text)
    draft.rename(path)
