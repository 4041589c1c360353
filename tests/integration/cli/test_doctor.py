"""The doctor finds no fault where serve finds none, and every one that it finds."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest
import trustme

from app import doctor
from app.adapters.postgres import data_lock
from app.config import read_settings

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from app.config import Settings

NOW = datetime.now(UTC)


def settings_of(**values: object) -> Settings:
    return read_settings({f"RONDO_{name.upper()}": str(value) for name, value in ({"port": 0} | values).items()})


def certified(directory: Path, begins_in_days: int = -1, ends_in_days: int = 9) -> dict[str, object]:
    begin, end = (NOW + timedelta(days=days) for days in (begins_in_days, ends_in_days))
    issued = trustme.CA().issue_cert("tasks.example.org", not_before=begin, not_after=end)
    cert, key = directory / "cert.pem", directory / "key.pem"
    cert.write_bytes(b"".join(pem.bytes() for pem in issued.cert_chain_pems))
    issued.private_key_pem.write_to_path(str(key))
    return {"tls_cert": cert, "tls_key": key}


def test_a_good_certificate_is_well(tmp_path: Path) -> None:
    (finding,) = doctor._certificate(settings_of(**certified(tmp_path)))

    assert (finding.said, finding.well, finding.advice) == ("belongs to its key", True, "")


@pytest.mark.parametrize(
    ("begins_in_days", "ends_in_days", "said"), [(-9, -1, "has expired"), (1, 9, "is not valid yet")]
)
def test_a_certificate_of_another_time_is_a_warning(
    tmp_path: Path, begins_in_days: int, ends_in_days: int, said: str
) -> None:
    (finding,) = doctor._certificate(settings_of(**certified(tmp_path, begins_in_days, ends_in_days)))

    assert (finding.said, finding.well, finding.advice.startswith("Renew it")) == (said, True, True)


def test_a_key_of_another_certificate_is_a_fault(tmp_path: Path) -> None:
    files = certified(tmp_path)
    trustme.CA().private_key_pem.write_to_path(str(tmp_path / "key.pem"))

    (finding,) = doctor._certificate(settings_of(**files))

    assert (finding.well, finding.said.startswith("Cannot use the certificate")) == (False, True)


@pytest.mark.parametrize("host", ["no-such-host.invalid", "203.0.113.77"])
def test_a_host_that_serve_refuses_is_a_fault(host: str) -> None:
    (finding,) = doctor._listening(settings_of(host=host))

    assert (finding.well, finding.advice) == (False, "Set RONDO_HOST and RONDO_PORT.")
    assert finding.said.startswith(f"Cannot listen on {host}:0: ")


@pytest.mark.parametrize("host", ["*", "localhost", "127.0.0.1"])
def test_a_host_that_serve_takes_is_well(host: str) -> None:
    (finding,) = doctor._listening(settings_of(host=host))

    assert (finding.said, finding.well) == (f"{host}:0 is free", True)


def test_a_unix_socket_in_a_missing_directory_is_a_fault(tmp_path: Path) -> None:
    port, finding = doctor._listening(settings_of(unix_socket=tmp_path / "missing" / "rondo.sock"))

    assert (port.well, finding.subject, finding.well) == (True, "unix socket", False)
    assert finding.advice == "Set RONDO_UNIX_SOCKET."


def test_a_unix_socket_that_can_be_made_leaves_nothing(tmp_path: Path) -> None:
    _, finding = doctor._listening(settings_of(unix_socket=tmp_path / "rondo.sock"))

    assert (finding.well, list(tmp_path.iterdir())) == (True, [])


@pytest.mark.parametrize("make", [lambda lock: lock.symlink_to("elsewhere"), lambda lock: lock.mkdir()])
def test_a_lock_that_cannot_be_opened_is_a_fault_with_a_foreign_database(
    tmp_path: Path, make: Callable[[Path], None]
) -> None:
    make(tmp_path / data_lock.FILE_NAME)

    lock, directory = doctor._directory(settings_of(data_dir=tmp_path, database_url="postgresql://db/rondo"))

    assert (lock.well, data_lock.FILE_NAME in lock.said, directory.subject) == (False, True, "data directory")
