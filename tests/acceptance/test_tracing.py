"""One POST can be followed from its request id through the log, the trace of every actor, and a metric's exemplar."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest
import trio

from tests.fixtures.client import client, register
from tests.fixtures.otlp import running_receiver
from tests.fixtures.rondo import running_rondo

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from opentelemetry.proto.trace.v1.trace_pb2 import Span

    from tests.fixtures.otlp import Receiver
    from tests.fixtures.rondo import RondoProcess

REQUEST_ID = "0193f8a0-5f5e-7000-8000-00000000f010"
ACTORS = {"sync.broadcast", "audit.write", "recurring.generate", "reminder.schedule", "search.index"}
OPENMETRICS = {"accept": "application/openmetrics-text; version=1.0.0"}


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with running_receiver() as server:
        yield server


async def test_one_post_is_found_in_the_log_in_every_actor_and_by_exemplar(tmp_path: Path, receiver: Receiver) -> None:
    settings = {"RONDO_OTLP_ENDPOINT": receiver.endpoint, "RONDO_TRACE_RATIO": "1"}
    with running_rondo(tmp_path / "data", **settings) as rondo:
        async with client(rondo.url) as http:
            person = await register(http)
            await handled(receiver)  # or the next event would be handled together with this one, in its trace
            fields = {"title": "Follow me", "dueDate": "2027-01-01"}
            answer = await person.call("POST", "/api/tasks", fields, x_request_id=REQUEST_ID)
            finished = await logged(rondo, "http.request.finished")
            trace_id = str(finished["trace_id"])
            spans = await received(receiver, trace_id)
            page = (await http.get("/metrics", headers=OPENMETRICS)).text

    assert (answer.status_code, answer.headers["x-request-id"]) == (201, REQUEST_ID)
    assert (finished["status"], finished["route"]) == (201, "/api/tasks")
    request, relay = spans["POST /api/tasks"], spans["outbox.relay"]
    assert request.kind == request.SPAN_KIND_SERVER
    assert request.span_id.hex() == finished["span_id"]
    assert spans["task.create"].parent_span_id == request.span_id
    assert relay.parent_span_id in {request.span_id, spans["task.create"].span_id}
    assert {name: spans[name].parent_span_id for name in ACTORS} == dict.fromkeys(ACTORS, relay.span_id)
    assert trace_id in exemplars(page, "http_request_duration_seconds_bucket")
    assert trace_id in exemplars(page, "task_operation_duration_seconds_bucket")


async def logged(rondo: RondoProcess, event: str) -> dict[str, object]:
    """Return the one line of our request, once it is written."""
    with trio.fail_after(10):
        while True:
            lines = [line for line in rondo.log_lines() if line.get("requestId") == REQUEST_ID]
            found = [line for line in lines if line.get("event") == event]
            if found:
                assert len(found) == 1
                return found[0]
            await trio.sleep(0.05)


async def handled(receiver: Receiver) -> None:
    """Wait until every actor has handled an event."""
    with trio.fail_after(20):
        while not {span.name for span in receiver.spans if span.parent_span_id} >= ACTORS:
            await trio.sleep(0.05)


async def received(receiver: Receiver, trace_id: str) -> dict[str, Span]:
    """Return the spans of a trace by name, once those of all actors have come."""
    with trio.fail_after(20):
        while True:
            spans = {span.name: span for span in receiver.spans if span.trace_id.hex() == trace_id}
            if spans.keys() >= {*ACTORS, "POST /api/tasks", "task.create", "outbox.relay"}:
                return spans
            await trio.sleep(0.05)


def exemplars(page: str, sample: str) -> set[str]:
    """Return the traces that the exemplars of one kind of sample point at."""
    pattern = re.compile(rf'^(?:rondo_)?{sample}\{{.*# \{{trace_id="([0-9a-f]+)"\}}', re.MULTILINE)
    return set(pattern.findall(page))
