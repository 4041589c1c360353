"""The whole benchmark in its order: prepare, then one part after the other, each on a Rondo that was just started."""

from __future__ import annotations

import resource
import tempfile
import time
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from loadtest.bench import endpoints, machine
from loadtest.bench.stage import Server, Stage, register
from loadtest.bench.store import Store
from loadtest.process import Rondo, printing_its_port

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator

    from loadtest.bench.counts import Counts
    from loadtest.bench.rows import Row
    from loadtest.bench.stage import Person

NAMES: Final = tuple(endpoints.ENDPOINTS)


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
    """One run."""

    counts: Counts
    wanted: Collection[str]
    say: Callable[[str], None]
    folder: Path
    starts: list[float] = field(default_factory=list)

    def run(self) -> Result:
        """Measure what is wanted."""
        began = time.monotonic()
        result = Result()
        rondo = Rondo(data_dir=self.folder / "data")
        try:
            people = self._prepare(rondo, result)
            with self._started(rondo, people) as stage:
                result.rows += endpoints.measure(stage, self.wanted)
        finally:
            rondo.stop()
        result.about["seconds"] = round(time.monotonic() - began, 1)
        return result

    def _prepare(self, rondo: Rondo, result: Result) -> list[Person]:
        """Start on an empty directory, register everyone, fill their accounts."""
        self.say("start on an empty data directory")
        rondo.start()
        names = ["owner", "small", "big", *(f"person{number}" for number in range(self.counts.people))]
        people = register(rondo.port, names)
        with Store(rondo.data_dir) as store:
            sizes = (self.counts.tasks, self.counts.small, self.counts.big)
            for person, tasks in zip(people, sizes, strict=False):
                self.say(f"fill an account with {tasks:,} tasks")
                store.fill(person.id, tasks)
            store.tidy()
            result.about = {
                "measured_at": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
                "commit": machine.commit(),
                "machine": machine.describe(store),
                "counts": asdict(self.counts),
            }
        rondo.stop()
        return people

    @contextmanager
    def _started(self, rondo: Rondo, people: list[Person]) -> Iterator[Stage]:
        """Start Rondo on what there is, and the floor beside it, for the length of a block."""
        self.starts.append(rondo.start())
        with Store(rondo.data_dir) as store, printing_its_port("loadtest.floor", store.url) as (pid, port):
            owner, small, big, *others = people
            yield Stage(
                counts=self.counts,
                rondo=rondo,
                store=store,
                floor=Server(pid, port),
                people=others,
                owner=owner,
                small=small,
                big=big,
                say=self.say,
            )
        rondo.stop()


def run(counts: Counts, wanted: Collection[str], say: Callable[[str], None]) -> Result:
    """Run the benchmark in a directory of its own, which is gone afterwards."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))  # a thousand sockets here and there
    with tempfile.TemporaryDirectory(prefix="rondo-bench-") as folder:
        return Bench(counts=counts, wanted=wanted, say=say, folder=Path(folder)).run()
