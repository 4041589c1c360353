"""The locust scenarios, each against a Rondo of its own. Locust runs in a process of its own: gevent patches it all."""

from __future__ import annotations

import argparse
import json
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
    results = run(tuple(FILES) if command == "load" else (command,), short=options.short)
    return 0 if all(promises and all(promises.values()) for promises in results.values()) else 1


def run(names: Sequence[str], *, short: bool) -> dict[str, dict[str, bool]]:
    """Run scenarios against one Rondo; return the promises of each and whether they held.

    A scenario without promises did not come to its end.
    """
    with tempfile.TemporaryDirectory(prefix="rondo-load-") as folder, running(Path(folder) / "data") as rondo:
        results = {}
        for name in names:
            print(f"— {name} —", flush=True)
            path = Path(folder) / f"{name}.json"
            form = {"LOADTEST_FORM": "short" if short else "full", "LOADTEST_RESULT": str(path)}
            locust = ["locust", "-f", FILES[name], "--headless", "--only-summary", "--host", rondo.url]
            command = [sys.executable, "-m", *locust]
            subprocess.run(command, cwd=ROOT, env=os.environ | form, check=False, timeout=LIMIT_SECONDS)
            results[name] = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
        return results
