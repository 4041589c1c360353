"""``python -m loadtest report``: run the benchmark and the scenarios, write docs/performance.md and its picture.

What was measured is kept in docs/performance.json; ``--from`` writes the page again from such a file.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from loadtest import plot, scenarios
from loadtest.bench.counts import CONNECTIONS, FULL, SHORT
from loadtest.bench.rows import table
from loadtest.bench.run import NAMES, run
from loadtest.process import ROOT

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

# The words of the page; what is in braces comes from the result.
TEMPLATE: Final = Path(__file__).with_name("performance.template.md")


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure (or read what was measured) and write; return 1 when a request failed."""
    parser = argparse.ArgumentParser(prog="python -m loadtest report", description=__doc__)
    parser.add_argument("--from", type=Path, dest="source", metavar="FILE", help="use what an earlier run measured")
    parser.add_argument("--into", type=Path, default=ROOT / "docs", metavar="FOLDER", help="where the page goes")
    parser.add_argument("--short", action="store_true", help="tiny counts: a page to look at, not to believe")
    options = parser.parse_args(arguments)
    result = json.loads(options.source.read_text(encoding="utf-8")) if options.source else _measure(short=options.short)
    write(result, options.into)
    return 1 if result["errors"] else 0


def _measure(*, short: bool) -> dict[str, Any]:
    result = run(SHORT if short else FULL, NAMES, lambda sentence: print(f"… {sentence}", file=sys.stderr)).as_json()
    result["load"] = scenarios.run(tuple(scenarios.FILES), short=short)
    return result


def write(result: Mapping[str, Any], folder: Path) -> None:
    """Write performance.md, .svg and .json."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "performance.md").write_text(page(result), encoding="utf-8")
    (folder / "performance.svg").write_text(plot.draw(result["rows"]), encoding="utf-8")
    (folder / "performance.json").write_text(json.dumps(result, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


def page(result: Mapping[str, Any]) -> str:
    """Return the page."""
    counts, rows = result["counts"], result["rows"]
    return TEMPLATE.read_text(encoding="utf-8").format(
        **counts,
        verdict=_verdict(rows),
        measured_at=result["measured_at"].replace("T", " ").replace("Z", " UTC"),
        commit=result["commit"],
        machine=_machine(result["machine"]),
        warning=_warning(result["machine"]),
        connections=CONNECTIONS,
        table=table(rows),
        details=_details(rows),
        delivery=_delivery(rows),
        load=_load(result.get("load", {})),
    )


def _verdict(rows: Sequence[Mapping[str, Any]]) -> str:
    missed = [row for row in rows if row["ok"] is False]
    judged = sum(row["ok"] is not None for row in rows)
    return f"{len(missed)} of {judged} targets are missed" if missed else f"all {judged} targets are met"


def _machine(machine: Mapping[str, Any]) -> str:
    lines = {
        "processor": f"{machine['processor']}, {machine['processors']} of them",
        "memory": f"{machine['memory_bytes'] / 1e9:.0f} GB",
        "kernel": machine["kernel"],
        "Python": machine["python"],
        "PostgreSQL": f"{machine['postgresql']}, fsync {machine['fsync']}",
        "load average before": f"{machine['load_average']:.1f}",
    }
    return "\n".join(f"| {name} | {value} |" for name, value in lines.items())


def _warning(machine: Mapping[str, Any]) -> str:
    """Return a sentence when something else was running: latencies and start-up times are not Rondo's alone then."""
    if machine["load_average"] < machine["processors"] / 2:
        return ""
    return (
        "**The machine was busy with other work while this was measured** (see the load average). CPU ratios suffer "
        "little from that; latencies and start-up times are those of a machine that has no time.\n\n"
    )


def _details(rows: Sequence[Mapping[str, Any]]) -> str:
    lines = ["| at 16 connections | p50 | p99 | longest | CPU until the answers |", "|---|---:|---:|---:|---:|"]
    for row in rows:
        found = row["details"]
        if "p99_ms" in found:
            times = " | ".join(f"{found[name]:.1f} ms" for name in ("p50_ms", "p99_ms", "max_ms"))
            answered = f"{found['until_answered_us']:.0f} µs" if "until_answered_us" in found else ""
            what = row["what"].removeprefix("errors in ")
            lines.append(f"| {what} | {times} | {answered} |")
    return "\n".join(lines)


def _delivery(rows: Sequence[Mapping[str, Any]]) -> str:
    for row in rows:
        if row["name"] == "delivery_p50":
            after = [row["details"][f"after_the_answer_{share}_ms"] for share in ("p50", "p99")]
            return f"Counted from the answer it is {after[0]:.1f} ms (p50) and {after[1]:.1f} ms (p99)."
    return ""


def _load(load: Mapping[str, Mapping[str, bool]]) -> str:
    lines = [
        f"* {name}: {promise}: {'held' if held else '**missed**'}"
        for name, promises in load.items()
        for promise, held in promises.items()
    ]
    return "\n".join(lines) or "Not measured in this run."
