"""Writes a registry as a page that Prometheus can read, and never too long a one.

Our own, because a scrape stands in the way of everybody's requests for as long as it takes: the library needs 16 ms for
our 1,600 samples, this needs 1.4 ms (`python -m loadtest.bench_metrics`). What is not ours (the process, the platform,
the garbage collector) the library writes.
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from prometheus_client import CONTENT_TYPE_PLAIN_0_0_4, Metric, generate_latest
from prometheus_client.openmetrics import exposition as openmetrics
from prometheus_client.registry import Collector

from monitoring.instruments import Family, Registry
from monitoring.series import escaped

# A page this long means that a label ran away. Prometheus would refuse all of it
# (`sample_limit`), so the longest families are left out and the rest stays visible.
SERIES_CAP = 20_000


class _Families(Collector):
    """Families in the shape the library's encoders expect."""

    def __init__(self, families: Iterable[Metric]) -> None:
        self._families = families

    def collect(self) -> Iterable[Metric]:
        return self._families


def render(registry: Registry, accept: str | None = None, cap: int = SERIES_CAP) -> tuple[bytes, str]:
    """Return the page and its content type.

    Args:
        registry: Whose metrics to write.
        accept: The request's `Accept` header. Whoever takes OpenMetrics gets it, exemplars included; all
            others get the plain text format.
        cap: The largest number of samples of our own on the page.
    """
    registry.catch_up()
    is_open = "application/openmetrics-text" in (accept or "")
    left_out = _left_out(cap, registry)
    shown = [family for family in registry.families if family.name not in left_out]
    page = "".join(text for family in shown for text in _lines(family, is_open=is_open)).encode()
    rest = _Families([*registry.collect_others(), *_excess(left_out)])
    if is_open:
        end: bytes = openmetrics.generate_latest(rest)  # type: ignore[no-untyped-call] # the library has no types here
        return page + end, openmetrics.CONTENT_TYPE_LATEST
    return page + generate_latest(rest), CONTENT_TYPE_PLAIN_0_0_4


def _lines(family: Family[Any], *, is_open: bool) -> Iterator[str]:
    name = family.name.removesuffix("_total") if is_open else family.name
    question = escaped(family.question) if is_open else family.question.replace("\\", r"\\").replace("\n", r"\n")
    yield f"# HELP {name} {question}\n# TYPE {name} {family.kind}\n"
    for series in family.series():
        yield series.text(exemplars=is_open)


def _left_out(cap: int, registry: Registry) -> dict[str, int]:
    """Return the longest families and how many samples they have, if all together have more than `cap`."""
    lengths = {family.name: sum(series.samples for series in family.series()) for family in registry.families}
    total = sum(lengths.values())
    left_out = {}
    for name in sorted(lengths, key=lengths.__getitem__, reverse=True):
        if total <= cap:
            break
        left_out[name] = lengths[name]
        total -= lengths[name]
    return left_out


def _excess(left_out: Mapping[str, int]) -> Iterator[Metric]:
    """Name what was left out, so that an alert can find it."""
    if left_out:
        metric = Metric("metrics_left_out_samples", "Which metrics grew too long to be shown?", "gauge")
        for name, samples in left_out.items():
            metric.add_sample("metrics_left_out_samples", {"metric": name}, float(samples))
        yield metric
