"""What all lanes share: the applications behind the edge, the limits, and how the edge speaks for itself."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Final

from app.web.server import problems
from app.web.server.asgi import ASGIApp, ClientAddress, Headers, Receive, Scope, Send
from app.web.server.forwarded import TrustedProxies, UnbelievedProxies
from app.web.server.limits import Limits
from app.web.server.problems import ErrorResponse, Refusal
from app.web.server.responses import DateHeader, whole_response
from monitoring import logs, metrics

_API_PREFIXES: Final = ("/api/", "/health/")
_API_PATHS: Final = frozenset({"/api", "/health", "/metrics"})

log = logs.get_logger("edge")


def is_api(path: str) -> bool:
    """Tell whether the JSON API answers this path: `/api/…`, `/health…` and `/metrics`."""
    return path.startswith(_API_PREFIXES) or path in _API_PATHS


@dataclass(frozen=True, slots=True)
class Peer:
    """The other end of a connection: its address (None: a Unix socket), ours, and whether its word on others counts."""

    client: ClientAddress | None
    server: tuple[str, int | None] | None
    scheme: str
    trusted: bool = False


@dataclass(slots=True, kw_only=True)
class Edge:
    """Shared by all connections of one server."""

    api: ASGIApp
    pages: ASGIApp
    is_api: Callable[[str], bool] = is_api
    limits: Limits = field(default_factory=Limits)
    proxies: TrustedProxies = field(default_factory=TrustedProxies)
    unbelieved: UnbelievedProxies = field(default_factory=UnbelievedProxies)
    error_response: ErrorResponse = problems.problem_response
    dates: DateHeader = field(default_factory=DateHeader)
    draining: bool = False

    async def dispatch(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Call the application that owns this path."""
        await (self.api if self.is_api(scope["path"]) else self.pages)(scope, receive, send)

    def refusal(self, refusal: Refusal, given: Headers, method: str = "other") -> bytes:
        """Return the whole response to what never reaches an application, and count it.

        `given` are the headers of the request, as far as they could be parsed.
        """
        headers, body = self.refusal_parts(refusal, given, method)
        return whole_response(refusal.status, headers, body, self.dates.line())

    def refusal_parts(self, refusal: Refusal, given: Headers, method: str) -> tuple[Headers, bytes]:
        """Return headers and body of such a response, and count it."""
        metrics.HTTP_REQUESTS_TOTAL.labels(method, "edge", str(refusal.status)).inc()
        headers, body = self.error_response(refusal.status, refusal.code, refusal.detail, given)
        return [*headers, *refusal.headers], body

    def application_failed(self, scope: Scope, error: BaseException) -> None:
        """Record an application's bug with its stack."""
        log.opt(exception=error).error(
            "An application failed.", event="http.application.failed", method=scope["method"], path=scope["path"]
        )

    def connection_failed(self, error: BaseException) -> None:
        """Record a bug of the edge itself with its stack."""
        log.opt(exception=error).error("A connection failed.", event="edge.connection.failed")


def header_values(headers: Iterable[tuple[bytes, bytes]], wanted: bytes) -> list[bytes]:
    """Return the values of one header, in order."""
    return [value for name, value in headers if name == wanted]
