import pytest

from monitoring import instruments, metrics
from monitoring.instruments import OTHER, Family, Label, Registry
from monitoring.series import Counter


def _counter(first: Label, *labels: Label) -> Family[Counter]:
    return instruments.counter("things_total", "How many things?", first, *labels, registry=Registry())


def test_a_value_outside_of_a_closed_set_is_counted_as_other() -> None:
    assert Label("colour", ("red", "blue")).of("green") == OTHER


def test_an_open_label_takes_new_values_up_to_its_limit() -> None:
    label = Label("route", limit=2)

    assert [label.of(route) for route in ("/a", "/b", "/c", "/a")] == ["/a", "/b", OTHER, "/a"]


def test_labels_are_taken_by_position_and_by_name_alike() -> None:
    counter = _counter(Label("colour", ("red",)), Label("size", ("big",)))

    assert counter.labels("red", "big") is counter.labels(size="big", colour="red")


def test_numbers_become_text() -> None:
    counter = _counter(Label("status"))

    assert counter.labels(200) is counter.labels("200")


@pytest.mark.parametrize("values", [(), ("red", "big", "extra")])
def test_a_wrong_number_of_labels_is_refused(values: tuple[str, ...]) -> None:
    counter = _counter(Label("colour"), Label("size"))

    with pytest.raises(ValueError, match=r"takes the labels \(colour, size\)"):
        counter.labels(*values)


def test_an_unknown_label_name_is_refused() -> None:
    with pytest.raises(ValueError, match="takes the labels"):
        _counter(Label("colour")).labels(shape="round")


def test_prepared_series_start_at_zero() -> None:
    counter = _counter(Label("route"), Label("outcome", ("ok", "error")))

    instruments.prepare(counter, route=["/a"])

    samples = [sample for family in counter.collect() for sample in family.samples]
    assert [(sample.labels["outcome"], sample.value) for sample in samples] == [("ok", 0.0), ("error", 0.0)]


def test_a_counter_whose_labels_are_all_closed_is_there_before_anything_happens() -> None:
    assert metrics.REGISTRY.get_sample_value("log_records_total", {"level": "critical"}) is not None


def test_two_metrics_of_one_name_fail_where_the_second_is_declared() -> None:
    registry = Registry()
    instruments.counter("things_total", "How many things?", registry=registry)

    with pytest.raises(ValueError, match="things"):
        instruments.gauge("things", "How many things?", registry=registry)


def test_a_metric_without_labels_is_there_before_anything_happens() -> None:
    registry = Registry()

    instruments.histogram("seconds", "How long?", buckets=(1.0,), registry=registry)

    assert registry.get_sample_value("seconds_count") == 0.0
