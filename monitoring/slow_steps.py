"""Finds the task that held the loop: a trio Instrument, behind a switch.

Makes every step of every task some 0.7 µs dearer, so it is for looking, not for always.
"""

import time
import traceback
from collections.abc import Iterator
from types import CoroutineType, FrameType
from typing import TYPE_CHECKING

import trio

from monitoring import logs, metrics

if TYPE_CHECKING:
    from collections.abc import Callable

# People notice a hundred; two such steps in one request are that.
SLOW_STEP_SECONDS = 0.05
# A loop that is slow all the time must not also drown in its own reports.
REPORT_EVERY_SECONDS = 1.0

log = logs.get_logger("runtime")


class SlowSteps(trio.abc.Instrument):
    """Counts steps over 50 ms, and logs at most one a second with the name of the task and its stack."""

    def __init__(self, clock: "Callable[[], float]" = time.perf_counter) -> None:
        """Use a monotonic clock (seconds)."""
        self._clock = clock
        self._started = 0.0
        self._reported = float("-inf")
        self._unreported = 0

    def before_task_step(self, task: trio.lowlevel.Task) -> None:  # noqa: ARG002 # trio's signature
        """Note when the step begins."""
        self._started = self._clock()

    def after_task_step(self, task: trio.lowlevel.Task) -> None:
        """Report the step if it was slow."""
        now = self._clock()
        if now - self._started < SLOW_STEP_SECONDS:
            return
        metrics.EVENT_LOOP_SLOW_STEPS_TOTAL.inc()
        if now - self._reported < REPORT_EVERY_SECONDS:
            self._unreported += 1
            return
        log.warning(
            "A task held the loop.",
            event="runtime.step.slow",
            task=task.name,
            duration=round(now - self._started, 6),
            unreported=self._unreported,
            stack=stack(task),
        )
        self._reported, self._unreported = now, 0


def stack(task: trio.lowlevel.Task) -> str:
    """Return where the task waits now, outermost call first; the slow step ended there. Empty: it has ended."""
    lines = (traceback.extract_stack(frame, limit=1) for frame in _frames(task.coro))
    return "".join("".join(traceback.format_list(line)) for line in lines)


def _frames(awaited: object) -> Iterator[FrameType]:
    while isinstance(awaited, CoroutineType):
        if awaited.cr_frame is not None:
            yield awaited.cr_frame
        awaited = awaited.cr_await
