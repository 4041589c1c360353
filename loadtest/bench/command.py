"""``python -m loadtest bench``: measure, print a table, write JSON."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from loadtest.bench.counts import FULL, SHORT
from loadtest.bench.rows import table
from loadtest.bench.run import NAMES, run

if TYPE_CHECKING:
    from collections.abc import Sequence


def main(arguments: Sequence[str] | None = None) -> int:
    """Run; return the exit code: 1 when a request failed, or with --strict when a target is missed."""
    parser = argparse.ArgumentParser(prog="python -m loadtest bench", description=__doc__)
    parser.add_argument("--short", action="store_true", help="tiny counts: shows that it works, not how fast")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write everything there")
    parser.add_argument("--only", nargs="+", choices=NAMES, default=NAMES, metavar="NAME", help=", ".join(NAMES))
    parser.add_argument("--strict", action="store_true", help="a missed target is a failure")
    options = parser.parse_args(arguments)
    result = run(SHORT if options.short else FULL, options.only, _say)
    print(table(result.as_json()["rows"]))
    if options.json:
        options.json.write_text(json.dumps(result.as_json(), indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    if result.errors:
        print(f"{result.errors} requests failed.", file=sys.stderr)
    return 1 if result.errors or (options.strict and result.missed) else 0


def _say(sentence: str) -> None:
    print(f"… {sentence}", file=sys.stderr, flush=True)
