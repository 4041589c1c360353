"""Runs ``rondo …`` as a person does: a process of its own with an environment of its own."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

REPOSITORY = Path(__file__).parents[3]
SECONDS = 60.0


def rondo(*arguments: str, said: str = "", **settings: str) -> subprocess.CompletedProcess[str]:
    """Run a command to its end; ``said`` is its standard input, settings are given without ``RONDO_``."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("RONDO_")}
    environment |= {f"RONDO_{name.upper()}": value for name, value in settings.items()}
    return subprocess.run(
        [sys.executable, "-m", "app.cli", *arguments],
        env=environment,
        cwd=REPOSITORY,
        input=said,
        capture_output=True,
        text=True,
        timeout=SECONDS,
        check=False,
    )
