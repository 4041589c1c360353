"""Memory after start and after many mixed requests, none of which may fail."""

from __future__ import annotations

import random
import time
from typing import TYPE_CHECKING, Final

from loadtest.bench.counts import CONNECTIONS
from loadtest.bench.rows import Row, Samples
from loadtest.http_load import Crowd
from loadtest.process import resident_bytes

if TYPE_CHECKING:
    from collections.abc import Iterator

    from loadtest.bench.desk import Desk
    from loadtest.bench.stage import Stage

BATCH: Final = 500
# In hundredths: people look more often than they write, and what is made or done is mostly left so.
SHARES: Final = {
    "get": 40,
    "list": 18,
    "search": 6,
    "create": 10,
    "update": 12,
    "complete": 5,
    "reopen": 4,
    "delete": 5,
}


def measure(stage: Stage) -> Iterator[Row]:
    """Yield memory after start, how much mixed requests added, and their errors. Comes first after a start."""
    time.sleep(stage.counts.calm_seconds)
    at_start = resident_bytes(stage.rondo.pid)
    yield Row(name="memory_start", what="Rondo's memory after start", unit="MB", measured=at_start / 1e6, target=110)
    began, samples = time.perf_counter(), _mixed(stage)
    seconds = time.perf_counter() - began
    stage.store.settle()
    time.sleep(stage.counts.calm_seconds)
    grown = resident_bytes(stage.rondo.pid) - at_start
    yield Row(
        name="memory_growth",
        what=f"its growth after {samples.requests:,} mixed requests",
        unit="MB",
        measured=grown / 1e6,
        target=20,
    )
    yield Row(
        name="mixed_errors",
        what=f"errors in {samples.requests:,} mixed requests",
        unit="errors",
        measured=samples.errors,
        target=0,
        details={**samples.latency_details(), "requests_per_second": samples.requests / seconds},
        requests=samples.requests,
        errors=samples.errors,
    )


def _mixed(stage: Stage) -> Samples:
    desk, dice, samples = stage.desk(stage.busy), random.Random(7), Samples()
    with Crowd(stage.rondo.port, CONNECTIONS) as crowd:
        while samples.requests < stage.counts.mixed:
            stage.say(f"mixed requests: {samples.requests:,} of {stage.counts.mixed:,}")
            names = _batch(desk, dice, min(BATCH, stage.counts.mixed - samples.requests))
            # What a batch asks for exists before it begins: the order within it is open.
            requests = [desk.makers[name]() for name in names]
            outcome = crowd.send(requests, keep=True)
            desk.learn([body for name, body in zip(names, outcome.bodies, strict=True) if name == "create"])
            samples.requests += outcome.requests
            samples.errors += outcome.errors
            samples.latencies += outcome.latencies
    return samples


def _batch(desk: Desk, dice: random.Random, size: int) -> list[str]:
    """Return the names of the next requests; what cannot be reopened or deleted yet is looked at."""
    names = dice.choices(list(SHARES), weights=list(SHARES.values()), k=size)
    left = {"reopen": len(desk.completed), "delete": len(desk.created)}
    for at, name in enumerate(names):
        if name in left:
            left[name] -= 1
            if left[name] < 0:
                names[at] = "get"
    reopening, others = [name for name in names if name == "reopen"], [name for name in names if name != "reopen"]
    # `desk` gives the one completed first: it must not be one that this batch completes.
    return reopening + others
