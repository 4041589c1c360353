"""``rondo doctor``: looks at everything a start depends on and says what to do about each fault."""

from __future__ import annotations

import errno
import shutil
import sys
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

from app import certificate
from app.adapters.postgres import data_lock, migrator
from app.adapters.postgres.embedded import EmbeddedPostgresError
from app.administration import UNUSABLE_ERRORS, open_database, run_trio
from app.installation import DataDirectoryError, open_data_directory
from app.version import VERSION
from app.web.server.listeners import ListenError, UnixAddress, open_listeners
from app.web.server.tls import TlsError, TlsFiles
from app.wiring.addresses import addresses
from monitoring import logs

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from app.adapters.postgres import Database
    from app.config import Settings

LEAST_FREE_BYTES: Final = 1024**3
OLDEST_POSTGRESQL: Final = 15
# Reminders go by the database's clock, tokens by ours.
MOST_CLOCK_DIFFERENCE_SECONDS: Final = 2.0
# Nobody's clock is before the day this was written.
EARLIEST: Final = datetime(2026, 11, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One thing that was looked at. ``advice`` says what to do when it is not well."""

    subject: str
    said: str
    well: bool = True
    advice: str = ""


def examine(settings: Settings) -> int:
    """Print the findings; return 0 when all is well, else 1."""
    logs.setup("error", format="text", version=VERSION, env=settings.env, stream=sys.stderr)
    findings = [*_settings(settings), *_directory(settings), *_certificate(settings), *_listening(settings)]
    findings += [*_clock(), *_database(settings)]
    logs.shutdown()
    for finding in findings:
        print(f"{'ok   ' if finding.well else 'FAULT'}  {finding.subject:<15} {finding.said}")
        if finding.advice:
            print(f"       {'':<15} → {finding.advice}")
    return 0 if all(finding.well for finding in findings) else 1


def _settings(settings: Settings) -> Iterator[Finding]:
    yield Finding(subject="settings", said="all can be read")
    for sentence in settings.warnings:
        yield Finding(subject="settings", said=sentence, well=False, advice="Correct the name, or remove it.")
    if settings.smtp_url is None:
        yield Finding(
            subject="mail", said="no mail server", advice="Set RONDO_SMTP_URL, or reminders cannot be sent by email."
        )
    if settings.public_url is None:
        yield Finding(
            subject="address", said="no public address", advice="Set RONDO_PUBLIC_URL, so that links in mail work."
        )


def _directory(settings: Settings) -> Iterator[Finding]:
    try:
        directory = open_data_directory(settings.data_dir)
    except DataDirectoryError as problem:
        yield Finding(subject="data directory", said=str(problem), well=False)
        return
    if settings.database_url is not None:  # else opening the database says it
        yield from _lock(directory)
    free = shutil.disk_usage(directory).free
    yield Finding(
        subject="data directory",
        said=f"{directory} is writable, {free // 2**20} MiB are free",
        well=free >= LEAST_FREE_BYTES,
        advice="" if free >= LEAST_FREE_BYTES else "Make room: PostgreSQL stops writing when the disk is full.",
    )


def _lock(directory: Path) -> Iterator[Finding]:
    try:
        data_lock.is_held(directory)
    except EmbeddedPostgresError as problem:
        yield Finding(subject="data directory", said=str(problem), well=False)


def _certificate(settings: Settings) -> Iterator[Finding]:
    if settings.tls_cert is None or settings.tls_key is None:
        return
    try:
        problem = certificate.time_problem(TlsFiles(certificate=settings.tls_cert, key=settings.tls_key))
    except TlsError as refusal:
        advice = "Set RONDO_TLS_CERT and RONDO_TLS_KEY to a certificate and the key it was made for."
        yield Finding(subject="certificate", said=str(refusal), well=False, advice=advice)
        return
    advice = "Renew it, and check the clock: browsers refuse it." if problem else ""
    yield Finding(subject="certificate", said=problem or "belongs to its key", advice=advice)


def _listening(settings: Settings) -> Iterator[Finding]:
    for address in addresses(settings):
        subject = "unix socket" if isinstance(address, UnixAddress) else "port"
        try:
            for listener in open_listeners([address]):
                listener.close()
        except ListenError as problem:
            yield _unusable(settings, subject, str(address), problem)
        else:
            yield Finding(subject=subject, said=f"{address} is free")


def _unusable(settings: Settings, subject: str, name: str, problem: ListenError) -> Finding:
    is_taken = problem.errno == errno.EADDRINUSE
    if is_taken and _rondo_runs(settings):
        return Finding(subject=subject, said=f"{name} is in use, and a Rondo runs on this data directory")
    setting = "RONDO_UNIX_SOCKET" if subject == "unix socket" else "RONDO_HOST and RONDO_PORT"
    stop = "Stop what uses it (Rondo itself, if it is running), or set" if is_taken else "Set"
    return Finding(subject=subject, said=problem.strerror or str(problem), well=False, advice=f"{stop} {setting}.")


def _rondo_runs(settings: Settings) -> bool:
    try:
        return data_lock.is_held(settings.data_dir.absolute())
    except (OSError, EmbeddedPostgresError):
        return False  # what is wrong with the directory is a finding of its own


def _clock() -> Iterator[Finding]:
    now = datetime.now(UTC)
    well = now >= EARLIEST
    yield Finding(
        subject="clock",
        said=f"{now:%Y-%m-%d %H:%M:%S} UTC",
        well=well,
        advice="" if well else "Set the clock, and let it be kept by NTP: reminders and sign-ins depend on it.",
    )


def _database(settings: Settings) -> Iterator[Finding]:
    findings: list[Finding] = []

    async def look() -> None:
        async with open_database(settings) as database:
            findings.extend([await _version(database), await _schema(database), await _difference(database)])

    try:
        run_trio(look)
    except* UNUSABLE_ERRORS as unusable:
        problem: BaseException = unusable
        while isinstance(problem, BaseExceptionGroup):
            problem = problem.exceptions[0]
        advice = "Check RONDO_DATABASE_URL and that PostgreSQL runs." if settings.database_url else ""
        findings.append(Finding(subject="database", said=str(problem), well=False, advice=advice))
    yield from findings


async def _version(database: Database) -> Finding:
    row = await database.fetchrow(
        "SELECT current_setting('server_version') AS name, current_setting('server_version_num')::int / 10000 AS major"
    )
    well = row["major"] >= OLDEST_POSTGRESQL
    return Finding(
        subject="database",
        said=f"PostgreSQL {row['name']} answers",
        well=well,
        advice="" if well else f"Rondo needs PostgreSQL {OLDEST_POSTGRESQL} or newer: upgrade it.",
    )


async def _schema(database: Database) -> Finding:
    missing = await migrator.pending(database)
    said = f"{len(missing)} migrations are missing" if missing else "up to date"
    return Finding(
        subject="schema", said=said, advice="`rondo serve` and `rondo migrate` apply them." if missing else ""
    )


async def _difference(database: Database) -> Finding:
    began = time.time()
    theirs: float = await database.fetchval("SELECT extract(epoch FROM clock_timestamp())::float8")
    difference = abs(theirs - (began + time.time()) / 2)
    well = difference < MOST_CLOCK_DIFFERENCE_SECONDS
    return Finding(
        subject="clock",
        said=f"differs from the database's by {difference:.3f} s",
        well=well,
        advice="" if well else "Let NTP keep both clocks.",
    )
