"""The locust scenarios, each against a Rondo of its own. Locust runs in a process of its own: gevent patches it all."""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Final

from loadtest.process import ROOT, running

if TYPE_CHECKING:
    from collections.abc import Sequence

FILES: Final = {"http": "loadtest/locustfile.py", "websocket": "loadtest/locustfile_websocket.py"}
# Both end by their own table of stages; this is for one that hangs.
LIMIT_SECONDS: Final = 300


def main(command: str, arguments: Sequence[str]) -> int:
    """Run one scenario, or both; return 0 when all thresholds held."""
    parser = argparse.ArgumentParser(prog=f"python -m loadtest {command}")
    parser.add_argument("--short", action="store_true", help="a few seconds, for CI")
    options = parser.parse_args(arguments)
    names = tuple(FILES) if command == "load" else (command,)
    codes = [run(name, short=options.short) for name in names]
    return 1 if any(codes) else 0


def run(name: str, *, short: bool) -> int:
    """Run a scenario; return locust's exit code: 1 when a threshold did not hold."""
    print(f"— {name} —", flush=True)
    with tempfile.TemporaryDirectory(prefix="rondo-load-") as folder, running(Path(folder) / "data") as rondo:
        environment = {**os.environ, "LOADTEST_FORM": "short" if short else "full"}
        command = [
            sys.executable,
            "-m",
            "locust",
            "-f",
            FILES[name],
            "--headless",
            "--only-summary",
            "--host",
            rondo.url,
        ]
        return subprocess.run(command, cwd=ROOT, env=environment, check=False, timeout=LIMIT_SECONDS).returncode
