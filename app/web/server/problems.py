"""Answers of the edge itself: what never reaches an application is refused in the format of the API.

The composition root hands in the API's own `ErrorResponse`, so that format and headers are said once. The one here is
the same contract without the API, for the tests of the edge and for a process that serves no API.
"""

import uuid
from collections.abc import Callable
from dataclasses import dataclass
from http import HTTPStatus
from typing import Final

import orjson

from app.web.server.asgi import Headers

ErrorResponse = Callable[[int, str, str, Headers], tuple[Headers, bytes]]
"""(status, code, detail, headers of the request) → (headers, body).

Without headers if the request's could not be parsed. It must not raise and must not leak: `detail` is shown to anyone.
"""

SECURITY_HEADERS: Final[Headers] = [
    (b"content-security-policy", b"default-src 'none'; frame-ancestors 'none'"),
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
    (b"cross-origin-resource-policy", b"same-origin"),
    (b"cache-control", b"no-store"),
]


def problem_response(status: int, code: str, detail: str, _headers: Headers) -> tuple[Headers, bytes]:
    """Return RFC 9457 `application/problem+json` with the fields of the contract."""
    request_id = uuid.uuid4().hex
    body = orjson.dumps(
        {
            "type": "about:blank",
            "title": HTTPStatus(status).phrase,
            "status": status,
            "detail": detail,
            "code": code,
            "requestId": request_id,
        }
    )
    headers = [
        (b"content-type", b"application/problem+json"),
        (b"content-length", b"%d" % len(body)),
        (b"x-request-id", request_id.encode()),
        *SECURITY_HEADERS,
    ]
    return headers, body


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why the edge answers by itself, and closes."""

    status: int
    code: str
    detail: str
    headers: tuple[tuple[bytes, bytes], ...] = ()


BAD_REQUEST: Final = Refusal(400, "bad_request", "The request is not valid HTTP/1.1.")
BAD_HOST: Final = Refusal(400, "bad_host", "Exactly one valid Host header is needed.")
BAD_TARGET: Final = Refusal(400, "bad_target", "The request target must be an absolute path.")
BAD_FRAMING: Final = Refusal(400, "bad_framing", "The length of the body is not clear.")
BAD_UPGRADE: Final = Refusal(
    400, "bad_upgrade", "Only WebSocket version 13 can be upgraded to, with GET over HTTP/1.1."
)
# RFC 6455, 4.2.2 and 4.4; RFC 9110, 15.5.22.
BAD_WEBSOCKET_VERSION: Final = Refusal(
    426,
    "websocket_version",
    "The only version of WebSocket spoken here is 13.",
    ((b"upgrade", b"websocket"), (b"sec-websocket-version", b"13")),
)
TIMED_OUT: Final = Refusal(408, "request_timeout", "The request did not arrive in time.")
BODY_TOO_LARGE: Final = Refusal(413, "body_too_large", "The body is larger than this server accepts.")
TARGET_TOO_LONG: Final = Refusal(414, "target_too_long", "The request target is longer than this server accepts.")
EXPECTATION: Final = Refusal(417, "expectation_failed", "The only expectation that can be met is 100-continue.")
HEAD_TOO_LARGE: Final = Refusal(431, "headers_too_large", "The headers are larger than this server accepts.")
INTERNAL: Final = Refusal(500, "internal_error", "Something went wrong on our side; it has been recorded.")
UNKNOWN_METHOD: Final = Refusal(501, "unknown_method", "This method is not known here.")
UNKNOWN_CODING: Final = Refusal(501, "unknown_transfer_coding", "The only transfer coding understood is chunked.")
BAD_VERSION: Final = Refusal(505, "http_version", "This port speaks HTTP/1.1.")
TOO_MANY: Final = Refusal(503, "too_many_connections", "Too many connections are open; try again shortly.")
METHOD_NOT_ALLOWED: Final = Refusal(
    405,
    "method_not_allowed",
    "This method is not served here.",
    ((b"allow", b"GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS"),),
)
