"""Settings: every problem at once, typos are told, and the file beside the process says what the process does not."""

from __future__ import annotations

from ipaddress import ip_network
from pathlib import Path

import pytest

from app.adapters.notify import email
from app.config import STARTTLS_CHOICES, TABLE, SettingsError, read_environment, read_settings, settings_table


def problems(**environment: str) -> list[str]:
    with pytest.raises(SettingsError) as refused:
        read_settings({f"RONDO_{name.upper()}": value for name, value in environment.items()})
    assert str(refused.value) == "\n".join(refused.value.problems)
    return list(refused.value.problems)


def test_nothing_has_to_be_set() -> None:
    settings = read_settings({})

    assert (settings.host, settings.port, settings.database_url, settings.warnings) == ("127.0.0.1", 8000, None, ())


def test_every_problem_is_told_at_once_and_secrets_are_not() -> None:
    said = problems(port="eighty", trace_ratio="2", smtp_url="http://user:s3cret@x", registration="maybe")

    assert said == [
        "RONDO_PORT='eighty' must be a whole number from 0 to 65535.",
        "RONDO_REGISTRATION='maybe' must be one of open, closed.",
        "RONDO_SMTP_URL=(secret) must be a URL that starts with smtp:// or smtps://.",
        "RONDO_TRACE_RATIO='2' must be a number from 0 to 1.",
    ]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("port", "70000"),
        ("port", "-1"),
        ("port", "٣"),
        ("database_pool", "1"),
        ("database_url", "mysql://x/y"),
        ("database_url", "postgresql://"),
        ("database_url", "postgresql://host:port/db"),
        ("public_url", "tasks.example.org"),
        ("public_url", "http://[::1"),
        ("trusted_proxies", "10.0.0.0/8, here"),
        ("tls_cert", "/nowhere/cert.pem"),
        ("trace_ratio", "nan"),
        ("trace_ratio", "much"),
        ("smtp_url", "smtp://user@"),
        ("smtp_url", "smtp://mail.example.org?starttls=maybe"),
        ("mail_from", "Rondo"),
        ("smtp_url", "smtp://mail.example.org?startls=always"),
        ("smtp_url", "smtp://mail.example.org?starttls=always&timeout=5"),
        ("smtp_url", "smtp://mail.example.org?starttls="),
        ("mail_from", "Rondo <rondo@>"),
        ("mail_from", "Rondo rondo@example.org"),
        ("mail_from", "<a b@c>"),
        ("mail_from", "x <a..b@c>"),
        ("mail_from", "a@b."),
        ("mail_from", "<=?a?=@example.org>"),
        ("host", "a..b"),
        ("database_url", "postgresql://h1:1,h2:two/x"),
        ("database_url", "postgresql://h1:1,h2:70000/x"),
        ("public_url", "https://h1:1,h2:2/"),
    ],
)
def test_what_cannot_be_used_is_refused(name: str, value: str) -> None:
    (said,) = problems(**{name: value})

    assert said.startswith(f"RONDO_{name.upper()}=")


def test_what_can_be_used_is_read() -> None:
    settings = read_settings(
        {
            "RONDO_PORT": " 0 ",
            "RONDO_DATABASE_URL": "postgresql://rondo@/rondo?host=/run/postgresql",
            "RONDO_TRUSTED_PROXIES": "10.0.0.0/8, ::1",
            "RONDO_REGISTRATION": "CLOSED",
            "RONDO_API_RATE": "600",
            "RONDO_UNIX_SOCKET": "/run/rondo.sock",
            "RONDO_SMTP_URL": "smtps://u:p@mail.example.org?starttls=never",
            "RONDO_TRACE_RATIO": "1",
        }
    )

    assert (settings.port, settings.registration, settings.api_rate, settings.trace_ratio) == (0, "closed", 600, 1.0)
    assert settings.trusted_proxies == (ip_network("10.0.0.0/8"), ip_network("::1"))
    assert settings.unix_socket == Path("/run/rondo.sock")
    assert settings.database_url is not None


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("database_url", "postgresql://h1:1,h2:2/x?target_session_attrs=read-write"),
        ("database_url", "postgresql://u:p@[::1]:5432,h2/x"),
        ("mail_from", "Jörg <jörg@bücher.example>"),
        ("mail_from", '"Rondo, Inc." <rondo@localhost>'),
        ("smtp_url", "smtp://mail.example.org?starttls=always"),
        ("host", "tasks.example.org"),
    ],
)
def test_what_can_be_used_is_kept_as_it_is(name: str, value: str) -> None:
    assert getattr(read_settings({f"RONDO_{name.upper()}": value}), name) == value


def closed_to_this_user(_path: Path) -> bool:
    raise PermissionError(13, "Permission denied")


def test_a_file_that_cannot_be_reached_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Path, "is_file", closed_to_this_user)

    (said,) = problems(tls_cert="/srv/cert.pem")

    assert said == "RONDO_TLS_CERT='/srv/cert.pem' names a file that cannot be reached: Permission denied."


def test_a_directory_that_cannot_be_entered_has_no_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / ".env").write_text("RONDO_UNREACHED=1\n")
    monkeypatch.setattr(Path, "is_file", closed_to_this_user)

    assert "RONDO_UNREACHED" not in read_environment(tmp_path)


def test_certificate_and_key_go_together(tmp_path: Path) -> None:
    pem = tmp_path / "cert.pem"
    pem.touch()

    assert problems(tls_cert=str(pem)) == ["RONDO_TLS_CERT and RONDO_TLS_KEY go together: set both or neither."]
    assert read_settings({"RONDO_TLS_CERT": str(pem), "RONDO_TLS_KEY": str(pem)}).tls_key == pem
    assert len(problems(tls_cert=str(pem), tls_key="/nowhere")) == 1


def test_a_name_that_is_nearly_ours_is_told() -> None:
    settings = read_settings({"RONDO_PROT": "80", "RONDO_QQQQQQ": "1", "OTHER": "x"})

    assert settings.warnings == (
        "RONDO_PROT is not a setting; did you mean RONDO_PORT?",
        "RONDO_QQQQQQ is not a setting.",
    )


def test_the_file_is_read_and_the_process_wins(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RONDO_PORT", "9000")
    lines = [
        "# a comment",
        "",
        "RONDO_PORT=1",
        "export RONDO_HOST = 0.0.0.0 # every interface",
        "RONDO_MAIL_FROM='Rondo # 1 <a@b.example>' # quoted",
        'RONDO_ENV="  spaced  "',
        "RONDO_DATA_DIR=/a#b",
        "RONDO_LOG_LEVEL='half",
        "RONDO_SMTP_URL=",
    ]
    (tmp_path / ".env").write_text("\ufeff" + "\r\n".join(lines), encoding="utf-8")

    found = read_environment(tmp_path)

    assert {name: found[name] for name in found if name.startswith("RONDO_")} == {
        "RONDO_PORT": "9000",
        "RONDO_HOST": "0.0.0.0",  # noqa: S104 - compared, not bound
        "RONDO_MAIL_FROM": "Rondo # 1 <a@b.example>",
        "RONDO_ENV": "  spaced  ",
        "RONDO_DATA_DIR": "/a#b",
        "RONDO_LOG_LEVEL": "'half",
        "RONDO_SMTP_URL": "",
    }


@pytest.mark.parametrize(
    ("content", "words"),
    [(b"RONDO_PORT=1\nRONDO_HOST\n", "line 2: expected NAME=value"), (b"a b=1", "line 1"), (b"\xff", "cannot be read")],
)
def test_a_file_that_cannot_be_read_is_told(tmp_path: Path, content: bytes, words: str) -> None:
    (tmp_path / ".env").write_bytes(content)

    with pytest.raises(SettingsError, match=words):
        read_environment(tmp_path)


def test_every_setting_is_in_the_table_with_a_meaning() -> None:
    table = settings_table()

    assert all(f"| `{setting.variable}` |" in table and setting.meaning in table for setting in TABLE)
    assert STARTTLS_CHOICES == email.STARTTLS_CHOICES
