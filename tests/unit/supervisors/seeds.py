"""Runs a random case once per seed, each in its own world, and names the seed that fails."""

from __future__ import annotations

import os
import random
from collections.abc import Awaitable, Callable
from contextlib import contextmanager
from typing import TYPE_CHECKING

import trio
import trio._core._run as trio_run
from trio.testing import MockClock

if TYPE_CHECKING:
    from collections.abc import Iterator

# RONDO_SEED=17 repeats one.
SEEDS = 1_000 if os.environ.get("CI") else 60
ONLY = os.environ.get("RONDO_SEED")

Case = Callable[[random.Random], Awaitable[None]]


def for_each_seed(case: Case) -> None:
    """Run a case with seeds 0, 1, …; the seed also decides in which order trio runs its tasks."""
    for seed in range(SEEDS) if ONLY is None else [int(ONLY)]:
        dice = random.Random(seed)  # a test has to be repeatable, not secret
        with _seeded_scheduling(seed):
            try:
                trio.run(case, dice, clock=MockClock(autojump_threshold=0))
            except BaseException as error:
                error.add_note(f"failing seed: RONDO_SEED={seed}")
                print(f"failing seed: RONDO_SEED={seed}")  # noqa: T201 # pytest shows it with the failure
                raise


@contextmanager
def _seeded_scheduling(seed: int) -> Iterator[None]:
    """Make trio's order of tasks a function of the seed (private, and what Hypothesis' own plugin does)."""
    before = trio_run._ALLOW_DETERMINISTIC_SCHEDULING
    trio_run._ALLOW_DETERMINISTIC_SCHEDULING = True  # type: ignore[misc] # a constant, but for tests
    trio_run._r.seed(seed)
    try:
        yield
    finally:
        trio_run._ALLOW_DETERMINISTIC_SCHEDULING = before  # type: ignore[misc] # as above
