"""What each request leaves behind: metrics, one access line, a span, and headers that let others find them.

Children of metrics are resolved once per route and kept, because every request pays for them.
"""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Final

from prometheus_client import Counter, Gauge, Histogram

from app.web.answer import Answer, Header
from app.web.api.request import Request
from monitoring import logs, metrics, tracing
from monitoring.tracing import Span, SpanKind

# The route of a request that no route is for.
UNMATCHED: Final = "(unmatched)"
# nginx's word for a client that left before it was answered.
CLIENT_GONE: Final = 499
_METHODS: Final = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})


@dataclass(slots=True)
class Meter:
    """The metrics and names of one method of one route."""

    method: str
    route: str
    span_name: str = field(init=False)
    duration: Histogram = field(init=False)
    in_progress: Gauge = field(init=False)
    request_size: Histogram = field(init=False)
    response_size: Histogram = field(init=False)
    _by_status: dict[int, Counter] = field(default_factory=dict)

    def __post_init__(self) -> None:
        # Whatever a client makes up as a method is one word, or it would be a name without end.
        self.method = self.method if self.method in _METHODS else metrics.OTHER
        self.span_name = f"{self.method} {self.route}"
        self.duration = metrics.HTTP_REQUEST_DURATION_SECONDS.labels(self.method, self.route)
        self.in_progress = metrics.HTTP_REQUESTS_IN_PROGRESS.labels(self.method)
        self.request_size = metrics.HTTP_REQUEST_SIZE_BYTES.labels(self.route)
        self.response_size = metrics.HTTP_RESPONSE_SIZE_BYTES.labels(self.route)

    def requests(self, status: int) -> Counter:
        """Return the counter of requests that ended with this status."""
        if status not in self._by_status:
            self._by_status[status] = metrics.HTTP_REQUESTS_TOTAL.labels(self.method, self.route, status)
        return self._by_status[status]


@dataclass(slots=True)
class Observation:
    """One request while it is answered.

    Attributes:
        status: What was answered; stays as it is when the client left before.
        size: Bytes of the answer's body.
        code: The problem's code, when it was refused.
        user_id: Who asked, when that is known.
    """

    request: Request
    request_id: str
    meter: Meter
    span: Span
    started: float
    status: int = CLIENT_GONE
    size: int = 0
    code: str | None = None
    user_id: str | None = None

    def note(self, answer: Answer) -> None:
        """Remember what is answered."""
        self.status, self.size, self.code = answer.status, len(answer.body), answer.code

    def headers(self) -> tuple[Header, ...]:
        """Return the headers by which a client finds this request again."""
        milliseconds = (time.perf_counter() - self.started) * 1000
        return (
            (b"x-request-id", self.request_id.encode()),
            (b"traceresponse", (tracing.current_traceparent() or "").encode()),
            (b"server-timing", b"app;dur=%.2f" % milliseconds),
        )


@contextmanager
def observed(request: Request, request_id: str, meter: Meter) -> Iterator[Observation]:
    """Record one request, however it ends."""
    started = time.perf_counter()
    parent = request.header(b"traceparent")
    meter.in_progress.inc()
    with (
        logs.context(requestId=request_id),
        tracing.span(meter.span_name, kind=SpanKind.SERVER, parent=parent) as span,
    ):
        observation = Observation(request, request_id, meter, span, started)
        try:
            yield observation
        finally:
            meter.in_progress.dec()
            _record(observation, time.perf_counter() - started)


def _record(seen: Observation, seconds: float) -> None:
    meter = seen.meter
    length = seen.request.headers.get(b"content-length", b"")
    meter.requests(seen.status).inc()
    meter.request_size.observe(int(length[:20]) if length.isdigit() else 0)
    meter.response_size.observe(seen.size)
    tracing.observe_with_exemplar(meter.duration, seconds)
    _describe(seen.span, seen)
    logs.access_line(meter.method, meter.route, seen.status, seconds, seen.size, **_fields(seen))


def _fields(seen: Observation) -> dict[str, object]:
    fields: dict[str, object] = {"client": seen.request.address}
    if seen.user_id is not None:
        fields["userId"] = seen.user_id
    if seen.code is not None:
        fields["error.type"] = seen.code
    return fields


def _describe(span: Span, seen: Observation) -> None:
    request = seen.request
    if seen.status >= 500:
        span.set_error(str(seen.status))
    if span.is_recording:
        span.attributes |= {
            "http.request.method": seen.meter.method,
            "http.route": seen.meter.route,
            "url.path": request.path,
            "url.scheme": "https" if request.secure else "http",
            "http.response.status_code": seen.status,
            "client.address": request.address,
            "user_agent.original": request.client,
            "server.address": request.header(b"host") or "",
        }
