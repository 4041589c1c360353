"""On what it was measured: without that, a figure is a rumour."""

from __future__ import annotations

import os
import platform
import shutil
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING, Any

from loadtest.process import ROOT

if TYPE_CHECKING:
    from loadtest.bench.store import Store


def describe(store: Store) -> dict[str, Any]:
    """Return processor, memory, versions and load of this machine."""
    return {
        "processor": _first(Path("/proc/cpuinfo"), "model name") or platform.machine(),
        "processors": len(os.sched_getaffinity(0)),
        "memory_bytes": int(_first(Path("/proc/meminfo"), "MemTotal").split()[0]) * 1024,
        "kernel": platform.release(),
        "python": platform.python_version(),
        "postgresql": store.value("SHOW server_version"),
        "fsync": store.value("SHOW fsync"),
        "synchronous_commit": store.value("SHOW synchronous_commit"),
        "load_average": os.getloadavg()[0],
    }


def commit() -> str:
    """Return the commit that was measured, with a plus when files differ from it; "unknown" outside of git."""
    git = shutil.which("git")
    if git is None:
        return "unknown"
    answers = [
        subprocess.run([git, *words], cwd=ROOT, capture_output=True, text=True, check=False)
        for words in (("rev-parse", "--short=12", "HEAD"), ("status", "--porcelain", "--untracked-files=no"))
    ]
    if any(answer.returncode for answer in answers):
        return "unknown"
    return answers[0].stdout.strip() + ("+" if answers[1].stdout.strip() else "")


def _first(path: Path, key: str) -> str:
    for line in path.read_text(encoding="utf-8").splitlines():
        name, _, value = line.partition(":")
        if name.strip() == key:
            return value.strip()
    return ""
