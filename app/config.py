"""Settings: environment variables ``RONDO_…``, read once, every problem told in one message.

One table (``TABLE``) declares each setting: its name, default, meaning and how its text is read. The README's table and
``rondo doctor`` are made from it, so no setting can exist undocumented. Nothing imports the values: ``app.main`` reads
them and hands them down.
"""

from __future__ import annotations

import difflib
import ipaddress
import os
import re
from dataclasses import dataclass
from email.errors import MessageError
from email.headerregistry import Address
from email.utils import parseaddr
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Literal, TypeVar
from urllib.parse import SplitResult, parse_qs, urlsplit

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

PREFIX: Final = "RONDO_"
STARTTLS_CHOICES: Final = ("auto", "always", "never")
Network = ipaddress.IPv4Network | ipaddress.IPv6Network
T = TypeVar("T")


class SettingsError(ValueError):
    """One or more settings cannot be used; the message names each of them and says what to do."""

    def __init__(self, problems: list[str]) -> None:
        self.problems = tuple(problems)
        super().__init__("\n".join(problems))


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """One row of the settings table."""

    name: str
    default: str
    read: Callable[[str], Any]
    meaning: str
    secret: bool = False

    @property
    def variable(self) -> str:
        """Return the environment variable, e.g. ``RONDO_PORT``."""
        return PREFIX + self.name.upper()


def _one_of(*choices: str) -> Callable[[str], str]:
    def read(text: str) -> str:
        if text.lower() not in choices:
            raise ValueError(f"must be one of {', '.join(choices)}")
        return text.lower()

    return read


def _whole(low: int, high: int) -> Callable[[str], int]:
    def read(text: str) -> int:
        if not (text.isascii() and text.isdigit() and low <= int(text) <= high):
            raise ValueError(f"must be a whole number from {low} to {high}")
        return int(text)

    return read


def _fraction(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = -1.0
    if not 0.0 <= value <= 1.0:
        raise ValueError("must be a number from 0 to 1")
    return value


def _maybe(read: Callable[[str], T]) -> Callable[[str], T | None]:
    return lambda text: read(text) if text else None


def _url(*schemes: str) -> Callable[[str], str]:
    def read(text: str) -> str:
        parts = _split(text)
        if parts.scheme not in schemes or not parts.netloc:
            raise ValueError(_starts(*schemes))
        return text

    return read


def _starts(*schemes: str) -> str:
    return f"must be a URL that starts with {' or '.join(scheme + '://' for scheme in schemes)}"


def _database(text: str) -> str:
    """Read a URL of PostgreSQL: of one host, of several with a port each, or of none but ``?host=``."""
    parts, schemes = urlsplit(text), ("postgresql", "postgres")
    if parts.scheme not in schemes or not (parts.netloc or "host=" in parts.query):
        raise ValueError(_starts(*schemes))
    for host in parts.netloc.rpartition("@")[2].split(","):
        _split(f"//{host}")
    return text


def _mail_server(text: str) -> str:
    parts = urlsplit(_url("smtp", "smtps")(text))
    parameters = {"starttls": ["auto"]} | parse_qs(parts.query, keep_blank_values=True)
    if not parts.hostname or parameters["starttls"][0] not in STARTTLS_CHOICES:
        raise ValueError(f"needs a host, and `?starttls=` is one of {', '.join(STARTTLS_CHOICES)}")
    if len(parameters) > 1:  # misspelt, it would be a connection without the TLS that was asked for
        raise ValueError("has a parameter that is not `starttls`, the only one there is")
    return text


def _mail_address(text: str) -> str:
    address = parseaddr(text)[1]
    local, _, domain = address.rpartition("@")
    if not (local and domain and _is_sendable(address)):
        raise ValueError("must be an address, e.g. Rondo <rondo@example.org>")
    return text


def _is_sendable(address: str) -> bool:
    """Return whether an address can stand in a header. What is not ASCII can (RFC 6531), though ``email`` says no."""
    try:
        Address(addr_spec=re.sub(r"[^\x00-\x7f]", "x", address))
    except (MessageError, ValueError, IndexError):  # the last one is how its parser says that the text ended early
        return False
    return "=?" not in address  # would be read as something else


def _split(text: str) -> SplitResult:
    parts = urlsplit(text)
    try:
        _ = parts.port
    except ValueError:
        raise ValueError("has a port that is not a number from 0 to 65535") from None
    return parts


def _networks(text: str) -> tuple[Network, ...]:
    try:
        return tuple(ipaddress.ip_network(part.strip()) for part in text.split(",") if part.strip())
    except ValueError:
        raise ValueError("must be addresses or networks, separated by commas, e.g. 10.0.0.0/8,::1") from None


def _file(text: str) -> Path:
    path = Path(text)
    try:
        is_file = path.is_file()
    except OSError as problem:
        raise ValueError(f"names a file that cannot be reached: {problem.strerror}") from None
    if not is_file:
        raise ValueError("names a file that does not exist")
    return path


def _filled(text: str) -> str:
    if not text.strip():
        raise ValueError("must not be empty")
    return text


def _host(text: str) -> str:
    try:
        text.encode("idna")  # as looking it up will
    except UnicodeError:
        raise ValueError("must be an address or a name of this machine") from None
    return _filled(text)


TABLE: Final = (
    Setting(
        name="host",
        default="127.0.0.1",
        read=_host,
        meaning="Address to listen on; `0.0.0.0` for every interface by IPv4, `::` by IPv6 and IPv4",
    ),
    Setting(name="port", default="8000", read=_whole(0, 65535), meaning="Port to listen on; `0` takes a free one"),
    Setting(name="unix_socket", default="", read=_maybe(Path), meaning="Listen on this Unix socket as well"),
    Setting(
        name="data_dir",
        default="rondo-data",
        read=Path,
        meaning="Where Rondo keeps its data: the embedded PostgreSQL and its lock",
    ),
    Setting(
        name="database_url",
        default="",
        read=_maybe(_database),
        secret=True,
        meaning="Use this PostgreSQL (15 or newer) instead of the embedded one; TLS by `?sslmode=verify-full`",
    ),
    Setting(name="database_pool", default="8", read=_whole(2, 100), meaning="Connections to PostgreSQL"),
    Setting(
        name="postgres_user",
        default="",
        read=_maybe(_filled),
        meaning="Started as root: the unprivileged user that runs the embedded PostgreSQL "
        "(default: `postgres`, else `nobody`)",
    ),
    Setting(
        name="public_url",
        default="",
        read=_maybe(_url("http", "https")),
        meaning="The address people use, e.g. `https://tasks.example.org`; for links in mail and the origin check. "
        "If it is https, browsers at that address stay signed in by https only",
    ),
    Setting(
        name="trusted_proxies",
        default="",
        read=_networks,
        meaning="Proxies whose `X-Forwarded-For` and `-Proto` are believed: networks separated by commas",
    ),
    Setting(name="tls_cert", default="", read=_maybe(_file), meaning="TLS certificate chain (PEM); turns HTTPS on"),
    Setting(name="tls_key", default="", read=_maybe(_file), meaning="TLS private key (PEM)"),
    Setting(
        name="registration",
        default="open",
        read=_one_of("open", "closed"),
        meaning="Whether people can register themselves; the first account always can, and is the operator",
    ),
    Setting(
        name="auth_rate",
        default="20",
        read=_whole(1, 1_000_000),
        meaning="Sign-ins and registrations per minute and address, before 429",
    ),
    Setting(
        name="api_rate",
        default="",
        read=_maybe(_whole(1, 1_000_000)),
        meaning="Other calls per minute and user, before 429; empty: unlimited",
    ),
    Setting(
        name="smtp_url",
        default="",
        read=_maybe(_mail_server),
        secret=True,
        meaning="Mail server for reminders: `smtp://user:password@host:587`, `smtps://…`; "
        "`?starttls=always` or `never` (default: when offered)",
    ),
    Setting(name="mail_from", default="Rondo <rondo@localhost>", read=_mail_address, meaning="Who mail comes from"),
    Setting(
        name="metrics",
        default="public",
        read=_one_of("public", "operator"),
        meaning="Who may read `/metrics`: everyone who reaches the port, or operators only",
    ),
    Setting(
        name="log_level",
        default="info",
        read=_one_of("debug", "info", "warning", "error"),
        meaning="Least level that is logged",
    ),
    Setting(
        name="log_format",
        default="auto",
        read=_one_of("auto", "json", "text"),
        meaning="`json`: one object a line; `text`: for eyes; `auto`: text on a terminal",
    ),
    Setting(name="env", default="production", read=_filled, meaning="Name of this environment in logs and traces"),
    Setting(
        name="otlp_endpoint",
        default="",
        read=_maybe(_url("http", "https")),
        meaning="Send traces to this OTLP/HTTP endpoint, e.g. `http://127.0.0.1:4318`",
    ),
    Setting(
        name="trace_ratio",
        default="0.01",
        read=_fraction,
        meaning="Share of requests that are traced when the caller does not decide",
    ),
    Setting(
        name="loop_watch",
        default="off",
        read=_one_of("off", "on"),
        meaning="Name the task that holds the event loop, with its stack, from 50 ms on (off: from 250 ms on)",
    ),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """What the environment says, checked. Fields are the rows of ``TABLE``."""

    host: str
    port: int
    unix_socket: Path | None
    data_dir: Path
    database_url: str | None
    database_pool: int
    postgres_user: str | None
    public_url: str | None
    trusted_proxies: tuple[Network, ...]
    tls_cert: Path | None
    tls_key: Path | None
    registration: Literal["open", "closed"]
    auth_rate: int
    api_rate: int | None
    smtp_url: str | None
    mail_from: str
    metrics: Literal["public", "operator"]
    log_level: str
    log_format: Literal["auto", "json", "text"]
    env: str
    otlp_endpoint: str | None
    trace_ratio: float
    loop_watch: str
    warnings: tuple[str, ...] = ()


def read_settings(environment: Mapping[str, str]) -> Settings:
    """Return the settings of an environment.

    Raises:
        SettingsError: with one sentence per setting that cannot be used.
    """
    values: dict[str, Any] = {}
    problems = []
    for setting in TABLE:
        text = environment.get(setting.variable, "").strip() or setting.default
        try:
            values[setting.name] = setting.read(text)
        except ValueError as problem:
            shown = "(secret)" if setting.secret else repr(text)
            problems.append(f"{setting.variable}={shown} {problem}.")
    pair = {"tls_cert", "tls_key"}
    if pair <= values.keys() and bool(values["tls_cert"]) != bool(values["tls_key"]):
        problems.append("RONDO_TLS_CERT and RONDO_TLS_KEY go together: set both or neither.")
    if problems:
        raise SettingsError(problems)
    return Settings(**values, warnings=tuple(_unknown(environment)))


def _unknown(environment: Mapping[str, str]) -> list[str]:
    """Name variables that look like ours and are not: a typo must not be silent."""
    known = [setting.variable for setting in TABLE]
    sentences = []
    for name in sorted(environment):
        if name.startswith(PREFIX) and name not in known:
            close = difflib.get_close_matches(name, known, n=1)
            sentences.append(f"{name} is not a setting" + (f"; did you mean {close[0]}?" if close else "."))
    return sentences


def read_environment(directory: Path) -> dict[str, str]:
    """Return the process environment over the ``.env`` file of a directory, if it has one that can be reached.

    Raises:
        SettingsError: when it cannot be read, or a line is not ``NAME=value``, a comment or blank.
    """
    path = directory / ".env"
    try:
        is_there = path.is_file()
    except PermissionError:  # by a user who may not enter the directory, say one who came with `sudo -u`
        is_there = False
    return (_read_file(path) if is_there else {}) | dict(os.environ)


def _read_file(path: Path) -> dict[str, str]:
    try:
        lines = path.read_text(encoding="utf-8-sig").splitlines()
    except (OSError, UnicodeError) as problem:
        raise SettingsError([f"{path} cannot be read: {problem}."]) from None
    found = {}
    for number, line in enumerate(lines, 1):
        text = line.strip().removeprefix("export ")
        if not text or text.startswith("#"):
            continue
        name, equals, value = text.partition("=")
        if not equals or not name.strip().isidentifier():
            raise SettingsError([f"{path}, line {number}: expected NAME=value."])
        found[name.strip()] = _unquoted(value.strip())
    return found


def _unquoted(value: str) -> str:
    """Return a value without its quotes, or without the comment behind it."""
    if value[:1] in {"'", '"'} and (end := value.find(value[0], 1)) > 0:
        rest = value[end + 1 :].strip()
        if not rest or rest.startswith("#"):
            return value[1:end]
    return value.partition(" #")[0].rstrip()


def settings_table() -> str:
    """Return the settings as a Markdown table, for the README (a test compares them)."""
    rows = ["| variable | default | meaning |", "|---|---|---|"]
    for setting in TABLE:
        default = f"`{setting.default}`" if setting.default else ""
        rows.append(f"| `{setting.variable}` | {default} | {setting.meaning} |")
    return "\n".join(rows)
