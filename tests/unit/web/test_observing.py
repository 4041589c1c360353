"""Every request leaves a metric, a line, a span and the headers to find them by."""

import io
import json
from collections.abc import Iterator

import httpx2
import pytest

from app.domain.errors import RateLimitedError
from app.web.api.endpoint import Endpoint
from app.web.api.table import ENDPOINTS
from app.web.security import SECURITY_HEADERS
from monitoring import logs, metrics, tracing
from tests.unit.web.conftest import Call
from tests.unit.web.fakes import TASK_ID, USER, FakeServices
from tests.unit.web.matrix import name_of, request_of

TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"


class Kept:
    """Keeps the spans that would be exported."""

    def __init__(self) -> None:
        self.spans: list[tracing.Span] = []

    def export(self, spans: object) -> None:
        self.spans += spans  # type: ignore[arg-type] # an iterable of spans

    def shutdown(self, seconds: float) -> None:
        assert seconds > 0


@pytest.fixture
def lines() -> Iterator[io.StringIO]:
    stream = io.StringIO()
    logs.setup("INFO", format="json", stream=stream)
    yield stream
    logs.shutdown()


@pytest.fixture
def exporter() -> Iterator[Kept]:
    kept = Kept()
    tracing.use(kept, 1.0)
    yield kept
    tracing.use(None)


def written(stream: io.StringIO, event: str) -> list[dict[str, object]]:
    assert logs.flush()
    found = [json.loads(line) for line in stream.getvalue().splitlines()]
    return [line for line in found if line["event"] == event]


async def test_a_request_is_one_line_with_its_ids(call: Call, lines: io.StringIO) -> None:
    await call("GET", f"/api/tasks/{TASK_ID}?nothing", headers={"x-request-id": "my-id"})
    await call("GET", f"/api/tasks/{TASK_ID}", headers={"x-request-id": "my-id"})

    refused, answered = written(lines, "http.request.finished")
    assert (refused["status"], refused["error.type"]) == (422, "validation_failed")
    assert (answered["status"], answered["route"]) == (200, "/api/tasks/{id}")
    assert (answered["requestId"], answered["userId"]) == ("my-id", str(USER.account_id))
    assert answered["bytes"] == 10
    assert str(TASK_ID) not in json.dumps(answered)


async def test_a_request_is_counted_by_route_and_status(call: Call) -> None:
    counter = metrics.HTTP_REQUESTS_TOTAL.labels("GET", "/api/tasks/{id}", 404)
    before = counter.value

    await call("GET", "/api/tasks/nothing")

    assert counter.value == before + 1


async def test_what_is_counted_with_its_line_is_counted_before_anybody_reads(call: Call, lines: io.StringIO) -> None:
    labels = {"method": "GET", "route": "/api/tasks/{id}", "status": "200"}

    def counted() -> float:
        return metrics.REGISTRY.get_sample_value("http_requests_total", labels) or 0.0

    before = counted()
    for number in range(1, 4):
        await call("GET", f"/api/tasks/{TASK_ID}")
        assert counted() == before + number

    assert len(written(lines, "http.request.finished")) == 3


async def test_what_nobody_serves_is_one_route(call: Call) -> None:
    counter = metrics.HTTP_REQUESTS_TOTAL.labels("_OTHER", "(unmatched)", 404)
    before = counter.value

    for method, path in (("BREW", "/api/coffee"), ("STEEP", "/api/tea")):
        await call(method, path)

    assert counter.value == before + 2


async def test_a_limit_is_counted_by_scope(call: Call, services: FakeServices) -> None:
    counter = metrics.HTTP_RATE_LIMITED_TOTAL.labels("/api/me", "user")
    before = counter.value
    services.rate_error = RateLimitedError(1, "user")

    await call("GET", "/api/me")

    assert counter.value == before + 1


@pytest.mark.parametrize("endpoint", ENDPOINTS, ids=name_of)
async def test_every_endpoint_is_measured_under_its_template(call: Call, endpoint: Endpoint) -> None:
    histogram = metrics.HTTP_REQUEST_DURATION_SECONDS.labels(endpoint.method, endpoint.path)
    before = histogram.sum
    request = request_of(endpoint)

    await call(request.pop("method"), request.pop("url"), **request)

    assert histogram.sum > before


async def test_the_id_of_the_caller_comes_back_if_it_looks_like_one(http: httpx2.AsyncClient) -> None:
    token = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJhbm5hIn0.c2lnbmVk"
    kept, others = ("a.b_c-1", "x" * 128), ("x" * 129, "a b", "", token, "rondo_" + "a" * 43)
    for given, is_kept in (*((given, True) for given in kept), *((given, False) for given in others)):
        response = await http.get("/health/live", headers={"x-request-id": given})

        assert (response.headers["x-request-id"] == given) is is_kept
        assert response.headers["x-request-id"]


async def test_a_request_id_of_ours_is_a_uuid_of_version_7(http: httpx2.AsyncClient) -> None:
    response = await http.get("/health/live")

    assert response.headers["x-request-id"][14] == "7"


async def test_the_trace_of_the_caller_goes_on(call: Call, services: FakeServices, exporter: Kept) -> None:
    response = await call("GET", f"/api/tasks/{TASK_ID}", headers={"traceparent": f"00-{TRACE}-00f067aa0ba902b7-01"})

    (span,) = exporter.spans
    assert span.name == "GET /api/tasks/{id}"
    assert span.kind is tracing.SpanKind.SERVER
    assert span.context.trace_id == TRACE
    assert span.attributes["http.response.status_code"] == 200
    assert response.headers["traceresponse"] == span.context.traceparent == services.context.traceparent
    assert response.headers["server-timing"].startswith("app;dur=")


@pytest.mark.accepts("X23")
async def test_a_bug_is_in_the_log_and_nowhere_else(
    call: Call, services: FakeServices, lines: io.StringIO, exporter: Kept
) -> None:
    services.error = ExceptionGroup("several", [ZeroDivisionError("SELECT secret FROM accounts"), KeyError("/srv/x")])

    response = await call("GET", "/api/me")

    assert (response.status_code, response.json()["code"]) == (500, "internal_error")
    for secret in ("SELECT", "/srv", "Traceback", "ZeroDivision", ".py"):
        assert secret not in response.text
    (line,) = written(lines, "http.request.failed")
    assert line["requestId"] == response.json()["requestId"] == response.headers["x-request-id"]
    assert "ZeroDivisionError" in str(line["exception.stacktrace"])
    assert exporter.spans[0].error_type is not None


@pytest.mark.accepts("X17")
@pytest.mark.parametrize("endpoint", ENDPOINTS, ids=name_of)
async def test_every_answer_is_guarded(http: httpx2.AsyncClient, call: Call, endpoint: Endpoint) -> None:
    request = request_of(endpoint)

    for response in (
        await http.request(**request),
        await call(request["method"], request["url"], json=request.get("json")),
        await http.request("BREW", request["url"]),
        await http.options(request["url"]),
    ):
        for name, value in SECURITY_HEADERS:
            assert response.headers[name.decode()] == value.decode()
        assert response.headers["cache-control"] == "no-store"
        assert "server" not in response.headers
        assert response.headers["x-request-id"]


def test_the_policy_allows_nothing_inline_and_nothing_foreign() -> None:
    policy = dict(SECURITY_HEADERS)[b"content-security-policy"].decode()

    assert "unsafe" not in policy
    assert "http" not in policy
    assert "default-src 'none'" in policy
    assert "frame-ancestors 'none'" in policy
