"""A virtual day of crashes, restarts and children that come and go."""

from __future__ import annotations

import gc
import math
import os
import random
import sys
from typing import Any

import pytest
import trio

from supervisors import Backoff, ChildSpec, Report, Restart, Strategy, Supervisor
from supervisors.errors import SupervisionError
from tests.unit.supervisors.probes import settle, supervisor_tasks

pytestmark = pytest.mark.uncovered

# A child lives for so long on average: some 10,000 crashes and restarts a day in CI, some 1,000 here.
MEAN_LIFE_SECONDS = 60.0 if os.environ.get("CI") else 600.0
HOUR = 3_600.0


class _Day:
    """Raises errors and ticks them off when they are reported."""

    def __init__(self) -> None:
        self.dice = random.Random(24)
        self.raised = self.wrong = 0
        self.unreported: set[BaseException] = set()

    def tell(self, report: Report) -> None:
        if report.error is None or isinstance(report.error, SupervisionError):
            return
        if report.error in self.unreported:
            self.unreported.discard(report.error)
        else:
            self.wrong += 1  # twice, or never raised

    def spec(self, name: str, restart: Restart = Restart.PERMANENT) -> ChildSpec:
        async def run(*, task_status: trio.TaskStatus[Any]) -> None:
            task_status.started()
            await trio.sleep(self.dice.expovariate(1 / MEAN_LIFE_SECONDS))
            error = ValueError(name)
            self.raised += 1
            self.unreported.add(error)
            raise error

        return ChildSpec(id=name, start=run, restart=restart)

    def supervisor(self, strategy: Strategy) -> Supervisor:
        return Supervisor(
            strategy.value,
            [self.spec(name) for name in "ab"],
            strategy=strategy,
            intensity=math.inf,
            backoff=Backoff(first=0.1),
            on_report=self.tell,
            dice=self.dice.random,
        )


def _memory_blocks() -> int:
    gc.collect()
    return sys.getallocatedblocks()


async def test_a_day_of_crashes_leaves_no_task_no_memory_and_no_error_unreported(nursery: trio.Nursery) -> None:
    day = _Day()
    branches = [day.supervisor(strategy) for strategy in Strategy]
    root = Supervisor("root", [branch.as_child() for branch in branches], on_report=day.tell)
    await nursery.start(root.run)

    memory = []
    for hour in range(24):
        await day.dice.choice(branches).start_child(day.spec(f"guest{hour}", Restart.TEMPORARY))
        await trio.sleep(HOUR)
        memory.append(_memory_blocks())
    running = root.count_children()
    complaints = await root.stop()
    await settle()

    assert day.raised > 200
    assert (day.unreported, day.wrong) == (set(), 0)
    assert memory[-1] - memory[11] < 1_000
    assert (running.active, complaints) == (3, ())
    assert supervisor_tasks() == []
