"""What makes a simulation worth something: it finds what is broken, and finds it again."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
import uuid
from pathlib import Path

import pytest
import trio
from trio.testing import MockClock

from app.adapters.clock import SystemClock
from app.domain.ids import new_id
from tests.simulation.clocks import BEGINNING
from tests.simulation.determinism import NotSimulatedError, determinism
from tests.simulation.mutants import ALL, Mutants, SerialCursor
from tests.simulation.runner import simulate

ROOT = Path(__file__).parents[2]
# Seeds until something broken is found: a broken relay takes about four of them, a late ledger twenty.
SOON = 120


def first_violation(mutants: Mutants, seeds: int) -> str | None:
    """Return what the first seed that fails has to say."""
    outcomes = (simulate(seed, mutants) for seed in range(seeds))
    return next((outcome.violation for outcome in outcomes if outcome.violation is not None), None)


@pytest.mark.accepts("C24", "E02")
def test_a_relay_with_a_cursor_over_the_serial_id_is_caught() -> None:
    violation = first_violation(SerialCursor(), SOON)

    assert violation is not None
    assert "events have no position" in violation


@pytest.mark.accepts("C24")
@pytest.mark.parametrize("name", sorted(set(ALL) - {"SerialCursor"}))
def test_other_broken_parts_are_caught(name: str) -> None:
    assert first_violation(ALL[name](), SOON) is not None


@pytest.mark.accepts("C24")
@pytest.mark.parametrize("seed", [3, 14])
def test_the_same_seed_gives_the_same_trace(seed: int) -> None:
    first, second = simulate(seed), simulate(seed)

    assert first.lines == second.lines
    assert first.digest == second.digest
    assert first.events > 0


@pytest.mark.accepts("C24")
def test_another_seed_gives_another_trace() -> None:
    assert simulate(3).digest != simulate(4).digest


@pytest.mark.accepts("C24")
def test_a_seed_gives_the_same_trace_in_another_process_with_other_hashes() -> None:
    environment = {**os.environ, "PYTHONHASHSEED": "4711"}
    command = [sys.executable, "-m", "tests.simulation", "--first", "7", "--seeds", "1", "--trace"]

    ended = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=120, check=False)

    assert ended.returncode == 0, ended.stdout[-2000:] + ended.stderr[-2000:]
    assert f"seed 7: trace {simulate(7).digest}" in ended.stdout


def test_what_is_random_is_seeded_in_a_simulation() -> None:
    async def drawn() -> tuple[object, ...]:
        await trio.lowlevel.checkpoint()
        return new_id(BEGINNING), uuid.uuid4(), os.urandom(8), time.time(), time.time_ns()

    def once(seed: str) -> tuple[object, ...]:
        with determinism(seed):
            return trio.run(drawn, clock=MockClock())

    assert once("a") == once("a")
    assert once("a")[:3] != once("b")[:3]


@pytest.mark.parametrize("way_out", ["thread", "clock", "network"])
def test_the_real_world_is_out_of_reach_in_a_simulation(way_out: str) -> None:
    async def reach() -> None:
        if way_out == "thread":
            await trio.to_thread.run_sync(time.monotonic)
        elif way_out == "clock":
            SystemClock().now()
        else:
            await trio.open_tcp_stream("127.0.0.1", 9)

    with determinism("x"), pytest.raises(NotSimulatedError):
        trio.run(reach)


def test_other_threads_keep_their_own_time() -> None:
    async def look(times: list[float]) -> None:
        await trio.lowlevel.checkpoint()
        times.append(time.time())

    mine: list[float] = []
    theirs: list[float] = []
    real = time.time()
    with determinism("x"):
        thread = threading.Thread(target=trio.run, args=(look, theirs))
        thread.start()
        trio.run(look, mine, clock=MockClock())
        thread.join()

    assert abs(theirs[0] - real) < 600 < abs(mine[0] - real)
