"""S58 outside of the supervisor: one line, one count and one span event for each fact; and who holds the loop."""

from __future__ import annotations

import itertools
from collections import Counter
from typing import TYPE_CHECKING, Any

import pytest
import trio

from supervisors import ChildSpec, Restart, Supervisor
from supervisors.stall_detector import Stall
from supervisors.telling import StallTeller, Teller
from tests.unit.supervisors.probes import settle, start

if TYPE_CHECKING:
    from monitoring.tracing import Span
    from supervisors import Report
    from tests.unit.monitoring.conftest import Kept, Lines, Value
    from tests.unit.supervisors.probes import World

Fact = tuple[str, str, int]


def in_lines(lines: list[dict[str, Any]]) -> list[Fact]:
    return [(line["event"], line["actor"], line["incarnation"]) for line in lines]


def in_spans(spans: list[Span]) -> list[Fact]:
    events = [event for span in spans for event in span.events]
    return [
        (event.name, str(event.attributes["rondo.actor"]), int(str(event.attributes["rondo.incarnation"])))
        for event in events
    ]


@pytest.mark.accepts("S58")
async def test_each_fact_is_one_line_one_count_and_one_span_event_with_the_same_incarnation(
    world: World, nursery: trio.Nursery, lines: Lines, kept: Kept, value: Value
) -> None:
    facts: list[Report] = []
    teller = Teller()

    def tell(report: Report) -> None:
        facts.append(report)
        teller(report)

    inner = Supervisor("inner", world.specs("a"), intensity=1, period=60, on_report=tell)
    outer = Supervisor("outer", [inner.as_child(), world.spec("b")], intensity=0, on_report=tell)
    before = counts(value)
    running = await start(nursery, outer)
    world.raise_in("a")
    await settle()
    world.raise_in("a")
    await running.wait()

    told = [(f"actor.{report.event.value}", report.child, report.incarnation) for report in facts]
    assert len(told) == 11
    assert in_lines(lines()) == told
    assert in_spans(kept.spans) == told
    assert counts(value) - before == Counter((event, child) for event, child, _ in told)
    assert [line["trace_id"] for line in lines()] == [span.context.trace_id for span in kept.spans]
    assert {span.error_type for span in kept.spans} == {None, "ValueError", "MaxRestartsError"}


def counts(value: Value) -> Counter[tuple[str, str]]:
    events = ("started", "exited", "restarting", "gave_up")
    return Counter(
        {
            (f"actor.{event}", child): int(value("actor_events_total", event=event, actor=child))
            for event, child in itertools.product(events, ("a", "b", "inner"))
        }
    )


@pytest.mark.accepts("S66")
class AwayError(Exception):
    """No fault of the code's."""


@pytest.mark.parametrize(
    ("expected", "level", "error"), [((AwayError,), "warning", "gone fishing"), ((), "error", None)]
)
async def test_an_error_that_says_it_all_is_a_warning_without_a_stack(
    nursery: trio.Nursery, lines: Lines, expected: tuple[type[Exception], ...], level: str, error: str | None
) -> None:
    async def leave(*, task_status: trio.TaskStatus[None]) -> None:
        task_status.started()
        await trio.lowlevel.checkpoint()
        raise AwayError("gone fishing")

    spec = ChildSpec(id="away", start=leave, restart=Restart.TEMPORARY)
    root = Supervisor("root", [spec], on_report=Teller(expected))
    await nursery.start(root.run)
    await settle()

    (exited,) = [line for line in lines() if line["event"] == "actor.exited"]
    assert (exited["level"], exited.get("error")) == (level, error)
    assert ("exception.stacktrace" in exited) == (error is None)
    nursery.cancel_scope.cancel()


def test_a_stall_is_counted_and_told_with_task_and_stack_and_not_more_than_once_a_second(
    lines: Lines, value: Value
) -> None:
    ticks = iter([10.0, 10.5, 11.0, 12.5])
    teller, before = StallTeller(clock=lambda: next(ticks)), value("event_loop_slow_steps_total")

    for number in range(4):
        teller(Stall(task=f"task {number}", seconds=0.3, stack="in the middle"))

    first, second, third = lines()
    assert (first["event"], first["task"], first["stack"]) == ("runtime.step.slow", "task 0", "in the middle")
    assert (first["unreported"], second["unreported"], third["unreported"]) == (0, 1, 0)
    assert (second["task"], third["task"]) == ("task 2", "task 3")
    assert value("event_loop_slow_steps_total") == before + 4
