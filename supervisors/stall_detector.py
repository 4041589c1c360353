"""Finds the task that holds the loop, and where in its code it does.

trio's loop waits for I/O, then runs every task that is due once, again and again. A thread looks ten times a second
whether such a turn has gone on since before its last look: then it notes which task runs and takes its stack, while it
blocks; afterwards the culprit would already wait somewhere else.

The loop itself does nothing for it. A turn is seen in the loop's own frame, in which trio notes when the turn began.
A `trio.abc.Instrument`, even one with nothing but the two hooks of a turn, is called in every turn. A task that gives
signs of life wakes an idle process twenty times a second: with it Rondo took 1.8 times as much CPU at rest, 21 ms per
second instead of 11 (`python -m loadtest bench --only rest`, the two in turn).
"""

import contextlib
import sys
import threading
import traceback
from collections.abc import Callable
from dataclasses import dataclass, field
from types import FrameType
from typing import Final, NamedTuple

import trio

# The thread looks so often in the time that is allowed …
LOOKS: Final = 2.5
# … and so often in one of these intervals while a turn takes long: how exact its length is.
CLOSER_LOOKS: Final = 5
# From here on people notice, and readiness says so …
DEGRADED_SECONDS: Final = 1.0
# … for as long as it takes a probe to come by.
DEGRADED_FOR_SECONDS: Final = 10.0
UNKNOWN: Final = "unknown"


@dataclass(frozen=True, slots=True, kw_only=True)
class Stall:
    """The loop was held.

    Attributes:
        task: Who held it; of several in turn, one after the other without a pause, all that were seen; `UNKNOWN` if
            the whole process stood still.
        seconds: For how long, to some hundredths; at least, if the whole process stood still.
        stack: Where the first of them was.
    """

    task: str
    seconds: float
    stack: str


class _Turn(NamedTuple):
    """When it began, in trio's time, and which task runs."""

    began: float
    task: str


@dataclass(slots=True)
class _Sight:
    """A long turn as the thread sees it; sure when it was seen twice (see `_turn`)."""

    began: float
    tasks: dict[str, None] = field(default_factory=dict)
    stack: str = ""
    is_sure: bool = False


class StallDetector:
    """Watches the loop that `run` runs in.

    Args:
        on_stall: Told each stall, in trio's thread, when it is over. Must not wait.
        threshold_seconds: How long the loop may be held.
    """

    def __init__(self, on_stall: Callable[[Stall], object], *, threshold_seconds: float = 0.25) -> None:
        self._on_stall, self._threshold = on_stall, threshold_seconds
        self._look_seconds = threshold_seconds / LOOKS
        self._sight: _Sight | None = None
        self._last_stall: float | None = None
        self._degraded_until = 0.0
        self._clock: trio.abc.Clock | None = None

    @property
    def degraded_seconds(self) -> float | None:
        """For how long the loop is held, or was lately, if that is a second or more; else None. For any thread."""
        if self._clock is None:
            return None
        now, sight = self._clock.current_time(), self._sight
        if sight is not None and sight.is_sure and now - sight.began >= DEGRADED_SECONDS:
            return now - sight.began
        return self._last_stall if now < self._degraded_until else None

    @property
    def is_degraded(self) -> bool:
        """Whether the loop is held for a second or more, or was lately. For any thread."""
        return self.degraded_seconds is not None

    async def run(self, *, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED) -> None:
        """Watch until cancelled."""
        self._clock, off = trio.lowlevel.current_clock(), threading.Event()
        watched = (off, self._clock, trio.lowlevel.current_trio_token(), threading.get_ident())
        threading.Thread(target=self._watch, args=watched, name="stall-detector", daemon=True).start()
        task_status.started()
        try:
            await trio.sleep_forever()
        finally:
            off.set()

    def _watch(
        self, off: threading.Event, clock: trio.abc.Clock, loop: trio.lowlevel.TrioToken, thread_id: int
    ) -> None:
        before = clock.current_time()
        while not off.wait(pause := self._look_seconds / CLOSER_LOOKS if self._sight else self._look_seconds):
            # Documented in `sys` in spite of its underscore, and the only way to another thread's stack.
            frame = sys._current_frames().get(thread_id)  # noqa: SLF001 # see above
            now, turn, stall = clock.current_time(), _turn(frame), None
            if now - before - pause >= self._threshold:
                stall = self._stood_still(now - before - pause, now)
            elif self._sight is not None and (turn is None or turn.began != self._sight.began):
                stall = self._end(self._sight, now if turn is None else turn.began)
            elif turn is not None and now - turn.began >= self._look_seconds:
                self._see(turn, frame)
            if stall is not None:
                with contextlib.suppress(trio.RunFinishedError):  # nobody is left to be told
                    loop.run_sync_soon(self._on_stall, stall)
            before = now
        self._sight = None

    def _see(self, turn: _Turn, frame: FrameType | None) -> None:
        """Note a turn that takes long."""
        if self._sight is None:
            self._sight = _Sight(turn.began, stack="".join(traceback.format_stack(frame)))
        else:
            self._sight.is_sure = True
        self._sight.tasks[turn.task] = None

    def _end(self, sight: _Sight, at: float) -> Stall | None:
        """Return what a turn that is over was, if it took too long."""
        self._sight, seconds = None, at - sight.began
        if not sight.is_sure or seconds < self._threshold:
            return None
        return self._stall(", then ".join(sight.tasks), seconds, at, sight.stack)

    def _stood_still(self, seconds: float, at: float) -> Stall:
        """Return what it was when this thread, too, had no turn: nobody knows who, if anybody here, is to blame.

        The process was stopped, the machine slept, or a C extension did not give the GIL back.
        """
        self._sight = None
        return self._stall(UNKNOWN, seconds, at, "")

    def _stall(self, task: str, seconds: float, at: float, stack: str) -> Stall:
        if seconds >= DEGRADED_SECONDS:
            self._last_stall, self._degraded_until = seconds, at + DEGRADED_FOR_SECONDS
        return Stall(task=task, seconds=seconds, stack=stack)


def _turn(frame: FrameType | None) -> _Turn | None:
    """Return the turn that trio's loop is in, found in the loop's own frame, or None while it waits.

    From another thread nobody can ask trio. For some microseconds, while what woke the loop is looked through, the
    frame still says when the turn before began; so only what was seen twice is sure.
    """
    while frame is not None:
        if frame.f_code.co_name == "unrolled_run":
            task, began = frame.f_locals.get("task"), frame.f_locals.get("now")
            name = task.name if isinstance(task, trio.lowlevel.Task) else UNKNOWN
            return None if began is None else _Turn(began, name)
        frame = frame.f_back
    return None
