"""The numbers behind the metrics: what hot code holds in its hand and changes.

Every request changes a dozen of them. prometheus_client takes a lock, reads the clock of the process or walks all
buckets for each; these take a third of the time (`python -m loadtest.bench_metrics`) and hold the text of their lines,
so that a page of them is joined and not made. To observe a value is to append it to a list: its bucket is looked for
when somebody reads, or ten times a second for many values in a row (`Registry.settle`), while all that takes is at
hand. What they mean is prometheus_client's meaning, sample by sample: tests/unit/monitoring/test_exposition.py writes
the same page with both.

Changed from trio's thread. Another thread may change one too: the interpreter does not switch threads inside of these
methods (it does so at calls and at jumps backwards), so nothing is lost while there is a GIL. Read from one thread.
"""

import time
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TypeAlias, TypeVar

from prometheus_client.metrics_core import Metric
from prometheus_client.samples import Exemplar
from prometheus_client.utils import floatToGoString

# Ids of a trace in which a value was observed.
ExemplarIds: TypeAlias = Mapping[str, str]

# From here on Go, whose format it is, writes an exponent.
_LONG = 1e6
_NO_EXEMPLAR = "\n"


def number(value: float) -> str:
    """Return a value as Prometheus writes it."""
    return repr(value) if -_LONG < value < _LONG else str(floatToGoString(value))  # type: ignore[no-untyped-call] # the library has no types here


class Counter:
    """A number that only grows.

    Attributes:
        value: The number. Code that runs for every request adds to it without a call.
        exemplar: Of the last change that had one.
    """

    __slots__ = ("_line", "exemplar", "value")
    samples = 1

    def __init__(self, name: str, labels: Mapping[str, str]) -> None:
        self.value = 0.0
        self.exemplar: Exemplar | None = None
        self._line = line(name, labels)

    def inc(self, amount: float = 1, exemplar: ExemplarIds | None = None) -> None:
        """Add to it.

        Raises:
            ValueError: The amount is negative.
        """
        if amount < 0:
            raise ValueError("a counter only grows")
        self.value += amount
        if exemplar is not None:
            self.exemplar = Exemplar(dict(exemplar), amount, time.time())

    def text(self, *, exemplars: bool) -> str:
        """Return its lines for a page."""
        end = _end(self.exemplar) if exemplars else _NO_EXEMPLAR
        return f"{self._line}{number(self.value)}{end}"

    def add_to(self, metric: Metric, name: str, labels: dict[str, str]) -> None:
        """Add its samples to what the library reads."""
        metric.add_sample(name, labels, self.value, exemplar=self.exemplar)


class Gauge:
    """A number that goes up and down, or a function that says it when somebody looks.

    Attributes:
        level: What it was set to. Code that runs for every request adds to it without a call.
    """

    __slots__ = ("_function", "_line", "level")
    samples = 1

    def __init__(self, name: str, labels: Mapping[str, str]) -> None:
        self.level = 0.0
        self._function: Callable[[], float] | None = None
        self._line = line(name, labels)

    @property
    def value(self) -> float:
        """What it shows."""
        return self.level if self._function is None else float(self._function())

    def set(self, value: float) -> None:
        """Show this."""
        self.level = float(value)

    def inc(self, amount: float = 1) -> None:
        """Add to it."""
        self.level += amount

    def dec(self, amount: float = 1) -> None:
        """Take from it."""
        self.level -= amount

    def set_to_current_time(self) -> None:
        """Show the Unix time."""
        self.level = time.time()

    def set_function(self, function: Callable[[], float]) -> None:
        """Ask from now on. Whoever looks waits for it."""
        self._function = function

    @contextmanager
    def track_inprogress(self) -> Iterator[None]:
        """Be one more inside of this block."""
        self.inc()
        try:
            yield
        finally:
            self.dec()

    def text(self, *, exemplars: bool) -> str:
        """Return its lines for a page."""
        del exemplars  # a gauge has none
        return f"{self._line}{number(self.value)}\n"

    def add_to(self, metric: Metric, name: str, labels: dict[str, str]) -> None:
        """Add its samples to what the library reads."""
        metric.add_sample(name, labels, self.value)


class Histogram:
    """A distribution over fixed buckets.

    Attributes:
        observe: Counts a value.
    """

    __slots__ = ("_bounds", "_counts", "_exemplars", "_lines", "_sum", "_sum_lines", "_waiting", "observe")

    def __init__(self, name: str, labels: Mapping[str, str], bounds: Sequence[float]) -> None:
        """Make an empty one.

        Args:
            name: On the wire.
            labels: Names and values.
            bounds: Upper bounds of its buckets, ascending and inclusive; one without bound is added.
        """
        self._waiting: list[float] = []
        self.observe: Callable[[float], None] = self._waiting.append
        self._sum = 0.0
        self._bounds = tuple(bounds)
        self._counts = [0] * (len(bounds) + 1)
        self._exemplars: dict[int, Exemplar] = {}
        self._lines = [line(f"{name}_bucket", {**labels, "le": text}) for text in self._bound_texts()]
        self._sum_lines = line(f"{name}_count", labels), line(f"{name}_sum", labels)

    @property
    def count(self) -> int:
        """How many values were observed."""
        self.settle()
        return sum(self._counts)

    @property
    def sum(self) -> float:
        """All values observed, added."""
        self.settle()
        return self._sum

    def observe_with(self, value: float, exemplar: ExemplarIds) -> None:
        """Count a value and say where it was observed."""
        self.observe(value)
        self.point(value, exemplar)

    def point(self, value: float, exemplar: ExemplarIds) -> None:
        """Say where a value was observed that is counted by itself."""
        self._exemplars[bisect_left(self._bounds, value)] = Exemplar(dict(exemplar), value, time.time())

    def settle(self) -> None:
        """Put what was observed lately into its buckets.

        Sorted, so that a bound is looked for among the values and not each value among the bounds: a third of the time.
        """
        if not self._waiting:
            return
        values = self._waiting[:]
        del self._waiting[: len(values)]
        self._sum += sum(values)
        values.sort()
        below = 0
        for index, bound in enumerate(self._bounds):
            until = bisect_right(values, bound, below)
            self._counts[index] += until - below
            below = until
        self._counts[-1] += len(values) - below

    @property
    def samples(self) -> int:
        """How many lines it has."""
        return len(self._lines) + 2

    def text(self, *, exemplars: bool) -> str:
        """Return its lines for a page."""
        self.settle()
        texts, ends = [], {index: _end(one) for index, one in self._exemplars.items()} if exemplars else {}
        total = 0.0
        for index, (start, count) in enumerate(zip(self._lines, self._counts, strict=True)):
            total += count
            texts.append(f"{start}{number(total)}{ends.get(index, _NO_EXEMPLAR)}")
        count_line, sum_line = self._sum_lines
        return f"{''.join(texts)}{count_line}{number(total)}\n{sum_line}{number(self._sum)}\n"

    def add_to(self, metric: Metric, name: str, labels: dict[str, str]) -> None:
        """Add its samples to what the library reads."""
        self.settle()
        total = 0
        for index, text in enumerate(self._bound_texts()):
            total += self._counts[index]
            exemplar = self._exemplars.get(index)
            metric.add_sample(f"{name}_bucket", {**labels, "le": text}, float(total), exemplar=exemplar)
        metric.add_sample(f"{name}_count", labels, float(total))
        metric.add_sample(f"{name}_sum", labels, self._sum)

    def _bound_texts(self) -> list[str]:
        return [number(bound) for bound in (*self._bounds, float("inf"))]


Series = TypeVar("Series", Counter, Gauge, Histogram)


def line(name: str, labels: Mapping[str, str]) -> str:
    """Return a line of a page up to its value."""
    pairs = ",".join(f'{label}="{escaped(value)}"' for label, value in sorted(labels.items()))
    return f"{name}{{{pairs}}} " if pairs else f"{name} "


def escaped(text: str) -> str:
    """Return a text as it stands between quotation marks on a page."""
    return text.replace("\\", r"\\").replace("\n", r"\n").replace('"', r"\"")


def _end(exemplar: Exemplar | None) -> str:
    if exemplar is None:
        return _NO_EXEMPLAR
    return f" # {line('', exemplar.labels)}{number(float(exemplar.value))} {exemplar.timestamp}\n"
