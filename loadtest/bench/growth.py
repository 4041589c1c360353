"""What a request costs more when its account has many more tasks: pairs of samples, one account beside the other."""

from __future__ import annotations

from functools import partial
from statistics import median
from typing import TYPE_CHECKING, Final

from loadtest.bench.endpoints import ENDPOINTS
from loadtest.bench.rows import Row, Samples
from loadtest.bench.stage import beside, cost

if TYPE_CHECKING:
    from collections.abc import Iterator

    from loadtest.bench.desk import Desk
    from loadtest.bench.stage import Stage

AT_MOST: Final = 1.2
# Both accounts fill a page of so many: what grows is the account, not the answer.
PAGE: Final = 10
ONCE_PER_TASK: Final = ("create", "delete", "complete", "reopen")


def measure(stage: Stage) -> Iterator[Row]:
    """Yield a row for each endpoint; search is allowed to grow."""
    small, big = stage.desk(stage.small), stage.desk(stage.big)
    small.page = big.page = PAGE
    samples = {name: Samples() for name in ENDPOINTS}
    for number in range(-1, stage.counts.growth_rounds):
        stage.say(f"growth, round {number + 1} of {stage.counts.growth_rounds}")
        for name in ENDPOINTS:
            measured = (partial(_cost, stage, desk, name, samples[name]) for desk in (big, small))
            in_big, in_small = beside(*measured)
            if number >= 0:
                samples[name].values.append(in_big)
                samples[name].others.append(in_small)
    for name, (what, _) in ENDPOINTS.items():
        yield _row(stage, name, what, samples[name])


def _cost(stage: Stage, desk: Desk, name: str, samples: Samples) -> float:
    times = stage.counts.growth_changes if name in ONCE_PER_TASK else stage.counts.growth_requests
    requests = [desk.makers[name]() for _ in range(times)]
    used, _, outcome = cost(stage.product, requests, settle=stage.store.settle, keep=name == "create")
    if name == "create":
        desk.learn(outcome.bodies)
    samples.requests += outcome.requests
    samples.errors += outcome.errors
    return used


def _row(stage: Stage, name: str, what: str, samples: Samples) -> Row:
    counts = stage.counts
    short = {"list": f"GET {PAGE} tasks, filtered and sorted", "search": "search"}.get(name, what)
    return Row(
        name=f"growth_{name}",
        what=f"{short}: CPU at {counts.big:,} tasks to {counts.small:,}",
        unit="times",
        measured=samples.ratio,
        target=None if name == "search" else AT_MOST,
        samples=tuple(big / small for big, small in zip(samples.values, samples.others, strict=True)),
        details={"small_us": median(samples.others), "big_us": median(samples.values)},
        requests=samples.requests,
        errors=samples.errors,
    )
