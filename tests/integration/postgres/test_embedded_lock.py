"""The lock of a data directory: whose file it is, and what is said when it cannot be opened."""

from __future__ import annotations

import fcntl
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


@pytest.mark.parametrize(
    ("for_command", "said"), [(False, "another Rondo (process {}) uses"), (True, "another command (process {}) uses")]
)
def test_a_lock_says_who_holds_it(tmp_path: Path, for_command: bool, said: str) -> None:  # noqa: FBT001 - a table of two
    with (
        data_lock.hold(tmp_path, for_command=for_command),
        pytest.raises(data_lock.HeldError) as refused,
        data_lock.hold(tmp_path),
    ):
        raise AssertionError("two hold it")

    assert (str(refused.value).startswith(said.format(os.getpid())), refused.value.by_command) == (True, for_command)
    assert (tmp_path / "rondo.lock").read_text() == ""


def test_who_only_looks_at_a_lock_is_not_in_the_way(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert not data_lock.is_held(tmp_path)
    looking = os.open(tmp_path / "rondo.lock", os.O_RDWR)
    fcntl.flock(looking, fcntl.LOCK_SH)
    monkeypatch.setattr(
        "app.adapters.postgres.data_lock.time.sleep", lambda _: os.close(looking)
    )  # by then it has looked

    with data_lock.hold(tmp_path):
        assert data_lock.is_held(tmp_path)


def test_a_lock_that_somebody_keeps_looking_at_is_held_by_somebody_unknown(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.adapters.postgres.data_lock.time.sleep", lambda _: None)
    assert not data_lock.is_held(tmp_path)

    with (tmp_path / "rondo.lock").open("r+") as looking:
        fcntl.flock(looking, fcntl.LOCK_SH)
        with pytest.raises(data_lock.HeldError, match=r"\(process unknown\)"), data_lock.hold(tmp_path):
            raise AssertionError("it is held")


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
