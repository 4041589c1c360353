"""What a request costs: CPU time of the Python process, beside the floor; and how long it takes at 16 connections."""

from __future__ import annotations

from statistics import median
from typing import TYPE_CHECKING, Final

from loadtest.bench.rows import Row, Samples
from loadtest.bench.stage import cost

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from loadtest.bench.desk import Desk
    from loadtest.bench.stage import Stage

# name: (what, at most times the floor). In the order in which they follow each other in a round: what is created is
# deleted, what is completed is reopened, so that every round finds the account as the first one did.
ENDPOINTS: Final[dict[str, tuple[str, float | None]]] = {
    "get": ("GET one task", 3),
    "list": ("GET 50 of {tasks} tasks, filtered and sorted", 4),
    "search": ("search (part of a word) over {tasks} tasks", 5),
    "create": ("POST a task", 5),
    "delete": ("DELETE a task", None),
    "update": ("PATCH a task", 5),
    "complete": ("complete a task", 6),
    "reopen": ("reopen a task", None),
}
# What needs another one before it.
NEEDS: Final = {"delete": "create", "reopen": "complete"}
P99_MILLISECONDS: Final = 25.0


def measure(stage: Stage, wanted: Iterable[str]) -> Iterator[Row]:
    """Yield a row for each wanted endpoint, and one for the slowest percentile of them all."""
    names = with_what_they_need(wanted)
    desk, samples, floors = stage.desk(stage.owner), {name: Samples() for name in names}, Samples()
    for number in range(-1, stage.counts.rounds):
        stage.say(f"endpoints, round {number + 1} of {stage.counts.rounds}")
        for name in names:
            _sample(stage, desk, name, samples[name], floors, warming=number < 0)
    yield Row(
        name="floor",
        what="the floor: one HTTP exchange and one query",
        unit="µs",
        measured=median(floors.values),
        samples=tuple(floors.values),
    )
    rows = [_row(stage, name, samples[name]) for name in names]
    yield from rows
    worst = max(rows, key=lambda row: row.details["p99_ms"])
    yield Row(
        name="p99",
        what=f"p99 of the slowest endpoint ({worst.name}), 16 connections",
        unit="ms",
        measured=worst.details["p99_ms"],
        target=P99_MILLISECONDS,
        details={f"{row.name}_ms": row.details["p99_ms"] for row in rows},
    )


def with_what_they_need(wanted: Iterable[str]) -> list[str]:
    """Return the wanted endpoints and what must precede them, in order."""
    chosen = set(wanted)
    chosen |= {NEEDS[name] for name in chosen if name in NEEDS} | {
        late for late, early in NEEDS.items() if early in chosen
    }
    return [name for name in ENDPOINTS if name in chosen]


def _sample(stage: Stage, desk: Desk, name: str, samples: Samples, floors: Samples, *, warming: bool) -> None:
    """Take one sample between two of the floor."""
    requests = [desk.makers[name]() for _ in range(stage.counts.requests)]
    before = stage.floor_cost(stage.counts.floor_requests)
    used, answered, outcome = cost(stage.product, requests, settle=stage.store.settle, keep=name == "create")
    after = stage.floor_cost(stage.counts.floor_requests)
    if name == "create":
        desk.learn(outcome.bodies)
    samples.requests += outcome.requests
    samples.errors += outcome.errors
    if warming:  # statements are prepared, plans chosen, caches filled
        return
    samples.values.append(used)
    samples.answered.append(answered)
    samples.others.append((before + after) / 2)
    floors.values += (before, after)
    samples.latencies += outcome.latencies


def _row(stage: Stage, name: str, samples: Samples) -> Row:
    what, target = ENDPOINTS[name]
    return Row(
        name=name,
        what=what.format(tasks=f"{stage.counts.tasks:,}"),
        unit="µs",
        measured=median(samples.values),
        floor=median(samples.others),
        ratio=samples.ratio,
        target=target,
        relative=target is not None,
        samples=tuple(samples.values),
        details={**samples.latency_details(), "until_answered_us": median(samples.answered)},
        requests=samples.requests,
        errors=samples.errors,
    )
