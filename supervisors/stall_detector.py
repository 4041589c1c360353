"""Finds the task that holds the loop, and where in its code it does.

A task of its own gives a sign of life twenty times a second. A thread looks for it: when the sign is overdue it notes
which task runs and takes its stack, while it blocks; afterwards the culprit would already wait somewhere else.

No `trio.abc.Instrument`: that makes every step of every task one or two microseconds dearer, for ever, to measure
what hardly ever happens. This costs two wake-ups twenty times a second and can always be on.
"""

import sys
import threading
import time
import traceback
from collections.abc import Callable
from dataclasses import dataclass, field
from types import FrameType
from typing import Final

import trio

# So many signs of life fit into the silence that is allowed: a longer one is seen wherever between two it begins.
BEATS: Final = 6
# From here on people notice, and readiness says so …
DEGRADED_SECONDS: Final = 1.0
# … for as long as it takes a probe to come by.
DEGRADED_FOR_SECONDS: Final = 10.0
UNKNOWN: Final = "unknown"


@dataclass(frozen=True, slots=True, kw_only=True)
class Stall:
    """The loop was held.

    Attributes:
        task: Who held it; of several in turn, one after the other without a pause, all that were seen.
        seconds: How long at least.
        stack: Where the first of them was.
    """

    task: str
    seconds: float
    stack: str


@dataclass(slots=True)
class _Silence:
    """What the thread saw while the sign of life was overdue."""

    tasks: dict[str, None] = field(default_factory=dict)
    stack: str = ""


class StallDetector:
    """Watches the loop that `run` runs in.

    Args:
        on_stall: Told each stall, in trio's thread, when it is over. Must not wait.
        threshold_seconds: How long the loop may be held.
    """

    def __init__(self, on_stall: Callable[[Stall], object], *, threshold_seconds: float = 0.25) -> None:
        self._on_stall, self._threshold = on_stall, threshold_seconds
        self._beat_seconds = threshold_seconds / BEATS
        self._due: float | None = None
        self._silence = _Silence()
        self._last_stall: float | None = None
        self._degraded_until = 0.0
        self._off = threading.Event()
        self._thread_id = 0

    @property
    def degraded_seconds(self) -> float | None:
        """For how long the loop is held, or was lately, if that is a second or more; else None. For any thread."""
        now, due = time.perf_counter(), self._due
        if due is not None and now - due >= DEGRADED_SECONDS:
            return now - due
        return self._last_stall if now < self._degraded_until else None

    @property
    def is_degraded(self) -> bool:
        """Whether the loop is held for a second or more, or was lately. For any thread."""
        return self.degraded_seconds is not None

    async def run(self, *, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED) -> None:
        """Watch until cancelled."""
        self._thread_id = threading.get_ident()
        self._off.clear()
        threading.Thread(target=self._watch, name="stall-detector", daemon=True).start()
        task_status.started()
        try:
            while True:
                self._due = time.perf_counter() + self._beat_seconds
                await trio.sleep(self._beat_seconds)
                self._give_sign(time.perf_counter() - self._due)
        finally:
            self._due = None
            self._off.set()

    def _give_sign(self, late_seconds: float) -> None:
        silence, self._silence = self._silence, _Silence()
        if late_seconds < self._threshold:
            return
        if late_seconds >= DEGRADED_SECONDS:
            self._last_stall = late_seconds
            self._degraded_until = time.perf_counter() + DEGRADED_FOR_SECONDS
        who = ", then ".join(silence.tasks) or UNKNOWN
        self._on_stall(Stall(task=who, seconds=late_seconds, stack=silence.stack))

    def _watch(self) -> None:
        while not self._off.wait(self._beat_seconds):
            due, silence = self._due, self._silence
            if due is not None and time.perf_counter() - due >= self._beat_seconds:
                self._look(silence)

    def _look(self, silence: _Silence) -> None:
        frame = sys._current_frames().get(self._thread_id)  # noqa: SLF001 # the documented way to see a thread
        if frame is None:
            return
        silence.tasks[_task_name(frame)] = None
        if not silence.stack:
            silence.stack = "".join(traceback.format_stack(frame))


def _task_name(frame: FrameType | None) -> str:
    """Return which task trio's loop runs now, found in the loop's own frame: from another thread nobody can ask it."""
    while frame is not None:
        if frame.f_code.co_name == "unrolled_run":
            task = frame.f_locals.get("task")
            return task.name if isinstance(task, trio.lowlevel.Task) else UNKNOWN
        frame = frame.f_back
    return UNKNOWN
