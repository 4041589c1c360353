"""The data directory and the id of an installation."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING

import pytest

from app.installation import ID_FILE, DataDirectoryError, installation_id, open_data_directory

if TYPE_CHECKING:
    from pathlib import Path


def test_a_data_directory_is_made_for_its_owner_only(tmp_path: Path) -> None:
    directory = open_data_directory(tmp_path / "deep" / "data")

    assert (directory.stat().st_mode & 0o777, list(directory.iterdir())) == (0o700, [])


def test_a_data_directory_that_cannot_be_made_says_what_to_do(tmp_path: Path) -> None:
    (tmp_path / "file").touch()

    with pytest.raises(DataDirectoryError, match="RONDO_DATA_DIR"):
        open_data_directory(tmp_path / "file" / "data")


def test_the_id_is_made_once(tmp_path: Path) -> None:
    made = installation_id(tmp_path)

    assert [installation_id(tmp_path), installation_id(tmp_path)] == [made, made]
    assert [path.name for path in tmp_path.iterdir()] == [ID_FILE]


@pytest.mark.parametrize("content", [b"", b"half", b"\xff\xfe"])
def test_an_id_that_a_power_failure_spoilt_is_made_anew(tmp_path: Path, content: bytes) -> None:
    (tmp_path / ID_FILE).write_bytes(content)

    made = installation_id(tmp_path)

    assert isinstance(made, uuid.UUID)
    assert installation_id(tmp_path) == made


def test_an_id_that_cannot_be_read_says_what_to_do(tmp_path: Path) -> None:
    (tmp_path / ID_FILE).mkdir()

    with pytest.raises(DataDirectoryError, match=ID_FILE):
        installation_id(tmp_path)
