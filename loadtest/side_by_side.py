"""Two ways of doing the same, timed in turn in one run, so that a busy machine disturbs both alike."""

from __future__ import annotations

import sys
import time
from statistics import median
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable

ROUNDS: Final = 15


def compare(what: str, times: int, ours: Callable[[], object], theirs: Callable[[], object], *, other: str) -> None:
    """Time two calls in turn; print the medians in microseconds of CPU and how many times as long the second takes."""
    pairs = [(spent(ours, times), spent(theirs, times)) for _ in range(ROUNDS)]
    mine, others = (median(seconds) * 1e6 for seconds in zip(*pairs, strict=True))
    ratio = median(second / first for first, second in pairs)
    sys.stdout.write(f"{what:<20} ours {mine:9.2f} µs   {other} {others:9.2f} µs   ratio {ratio:5.1f}\n")


def spent(call: Callable[[], object], times: int) -> float:
    """Return the CPU seconds of one call."""
    began = time.process_time()
    for _ in range(times):
        call()
    return (time.process_time() - began) / times
