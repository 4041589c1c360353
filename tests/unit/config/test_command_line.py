"""What the command line answers without touching anything."""

from __future__ import annotations

import getpass
import io
import sys
from typing import TYPE_CHECKING

import pytest

from app import cli
from app.version import VERSION

if TYPE_CHECKING:
    from pathlib import Path


def test_version_answers_whatever_is_set(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RONDO_PORT", "eighty")

    assert cli.main(["version"]) == 0
    assert capsys.readouterr().out == f"rondo {VERSION}\n"


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ([], ["serve", "migrate", "user", "doctor", "version", "RONDO_", "README"]),
        (["user"], ["create", "password", "signs the account out everywhere"]),
        (["user", "create"], ["EMAIL", "--password-stdin", "closed registration"]),
    ],
)
def test_help_says_what_there_is(arguments: list[str], words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        cli.main([*arguments, "--help"])

    said = " ".join(capsys.readouterr().out.split())
    assert ended.value.code == 0
    assert [word for word in words if word not in said] == []


@pytest.mark.parametrize("arguments", [[], ["dance"], ["user"], ["user", "create"]])
def test_what_is_no_command_is_exit_code_2(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        cli.main(arguments)

    assert ended.value.code == 2
    assert "usage: rondo" in capsys.readouterr().err


def test_bad_settings_are_one_line_each_and_exit_code_2(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("RONDO_PORT", "eighty")
    (tmp_path / ".env").write_text("RONDO_METRICS=nobody\n")

    code = cli.main(["serve"])

    lines = capsys.readouterr().err.splitlines()
    assert (code, len(lines)) == (2, 2)
    assert [line.split("=")[0] for line in lines] == ["rondo: RONDO_PORT", "rondo: RONDO_METRICS"]


def test_a_directory_that_is_gone_is_one_line_and_exit_code_2(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    gone = tmp_path / "gone"
    gone.mkdir()
    monkeypatch.chdir(gone)
    gone.rmdir()

    code = cli.main(["doctor"])

    said = "rondo: The current directory cannot be used (No such file or directory): change to another one.\n"
    assert (code, capsys.readouterr().err) == (2, said)


class Terminal(io.StringIO):
    """A standard input that somebody sits at."""

    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize(
    ("typed", "words"), [(["one", "two"], "differ"), ([EOFError()], "No password"), ([KeyboardInterrupt()], "No pass")]
)
def test_a_password_is_asked_for_twice(
    typed: list[str | BaseException], words: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    answers = iter(typed)

    def ask(_prompt: str) -> str:
        answer = next(answers)
        if isinstance(answer, BaseException):
            raise answer
        return answer

    monkeypatch.setattr(sys, "stdin", Terminal())
    monkeypatch.setattr(getpass, "getpass", ask)

    with pytest.raises(SystemExit, match=words):
        cli.main(["user", "create", "a@example.org"])


def test_a_password_typed_twice_alike_is_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", Terminal())
    monkeypatch.setattr(getpass, "getpass", lambda _prompt: "same")

    assert cli._new_password(from_stdin=False) == "same"


@pytest.mark.parametrize(
    ("stdin", "words"),
    [
        (None, "No password was given"),
        (io.TextIOWrapper(io.BytesIO(b"secret \xff\n"), "utf-8", "surrogateescape"), "not text in UTF-8"),
        (io.TextIOWrapper(io.BytesIO(b"secret \xff\n"), "utf-8"), "not text in UTF-8"),
    ],
)
def test_what_is_no_password_is_refused(
    stdin: io.TextIOWrapper | None, words: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "stdin", stdin)

    with pytest.raises(SystemExit, match=words):
        cli.main(["user", "create", "a@example.org"])
