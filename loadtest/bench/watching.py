"""What being observable costs: a scrape of ``/metrics``, and metrics, spans and log lines in every request."""

from __future__ import annotations

import time
from functools import partial
from statistics import median
from typing import TYPE_CHECKING, Final

from loadtest.bench.rows import Row, Samples
from loadtest.bench.stage import Server, beside, cost
from loadtest.http_load import Crowd, request
from loadtest.process import cpu_seconds, running

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

    from loadtest.bench.stage import Stage
    from loadtest.process import Rondo

# As Prometheus asks. Rondo keeps a page for a second, so that each scrape here waits longer than that.
SCRAPE: Final = request("GET", "/metrics").replace(
    b"Accept: application/json", b"Accept: application/openmetrics-text;version=1.0.0,text/plain;q=0.5"
)
PAGE_SECONDS: Final = 1.05
MOST_GAIN: Final = 0.1
# How often the two of a pair are compared for a round of other rows: the difference is a tenth of what is measured,
# less than a busy machine makes of a sample.
MANY: Final = 6
# Rounds before it counts: statements are prepared, and the interpreter has specialised what is called often.
WARM_UP: Final = 5


def scrape(stage: Stage) -> Row:
    """Return how long ``/metrics`` takes."""
    stage.say("scrapes of /metrics")
    latencies, used, errors = [], 0.0, 0
    with Crowd(stage.rondo.port, 1) as crowd:
        for _ in range(stage.counts.scrapes):
            time.sleep(PAGE_SECONDS)
            before = cpu_seconds(stage.rondo.pid)
            outcome = crowd.send([SCRAPE])
            used += cpu_seconds(stage.rondo.pid) - before
            latencies += outcome.latencies
            errors += outcome.errors
    return Row(
        name="metrics",
        what="GET /metrics, from request to last byte",
        unit="ms",
        measured=median(latencies) * 1e3,
        target=5,
        samples=tuple(seconds * 1e3 for seconds in latencies),
        details={"cpu_ms": used / len(latencies) * 1e3},
        requests=len(latencies),
        errors=errors,
    )


def instrumentation(stage: Stage) -> Row:
    """Return what turning all of it off gains on the cheapest API read.

    Two that were just started are compared, on the database of the first: what a Rondo has done before decides where
    its memory lies, which is as dear as what is measured here. That differs from start to start too, so there are a few
    of them. `loadtest.bare` leaves out what is measured.
    """
    samples, requests = Samples(), [request("GET", "/api/me", token=stage.owner.token)] * (stage.counts.requests // 10)

    def ask(server: Server) -> float:
        used, _, outcome = cost(server, requests)
        samples.requests += outcome.requests
        samples.errors += outcome.errors
        return used

    for pair in range(stage.counts.pairs):
        stage.say(f"instrumentation, pair {pair + 1} of {stage.counts.pairs}")
        with _fresh(stage, "app.cli") as full, _fresh(stage, "loadtest.bare") as bare:
            with_all, without = Server(full.pid, full.port), Server(bare.pid, bare.port)
            for number in range(-WARM_UP, stage.counts.rounds * MANY):
                off, on = beside(partial(ask, without), partial(ask, with_all))
                if number >= 0:
                    samples.values.append(off)
                    samples.others.append(on)
    return Row(
        name="instrumentation",
        what="GET /api/me: gain without metrics, spans and log lines",
        unit="of its cost",
        measured=1 - samples.ratio,
        target=MOST_GAIN,
        samples=tuple(1 - off / on for off, on in zip(samples.values, samples.others, strict=True)),
        details={"with_us": median(samples.others), "without_us": median(samples.values)},
        requests=samples.requests,
        errors=samples.errors,
    )


def _fresh(stage: Stage, module: str) -> AbstractContextManager[Rondo]:
    return running(stage.rondo.data_dir.with_name(module), module=module, RONDO_DATABASE_URL=stage.store.url)
