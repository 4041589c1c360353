"""A request as the API sees it: the ASGI scope, read once."""

import re
from collections.abc import Awaitable, Callable, MutableMapping
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import unquote_plus

import trio

from app.web.errors import RequestRefusedError
from monitoring.redaction import redact_text

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]

MAX_BODY_BYTES: Final = 1024 * 1024
# The edge has a limit of its own; this one holds under any server.
BODY_SECONDS: Final = 15.0
MAX_PARAMETERS: Final = 100
_CLIENT_CHARACTERS: Final = 200
_REQUEST_ID: Final = re.compile(rb"[A-Za-z0-9._-]{1,128}")
_BROKEN_ESCAPE: Final = re.compile(r"%(?![0-9A-Fa-f]{2})")


class ClientGoneError(Exception):
    """The client left before its request was complete. There is nobody to answer."""


@dataclass(slots=True)  # not frozen: every request makes one, and that would cost four times as much
class Request:
    """Method, path and headers of one request.

    Attributes:
        headers: By lower-case name; what was sent several times is joined as RFC 9110 says.
        secure: Whether it came by TLS, as far as trusted proxies say.
        address: The client's network address, empty on a Unix socket.
    """

    method: str
    path: str
    query: bytes
    headers: dict[bytes, bytes]
    secure: bool
    address: str
    receive: Receive

    @classmethod
    def of(cls, scope: Scope, receive: Receive) -> "Request":
        """Read the scope."""
        client = scope.get("client")
        return cls(
            scope["method"],
            scope["path"],
            scope["query_string"],
            _headers(scope["headers"]),
            scope.get("scheme") in {"https", "wss"},
            client[0] if client else "",
            receive,
        )

    def header(self, name: bytes) -> str | None:
        """Return a header's text, None if it was not sent."""
        value = self.headers.get(name)
        return None if value is None else value.decode("latin-1").strip()

    @property
    def client(self) -> str:
        """What the client calls itself."""
        text = self.header(b"user-agent") or ""
        return (text if text.isprintable() else "".join(filter(str.isprintable, text)))[:_CLIENT_CHARACTERS]

    @property
    def given_id(self) -> str | None:
        """The caller's own request id, if it looks like one, and not like a secret: it stands on every line."""
        value = self.headers.get(b"x-request-id")
        if value is None or not _REQUEST_ID.fullmatch(value):
            return None
        given = value.decode()
        return given if redact_text(given) == given else None

    async def read_body(self) -> bytes:
        """Return the whole body.

        Raises:
            RequestRefusedError: It is longer than 1 MiB, or does not arrive.
            ClientGoneError: The client left.
        """
        length = self.headers.get(b"content-length", b"")
        _check_size(int(length[:20]) if length.isdigit() else 0)
        message = await self.receive()
        if not message.get("more_body") and message["type"] == "http.request":
            body: bytes = message.get("body", b"")
            _check_size(len(body))
            return body
        with trio.move_on_after(BODY_SECONDS):
            return await self._read_rest(message)
        raise RequestRefusedError("request_timeout", "The body did not arrive in time.", ((b"connection", b"close"),))

    async def _read_rest(self, message: Message) -> bytes:
        chunks = bytearray()
        while True:
            if message["type"] == "http.disconnect":
                raise ClientGoneError
            chunks += message.get("body", b"")
            _check_size(len(chunks))
            if not message.get("more_body"):
                return bytes(chunks)
            message = await self.receive()


def _headers(pairs: list[tuple[bytes, bytes]]) -> dict[bytes, bytes]:
    headers: dict[bytes, bytes] = {}
    for name, value in pairs:
        if name in headers:
            headers[name] += (b"; " if name == b"cookie" else b", ") + value
        else:
            headers[name] = value
    return headers


def _check_size(size: int) -> None:
    if size > MAX_BODY_BYTES:
        raise RequestRefusedError("body_too_large", f"The body may have {MAX_BODY_BYTES:,} bytes.")


def parse_query(query: bytes) -> tuple[dict[str, str], list[str]]:
    """Return the parameters of a query string, and the names that occur more than once.

    Raises:
        RequestRefusedError: It is not UTF-8 in percent-encoding, holds NUL, or has far too many parameters.
    """
    parameters: dict[str, str] = {}
    repeated = []
    if query.count(b"&") >= MAX_PARAMETERS:
        raise RequestRefusedError("malformed_query", f"At most {MAX_PARAMETERS} parameters are read.")
    for part in query.split(b"&"):
        if part:
            name, value = _pair(part)
            if name in parameters:
                repeated.append(name)
            parameters[name] = value
    return parameters, repeated


def _pair(part: bytes) -> tuple[str, str]:
    try:
        text = part.decode("ascii")
        if _BROKEN_ESCAPE.search(text):
            raise RequestRefusedError("malformed_query", "A percent sign is not followed by two hexadecimal digits.")
        name, _, value = text.partition("=")
        name, value = unquote_plus(name, errors="strict"), unquote_plus(value, errors="strict")
    except UnicodeDecodeError:
        raise RequestRefusedError("malformed_query", "The query string is not UTF-8 in percent-encoding.") from None
    if "\0" in name or "\0" in value:
        raise RequestRefusedError("malformed_query", "A parameter contains the character NUL.")
    return name, value
