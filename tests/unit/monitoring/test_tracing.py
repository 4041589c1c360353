import pytest
import trio
from hypothesis import given
from hypothesis import strategies as st

from monitoring import instruments, trace_context, tracing
from monitoring.instruments import Registry
from monitoring.trace_context import TraceContext
from monitoring.tracing import SpanKind
from tests.unit.monitoring.conftest import Kept

TRACE_ID, SPAN_ID = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"
SAMPLED = f"00-{TRACE_ID}-{SPAN_ID}-01"
UNSAMPLED = f"00-{TRACE_ID}-{SPAN_ID}-00"
GARBAGE = [
    "",
    "garbage",
    f"00-{TRACE_ID}-{SPAN_ID}",
    f"00-{TRACE_ID}-{SPAN_ID}-01-more",
    f"00-{TRACE_ID.upper()}-{SPAN_ID}-01",
    f"00-{'0' * 32}-{SPAN_ID}-01",
    f"00-{TRACE_ID}-{'0' * 16}-01",
    f"ff-{TRACE_ID}-{SPAN_ID}-01",
    f"00-{TRACE_ID}-{SPAN_ID}-0x",
    f"01-{TRACE_ID}-{SPAN_ID}-01-{'x' * 500}",
]


@pytest.mark.parametrize("header", [SAMPLED, SAMPLED.encode(), f" {SAMPLED}\t"])
def test_a_traceparent_is_read(header: str | bytes) -> None:
    assert trace_context.parse(header) == TraceContext(TRACE_ID, SPAN_ID, sampled=True)


def test_a_later_version_may_say_more() -> None:
    assert trace_context.parse(f"01-{TRACE_ID}-{SPAN_ID}-03-more") == TraceContext(TRACE_ID, SPAN_ID, sampled=True)


@pytest.mark.parametrize("header", [None, b"\xff\xfe", *GARBAGE])
def test_garbage_is_no_traceparent(header: str | bytes | None) -> None:
    assert trace_context.parse(header) is None


@given(st.text() | st.binary())
def test_nothing_makes_the_reader_fail(header: str | bytes) -> None:
    assert trace_context.parse(header) is None


def test_there_is_no_traceparent_outside_of_any_span() -> None:
    assert tracing.current_traceparent() is None
    assert tracing.current_ids() is None


def test_ids_travel_even_where_nothing_is_recorded() -> None:
    with tracing.span("outer") as outer, tracing.span("inner", attributes={"a": 1}) as inner:
        inner.set_attribute("b", 2)
        traceparent = tracing.current_traceparent()

    assert traceparent == outer.context.traceparent
    assert not inner.is_recording
    assert inner.attributes == {}


def test_a_callers_trace_goes_on_even_where_nothing_is_recorded() -> None:
    with tracing.span("request", parent=SAMPLED):
        assert tracing.current_traceparent() == SAMPLED


def test_spans_are_children_of_the_one_around(kept: Kept) -> None:
    with tracing.span("request", kind=SpanKind.SERVER) as request, tracing.span("query", kind=SpanKind.CLIENT):
        pass

    query = kept.named("query")
    assert query.parent == request.context
    assert query.context.trace_id == request.context.trace_id
    assert query.context.span_id != request.context.span_id
    assert (request.kind, query.kind, request.parent) == (SpanKind.SERVER, SpanKind.CLIENT, None)


def test_a_span_takes_no_less_than_what_is_inside(kept: Kept) -> None:
    with tracing.span("outer"), tracing.span("inner"):
        pass

    assert kept.named("outer").duration_seconds >= kept.named("inner").duration_seconds >= 0


def test_an_explicit_parent_is_continued(kept: Kept) -> None:
    with tracing.span("elsewhere"), tracing.span("actor", parent=SAMPLED) as span:
        assert span.context.trace_id == TRACE_ID

    assert kept.named("actor").parent == TraceContext(TRACE_ID, SPAN_ID, sampled=True)


@pytest.mark.parametrize("header", GARBAGE)
def test_a_garbage_parent_counts_as_none(kept: Kept, header: str) -> None:
    with tracing.span("request", parent=header):
        pass

    assert kept.named("request").parent is None


def test_a_new_root_is_a_trace_of_its_own(kept: Kept) -> None:
    with tracing.span("outer") as outer, tracing.span("relay", new_root=True, links=[SAMPLED, None, "garbage"]):
        pass

    relay = kept.named("relay")
    assert relay.context.trace_id != outer.context.trace_id
    assert relay.links == (TraceContext(TRACE_ID, SPAN_ID, sampled=True),)


def test_an_error_is_a_class_and_never_a_text(kept: Kept) -> None:
    with pytest.raises(LookupError), tracing.span("request"):
        raise LookupError("secret")

    assert kept.named("request").error_type == "LookupError"
    assert "secret" not in str(kept.named("request"))


def test_an_error_that_was_named_stays(kept: Kept) -> None:
    span = tracing.span("request")
    span.set_error("503")

    with pytest.raises(LookupError), span:
        raise LookupError

    assert kept.named("request").error_type == "503"


async def test_cancellation_is_not_an_error(kept: Kept) -> None:
    with trio.CancelScope() as scope:
        scope.cancel()
        with tracing.span("request"):
            await trio.lowlevel.checkpoint()

    assert kept.named("request").error_type is None


@pytest.mark.parametrize(("ratio", "names"), [(0.0, []), (1.0, ["child", "root"])])
def test_the_ratio_decides_about_an_ordinary_trace(kept: Kept, ratio: float, names: list[str]) -> None:
    tracing.use(kept, ratio)

    with tracing.span("root"), tracing.span("child"):
        pass

    assert [span.name for span in kept.spans] == names


def test_a_failed_trace_is_kept_whatever_the_ratio(kept: Kept) -> None:
    tracing.use(kept, 0.0)

    with tracing.span("root"):
        with tracing.span("first"):
            pass
        with tracing.span("second") as second:
            second.set_error("23505")

    assert [span.name for span in kept.spans] == ["first", "second", "root"]


def test_a_slow_trace_is_kept_whatever_the_ratio(kept: Kept, monkeypatch: pytest.MonkeyPatch) -> None:
    tracing.use(kept, 0.0)
    monkeypatch.setattr(tracing, "SLOW_SECONDS", 0.0)

    with tracing.span("root"):
        pass

    assert [span.name for span in kept.spans] == ["root"]


@pytest.mark.parametrize(("parent", "count"), [(SAMPLED, 1), (UNSAMPLED, 0)])
def test_the_callers_decision_holds(kept: Kept, parent: str, count: int) -> None:
    tracing.use(kept, 0.5)

    with tracing.span("request", parent=parent):
        assert tracing.current_traceparent()[-2:] == parent[-2:]  # type: ignore[index] # inside a span

    assert len(kept.spans) == count


def test_a_span_that_is_not_made_current_is_ended_by_hand(kept: Kept) -> None:
    with tracing.span("root"):
        stream = tracing.start_span("stream")
        assert tracing.current_traceparent() != stream.context.traceparent
        assert stream.is_recording
        stream.end()
        stream.end()

    assert [span.name for span in kept.spans] == ["stream", "root"]


@pytest.mark.parametrize(("ratio", "names"), [(1.0, ["root", "late"]), (0.0, [])])
def test_a_span_that_outlives_its_root_shares_its_fate(kept: Kept, ratio: float, names: list[str]) -> None:
    tracing.use(kept, ratio)
    with tracing.span("root"):
        late = tracing.start_span("late")

    late.end()

    assert [span.name for span in kept.spans] == names


def test_a_loop_of_spans_is_cut(kept: Kept) -> None:
    with tracing.span("root"):
        for _ in range(tracing.MAX_SPANS + 5):
            with tracing.span("again"):
                pass

    assert len(kept.spans) == tracing.MAX_SPANS + 1
    assert kept.named("root").attributes["rondo.spans_left_out"] == 5


async def test_a_trace_follows_start_soon_and_each_task_has_its_own_current_span(kept: Kept) -> None:
    async def work(name: str) -> None:
        with tracing.span(name):
            await trio.lowlevel.checkpoint()

    with tracing.span("root") as root:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(work, "a")
            nursery.start_soon(work, "b")

    assert {kept.named("a").parent, kept.named("b").parent} == {root.context}


@pytest.mark.usefixtures("kept")
def test_an_exemplar_points_only_at_what_will_be_exported() -> None:
    registry = Registry()
    histogram = instruments.histogram("seconds", "How long?", buckets=(0.1, 1.0), registry=registry)
    counter = instruments.counter("things_total", "How many?", registry=registry)

    tracing.observe_with_exemplar(histogram, 0.2)
    tracing.count_with_exemplar(counter)
    with tracing.span("unsampled", parent=UNSAMPLED):
        tracing.observe_with_exemplar(histogram, 0.2)
        tracing.count_with_exemplar(counter)
    assert _exemplars(registry) == []
    with tracing.span("sampled", parent=SAMPLED):
        tracing.observe_with_exemplar(histogram, 0.2)
        tracing.count_with_exemplar(counter)
    assert _exemplars(registry) == [{"trace_id": TRACE_ID}] * 2

    assert registry.get_sample_value("seconds_count") == registry.get_sample_value("things_total") == 3


def _exemplars(registry: Registry) -> list[dict[str, str]]:
    samples = [sample for family in registry.collect() for sample in family.samples]
    return [sample.exemplar.labels for sample in samples if sample.exemplar]


def test_a_moment_in_a_span_has_a_name_a_time_and_attributes(kept: Kept) -> None:
    with tracing.span("work") as span:
        span.add_event("half done", {"rondo.actor": "audit"})

    (event,) = kept.named("work").events
    assert (event.name, event.attributes) == ("half done", {"rondo.actor": "audit"})
    assert span.started_at_ns <= event.at_ns <= span.ended_at_ns


def test_what_is_rare_is_kept_whatever_the_ratio(kept: Kept) -> None:
    tracing.use(kept, 0.0)
    with tracing.span("often"):
        pass
    with tracing.span("rare") as span:
        span.keep()

    assert [one.name for one in kept.spans] == ["rare"]


def test_where_nothing_is_recorded_moments_are_not_either() -> None:
    with tracing.span("work") as span:
        span.add_event("half done")
        span.keep()

    assert span.events == []


def test_an_error_knows_in_which_trace_it_was_raised(kept: Kept) -> None:
    inner, outer = ValueError("inner"), RuntimeError("outer")
    try:
        with tracing.span("a") as span:
            raise inner
    except ValueError as error:
        outer.__cause__ = ExceptionGroup("several", [error])

    assert tracing.trace_id_of(inner) == tracing.trace_id_of(outer) == span.context.trace_id
    assert tracing.trace_id_of(KeyError("elsewhere")) is None
