"""Runs ``rondo …`` as a person does: a process of its own with an environment of its own."""

from __future__ import annotations

import os
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

REPOSITORY = Path(__file__).parents[3]
SECONDS = 60.0


def rondo(*arguments: str, said: str = "", **settings: str) -> subprocess.CompletedProcess[str]:
    """Run a command to its end; ``said`` is its standard input, settings are given without ``RONDO_``."""
    return subprocess.run(
        [sys.executable, "-m", "app.cli", *arguments],
        env=_environment(settings),
        cwd=REPOSITORY,
        input=said,
        capture_output=True,
        text=True,
        timeout=SECONDS,
        check=False,
    )


@contextmanager
def begun(*arguments: str, **settings: str) -> Iterator[subprocess.Popen[str]]:
    """Run a command during a block; what still runs at its end is killed."""
    process = subprocess.Popen(
        [sys.executable, "-m", "app.cli", *arguments],
        env=_environment(settings),
        cwd=REPOSITORY,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def ended(process: subprocess.Popen[str]) -> tuple[int, str, str]:
    """Wait for the end of a command; return its exit code and what it printed since it was last read."""
    printed, complained = process.communicate(timeout=SECONDS)
    return process.returncode, printed, complained


def _environment(settings: dict[str, str]) -> dict[str, str]:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("RONDO_")}
    return environment | {f"RONDO_{name.upper()}": value for name, value in settings.items()}
