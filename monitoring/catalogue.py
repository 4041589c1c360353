"""Writes the table of metrics into docs/observability.md: `python -m monitoring.catalogue PAGE`."""

import sys
from collections.abc import Iterator
from pathlib import Path

from monitoring import metrics
from monitoring.instruments import Counter, Gauge, Histogram

_BEGIN = "<!-- metrics: written by `make metrics-table` -->\n"
_END = "<!-- end of metrics -->\n"
_TYPES = {Counter: "counter", Gauge: "gauge", Histogram: "histogram"}


def declared() -> Iterator[tuple[str, Counter | Gauge | Histogram]]:
    """Yield each metric with its name on the wire, in the order of declaration."""
    for constant, metric in vars(metrics).items():
        if isinstance(metric, Counter | Gauge | Histogram):
            yield constant.lower(), metric


def table() -> str:
    """Return the metrics as a Markdown table."""
    rows = [
        f"| `{name}` | {_TYPES[type(metric)]} | {_labels(metric)} | {question(metric)} |\n"
        for name, metric in declared()
    ]
    return "| name | type | labels | the question it answers |\n|---|---|---|---|\n" + "".join(rows)


def question(metric: Counter | Gauge | Histogram) -> str:
    """Return the metric's sentence."""
    return next(iter(metric.describe())).documentation


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


def _labels(metric: Counter | Gauge | Histogram) -> str:
    return "<br>".join(
        f"`{label.name}`" + (f": {', '.join(label.values)}" if label.values else "") for label in metric.declared
    )


if __name__ == "__main__":
    main(Path(sys.argv[1]))
