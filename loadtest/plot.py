"""The picture of a result as SVG, written by hand: bars need no library. Readable on light and on dark pages."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

Row = dict[str, Any]

WIDTH: Final = 960
LABELS: Final = 430
BARS: Final = WIDTH - LABELS - 90
STEP: Final = 26
BAR: Final = 16
STYLE: Final = """
    text { font: 13px system-ui, sans-serif; fill: #222 }
    .title { font-weight: 600 }
    .faint { fill: #666; font-size: 12px }
    .floor { fill: #8a8f98 }
    .ok { fill: #2f8f5b }
    .missed { fill: #c8553d }
    .free { fill: #4f7cac }
    .limit { stroke: #222; stroke-width: 2 }
    @media (prefers-color-scheme: dark) {
        text { fill: #e6e6e6 } .faint { fill: #a0a0a0 } .limit { stroke: #e6e6e6 }
    }
"""


def draw(rows: Sequence[Row]) -> str:
    """Return the picture: requests in times of the floor, and everything else as a share of what it may be."""
    relative = [row for row in rows if row["ratio"] is not None]
    shared = [row for row in rows if row["ratio"] is None and row["target"]]
    parts: list[str] = []
    y = 30
    if relative:
        most = max(max(row["ratio"], row["target"] or 0) for row in relative)
        parts += _heading(y, "CPU per request, in times of the floor", "line: the limit; grey: the floor")
        for row in relative:
            y += STEP
            parts += _bar(y, row, row["ratio"] / most, (row["target"] or 0) / most, f"{row['ratio']:.1f}")
            parts.append(_rectangle("floor", y, 1 / most))
        y += 2 * STEP
    if shared:
        # A bar that is many times too long says so in its number.
        most = min(3.0, max(1.0, *(row["measured"] / row["target"] for row in shared)))
        parts += _heading(y, "Everything else, as a share of its limit", "line: the limit")
        for row in shared:
            y += STEP
            share = row["measured"] / row["target"]
            parts += _bar(y, row, min(share, most) / most, 1 / most, f"{share:.0%}")
    body = "\n".join(parts)
    size = f'viewBox="0 0 {WIDTH} {y + 30}" width="{WIDTH}" height="{y + 30}"'
    return f'<svg xmlns="http://www.w3.org/2000/svg" {size} role="img">\n<style>{STYLE}</style>\n{body}\n</svg>\n'


def _heading(y: int, title: str, note: str) -> list[str]:
    return [
        f'<text class="title" x="16" y="{y}">{escape(title)}</text>',
        f'<text class="faint" x="{LABELS}" y="{y}">{escape(note)}</text>',
    ]


def _bar(y: int, row: Mapping[str, Any], length: float, limit: float, number: str) -> list[str]:
    kind = {True: "ok", False: "missed", None: "free"}[row["ok"]]
    parts = [
        f'<text x="16" y="{y + 13}">{escape(_shortened(row["what"]))}</text>',
        _rectangle(kind, y, length),
        f'<text x="{LABELS + max(length, limit) * BARS + 8:.1f}" y="{y + 13}">{escape(number)}</text>',
    ]
    if limit:
        x = f"{LABELS + limit * BARS:.1f}"
        parts.append(f'<line class="limit" x1="{x}" x2="{x}" y1="{y - 2}" y2="{y + BAR + 2}"/>')
    return parts


def _rectangle(kind: str, y: int, length: float) -> str:
    return f'<rect class="{kind}" x="{LABELS}" y="{y}" width="{max(length * BARS, 1):.1f}" height="{BAR}"/>'


def _shortened(text: str, most: int = 62) -> str:
    return text if len(text) <= most else text[: most - 1].rstrip() + "…"
