"""What needs a real process: signals, and the watchdog's exit code 70."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import trio

import supervisors
from supervisors.signals import run_until_told
from supervisors.watchdog import Watchdog
from tests.unit.supervisors.probes import settle

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.unit.supervisors.probes import World

_PROGRAM = """
import sys, time, trio
from supervisors import ChildSpec, Supervisor
from supervisors.signals import run_until_told
from supervisors.watchdog import Watchdog

def say(*words):
    print(*words, flush=True)

class Child:
    def __init__(self, name, *, deaf=False, cleanup=0.0, shielded=False, blocks=False):
        self.name, self.deaf, self.cleanup, self.shielded, self.blocks = name, deaf, cleanup, shielded, blocks
        self.asked = trio.Event()

    async def run(self, *, task_status):
        say(self.name, "ready")
        task_status.started()
        try:
            await (trio.sleep_forever() if self.deaf else self.asked.wait())
        finally:
            say(self.name, "ending")
            if self.blocks:
                time.sleep(60)
            with trio.CancelScope(shield=True):
                await trio.sleep(60 if self.shielded else self.cleanup)
        say(self.name, "ended")

    def spec(self):
        limit = 60 if self.deaf else 0.2
        return ChildSpec(id=self.name, start=self.run, ask=self.asked.set, shutdown=limit, kill_after=0.3)

children = {
    "calm": [Child("a"), Child("b")],
    "deaf": [Child("a"), Child("b", deaf=True)],
    "stuck": [Child("a"), Child("b", shielded=True)],
    "blocked": [Child("a"), Child("b", blocks=True)],
}[sys.argv[1]]
root = Supervisor("root", [child.spec() for child in children])
watchdog = Watchdog(stall_seconds=0.8)
trio.run(lambda: run_until_told(root, watchdog=watchdog, stop_seconds=20, on_signal=lambda n, c: say(n, c)))
say("done")
"""


class _Program:
    def __init__(self, kind: str) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-c", _PROGRAM, kind],
            env={**os.environ, "PYTHONPATH": str(Path(supervisors.__file__).parents[1])},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def read_until(self, text: str) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            if line.strip() == text:
                return
        raise AssertionError(f"{text!r} was not said")

    def rest(self) -> tuple[str, str]:
        return self.process.communicate(timeout=20)


@pytest.fixture
def program(request: pytest.FixtureRequest) -> Iterator[_Program]:
    program = _Program(request.param)
    program.read_until("b ready")
    yield program
    program.process.kill()
    program.process.communicate()


@pytest.mark.parametrize("program", ["calm"], indirect=True)
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_the_first_signal_stops_in_order(program: _Program, number: signal.Signals) -> None:
    program.process.send_signal(number)

    said, errors = program.rest()

    assert said.splitlines() == [f"{number.name} 1", "b ending", "b ended", "a ending", "a ended", "done"]
    assert (program.process.returncode, errors) == (0, "")


@pytest.mark.parametrize("program", ["deaf"], indirect=True)
def test_the_second_signal_cancels_at_once(program: _Program) -> None:
    began = time.monotonic()
    program.process.send_signal(signal.SIGTERM)
    program.read_until("SIGTERM 1")
    program.process.send_signal(signal.SIGTERM)

    said, _ = program.rest()

    assert said.splitlines()[0] == "SIGTERM 2"
    assert said.splitlines()[-1] == "done"
    assert program.process.returncode == 0
    assert time.monotonic() - began < 15


@pytest.mark.parametrize("program", ["stuck"], indirect=True)
def test_the_third_signal_ends_the_process(program: _Program) -> None:
    for count in (1, 2):
        program.process.send_signal(signal.SIGTERM)
        program.read_until(f"SIGTERM {count}")
    program.process.send_signal(signal.SIGINT)

    program.rest()

    assert program.process.returncode == 128 + signal.SIGINT


@pytest.mark.accepts("S43")
@pytest.mark.parametrize("program", ["stuck"], indirect=True)
def test_a_stuck_child_ends_the_process_with_70_and_its_stack(program: _Program) -> None:
    began = time.monotonic()
    program.process.send_signal(signal.SIGTERM)

    said, errors = program.rest()

    assert program.process.returncode == 70
    assert time.monotonic() - began < 15
    assert "a ended" in said  # its siblings were stopped
    assert "watchdog: a stuck child holds the process; exit 70" in errors
    assert "await trio.sleep(60 if self.shielded else self.cleanup)" in errors or "in run" in errors


@pytest.mark.accepts("S43")
@pytest.mark.parametrize("program", ["blocked"], indirect=True)
def test_a_blocked_loop_ends_the_process_with_70(program: _Program) -> None:
    program.process.send_signal(signal.SIGTERM)

    _, errors = program.rest()

    assert program.process.returncode == 70
    assert "watchdog: the loop was silent for more than 0.8 s; exit 70" in errors
    assert 'File "<string>"' in errors


async def test_the_watchdog_holds_the_shortest_term(nursery: trio.Nursery, tmp_path: Path) -> None:
    codes: list[int] = []
    with (tmp_path / "stacks").open("w") as out:
        watchdog = Watchdog(stall_seconds=60, out=out, end_process=codes.append)
        await nursery.start(watchdog.run)
        watchdog.expire_in(0.1, "soon")
        watchdog.expire_in(50, "later")
        with trio.fail_after(1_000_000):
            while not codes:
                await trio.to_thread.run_sync(time.sleep, 0.02)

    assert codes == [70]
    assert (tmp_path / "stacks").read_text().startswith("watchdog: soon; exit 70")


async def test_what_the_root_raises_comes_out_ungrouped(world: World) -> None:
    root = world.supervisor(world.specs("a"))

    async with trio.open_nursery() as nursery:
        nursery.start_soon(_expect_exit, root)
        await settle()
        world.raise_in("a", SystemExit(4))


async def _expect_exit(root: supervisors.Supervisor) -> None:
    with pytest.raises(SystemExit) as ended:
        await run_until_told(root)
    assert ended.value.code == 4
