"""``python -m loadtest [http|websocket|load|bench|report] …``: load a Rondo of its own, or measure what one costs.

    http        people at work over HTTP: 0 → 50 → 100 users
    websocket   listening people: 0 → 20 → 50 connections
    load        both, one after the other (what happens without a word)
    bench       CPU per request, latency, memory, start-up and live updates, beside the floor
    report      bench and load, written to docs/performance.md with its picture

Each takes ``--short``, a form for CI, and ``--help``. Exit code 0: what is promised held; 1: it did not. All of it ends
by itself, talks to 127.0.0.1 only, and keeps its data in a temporary directory.
"""

from __future__ import annotations

import signal
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from types import FrameType


def main() -> int:
    """Run one command; return its exit code."""
    signal.signal(signal.SIGTERM, _end)
    words = sys.argv[1:]
    command, rest = (words[0], words[1:]) if words and not words[0].startswith("-") else ("load", words)
    if words in (["-h"], ["--help"]):
        print(__doc__)
        return 0
    # Imported late: each command pays for what it uses only.
    if command == "bench":
        from loadtest.bench.command import main as bench  # noqa: PLC0415 - see above

        return bench(rest)
    if command in {"http", "websocket", "load"}:
        from loadtest.scenarios import main as load  # noqa: PLC0415 - see above

        return load(command, rest)
    if command == "report":
        from loadtest.report import main as report  # noqa: PLC0415 - see above

        return report(rest)
    print(f"No such command: {command}\n\n{__doc__}", file=sys.stderr)
    return 2


def _end(number: int, _: FrameType | None) -> None:
    """Let every `finally` run: what was started must end too."""
    raise SystemExit(128 + number)


if __name__ == "__main__":
    sys.exit(main())
