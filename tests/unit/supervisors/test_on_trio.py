"""S64 to S68: what is trio's own."""

from __future__ import annotations

import shutil
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import trio
from trio.testing import MockClock

import supervisors
from app.wiring.readiness import loop_reason
from supervisors import ChildSpec, Event, stall_detector
from supervisors.stacks import task_stack
from supervisors.stall_detector import Stall, StallDetector
from tests.unit.supervisors import scenario
from tests.unit.supervisors.probes import settle, start, supervisor_tasks

if TYPE_CHECKING:
    from tests.unit.supervisors.probes import World


@pytest.mark.accepts("S64")
async def test_when_the_root_ends_no_task_is_left(world: World) -> None:
    inner = world.supervisor(world.specs("cd"), "inner")
    root = world.supervisor([*world.specs("ab"), inner.as_child()], intensity=9)

    async with trio.open_nursery() as nursery:
        await nursery.start(root.run)
        world.raise_in("a")
        world.raise_in("d")
        await trio.sleep(1)
        alive = len(supervisor_tasks())
        await root.stop()
    left = supervisor_tasks()

    assert alive > 4
    assert left == []


class _Parent:
    """A child with children of its own."""

    def __init__(self, world: World) -> None:
        self.world = world

    async def run(self, *, task_status: trio.TaskStatus[None]) -> None:
        async with trio.open_nursery() as nursery:
            for number in range(3):
                nursery.start_soon(self._work, number)
            task_status.started()

    async def _work(self, number: int) -> None:
        try:
            await trio.sleep_forever()
        finally:
            with trio.CancelScope(shield=True):
                await trio.sleep(number)
            self.world.note(f"task {number} end")


@pytest.mark.accepts("S65")
async def test_tasks_of_a_child_are_gone_before_the_next_is_stopped(world: World, nursery: trio.Nursery) -> None:
    running = await start(nursery, world.supervisor([world.spec("a"), ChildSpec(id="p", start=_Parent(world).run)]))
    world.forget()

    await running.supervisor.stop()

    assert world.log == [(0, "task 0 end"), (1, "task 1 end"), (2, "task 2 end"), (2, "a end")]


def _block(seconds: float) -> None:
    time.sleep(seconds)


@pytest.fixture
def clock() -> trio.abc.Clock:
    """Let a detector's test run in real time: its thread lives in it."""
    return MockClock(rate=1.0)


@pytest.mark.accepts("S66")
async def test_a_step_that_holds_the_loop_is_named_with_the_line_that_does(
    clock: trio.abc.Clock, nursery: trio.Nursery
) -> None:
    stalls: list[Stall] = []
    detector = StallDetector(stalls.append, threshold_seconds=0.25)
    await nursery.start(detector.run)

    async def greedy() -> None:
        await trio.lowlevel.checkpoint()
        _block(0.3)
        await trio.lowlevel.checkpoint()

    async with trio.open_nursery() as workers:
        workers.start_soon(greedy, name="greedy actor")
    await trio.sleep(0.2)

    stall = stalls[0]  # on a busy machine there may be others
    assert stall.task == "greedy actor"
    assert 0.25 <= stall.seconds < 2
    assert "time.sleep(seconds)" in stall.stack
    assert not detector.is_degraded


@pytest.mark.accepts("S66")
async def test_a_second_without_the_loop_is_degraded(clock: trio.abc.Clock, nursery: trio.Nursery) -> None:
    detector = StallDetector(lambda _stall: None, threshold_seconds=0.25)
    await nursery.start(detector.run)
    seen_from_outside: list[bool] = []

    def look() -> None:
        deadline = time.monotonic() + 3
        while not detector.is_degraded and time.monotonic() < deadline:
            time.sleep(0.01)
        seen_from_outside.append(detector.is_degraded)

    async with trio.open_nursery() as both:
        both.start_soon(trio.to_thread.run_sync, look)
        await trio.lowlevel.checkpoint()
        _block(1.05)

    assert seen_from_outside == [True]
    assert detector.is_degraded


@pytest.mark.accepts("S66")
async def test_readiness_says_that_the_loop_was_held_and_later_that_it_is_well(
    clock: trio.abc.Clock, nursery: trio.Nursery, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stall_detector, "DEGRADED_FOR_SECONDS", 0.3)
    detector = StallDetector(lambda _stall: None)
    await nursery.start(detector.run)
    before = await loop_reason(detector)

    await trio.lowlevel.checkpoint()
    _block(1.1)
    await trio.sleep(0.1)
    degraded = await loop_reason(detector)
    await trio.sleep(0.3)

    assert (before, await loop_reason(detector)) == (None, None)
    assert degraded is not None
    assert degraded.startswith("The event loop was held for 1.")


async def test_a_loop_that_only_waits_or_works_in_short_turns_holds_nobody(
    clock: trio.abc.Clock, nursery: trio.Nursery
) -> None:
    stalls: list[Stall] = []
    await nursery.start(StallDetector(stalls.append, threshold_seconds=0.25).run)

    await trio.sleep(0.5)
    for _ in range(50):
        _block(0.01)
        await trio.lowlevel.checkpoint()
    await trio.sleep(0.5)

    # On a machine without time for us the whole process may stand still.
    assert [stall for stall in stalls if stall.task != stall_detector.UNKNOWN] == []


async def test_of_tasks_that_hold_it_together_each_is_named(clock: trio.abc.Clock, nursery: trio.Nursery) -> None:
    stalls: list[Stall] = []
    await nursery.start(StallDetector(stalls.append, threshold_seconds=0.25).run)

    async def greedy() -> None:
        await trio.lowlevel.checkpoint()
        _block(0.25)

    async with trio.open_nursery() as workers:
        workers.start_soon(greedy, name="one")
        workers.start_soon(greedy, name="other")
    await trio.sleep(0.2)

    # On a machine without time for us the whole process may stand still as well.
    (stall,) = (stall for stall in stalls if stall.task != stall_detector.UNKNOWN)
    assert sorted(stall.task.split(", then ")) == ["one", "other"]
    assert 0.5 <= stall.seconds < 2


_INTERPRETERS = [sys.executable, *filter(None, map(shutil.which, ["python3.12", "python3.13", "python3.14"]))]


def _can_run(interpreter: str) -> bool:
    return subprocess.run([interpreter, "-c", ""], capture_output=True, check=False).returncode == 0


def _run_scenario(*command: str) -> tuple[str, str]:
    path = f"{Path(supervisors.__file__).parents[1]}:{Path(trio.__file__).parents[1]}"
    run = subprocess.run(
        [*command, scenario.__file__], env={"PYTHONPATH": path}, capture_output=True, text=True, check=True
    )
    return run.stdout, run.stderr


@pytest.fixture(scope="module")
def expected() -> str:
    return _run_scenario(sys.executable)[0]


@pytest.mark.accepts("S68")
@pytest.mark.parametrize(
    "command",
    [[sys.executable, "-X", "dev"], [sys.executable, "-O"], *([i] for i in _INTERPRETERS[1:] if _can_run(i))],
    ids=lambda command: " ".join([Path(command[0]).name, *command[1:]]),
)
def test_every_interpreter_gives_the_same_results(command: list[str], expected: str) -> None:
    said, errors = _run_scenario(*command, "-W", "error")

    assert said == expected
    assert said.count(f" {Event.RESTARTING.value} ") > 20
    assert errors == ""


async def test_the_stack_of_a_task_shows_the_tasks_below_it(nursery: trio.Nursery) -> None:
    async def parent() -> None:
        async with trio.open_nursery() as inner:
            inner.start_soon(trio.sleep, 100, name="the grandchild")

    nursery.start_soon(parent, name="the child")
    await settle()
    (task,) = (task for task in nursery.child_tasks if task.name == "the child")

    stack = task_stack(task)

    assert "task the child:" in stack
    assert "task the grandchild:" in stack
