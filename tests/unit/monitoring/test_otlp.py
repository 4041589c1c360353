"""Against a real receiver: an HTTP server that decodes the protocol."""

from collections.abc import Iterator

import pytest
from opentelemetry.proto.trace.v1.trace_pb2 import Span, Status

from monitoring import otlp, tracing
from monitoring.otlp import OtlpExporter
from monitoring.tracing import SpanKind
from tests.fixtures.otlp import Receiver, running_receiver
from tests.unit.monitoring.conftest import Value

PARENT = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with running_receiver() as server:
        yield server
        tracing.shutdown()


def test_a_trace_arrives_whole(receiver: Receiver) -> None:
    tracing.setup("rondo", "1.2.3", receiver.endpoint, 1.0, env="test", instance="here")

    with (
        tracing.span("POST /api/tasks", kind=SpanKind.SERVER, parent=PARENT, attributes={"http.route": "/api/tasks"}),
        tracing.span("INSERT tasks", kind=SpanKind.CLIENT, links=[PARENT]) as statement,
    ):
        statement.set_error("23505")
        statement.add_event("actor.exited", {"rondo.incarnation": 3})
    tracing.shutdown()

    insert, request = receiver.spans
    assert receiver.paths == ["/v1/traces"]
    assert request.trace_id.hex() == insert.trace_id.hex() == PARENT[3:35]
    assert request.parent_span_id.hex() == PARENT[36:52]
    assert insert.parent_span_id == request.span_id
    assert (request.kind, insert.kind) == (Span.SPAN_KIND_SERVER, Span.SPAN_KIND_CLIENT)
    assert (request.status.code, insert.status.code) == (Status.STATUS_CODE_UNSET, Status.STATUS_CODE_ERROR)
    assert _attributes(request) == {"http.route": "/api/tasks"}
    assert _attributes(insert) == {"error.type": "23505"}
    assert [link.span_id.hex() for link in insert.links] == [PARENT[36:52]]
    assert [(event.name, event.attributes[0].value.int_value) for event in insert.events] == [("actor.exited", 3)]
    assert request.start_time_unix_nano <= insert.start_time_unix_nano < insert.end_time_unix_nano


def test_the_resource_says_who_speaks(receiver: Receiver) -> None:
    tracing.setup("rondo", "1.2.3", receiver.endpoint + "/v1/traces", 1.0, env="test", instance="here")

    with tracing.span("startup"):
        pass
    tracing.shutdown()

    resource = receiver.requests[0].resource_spans[0].resource
    about = {pair.key: pair.value.string_value for pair in resource.attributes}
    assert about["service.name"] == "rondo"
    assert about["service.version"] == "1.2.3"
    assert about["service.instance.id"] == "here"
    assert about["deployment.environment.name"] == "test"
    assert receiver.paths == ["/v1/traces"]


def test_a_failed_trace_that_was_not_sampled_arrives(receiver: Receiver) -> None:
    tracing.setup("rondo", "1.2.3", receiver.endpoint, 0.0)

    with tracing.span("fine"):
        pass
    with tracing.span("failed") as span:
        span.set_error("500")
    tracing.shutdown()

    assert [span.name for span in receiver.spans] == ["failed"]


@pytest.mark.parametrize(("status", "outcome"), [(200, "success"), (400, "failure")])
def test_what_became_of_the_spans_is_counted(receiver: Receiver, value: Value, status: int, outcome: str) -> None:
    before = value("telemetry_spans_exported_total", outcome=outcome)
    receiver.status = status
    tracing.setup("rondo", "1.2.3", receiver.endpoint, 1.0)

    with tracing.span("root"), tracing.span("child"):
        pass
    tracing.shutdown()

    assert value("telemetry_spans_exported_total", outcome=outcome) == before + 2
    assert value("telemetry_span_queue_depth") == 0


def test_spans_that_do_not_fit_are_dropped_and_counted(
    receiver: Receiver, value: Value, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(otlp, "QUEUE_SPANS", 70)
    before = value("telemetry_spans_exported_total", outcome="dropped")
    receiver.open.clear()
    tracing.use(OtlpExporter(receiver.endpoint, {"service.name": "rondo"}))

    for _ in range(80):
        with tracing.span("again"):
            pass
    assert value("telemetry_span_queue_depth") == 70
    receiver.open.set()
    tracing.shutdown()

    assert value("telemetry_spans_exported_total", outcome="dropped") == before + 10
    assert len(receiver.spans) == 70


def test_a_receiver_that_hangs_does_not_hold_up_the_end(receiver: Receiver) -> None:
    receiver.open.clear()
    tracing.setup("rondo", "1.2.3", receiver.endpoint, 1.0)
    with tracing.span("root"):
        pass

    tracing.shutdown(0.05)

    assert receiver.spans == []
    receiver.open.set()


def _attributes(span: Span) -> dict[str, str]:
    return {pair.key: pair.value.string_value for pair in span.attributes}
