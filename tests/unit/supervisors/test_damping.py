"""A11: a child that crashes again and again does not fill the log."""

from __future__ import annotations

import itertools
import math
from typing import TYPE_CHECKING

import pytest
import trio

from supervisors import Backoff, ChildSpec, Event, Report, Supervisor
from supervisors.damping import Damper
from tests.unit.supervisors.probes import start

if TYPE_CHECKING:
    from tests.unit.supervisors.probes import World


class _Lines:
    def __init__(self) -> None:
        self.lines: list[tuple[float, Event, int]] = []

    def write(self, report: Report, left_out: int) -> None:
        self.lines.append((report.at, report.event, left_out))

    def since(self, at: float) -> list[tuple[float, Event, int]]:
        return [line for line in self.lines if line[0] >= at]


def _supervisor(world: World, lines: _Lines, seconds: float) -> Supervisor:
    damper = Damper(lines.write)

    async def crash(*, task_status: trio.TaskStatus[None]) -> None:
        task_status.started()
        await trio.sleep(seconds)
        raise ValueError

    def report(fact: Report) -> None:
        world.reports.append(fact)
        damper(fact)

    return Supervisor(
        "top",
        [ChildSpec(id="a", start=crash)],
        intensity=math.inf,
        backoff=Backoff(first=1, maximum=1, jitter=0),
        on_report=report,
    )


@pytest.mark.accepts("A11")
async def test_a_crash_loop_writes_one_line_an_attempt_and_then_one_a_minute(
    world: World, nursery: trio.Nursery
) -> None:
    lines = _Lines()
    await start(nursery, _supervisor(world, lines, 1))

    await trio.sleep(600.5)

    attempts = len(world.told(Event.RESTARTING))
    assert attempts == 300
    in_full = [Event.STARTED, Event.EXITED, Event.RESTARTING]
    assert [event for _, event, _ in lines.lines[:8]] == [*in_full, *in_full, Event.EXITED, Event.EXITED]
    assert len(lines.lines) < 20
    later = lines.since(100)
    assert [second - first for (first, *_), (second, *_) in itertools.pairwise(later)] == [60] * 7
    assert {left_out for *_, left_out in later} == {29}


@pytest.mark.accepts("A11")
async def test_rare_crashes_are_told_in_full(world: World, nursery: trio.Nursery) -> None:
    lines = _Lines()
    await start(nursery, _supervisor(world, lines, 100))

    await trio.sleep(1_000)

    assert len(lines.lines) == len(world.reports)


@pytest.mark.accepts("A11")
async def test_an_orderly_end_ends_the_damping(world: World, nursery: trio.Nursery) -> None:
    lines = _Lines()
    running = await start(nursery, _supervisor(world, lines, 1))
    await trio.sleep(100.5)
    seen = len(lines.lines)

    await running.supervisor.terminate_child("a")
    await running.supervisor.restart_child("a")

    assert [event for _, event, _ in lines.lines[seen:]][-1] is Event.STARTED
