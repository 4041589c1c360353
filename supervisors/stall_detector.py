"""Finds the task that holds the loop, and where in its code it does.

An instrument alone sees a step only before and after, when the culprit already waits somewhere else. So a
thread looks at the running step, and takes the stack while it blocks.
"""

import sys
import threading
import time
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import trio

# So often a running step is looked at; two looks at a stall of the shortest kind.
TICK_SECONDS: Final = 0.1
# From here on people notice, and readiness should say so …
DEGRADED_SECONDS: Final = 1.0
# … for as long as it takes a probe to come by.
DEGRADED_FOR_SECONDS: Final = 30.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Stall:
    """A step that held the loop: whose, how long, and where it was when it was seen."""

    task: str
    seconds: float
    stack: str


class StallDetector(trio.abc.Instrument):
    """Reports steps that hold the loop. Every step of every task gets some 0.5 µs dearer.

    Args:
        on_stall: Told each, in trio's thread, when the step is over. Must not wait.
        threshold_seconds: How long a step may hold the loop.
    """

    def __init__(self, on_stall: Callable[[Stall], object], *, threshold_seconds: float = 0.25) -> None:
        self._on_stall, self._threshold = on_stall, threshold_seconds
        self._step = 0
        self._began: float | None = None
        self._seen: tuple[int, str] = (0, "")
        self._degraded_until = 0.0
        self._off = threading.Event()
        self._thread_id = 0

    @property
    def is_degraded(self) -> bool:
        """Whether the loop is held for a second or more, or was lately. For any thread."""
        now = time.perf_counter()
        began = self._began
        return now < self._degraded_until or (began is not None and now - began >= DEGRADED_SECONDS)

    async def run(self, *, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED) -> None:
        """Watch until cancelled."""
        self._thread_id = threading.get_ident()
        self._off.clear()
        threading.Thread(target=self._watch, name="stall-detector", daemon=True).start()
        trio.lowlevel.add_instrument(self)
        task_status.started()
        try:
            await trio.sleep_forever()
        finally:
            trio.lowlevel.remove_instrument(self)
            self._off.set()

    def before_task_step(self, task: trio.lowlevel.Task) -> None:  # noqa: ARG002 # trio's signature
        """Note when the step begins."""
        self._step += 1
        self._began = time.perf_counter()

    def after_task_step(self, task: trio.lowlevel.Task) -> None:
        """Report the step if it was long."""
        if self._began is None:
            return
        now = time.perf_counter()
        seconds = now - self._began
        self._began = None
        if seconds < self._threshold:
            return
        if seconds >= DEGRADED_SECONDS:
            self._degraded_until = now + DEGRADED_FOR_SECONDS
        step, stack = self._seen
        self._on_stall(Stall(task=task.name, seconds=seconds, stack=stack if step == self._step else ""))

    def _watch(self) -> None:
        while not self._off.wait(TICK_SECONDS):
            step, began = self._step, self._began
            if began is None or self._seen[0] == step or time.perf_counter() - began < TICK_SECONDS:
                continue
            frame = sys._current_frames().get(self._thread_id)  # noqa: SLF001 # the documented way to see a thread
            if frame is not None:
                self._seen = (step, "".join(traceback.format_stack(frame)))
