"""Ends the process when trio cannot: dumps all stacks, then exit code 70, and the init system starts it again.

trio has no kill. What shields itself from cancellation, or blocks the thread, can only be ended with the process.
A thread watches, since the loop may be what hangs. (A C extension that never gives the GIL back also
stops this thread; against that only a watchdog outside helps, such as systemd's `WatchdogSec`.)
"""

import faulthandler
import os
import sys
import threading
from collections.abc import Callable
from typing import Final, TextIO

import trio

from supervisors.stacks import task_stack

# EX_SOFTWARE of sysexits.h: an internal fault.
EXIT_CODE: Final = 70
# So many beats fit into the silence that is allowed.
BEATS: Final = 4
TICK_SECONDS: Final = 0.1


class Watchdog:
    """Watches the loop that `run` runs in.

    Time is counted in ticks of the watching thread, not read from a clock: a process that was
    stopped and continued (SIGSTOP, a suspended machine) has not hung.

    Args:
        stall_seconds: How long the loop may be silent.
        out: Where the stacks go; must have a file descriptor. None: standard error.
        end_process: How the process ends.
    """

    def __init__(
        self,
        *,
        stall_seconds: float = 30.0,
        out: TextIO | None = None,
        end_process: Callable[[int], object] = os._exit,
    ) -> None:
        self._stall_seconds = stall_seconds
        self._out = out
        self._end_process = end_process
        self._silent_for = 0.0
        self._left: tuple[float, str] | None = None
        self._off = threading.Event()
        self._root: trio.lowlevel.Task | None = None

    def expire_in(self, seconds: float, why: str) -> None:
        """End the process in so many seconds, if nobody switches the watchdog off before. The shortest term holds."""
        if self._left is None or seconds < self._left[0]:
            self._left = (seconds, why)

    async def run(self, *, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED) -> None:
        """Watch until cancelled."""
        self._root = trio.lowlevel.current_root_task()
        self._off.clear()
        thread = threading.Thread(target=self._watch, name="watchdog", daemon=True)
        thread.start()
        task_status.started()
        try:
            while True:
                self._silent_for = 0.0
                await trio.sleep(self._stall_seconds / BEATS)
        finally:
            self._off.set()

    def _watch(self) -> None:
        while not self._off.wait(TICK_SECONDS):
            self._silent_for += TICK_SECONDS
            if self._silent_for > self._stall_seconds:
                self._bite(f"the loop was silent for more than {self._stall_seconds} s")
                return
            if self._left is not None:
                seconds, why = self._left
                self._left = (seconds - TICK_SECONDS, why)
                if seconds <= 0:
                    self._bite(why)
                    return

    def _bite(self, why: str) -> None:
        out = self._out or sys.__stderr__
        if out is not None:
            print(f"watchdog: {why}; exit {EXIT_CODE}", file=out, flush=True)
            faulthandler.dump_traceback(out, all_threads=True)
            if self._root is not None:
                print(task_stack(self._root), file=out, flush=True)
        self._end_process(EXIT_CODE)
