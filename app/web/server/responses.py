"""Responses as bytes: status line, headers, and how the end of the body is told (RFC 9112, section 6)."""

import time
from collections.abc import Iterable
from email.utils import formatdate
from http import HTTPStatus
from typing import Final

from app.web.server.asgi import Headers

CONTINUE: Final = b"HTTP/1.1 100 Continue\r\n\r\n"
LAST_CHUNK: Final = b"0\r\n\r\n"
# The edge alone knows whether the connection stays and where the body ends.
_OURS: Final = frozenset({b"connection", b"content-length", b"date", b"keep-alive", b"transfer-encoding", b"upgrade"})
_STATUS_LINES: Final = {status.value: f"HTTP/1.1 {status.value} {status.phrase}\r\n".encode() for status in HTTPStatus}


class DateHeader:
    """The `date` line, made once per second."""

    def __init__(self) -> None:
        self._second = 0
        self._value = b""
        self._line = b""

    def line(self) -> bytes:
        """Return `date: …` with its line end."""
        second = int(time.time())
        if second != self._second:
            self._second = second
            self._value = formatdate(second, usegmt=True).encode()
            self._line = b"date: %b\r\n" % self._value
        return self._line

    def value(self) -> bytes:
        """Return the date alone."""
        self.line()
        return self._value


class Head:
    """What an application said about its response, sorted into its lines and what concerns the edge."""

    __slots__ = ("closes", "dated", "length", "lines", "status")

    def __init__(self, status: int, headers: Iterable[tuple[bytes, bytes]]) -> None:
        """Sort the headers.

        Raises:
            ValueError: a header holds a line break, or the length is not a number.
        """
        self.status = status
        self.length: int | None = None
        self.closes = False
        self.dated = False
        lines = [_STATUS_LINES.get(status) or b"HTTP/1.1 %d \r\n" % status]
        for name, value in headers:
            if name in _OURS:
                self._note(name, value, lines)
            else:
                lines.append(b"%b: %b\r\n" % (name, value))
        self.lines = lines

    def _note(self, name: bytes, value: bytes, lines: list[bytes]) -> None:
        if name == b"content-length":
            self.length = int(value)
        elif name == b"connection":
            self.closes = b"close" in value.lower()
        elif name == b"date":
            self.dated = True
            lines.append(b"date: %b\r\n" % value)
        elif name == b"upgrade":  # what a 426 must say (RFC 9110, 15.5.22); of an application's 101 nothing is heard
            lines += [b"upgrade: %b\r\n" % value, b"connection: upgrade\r\n"]

    @property
    def bodiless(self) -> bool:
        """Tell whether this status never has a body."""
        return self.status in {204, 304}

    def serialize(self, *lines: bytes) -> bytes:
        """Return the head with these lines added.

        Raises:
            ValueError: a header holds a line break. Nothing may be sent: the rest would be the attacker's response.
        """
        self.lines.extend(lines)
        count = len(self.lines)
        block = b"".join(self.lines)
        if block.count(b"\n") != count or block.count(b"\r") != count:
            raise ValueError("a response header holds a line break")
        return block + b"\r\n"


def whole_response(status: int, headers: Headers, body: bytes, date: bytes) -> bytes:
    """Return a response of the edge itself, after which the connection is closed."""
    head = Head(status, headers)
    return head.serialize(b"content-length: %d\r\n" % len(body), date, b"connection: close\r\n") + body


def chunk(data: bytes) -> bytes:
    """Return a chunk; there is none for no data, since that would be the last one."""
    return b"%x\r\n%b\r\n" % (len(data), data) if data else b""
