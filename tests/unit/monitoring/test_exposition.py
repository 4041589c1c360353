"""Our page against the library's: the same lines in the same order, whatever is in the metrics."""

import math
import threading
from collections.abc import Iterable

import pytest
from hypothesis import given
from hypothesis import strategies as st
from prometheus_client import Metric, generate_latest
from prometheus_client.openmetrics import exposition as openmetrics

from monitoring import exposition, instruments, series
from monitoring.instruments import Label, Registry

OPEN = "application/openmetrics-text"
values = st.floats() | st.integers(-(10**9), 10**9) | st.sampled_from([0.0, 1e6, 999_999.5, math.inf, math.nan])
texts = st.text(max_size=8) | st.sampled_from(['a"b', "a\\b", "a\nb", "ä", "{}"])


class _InOrder:
    """The families of a registry in the order in which our page has them: ours, then the others."""

    def __init__(self, registry: Registry) -> None:
        self.registry = registry

    def collect(self) -> Iterable[Metric]:
        for family in self.registry.families:
            yield from family.collect()
        yield from self.registry.collect_others()


@pytest.mark.uncovered
@given(
    counted=st.lists(st.tuples(texts, st.floats(0, 1e12))),
    shown=st.lists(st.tuples(texts, values)),
    observed=st.lists(st.tuples(texts, values.filter(lambda value: not math.isnan(value)), st.booleans())),
)
def test_the_page_is_the_one_that_the_library_writes(
    counted: list[tuple[str, float]], shown: list[tuple[str, float]], observed: list[tuple[str, float, bool]]
) -> None:
    registry = Registry()
    instruments.counter("alone_total", 'Is it \\ "alone"?', registry=registry).inc()
    things = instruments.counter("things_total", "How many?", Label("b"), Label("a"), registry=registry)
    levels = instruments.gauge("level", "How high?", Label("where"), registry=registry)
    seconds = instruments.histogram("seconds", "How long?", Label("what"), buckets=(0.1, 1.0, 2e6), registry=registry)
    for text, amount in counted:
        things.labels(text, "x").inc(amount, {"trace_id": "4bf9"})
    for text, value in shown:
        levels.labels(text).set(value)
    for text, value, traced in observed:
        if traced:
            seconds.labels(text).observe_with(value, {"trace_id": "4bf9"})
        else:
            seconds.labels(text).observe(value)

    assert exposition.render(registry)[0] == generate_latest(_InOrder(registry))
    assert exposition.render(registry, OPEN)[0] == openmetrics.generate_latest(_InOrder(registry))  # type: ignore[no-untyped-call] # the library has no types here


@given(value=st.floats())
def test_a_number_is_written_as_go_writes_it(value: float) -> None:
    written = series.number(value)

    assert float(written.replace("Inf", "inf")) == value or (math.isnan(value) and written == "NaN")
    assert ("e" in written) == ("e" in repr(value)) or value >= 1e6


@pytest.mark.parametrize(("value", "bucket"), [(0.05, 0), (0.1, 0), (0.100001, 1), (1.0, 1), (7.0, 2)])
def test_the_bound_of_a_bucket_belongs_to_it(value: float, bucket: int) -> None:
    histogram = series.Histogram("seconds", {}, (0.1, 1.0))

    histogram.observe(value)

    counts = [line.rpartition(" ")[2] for line in histogram.text(exemplars=False).splitlines()[:3]]
    assert counts == ["0.0"] * bucket + ["1.0"] * (3 - bucket)


def test_a_counter_never_goes_back() -> None:
    with pytest.raises(ValueError, match="only grows"):
        series.Counter("things_total", {}).inc(-1)


def test_a_gauge_goes_up_and_down() -> None:
    gauge = series.Gauge("level", {})

    with gauge.track_inprogress():
        gauge.inc(2)
        assert gauge.value == 3
    gauge.dec(5)

    assert gauge.value == -3


def test_nothing_is_lost_when_threads_count_at_once() -> None:
    counter, histogram = series.Counter("things_total", {}), series.Histogram("seconds", {}, (1.0,))

    def count() -> None:
        for _ in range(50_000):
            counter.inc()
            histogram.observe(0.5)

    threads = [threading.Thread(target=count) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert (counter.value, histogram.count, histogram.sum) == (200_000, 200_000, 100_000)
