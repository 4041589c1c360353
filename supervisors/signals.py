"""Runs a tree until a signal ends it: once in order, twice at once, three times without a word.

SIGTERM and SIGINT mean the same. Has to run in the main thread: only there Python receives signals.
"""

import os
import signal
from collections.abc import AsyncIterator, Callable
from typing import Final

import trio

from supervisors.errors import SupervisionError
from supervisors.supervisor import Supervisor
from supervisors.watchdog import Watchdog

TOLD_BY: Final = (signal.SIGTERM, signal.SIGINT)
# Once every child is gone or given up, only a stuck one can hold the process.
LAST_SECONDS: Final = 1.0


async def run_until_told(
    root: Supervisor,
    *,
    watchdog: Watchdog | None = None,
    stop_seconds: float = 30.0,
    on_signal: Callable[[str, int], object] = lambda _name, _count: None,
    end_process: Callable[[int], object] = os._exit,
) -> None:
    """Run a tree until it ends, or until a signal ends it.

    The first signal stops it in order; the second cancels everything at the same time; the third ends the
    process with 128 + the signal's number, as a shell would report it.

    Args:
        root: The outermost supervisor.
        watchdog: Ends the process when the loop hangs, or when stopping (for whatever reason) takes too long.
        stop_seconds: How long stopping may take.
        on_signal: Told the signal's name and which one it is: 1, 2, … Must not wait.
        end_process: What the third signal does.

    Raises:
        SupervisionError, SystemExit: What `root.run` raises, and not in a group.
    """
    ended: BaseException | None = None
    with trio.open_signal_receiver(*TOLD_BY) as signals:
        async with trio.open_nursery() as nursery:
            if watchdog is not None:
                await nursery.start(watchdog.run)
                nursery.start_soon(_bound_the_end, root, watchdog, stop_seconds)
            # Last, so that the root already runs when the first signal is looked at.
            nursery.start_soon(_obey, signals, root, on_signal, end_process)
            try:
                await root.run()
            except (SupervisionError, SystemExit, KeyboardInterrupt) as error:
                ended = error
            nursery.cancel_scope.cancel()
    if ended is not None:
        raise ended


async def _obey(
    signals: AsyncIterator[int],
    root: Supervisor,
    on_signal: Callable[[str, int], object],
    end_process: Callable[[int], object],
) -> None:
    count = 0
    async for number in signals:
        count += 1
        on_signal(signal.Signals(number).name, count)
        if count == 1:
            root.stop_soon()
        elif count == 2:
            root.hurry()
        else:
            end_process(128 + number)


async def _bound_the_end(root: Supervisor, watchdog: Watchdog, seconds: float) -> None:
    await root.wait_stopping()
    watchdog.expire_in(seconds, f"stopping took more than {seconds} s")
    await root.stop()
    watchdog.expire_in(LAST_SECONDS, "a stuck child holds the process")
