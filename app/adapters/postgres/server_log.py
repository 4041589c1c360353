"""Joins the embedded server's log to ours: one line of ours for each of its messages, with its severity."""

from __future__ import annotations

import re
from dataclasses import dataclass

from monitoring import logs

log = logs.get_logger("postgres")

# What `log_line_prefix = '%p|%b|%e|'` makes of a line: process id, kind of process, SQLSTATE.
_LINE = re.compile(r"(?P<pid>\d+)\|(?P<process>[^|]*)\|(?P<sqlstate>\w{5})\|(?P<severity>[A-Z0-9]+): {1,2}(?P<text>.*)")

_LEVELS = {"WARNING": "WARNING", "ERROR": "ERROR", "FATAL": "ERROR", "PANIC": "CRITICAL", "DEBUG": "DEBUG"}
# What a client did wrong is the client's to tell: as an error of ours, with more context.
_CLIENTS_OWN = frozenset({"ERROR", "WARNING", "FATAL"})
_CLIENT = "client backend"
# Unless a client only met it: no disk or memory left (53), the system failed (58), PostgreSQL did (XX).
_OURS = ("53", "58", "XX")


@dataclass(frozen=True, slots=True)
class ServerLine:
    """One message of the server.

    Attributes:
        text: What it says.
        severity: PostgreSQL's word for it; empty for a line that is not a server's.
        process: Which kind of process said it, e.g. ``checkpointer``.
        pid: That process.
        sqlstate: Its code; ``00000`` for none.
    """

    text: str
    severity: str = ""
    process: str = ""
    pid: int = 0
    sqlstate: str = "00000"

    @property
    def level(self) -> str:
        """Return our level for it."""
        is_ours = self.process != _CLIENT or self.sqlstate.startswith(_OURS)
        if self.severity in _CLIENTS_OWN and not is_ours:
            return "DEBUG"
        if not self.severity:
            return "WARNING"
        return _LEVELS.get(self.severity.rstrip("12345"), "INFO")

    @property
    def is_ready(self) -> bool:
        """Return whether the server says that it accepts queries."""
        return self.severity == "LOG" and self.text == "database system is ready to accept connections"

    def write(self) -> None:
        """Write it to our log."""
        log.log(
            self.level,
            "PostgreSQL wrote to its log",
            event="postgres.log",
            text=self.text,
            severity=self.severity,
            process=self.process,
            pid=self.pid,
            sqlstate=self.sqlstate,
        )


def parse(line: str) -> ServerLine:
    """Return what a line of the server's output says."""
    match = _LINE.fullmatch(line)
    if match is None:
        return ServerLine(line.strip())
    return ServerLine(match["text"], match["severity"], match["process"], int(match["pid"]), match["sqlstate"])


class LineReader:
    """Cuts a stream of bytes into messages."""

    def __init__(self) -> None:
        self._rest = b""

    def feed(self, data: bytes) -> list[ServerLine]:
        """Return the messages that are complete now. No data means the end: what is left is a message."""
        *lines, self._rest = (self._rest + (data or b"\n")).split(b"\n")
        return [parse(line.decode(errors="replace")) for line in lines if line.strip()]
