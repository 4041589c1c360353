"""Counters, gauges and histograms whose labels cannot run away.

prometheus_client's own classes with one rule added: a label takes its values from a declared
set, and whatever is not in the set is counted as `_OTHER`. So nothing a client sends can ever
create series without end. Labels named by the code at start-up (routes, actors) are open
up to a limit instead.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from itertools import product
from typing import Any, Self, TypeVar

import prometheus_client
from prometheus_client import CollectorRegistry
from prometheus_client.metrics import MetricWrapperBase

# What an unknown label value is counted as (the word of OpenTelemetry's HTTP conventions).
OTHER = "_OTHER"

# The one registry. Its names are complete, so two metrics of one name fail at import.
REGISTRY = CollectorRegistry(auto_describe=True)

# Half of all series would be `_created` timestamps, which nobody queries.
prometheus_client.disable_created_metrics()  # type: ignore[no-untyped-call] # the library has no types here


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


class _ClosedLabels(MetricWrapperBase):
    """Sends every label value through its declaration."""

    declared: tuple[Label, ...] = ()

    def labels(self, *labelvalues: object, **labelkwargs: object) -> Self:
        """Return the child for these values, given in the declared order or by name.

        Raises:
            ValueError: A label is missing or unknown.
        """
        values = labelvalues or tuple(labelkwargs[label.name] for label in self.declared if label.name in labelkwargs)
        if len(values) != len(self.declared) or (labelvalues and labelkwargs):
            wanted = ", ".join(label.name for label in self.declared)
            raise ValueError(f"{self} takes the labels ({wanted})")
        known = (label.of(value) for label, value in zip(self.declared, values, strict=True))
        return super().labels(*known)


class Counter(_ClosedLabels, prometheus_client.Counter):
    """A number that only grows."""


class Gauge(_ClosedLabels, prometheus_client.Gauge):
    """A number that goes up and down."""


class Histogram(_ClosedLabels, prometheus_client.Histogram):
    """A distribution over fixed buckets."""


_Metric = TypeVar("_Metric", bound=_ClosedLabels)


def _declare(metric: _Metric, labels: tuple[Label, ...]) -> _Metric:
    metric.declared = labels
    return metric


def counter(name: str, question: str, *labels: Label) -> Counter:
    """Declare a counter; when all its labels are closed every series starts at 0.

    A series that appears with its first failure is invisible to `increase`.
    """
    made = _declare(Counter(name, question, [label.name for label in labels], registry=REGISTRY), labels)
    if labels and all(label.values for label in labels):
        prepare(made)
    return made


def gauge(name: str, question: str, *labels: Label) -> Gauge:
    """Declare a gauge."""
    return _declare(Gauge(name, question, [label.name for label in labels], registry=REGISTRY), labels)


def histogram(name: str, question: str, *labels: Label, buckets: tuple[float, ...]) -> Histogram:
    """Declare a histogram over `buckets` (upper bounds, in the unit of the name)."""
    names = [label.name for label in labels]
    return _declare(Histogram(name, question, names, registry=REGISTRY, buckets=buckets), labels)


def prepare(metric: _ClosedLabels, **values: Iterable[object]) -> None:
    """Create the series of a metric before anything happens to them.

    Args:
        metric: A labelled metric.
        values: Known values by label name. A label not named here takes its whole closed set.
    """
    axes: list[Iterable[Any]] = [values.get(label.name, label.values) for label in metric.declared]
    for combination in product(*axes):
        metric.labels(*combination)
