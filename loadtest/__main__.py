"""``python -m loadtest [--short]``: start a Rondo on a free port and let the locust scenario loose on it.

Exit code 0: thresholds held; 1: they did not. Ends by itself; the data directory is a temporary one.
"""

from __future__ import annotations

import argparse
import os
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).parents[1]
START_SECONDS: Final = 60.0


def main() -> int:
    """Run; return the exit code."""
    parser = argparse.ArgumentParser(prog="python -m loadtest", description=__doc__)
    parser.add_argument("--short", action="store_true", help="ten seconds with 20 users, for CI")
    options = parser.parse_args()
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    url = f"http://127.0.0.1:{port}"
    with tempfile.TemporaryDirectory() as folder:
        environment = {
            **os.environ,
            "RONDO_DATA_DIR": str(Path(folder) / "data"),
            "RONDO_PORT": str(port),
            "RONDO_AUTH_RATE": "1000000",
            "RONDO_LOG_LEVEL": "warning",
            "RONDO_LOAD": "short" if options.short else "full",
        }
        rondo = subprocess.Popen([sys.executable, "-m", "app.cli", "serve"], cwd=ROOT, env=environment)
        try:
            _wait_ready(url, rondo)
            scenario = [sys.executable, "-m", "locust", "-f", "loadtest/locustfile.py", "--headless", "--only-summary"]
            return subprocess.run([*scenario, "--host", url], cwd=ROOT, env=environment, check=False).returncode
        finally:
            rondo.terminate()
            rondo.wait(30)


def _wait_ready(url: str, rondo: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline and rondo.poll() is None:
        try:
            urllib.request.urlopen(f"{url}/health/ready", timeout=1).close()
        except (urllib.error.URLError, OSError):
            time.sleep(0.05)
        else:
            return
    raise SystemExit("Rondo did not become ready.")


if __name__ == "__main__":
    sys.exit(main())
