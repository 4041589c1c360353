"""Bytes in, requests out: llhttp (`httptools`) and the rules it leaves to its user.

llhttp is strict about framing (RFC 9112): conflicting lengths, bare line feeds, folded headers, malformed chunks are
errors there. What is decided here is what needs the whole head: one Host, a plain path, chunked and nothing else, no
upgrade but to WebSocket, and the sizes. Knows no socket and no clock. A fault is kept in `refusal` and comes after
the requests that were whole before it.
"""

import re
from collections import deque
from collections.abc import Mapping
from typing import Final
from urllib.parse import unquote_to_bytes

import httptools

from app.web.server import problems
from app.web.server.asgi import Headers
from app.web.server.limits import Limits
from app.web.server.problems import Refusal

_HOST: Final = re.compile(rb"(?:\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9._~%!$&'()*+,;=-]+)(?::[0-9]{0,5})?")
_WEBSOCKET_KEY: Final = re.compile(rb"[A-Za-z0-9+/]{22}==")
_TOKEN: Final = re.compile(rb"[A-Za-z0-9!#$%&'*+.^_`|~-]{1,32} ")
_WATCHED: Final = frozenset({b"host", b"content-length", b"transfer-encoding", b"expect"})
_UNSERVED: Final = frozenset({"CONNECT", "TRACE"})


class Request:
    """One parsed head, and its body as far as it has arrived."""

    __slots__ = (
        "body_bytes",
        "chunks",
        "complete",
        "expects_continue",
        "headers",
        "http_version",
        "keep_alive",
        "leftover",
        "method",
        "path",
        "query_string",
        "raw_path",
        "upgrade",
    )

    def __init__(self, method: str, http_version: str, headers: Headers, *, keep_alive: bool, upgrade: bool) -> None:
        self.method = method
        self.http_version = http_version
        self.headers = headers
        self.keep_alive = keep_alive
        self.upgrade = upgrade
        self.path = ""
        self.raw_path = b""
        self.query_string = b""
        self.expects_continue = False
        self.chunks: list[bytes] = []
        self.body_bytes = 0
        self.complete = False
        # After an upgrade: bytes that already belong to the other protocol.
        self.leftover = b""


class RefusedError(Exception):
    """Carries a refusal out of the rules, through llhttp's callbacks."""

    def __init__(self, refusal: Refusal) -> None:
        self.refusal = refusal


class RequestParser:
    """The requests of one connection, in order, in `requests`; after the last one perhaps a `refusal`."""

    def __init__(self, limits: Limits) -> None:
        self.requests: deque[Request] = deque()
        self.refusal: Refusal | None = None
        # Of the request that was refused, if its whole head could be parsed.
        self.refused_headers: Headers = []
        self._limits = limits
        self._parser = httptools.HttpRequestParser(self)
        self._current: Request | None = None
        self._target = b""
        self._headers: Headers = []
        # Bytes of the head that is under way, from earlier calls of feed.
        self._partial = 0
        # Chunk sizes, extensions and trailers: the body's wrapping, which must not outgrow a whole body.
        self._wrapping = 0
        self._host: bytes | None = None

    @property
    def in_head(self) -> bool:
        """Tell whether a request has begun whose head is not complete."""
        return self._current is None and (self._partial > 0 or bool(self._target))

    def feed(self, data: bytes) -> None:
        """Parse what came. It never raises; after a refusal nothing more is parsed."""
        if self.refusal is not None:
            return
        before = len(self.requests)
        body_before = self._current.body_bytes if self._current else 0
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserUpgrade as upgrade:
            # The offset is where the other protocol begins.
            self.requests[-1].leftover = data[upgrade.args[0] :]
        except httptools.HttpParserCallbackError as error:
            cause = error.__context__
            if not isinstance(cause, RefusedError):
                raise
            self.refusal = cause.refusal
            self.refused_headers = self._headers
        except httptools.HttpParserInvalidMethodError:
            self.refusal = problems.UNKNOWN_METHOD if _TOKEN.match(data) else problems.BAD_REQUEST
        except httptools.HttpParserError:
            self.refusal = problems.BAD_REQUEST
        if self._current is None:
            self._measure_head(len(data), fresh=len(self.requests) > before)
        else:
            self._measure_wrapping(self._current, len(data), body_before)

    def _measure_head(self, size: int, *, fresh: bool) -> None:
        self._wrapping = 0
        # What follows a request in the same read is not counted: that allows one read more, and costs no search.
        self._partial = 0 if fresh else self._partial + size
        if self.refusal is None and self._partial >= self._limits.head_bytes:
            self.refusal = problems.HEAD_TOO_LARGE if self._headers else problems.TARGET_TOO_LONG

    def _measure_wrapping(self, request: Request, size: int, body_before: int) -> None:
        self._partial = 0
        self._wrapping += size - (request.body_bytes - body_before)
        if self._wrapping > self._limits.body_bytes + 2 * self._limits.head_bytes:
            self.refusal = self.refusal or problems.BODY_TOO_LARGE

    # llhttp's callbacks

    def on_url(self, piece: bytes) -> None:
        """Collect the request target."""
        self._target += piece

    def on_header(self, name: bytes, value: bytes) -> None:
        """Collect a header, or drop a trailer: nobody asks for one, and it could look like a header."""
        if self._current is None:
            self._headers.append((name.lower(), value))

    def on_headers_complete(self) -> None:
        """Judge the head, and queue the request."""
        parser = self._parser
        headers = self._headers
        request = Request(
            parser.get_method().decode(),
            parser.get_http_version(),
            headers,
            keep_alive=parser.should_keep_alive(),
            upgrade=parser.should_upgrade(),
        )
        _check_size(self._target, headers, self._limits)
        # A head that came in one read cannot be longer than that read.
        if self._partial:
            _check_bytes(headers, self._limits)
        self._check_headers(request)
        _check_target(request, self._target)
        if request.upgrade:
            _check_upgrade(request)
        self._current = request
        self.requests.append(request)

    def on_body(self, chunk: bytes) -> None:
        """Keep a piece of the body."""
        request = self._current
        if request is not None:
            request.body_bytes += len(chunk)
            if request.body_bytes > self._limits.body_bytes:
                raise RefusedError(problems.BODY_TOO_LARGE)
            request.chunks.append(chunk)

    def on_message_complete(self) -> None:
        """Close the request and make room for the next."""
        if self._current is not None:
            self._current.complete = True
        self._current = None
        self._target = b""
        self._headers = []

    # the rules

    def _check_headers(self, request: Request) -> None:
        version = request.http_version
        if version not in {"1.1", "1.0"}:
            raise RefusedError(problems.BAD_VERSION)
        if request.method in _UNSERVED:
            raise RefusedError(problems.METHOD_NOT_ALLOWED)
        hosts = 0
        for name, value in request.headers:
            if name in _WATCHED:
                if name == b"host":
                    hosts += 1
                    self._check_host(value)
                else:
                    _check_framing(request, name, value, self._limits)
        if hosts > 1 or (hosts == 0 and version == "1.1"):
            raise RefusedError(problems.BAD_HOST)

    def _check_host(self, value: bytes) -> None:
        # A client rarely changes its mind about the host.
        if value != self._host:
            if _HOST.fullmatch(value) is None:
                raise RefusedError(problems.BAD_HOST)
            self._host = value


def judge(method: str, target: bytes, headers: Headers, limits: Limits) -> Request:
    """Return a request whose head another parser has read, held to the same rules and limits.

    Raises:
        RefusedError: It does not keep them.
    """
    request = Request(method, "2", headers, keep_alive=True, upgrade=False)
    _check_size(target, headers, limits)
    _check_bytes(headers, limits)
    if method in _UNSERVED:
        raise RefusedError(problems.METHOD_NOT_ALLOWED)
    for name, value in headers:
        if name == b"host":
            if _HOST.fullmatch(value) is None:
                raise RefusedError(problems.BAD_HOST)
        elif name in _WATCHED:
            _check_framing(request, name, value, limits)
    _check_target(request, target)
    return request


def _check_framing(request: Request, name: bytes, value: bytes, limits: Limits) -> None:
    if name == b"expect":
        if value.lower() != b"100-continue":
            raise RefusedError(problems.EXPECTATION)
        request.expects_continue = request.http_version != "1.0"
    elif name == b"content-length":
        try:
            # llhttp has made sure of digits, and of one field; h2 ends the connection when the body has another length.
            length = int(value)
        except ValueError:  # thousands of zeros are more than Python reads
            raise RefusedError(problems.BAD_FRAMING) from None
        if length > limits.body_bytes:
            raise RefusedError(problems.BODY_TOO_LARGE)
        if request.upgrade and length:
            raise RefusedError(problems.BAD_FRAMING)
    else:
        if request.http_version != "1.1" or request.upgrade:
            raise RefusedError(problems.BAD_FRAMING)
        if value.lower() != b"chunked":
            ends_chunked = value.lower().rpartition(b",")[2].strip() == b"chunked"
            raise RefusedError(problems.UNKNOWN_CODING if ends_chunked else problems.BAD_FRAMING)


def _check_size(target: bytes, headers: Headers, limits: Limits) -> None:
    if len(target) > limits.target_bytes:
        raise RefusedError(problems.TARGET_TOO_LONG)
    if len(headers) > limits.header_count:
        raise RefusedError(problems.HEAD_TOO_LARGE)


def _check_bytes(headers: Headers, limits: Limits) -> None:
    if sum(len(name) + len(value) + 4 for name, value in headers) > limits.head_bytes:
        raise RefusedError(problems.HEAD_TOO_LARGE)


def _check_target(request: Request, target: bytes) -> None:
    raw_path, _, request.query_string = target.partition(b"?")
    if raw_path[:1] != b"/" or b"#" in target:
        raise RefusedError(problems.BAD_TARGET)
    request.raw_path = raw_path
    try:
        request.path = (unquote_to_bytes(raw_path) if b"%" in raw_path else raw_path).decode()
    except UnicodeDecodeError:
        raise RefusedError(problems.BAD_TARGET) from None
    if "\0" in request.path:
        raise RefusedError(problems.BAD_TARGET)


def _check_upgrade(request: Request) -> None:
    """Let WebSocket pass (RFC 6455, 4.2.1); h2c and everything else is refused instead of ignored.

    To ignore an upgrade would be allowed, but a proxy in front may believe that it took place.
    """
    values: dict[bytes, bytes] = {}
    for name, value in request.headers:
        if (
            name in {b"upgrade", b"sec-websocket-key", b"sec-websocket-version"}
            and values.setdefault(name, value) != value
        ):
            raise RefusedError(problems.BAD_UPGRADE)
    if request.method != "GET" or request.http_version != "1.1" or values.get(b"upgrade", b"").lower() != b"websocket":
        raise RefusedError(problems.BAD_UPGRADE)
    _check_websocket(values)


def _check_websocket(values: Mapping[bytes, bytes]) -> None:
    # The version first: another one may have another key.
    version = values.get(b"sec-websocket-version")
    if version is not None and version != b"13":
        raise RefusedError(problems.BAD_WEBSOCKET_VERSION)
    if version is None or _WEBSOCKET_KEY.fullmatch(values.get(b"sec-websocket-key", b"")) is None:
        raise RefusedError(problems.BAD_UPGRADE)
