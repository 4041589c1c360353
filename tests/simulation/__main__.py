"""Runs many seeds, one after another: `python -m tests.simulation --seeds 1000 --first 0`.

Ends with 1 when a promise was broken, after naming each seed and how to run it again.
"""

from __future__ import annotations

import argparse
import sys
import time
from typing import TYPE_CHECKING

from tests.simulation.mutants import ALL
from tests.simulation.runner import Outcome, command, simulate

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

# A thousand seeds take some minutes: now and then a sign of life.
TELL_EVERY_SECONDS = 10.0


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the seeds and sum up; return the exit code."""
    options = _parser().parse_args(arguments)
    began, ended = time.perf_counter(), list[Outcome]()
    broken: list[int] = []
    for outcome in _outcomes(options):
        ended.append(outcome.in_short())
        if options.trace:
            _say(*outcome.lines, f"seed {outcome.seed}: trace {outcome.digest}")
        if outcome.violation is not None:
            broken.append(outcome.seed)
            _say(f"seed {outcome.seed} broke a promise: {outcome.violation}", f"  again: {command(outcome.seed)}")
        took = time.perf_counter() - began
        if (options.seconds and took >= options.seconds) or len(broken) >= options.most_broken:
            break
    _say(_summed_up(options.first, ended, broken, time.perf_counter() - began))
    return 1 if broken else 0


def _summed_up(first: int, ended: Sequence[Outcome], broken: Sequence[int], seconds: float) -> str:
    hours, events = sum(one.virtual_seconds for one in ended) / 3600, sum(one.events for one in ended)
    which = f": {', '.join(map(str, broken))}" if broken else ""
    ran = f"{len(ended)} seeds from {first} on in {seconds:.0f} s: {hours:.1f} virtual hours, {events} events"
    return f"{ran}, {len(broken)} seeds broke a promise{which}"


def _outcomes(options: argparse.Namespace) -> Iterator[Outcome]:
    told = time.perf_counter()
    for count in range(options.seeds):
        yield simulate(options.first + count, ALL[options.mutant]() if options.mutant else None)
        if time.perf_counter() - told >= TELL_EVERY_SECONDS:
            told = time.perf_counter()
            _say(f"{count + 1} of {options.seeds} seeds")


def _say(*lines: str) -> None:
    sys.stdout.write("\n".join(lines) + "\n")
    sys.stdout.flush()


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m tests.simulation", description=__doc__)
    parser.add_argument("--seeds", type=int, default=100, help="how many (100)")
    parser.add_argument("--first", type=int, default=0, help="the first of them (0)")
    parser.add_argument("--seconds", type=float, default=0.0, help="stop after so long; 0: when all are done")
    parser.add_argument("--most-broken", type=int, default=5, help="stop after so many that broke a promise (5)")
    parser.add_argument("--trace", action="store_true", help="print what happens")
    parser.add_argument("--mutant", choices=sorted(ALL), help="break the code under test on purpose")
    return parser


if __name__ == "__main__":
    sys.exit(main())
