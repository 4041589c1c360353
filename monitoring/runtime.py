"""The state of the process itself: loop lag, tasks, memory, files, build.

What can be read when somebody asks is read at the scrape; only the loop's lag needs a task.
"""

import os
import platform
import time
from collections.abc import Callable, Iterable
from pathlib import Path

import trio
from prometheus_client import PlatformCollector, ProcessCollector
from prometheus_client.gc_collector import GCCollector

from monitoring import limits, metrics, pulse

# Ten looks a second see every stall a person could notice.
PROBE_SECONDS = 0.1
# Limits are read from a dozen files, and hardly ever change.
LIMIT_SECONDS = 60.0

# What every Python process can tell. Registered once, with the registry they belong to.
ProcessCollector(registry=metrics.REGISTRY)
PlatformCollector(registry=metrics.REGISTRY)
GCCollector(registry=metrics.REGISTRY)


class LoopProbe:
    """Sleeps for 100 ms, again and again, and measures how much later it wakes. Lets the metrics settle meanwhile.

    What wakes at the same beat and happens to run before it is in the lag, as it is for any other task.
    """

    async def run(self, *, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED) -> None:
        """Run until cancelled."""
        metrics.EVENT_LOOP_TASKS.set_function(_living_tasks)
        task_status.started()
        while True:
            asked_for = pulse.following(PROBE_SECONDS)
            await trio.sleep_until(asked_for)
            metrics.EVENT_LOOP_LAG_SECONDS.observe(max(0.0, trio.current_time() - asked_for))
            metrics.REGISTRY.settle()


def describe(version: str, revision: str = "unknown", filesystems: Iterable[Path] = ()) -> None:
    """Say what runs here, and what it may use. Call it once, at start-up.

    Args:
        version: Rondo's version.
        revision: The commit it was built from.
        filesystems: Folders where the service keeps data.
    """
    metrics.SERVICE_INFO.labels(version, revision, platform.python_version(), platform.platform()).set(1)
    metrics.PROCESS_CPU_LIMIT_CORES.set_function(_kept(limits.cpu_cores))
    metrics.PROCESS_MEMORY_LIMIT_BYTES.set_function(_kept(limits.memory_bytes))
    for folder in filesystems:
        _watch(folder)


def _living_tasks() -> float:
    """Return how many tasks there are. trio counts sockets along with them, so it is asked for only when read."""
    try:
        return trio.lowlevel.current_statistics().tasks_living
    except RuntimeError:  # trio's word for "no loop runs here"; the other metrics must still be served
        return float("nan")


def _kept(read: Callable[[], float]) -> Callable[[], float]:
    """Return a function that reads again only what was read a while ago."""
    value, until = 0.0, float("-inf")

    def kept() -> float:
        nonlocal value, until
        if time.monotonic() >= until:
            value, until = read(), time.monotonic() + LIMIT_SECONDS
        return value

    return kept


def _watch(folder: Path) -> None:
    def available() -> float:
        return _bytes(folder, "f_bavail")

    def size() -> float:
        return _bytes(folder, "f_blocks")

    metrics.PROCESS_FILESYSTEM_AVAIL_BYTES.labels(folder).set_function(available)
    metrics.PROCESS_FILESYSTEM_SIZE_BYTES.labels(folder).set_function(size)


def _bytes(folder: Path, blocks: str) -> float:
    try:
        status = os.statvfs(folder)
    except OSError:  # the folder is gone; the other metrics must still be served
        return float("nan")
    return float(getattr(status, blocks) * status.f_frsize)
