"""What metrics cost: changing one, and writing the page of all of them; ours and prometheus_client's in turn.

Usage: python -m loadtest.bench_metrics. Prints medians of CPU time and the ratio, pair by pair.
"""

from __future__ import annotations

import sys
from functools import partial
from typing import Any, Final

import prometheus_client
from prometheus_client import CollectorRegistry
from prometheus_client.openmetrics import exposition as openmetrics

from loadtest.side_by_side import compare
from monitoring import exposition, instruments
from monitoring.instruments import Label, Registry
from monitoring.series import Histogram

THEIRS: Final = "prometheus_client"
OPENMETRICS: Final = "application/openmetrics-text"
CHANGES: Final = 20_000
PAGES: Final = 20
# About what a Rondo that has been used for a while has: 90 distributions and 250 single numbers are 1,600 lines.
ROUTES: Final = tuple(f"/api/things/{number}" for number in range(90))
STATUSES: Final = tuple(str(status) for status in range(200, 450))
BUCKETS: Final = (0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1.0, 2.5, 5.0, 7.5, 10.0)


class Ours:
    """The metrics as Rondo has them."""

    def __init__(self) -> None:
        self.registry = Registry()
        route, status = Label("route", limit=100), Label("status", limit=300)
        self.counter = instruments.counter("things_total", "How many?", status, registry=self.registry)
        self.histogram = instruments.histogram("seconds", "How long?", route, buckets=BUCKETS, registry=self.registry)

    def page(self, accept: str) -> bytes:
        """Return the page."""
        return exposition.render(self.registry, accept)[0]


class Theirs:
    """The same of prometheus_client."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.counter = prometheus_client.Counter("things_total", "How many?", ["status"], registry=self.registry)
        self.histogram = prometheus_client.Histogram(
            "seconds", "How long?", ["route"], buckets=BUCKETS, registry=self.registry
        )

    def page(self, accept: str) -> bytes:
        """Return the page."""
        if accept:
            return openmetrics.generate_latest(self.registry)  # type: ignore[no-untyped-call, no-any-return] # prometheus_client does not annotate it
        return prometheus_client.generate_latest(self.registry)


def _observe(histogram: Any) -> None:
    for _ in range(1000):
        histogram.observe(0.02)
    if isinstance(histogram, Histogram):
        histogram.settle()


def main() -> int:
    """Measure and print."""
    prometheus_client.disable_created_metrics()  # type: ignore[no-untyped-call] # prometheus_client does not annotate it
    sides: tuple[Any, Any] = (Ours(), Theirs())
    for side in sides:
        for status in STATUSES:
            side.counter.labels(status).inc()
        for route in ROUTES:
            side.histogram.labels(route).observe(0.02)
    histograms = [side.histogram.labels(ROUTES[0]) for side in sides]
    compare("count", CHANGES, *(side.counter.labels("200").inc for side in sides), other=THEIRS)
    ours, theirs = histograms
    compare("observe a thousand", CHANGES // 1000, partial(_observe, ours), partial(_observe, theirs), other=THEIRS)
    compare("page as text", PAGES, *(partial(side.page, "") for side in sides), other=THEIRS)
    compare("page as OpenMetrics", PAGES, *(partial(side.page, OPENMETRICS) for side in sides), other=THEIRS)
    return 0


if __name__ == "__main__":
    sys.exit(main())
