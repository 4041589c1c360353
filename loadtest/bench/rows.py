"""A row of the result: what was measured, what it may be at most, and whether it is."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from statistics import median
from typing import TYPE_CHECKING, Any

from loadtest.http_load import percentile

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One figure.

    Attributes:
        name: What `--only` calls it.
        what: What it says, for people.
        measured: The figure, in `unit`.
        floor: The same on the floor, if there is one; its unit is the same.
        ratio: `measured` to `floor`: the median of the ratios pair by pair, not the ratio of the medians.
        target: What it may be at most; None: for information.
        relative: Whether the target is for `ratio`.
        samples: What `measured` is the median of.
        details: Further figures; their names end in their unit.
        requests: How many requests it took.
        errors: How many of them failed.
    """

    name: str
    what: str
    unit: str
    measured: float
    floor: float | None = None
    ratio: float | None = None
    target: float | None = None
    relative: bool = False
    samples: tuple[float, ...] = ()
    details: Mapping[str, float] = field(default_factory=dict)
    requests: int = 0
    errors: int = 0

    @property
    def judged(self) -> float:
        """Return the figure that the target is for."""
        return self.ratio if self.relative and self.ratio is not None else self.measured

    @property
    def ok(self) -> bool | None:
        """Tell whether the target is met; None without one."""
        return None if self.target is None else self.judged <= self.target

    def as_json(self) -> dict[str, Any]:
        """Return it with everything it says."""
        return {**asdict(self), "details": dict(self.details), "ok": self.ok}


@dataclass(slots=True)
class Samples:
    """What gathers for one row over the rounds: pairs of what is measured and what it is compared with."""

    values: list[float] = field(default_factory=list)
    others: list[float] = field(default_factory=list)
    answered: list[float] = field(default_factory=list)
    latencies: list[float] = field(default_factory=list)
    requests: int = 0
    errors: int = 0

    @property
    def ratio(self) -> float:
        """Return the median of the ratios, pair by pair: both halves of a pair meet the same noise."""
        return median(value / other for value, other in zip(self.values, self.others, strict=True))

    def latency_details(self) -> dict[str, float]:
        """Return the percentiles of all latencies."""
        shares = (("p50_ms", 0.5), ("p99_ms", 0.99), ("max_ms", 1.0))
        return {name: percentile(self.latencies, share) * 1e3 for name, share in shares}


def table(rows: Sequence[Mapping[str, Any]]) -> str:
    """Return rows, as they are in JSON, as a Markdown table."""
    lines = ["| what | at most | measured | the floor | times the floor | |", "|---|---:|---:|---:|---:|---|"]
    for row in rows:
        unit = "times the floor" if row["relative"] else row["unit"]
        target = "" if row["target"] is None else f"{row['target']:g} {unit}"
        floor = "" if row["floor"] is None else f"{figure(row['floor'])} {row['unit']}"
        ratio = "" if row["ratio"] is None else f"{row['ratio']:.2f}"
        verdict = {None: "", True: "ok", False: "**missed**"}[row["ok"]]
        measured = f"{figure(row['measured'])} {row['unit']}"
        lines.append(f"| {row['what']} | {target} | {measured} | {floor} | {ratio} | {verdict} |")
    return "\n".join(lines)


def figure(value: float) -> str:
    """Return a number with as many digits as it deserves."""
    return f"{value:.0f}" if abs(value) >= 100 or value == int(value) else f"{value:.3g}"
