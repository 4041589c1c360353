"""Writes the table of metrics into docs/observability.md: `python -m monitoring.catalogue PAGE`."""

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from monitoring import metrics
from monitoring.instruments import REGISTRY, Family

_BEGIN = "<!-- metrics: written by `make metrics-table` -->\n"
_END = "<!-- end of metrics -->\n"


def declared() -> Iterator[tuple[str, Family[Any]]]:
    """Yield each metric with the name of its constant in small letters, in the order of declaration."""
    alone = {id(series): family for family in REGISTRY.families if not family.declared for series in family.series()}
    for constant, metric in vars(metrics).items():
        family = metric if isinstance(metric, Family) else alone.get(id(metric))
        if family is not None:
            yield constant.lower(), family


def table() -> str:
    """Return the metrics as a Markdown table."""
    rows = [f"| `{name}` | {metric.kind} | {_labels(metric)} | {metric.question} |\n" for name, metric in declared()]
    return "| name | type | labels | the question it answers |\n|---|---|---|---|\n" + "".join(rows)


def write_into(page: str) -> str:
    """Return the page with the table between its two marks.

    Raises:
        ValueError: The page has no marks.
    """
    before, begin, rest = page.partition(_BEGIN)
    _, end, after = rest.partition(_END)
    if not begin or not end:
        raise ValueError(f"the page needs the lines {_BEGIN!r} and {_END!r}")
    return f"{before}{_BEGIN}\n{table()}\n{_END}{after}"


def main(path: Path) -> None:
    """Write the table into the page at this path."""
    path.write_text(write_into(path.read_text(encoding="utf-8")), encoding="utf-8")


def _labels(metric: Family[Any]) -> str:
    return "<br>".join(
        f"`{label.name}`" + (f": {', '.join(label.values)}" if label.values else "") for label in metric.declared
    )


if __name__ == "__main__":
    main(Path(sys.argv[1]))
