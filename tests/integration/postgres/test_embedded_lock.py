"""The lock of a data directory: whose file it is, and what is said when it cannot be opened."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from app.adapters.postgres import data_lock
from app.adapters.postgres.embedded import EmbeddedPostgresError

if TYPE_CHECKING:
    from pathlib import Path

as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can give files away")
SOMEBODY = 54321


def test_a_lock_that_another_holds_is_held(tmp_path: Path) -> None:
    with data_lock.hold(tmp_path):
        assert data_lock.is_held(tmp_path)
    assert not data_lock.is_held(tmp_path)


def test_a_lock_that_is_a_link_is_refused(tmp_path: Path) -> None:
    (tmp_path / "rondo.lock").symlink_to(tmp_path / "elsewhere")

    with pytest.raises(EmbeddedPostgresError, match=r"rondo\.lock is a symbolic link.*: remove it"):
        data_lock.is_held(tmp_path)


def test_a_lock_of_another_user_is_refused_with_what_to_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    lock = tmp_path / "rondo.lock"
    lock.touch()

    def refuse(*_: object) -> int:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(data_lock, "_open", refuse)

    with pytest.raises(EmbeddedPostgresError) as refused:
        data_lock.is_held(tmp_path)

    assert f"{lock} belongs to the user {lock.owner()} and cannot be opened" in str(refused.value)
    assert f"chown --reference={tmp_path} {lock}" in str(refused.value)


def test_a_lock_that_is_no_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(EmbeddedPostgresError, match=r"cannot be opened \(No such file or directory\)"):
        data_lock.is_held(tmp_path / "missing")


@as_root
def test_a_lock_that_root_makes_belongs_to_the_owner_of_the_directory(tmp_path: Path) -> None:
    os.chown(tmp_path, SOMEBODY, SOMEBODY)

    assert not data_lock.is_held(tmp_path)

    status = (tmp_path / "rondo.lock").stat()
    assert (status.st_uid, status.st_gid, status.st_mode & 0o777) == (SOMEBODY, SOMEBODY, 0o600)


@as_root
def test_a_lock_that_was_there_is_not_given_away(tmp_path: Path) -> None:
    os.chown(tmp_path, SOMEBODY, SOMEBODY)  # who could have put a link to a file of root's there
    (tmp_path / "rondo.lock").touch()

    assert not data_lock.is_held(tmp_path)

    assert (tmp_path / "rondo.lock").stat().st_uid == 0
