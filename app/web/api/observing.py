"""What each request leaves behind: metrics, one access line, a span, and headers that let others find them.

Children of metrics are resolved once per route and kept, because every request pays for them.
"""

import time
from dataclasses import dataclass, field
from types import TracebackType
from typing import Final, Self
from uuid import UUID

from app.web.answer import Answer, Header
from app.web.api.request import Request
from monitoring import logs, metrics, scope, tracing
from monitoring.scope import Scope
from monitoring.series import Counter, Gauge, Histogram
from monitoring.tracing import Span

# The route of a request that no route is for.
UNMATCHED: Final = "(unmatched)"
# nginx's word for a client that left before it was answered.
CLIENT_GONE: Final = 499
_METHODS: Final = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")


@dataclass(slots=True)
class Meter:
    """The metrics and names of one method of one route."""

    method: str
    route: str
    span_name: str = field(init=False)
    in_progress: Gauge = field(init=False)
    duration: Histogram = field(init=False)
    request_size: Histogram = field(init=False)
    response_size: Histogram = field(init=False)
    access_log: logs.AccessLog = field(init=False)
    by_status: dict[int, Counter] = field(default_factory=dict)

    def __post_init__(self) -> None:
        # Whatever a client makes up as a method is one word, or it would be a name without end.
        self.method = self.method if self.method in _METHODS else metrics.OTHER
        self.span_name = f"{self.method} {self.route}"
        self.in_progress = metrics.HTTP_REQUESTS_IN_PROGRESS.labels(self.method)
        self.duration = metrics.HTTP_REQUEST_DURATION_SECONDS.labels(self.method, self.route)
        self.request_size = metrics.HTTP_REQUEST_SIZE_BYTES.labels(self.route)
        self.response_size = metrics.HTTP_RESPONSE_SIZE_BYTES.labels(self.route)
        self.access_log = logs.AccessLog(self.method, self.route, self.count)

    def count(self, status: int, seconds: float, received: int, size: int) -> None:
        """Count a request that ended: its status, the seconds it took, the bytes of its body and of the answer's."""
        counter = self.by_status.get(status)
        if counter is None:
            counter = metrics.HTTP_REQUESTS_TOTAL.labels(self.method, self.route, status)
            self.by_status[status] = counter
        counter.value += 1  # what `inc` does, without a call
        self.duration.observe(seconds)
        self.request_size.observe(received)
        self.response_size.observe(size)


class Observation:
    """One request while it is answered: a context that records it, however it ends.

    Attributes:
        status: What was answered; stays as it is when the client left before.
        size: Bytes of the answer's body.
        code: The problem's code, when it was refused.
        account_id: Who asks, once that is known.
        span: What is told of it in traces; None while nobody is told.
        traceparent: Its place in a trace, as it is handed on.
        work: What every line inside says.
    """

    __slots__ = (
        "_token",
        "account_id",
        "code",
        "meter",
        "request",
        "request_id",
        "size",
        "span",
        "started",
        "status",
        "traceparent",
        "work",
    )

    def __init__(self, request: Request, request_id: str, meter: Meter) -> None:
        self.started = time.perf_counter()
        self.request = request
        self.request_id = request_id
        self.meter = meter
        self.status = CLIENT_GONE
        self.size = 0
        self.code: str | None = None
        self.account_id: UUID | None = None
        self.span, trace = tracing.incoming(meter.span_name, request.headers.get(b"traceparent"))
        self.traceparent = trace.traceparent
        self.work = Scope({"requestId": request_id}, trace)

    def __enter__(self) -> Self:
        self.meter.in_progress.level += 1
        if self.span is not None:
            self.span.__enter__()
        self._token = scope.CURRENT.set(self.work)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._record(time.perf_counter() - self.started)
        scope.CURRENT.reset(self._token)
        if self.span is not None:
            self.span.__exit__(kind, error, trace)
        elif error is not None:
            tracing.remember_trace(error, self.work.trace)

    def _record(self, seconds: float) -> None:
        meter, request, span = self.meter, self.request, self.span
        meter.in_progress.level -= 1
        length = request.headers.get(b"content-length")
        received = int(length[:20]) if length and length.isdigit() else 0
        if span is not None:
            tracing.point_at_trace(meter.duration, seconds)
            _describe(span, self)
        meter.access_log.write(
            self.status,
            seconds,
            received,
            self.size,
            request.address,
            self.traceparent,
            self.request_id,
            self.account_id,
            self.code,
        )

    def note_account(self, account_id: UUID) -> None:
        """Say in every line from here on who asks."""
        self.account_id = self.work.fields["userId"] = account_id

    def note(self, answer: Answer) -> None:
        """Remember what is answered."""
        self.status, self.size, self.code = answer.status, len(answer.body), answer.code

    def headers(self) -> tuple[Header, ...]:
        """Return the headers by which a client finds this request again."""
        milliseconds = (time.perf_counter() - self.started) * 1000
        return (
            (b"x-request-id", self.request_id.encode()),
            (b"traceresponse", self.traceparent.encode()),
            (b"server-timing", b"app;dur=%.2f" % milliseconds),
        )


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
