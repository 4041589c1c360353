"""How much of the machine this process may use: what its cgroups leave it.

Reads Linux's files. Where there are none (another system, a hidden /sys) the machine's own
figures hold.
"""

import os
import sys
from collections.abc import Iterator
from pathlib import Path

_ROOT = Path("/")
# cgroup v1 says "no limit" with a number near 2**63.
_NO_LIMIT_BYTES = 2**60


def cpu_cores(root: Path = _ROOT) -> float:
    """Return how many cores this process can keep busy: quota or affinity, and one while the GIL is on.

    Args:
        root: Where /proc and /sys are.
    """
    quotas = [quota for folder in _folders(root, "cpu") if (quota := _quota(folder)) is not None]
    interpreter = 1.0 if getattr(sys, "_is_gil_enabled", lambda: True)() else float("inf")
    return min([interpreter, float(processors()), *quotas])


def memory_bytes(root: Path = _ROOT) -> float:
    """Return how much memory this process may use: the tightest cgroup's limit, or all there is."""
    limits = [
        float(text)
        for folder in _folders(root, "memory")
        for name in ("memory.max", "memory.limit_in_bytes")
        if (text := _read(folder / name)).isdigit() and int(text) < _NO_LIMIT_BYTES
    ]
    return min([_memory_total(root), *limits])


def processors() -> int:
    """Return on how many processors this process may run."""
    return len(os.sched_getaffinity(0)) if sys.platform == "linux" else os.cpu_count() or 1


def _folders(root: Path, controller: str) -> Iterator[Path]:
    """Yield the folders of this process's cgroup and of those around it, version 2 and version 1."""
    for line in _read(root / "proc/self/cgroup").splitlines():
        _, controllers, path = line.split(":", 2)
        if controllers and controller not in controllers.split(","):
            continue
        base = root / "sys/fs/cgroup" / (controller if controllers else "")
        group = base / path.lstrip("/")
        yield group
        yield from (parent for parent in group.parents if parent.is_relative_to(base))


def _quota(folder: Path) -> float | None:
    quota, _, period = _read(folder / "cpu.max").partition(" ")
    if not quota:
        quota, period = _read(folder / "cpu.cfs_quota_us"), _read(folder / "cpu.cfs_period_us")
    return int(quota) / int(period) if quota.isdigit() and period.isdigit() else None


def _memory_total(root: Path) -> float:
    for line in _read(root / "proc/meminfo").splitlines():
        if line.startswith("MemTotal:"):
            return float(line.split()[1]) * 1024
    return float(os.sysconf("SC_PHYS_PAGES")) * os.sysconf("SC_PAGE_SIZE")


def _read(path: Path) -> str:
    try:
        return path.read_text().strip()
    except OSError:
        return ""
