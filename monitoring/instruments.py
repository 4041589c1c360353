"""Counters, gauges and histograms whose labels cannot run away.

A label takes its values from a declared set, and whatever is not in the set is counted as `_OTHER`. So nothing a
client sends can ever create series without end. Labels named by the code at start-up (routes, actors) are open up to a
limit instead. The registry is prometheus_client's, whose collectors of the process, the platform and the garbage
collector stand in it beside ours.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from itertools import product
from typing import Any, Generic, overload

from prometheus_client import CollectorRegistry, Metric
from prometheus_client.registry import Collector

from monitoring.series import Counter, Gauge, Histogram, Series

# What an unknown label value is counted as (the word of OpenTelemetry's HTTP conventions).
OTHER = "_OTHER"


@dataclass(frozen=True, slots=True)
class Label:
    """A label and the values it may take.

    Attributes:
        name: The label's name on the wire.
        values: The closed set. Empty: open, for names the code gives at start-up.
        limit: How many different values an open label takes before the rest is `_OTHER`.
    """

    name: str
    values: tuple[str, ...] = ()
    limit: int = 100
    _seen: set[str] = field(default_factory=set, repr=False, compare=False)

    def of(self, value: object) -> str:
        """Return the value as it may be counted: itself, or `_OTHER`."""
        text = str(value)
        if text in self._seen or text in self.values:
            return text
        if self.values or len(self._seen) >= self.limit:
            return OTHER
        self._seen.add(text)
        return text


class Family(Collector, Generic[Series]):
    """All series of one name.

    Attributes:
        name: On the wire.
        question: Which question it answers.
        declared: Its labels, in order.
        kind: counter, gauge or histogram.
    """

    def __init__(
        self, name: str, question: str, declared: tuple[Label, ...], kind: str, make: Callable[..., Series]
    ) -> None:
        self.name, self.question, self.declared, self.kind = name, question, declared, kind
        self._make: Callable[..., Series] = make
        self._series: dict[tuple[str, ...], Series] = {}

    def __str__(self) -> str:
        return f"{self.kind} {self.name}"

    def labels(self, *labelvalues: object, **labelkwargs: object) -> Series:
        """Return the series for these values, given in the declared order or by name.

        Raises:
            ValueError: A label is missing or unknown.
        """
        values = labelvalues or tuple(labelkwargs[label.name] for label in self.declared if label.name in labelkwargs)
        if len(values) != len(self.declared) or (labelvalues and labelkwargs):
            wanted = ", ".join(label.name for label in self.declared)
            raise ValueError(f"{self} takes the labels ({wanted})")
        known = tuple([label.of(value) for label, value in zip(self.declared, values, strict=True)])
        series = self._series.get(known)
        if series is None:
            series = self._series.setdefault(known, self._make(self.name, self._named(known)))
        return series

    def series(self) -> list[Series]:
        """Return all its series."""
        return list(self._series.values())

    def describe(self) -> Iterable[Metric]:
        """Say its name, for the registry."""
        # The library's names of counters have no suffix, and `_total` is that of their samples.
        yield Metric(self.name.removesuffix("_total"), self.question, self.kind)

    def collect(self) -> Iterable[Metric]:
        """Yield it in the library's shape: for what reads single samples, and as the oracle of our pages."""
        for metric in self.describe():
            for values, series in list(self._series.items()):
                series.add_to(metric, self.name, self._named(values))
            yield metric

    def _named(self, values: tuple[str, ...]) -> dict[str, str]:
        return {label.name: value for label, value in zip(self.declared, values, strict=True)}


class Registry(CollectorRegistry):
    """The families of this process, and collectors of other kinds. Two of one name fail when they are declared.

    Attributes:
        families: Ours.
        others: Collectors of other kinds.
        catch_up: Counts what has happened and is not counted yet. Called before anything is read here.
    """

    def __init__(self) -> None:
        super().__init__(auto_describe=True)
        self.families: list[Family[Any]] = []
        self.others: list[Collector] = []
        self.catch_up: Callable[[], None] = lambda: None

    def register(self, collector: Collector) -> None:
        """Add a collector.

        Raises:
            ValueError: One of its names is taken.
        """
        super().register(collector)
        if isinstance(collector, Family):
            self.families.append(collector)
        else:
            self.others.append(collector)

    def settle(self) -> None:
        """Let distributions take in what was observed lately: it waits for that, and would become much."""
        self.catch_up()
        for family in self.families:
            if family.kind == "histogram":
                for series in family.series():
                    series.settle()

    def collect(self) -> Iterable[Metric]:
        """Yield everything in the library's shape."""
        self.catch_up()
        yield from super().collect()

    def collect_others(self) -> Iterator[Metric]:
        """Yield what is not in our families."""
        for collector in self.others:
            yield from collector.collect()


# The one registry.
REGISTRY = Registry()


@overload
def counter(name: str, question: str, /, *, registry: Registry = ...) -> Counter: ...
@overload
def counter(name: str, question: str, first: Label, /, *labels: Label, registry: Registry = ...) -> Family[Counter]: ...
def counter(name: str, question: str, *labels: Label, registry: Registry = REGISTRY) -> Counter | Family[Counter]:
    """Declare a counter; when all its labels are closed every series starts at 0.

    A series that appears with its first failure is invisible to `increase`.

    Returns:
        The counter itself if it has no labels, else its family.
    """
    family = Family(name, question, labels, "counter", Counter)
    registry.register(family)
    if not labels:
        return family.labels()
    if all(label.values for label in labels):
        prepare(family)
    return family


@overload
def gauge(name: str, question: str, /, *, registry: Registry = ...) -> Gauge: ...
@overload
def gauge(name: str, question: str, first: Label, /, *labels: Label, registry: Registry = ...) -> Family[Gauge]: ...
def gauge(name: str, question: str, *labels: Label, registry: Registry = REGISTRY) -> Gauge | Family[Gauge]:
    """Declare a gauge.

    Returns:
        The gauge itself if it has no labels, else its family.
    """
    family = Family(name, question, labels, "gauge", Gauge)
    registry.register(family)
    return family if labels else family.labels()


@overload
def histogram(name: str, question: str, /, *, buckets: tuple[float, ...], registry: Registry = ...) -> Histogram: ...
@overload
def histogram(
    name: str, question: str, first: Label, /, *labels: Label, buckets: tuple[float, ...], registry: Registry = ...
) -> Family[Histogram]: ...
def histogram(
    name: str, question: str, *labels: Label, buckets: tuple[float, ...], registry: Registry = REGISTRY
) -> Histogram | Family[Histogram]:
    """Declare a histogram over `buckets` (upper bounds, in the unit of the name).

    Returns:
        The histogram itself if it has no labels, else its family.
    """

    def make(name: str, values: dict[str, str]) -> Histogram:
        return Histogram(name, values, buckets)

    family = Family(name, question, labels, "histogram", make)
    registry.register(family)
    return family if labels else family.labels()


def prepare(family: Family[Any], **values: Iterable[object]) -> None:
    """Create the series of a metric before anything happens to them.

    Args:
        family: A labelled metric.
        values: Known values by label name. A label not named here takes its whole closed set.
    """
    axes: list[Iterable[Any]] = [values.get(label.name, label.values) for label in family.declared]
    for combination in product(*axes):
        family.labels(*combination)
