"""The seeds of CI: 300 of them, in files and batches so that the workers of a test run share them."""

from __future__ import annotations

from typing import Final

import pytest

from tests.simulation.runner import command, simulate

FILES: Final = 4
BATCHES: Final = 5
SEEDS_PER_BATCH: Final = 15


def batches_of(file: int) -> list[int]:
    """Return the first seed of each batch of a file, 0 … 3."""
    return [(file * BATCHES + batch) * SEEDS_PER_BATCH for batch in range(BATCHES)]


def run_batch(first: int) -> None:
    """Run the seeds of a batch; a seed that fails says how to run it alone."""
    for seed in range(first, first + SEEDS_PER_BATCH):
        outcome = simulate(seed)
        if outcome.violation is not None:
            pytest.fail(f"seed {seed}: {outcome.violation}\nagain: {command(seed)}", pytrace=False)
