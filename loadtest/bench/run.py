"""The whole benchmark in its order: prepare, then one part after the other, each on a Rondo that was just started."""

from __future__ import annotations

import resource
import tempfile
import time
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, Any, Final

from loadtest.bench import endpoints, growth, live, machine, memory, rest, watching
from loadtest.bench.rows import Row
from loadtest.bench.stage import Server, Stage, register
from loadtest.bench.store import Store
from loadtest.process import Rondo, printing_its_port

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator

    from loadtest.bench.counts import Counts
    from loadtest.bench.stage import Person

    Part = Callable[[Stage], list[Row]]

NAMES: Final = (
    "rest",
    "memory",
    *endpoints.ENDPOINTS,
    "metrics",
    "instrumentation",
    "growth",
    *live.NAMES,
    "startup",
)
EMPTY_SECONDS: Final = 4.0
EXISTING_SECONDS: Final = 1.5


@dataclass(slots=True, kw_only=True)
class Result:
    """All rows, and what is needed to read them."""

    rows: list[Row] = field(default_factory=list)
    about: dict[str, Any] = field(default_factory=dict)

    @property
    def errors(self) -> int:
        """Return how many requests failed in all."""
        return sum(row.errors for row in self.rows)

    @property
    def missed(self) -> list[str]:
        """Return the names of rows whose target is missed."""
        return [row.name for row in self.rows if row.ok is False]

    def as_json(self) -> dict[str, Any]:
        """Return it as one object."""
        rows = [row.as_json() for row in self.rows]
        return {**self.about, "errors": self.errors, "missed": self.missed, "rows": rows}


@dataclass(slots=True, kw_only=True)
class Bench:
    """One run in `folder`; `wanted` is some of `NAMES`."""

    counts: Counts
    wanted: set[str]
    say: Callable[[str], None]
    folder: Path
    empty_starts: list[float] = field(default_factory=list)
    existing_starts: list[float] = field(default_factory=list)

    def run(self) -> Result:
        """Measure what is wanted."""
        began = time.monotonic()
        result = Result()
        rondo = Rondo(data_dir=self.folder / "data")
        try:
            people = self._prepare(rondo, result)
            for parts in self._parts():
                with self._started(rondo, people) as stage:
                    result.rows += (row for part in parts for row in part(stage))
        finally:
            rondo.stop()
        if "startup" in self.wanted:
            result.rows += self._startup()
        result.about["seconds"] = round(time.monotonic() - began, 1)
        return result

    def _parts(self) -> list[list[Part]]:
        """Return what is to be measured; each group on a Rondo that was just started.

        Sockets come on a fresh one if there is time for that: it has no freed memory to use for them.
        """
        requests: list[Part] = [self._requests] if self.wanted - {*live.NAMES, "startup"} else []
        sockets: list[Part] = [self._sockets] if self.wanted & set(live.NAMES) else []
        groups = [requests, sockets] if self.counts.fresh_for_sockets else [requests + sockets]
        return [group for group in groups if group]

    def _requests(self, stage: Stage) -> list[Row]:
        """Measure what is asked over HTTP; the memory first, since it is that after a start."""
        rows: list[Row] = []
        if "rest" in self.wanted:
            rows.append(rest.measure(stage))
        if "memory" in self.wanted:
            rows += memory.measure(stage)
        if asked := self.wanted & set(endpoints.ENDPOINTS):
            rows += endpoints.measure(stage, asked)
        if "metrics" in self.wanted:
            rows.append(watching.scrape(stage))
        if "instrumentation" in self.wanted:
            rows.append(watching.instrumentation(stage))
        if "growth" in self.wanted:
            rows += growth.measure(stage)
        return rows

    def _sockets(self, stage: Stage) -> list[Row]:
        """Measure what comes over WebSockets."""
        return list(live.measure(stage, self.wanted))

    def _startup(self) -> list[Row]:
        """Start a few times more, so that there is a median."""
        existing = Rondo(data_dir=self.folder / "data")
        while len(self.existing_starts) < self.counts.starts:
            self.existing_starts.append(_start_and_stop(existing))
        while len(self.empty_starts) < self.counts.starts:
            self.say("start on an empty data directory")
            number = len(self.empty_starts)
            self.empty_starts.append(_start_and_stop(Rondo(data_dir=self.folder / f"empty{number}")))
        kinds = (
            (
                "existing",
                f"an existing data directory ({self.counts.big:,} tasks)",
                self.existing_starts,
                EXISTING_SECONDS,
            ),
            ("empty", "an empty data directory", self.empty_starts, EMPTY_SECONDS),
        )
        return [
            Row(
                name=f"start_{name}",
                what=f"ready on {where}",
                unit="s",
                measured=median(seconds),
                target=target,
                samples=tuple(seconds),
            )
            for name, where, seconds, target in kinds
        ]

    def _prepare(self, rondo: Rondo, result: Result) -> list[Person]:
        """Start on an empty directory, register everyone, fill their accounts; stop again."""
        self.say("start on an empty data directory")
        self.empty_starts.append(rondo.start())
        counts = self.counts
        names = ["owner", "busy", "small", "big", *(f"person{number}" for number in range(counts.people))]
        people = register(rondo.port, names)
        with Store(rondo.data_dir) as store:
            sizes = [counts.tasks, counts.tasks, counts.small, counts.big, *[counts.people_tasks] * counts.people]
            self.say(f"fill {len(people)} accounts with {sum(sizes):,} tasks")
            for person, tasks in zip(people, sizes, strict=True):
                store.fill(person.id, tasks)
            host, *guests = people[4:]
            store.share(host.id, [guest.id for guest in guests])
            store.tidy()
            result.about = {
                "measured_at": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
                "commit": machine.commit(),
                "machine": machine.describe(store),
                "counts": asdict(counts),
            }
        rondo.stop()
        return people

    @contextmanager
    def _started(self, rondo: Rondo, people: list[Person]) -> Iterator[Stage]:
        """Start Rondo on what there is, and the floor beside it, for the length of a block."""
        self.existing_starts.append(rondo.start())
        with Store(rondo.data_dir) as store, printing_its_port("loadtest.floor", store.url) as (pid, port):
            owner, busy, small, big, *others = people
            yield Stage(
                counts=self.counts,
                rondo=rondo,
                store=store,
                floor=Server(pid, port),
                people=others,
                owner=owner,
                busy=busy,
                small=small,
                big=big,
                say=self.say,
            )
        rondo.stop()


def _start_and_stop(rondo: Rondo) -> float:
    try:
        return rondo.start()
    finally:
        rondo.stop()


def run(counts: Counts, wanted: Collection[str], say: Callable[[str], None]) -> Result:
    """Run the benchmark in a directory of its own, which is gone afterwards."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))  # a thousand sockets here and there
    with tempfile.TemporaryDirectory(prefix="rondo-bench-") as folder:
        return Bench(counts=counts, wanted=set(wanted), say=say, folder=Path(folder)).run()
