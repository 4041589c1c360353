"""What small parts of every request cost, ours and what they stand in for in turn: a value, and the access line.

Usage: python -m loadtest.bench_parts. Prints medians of CPU time and the ratio, pair by pair.
"""

from __future__ import annotations

import dataclasses
import sys
from pathlib import Path
from typing import Any, Final

from app.domain.value import value
from loadtest.side_by_side import compare
from monitoring import logs, tracing

TIMES: Final = 5_000
REQUEST_ID: Final = "01a20a2f-f37a-71f6-927e-ea722bb6bc57"
# As many as a task has.
FIELDS: Final = tuple(f"field_{number}" for number in range(17))


def main() -> int:
    """Measure and print."""
    fields = dict.fromkeys(FIELDS, 1)
    plain, frozen = _plain(), _frozen()
    compare("a value", TIMES, lambda: plain(**fields), lambda: frozen(**fields), other="frozen dataclass")
    with Path("/dev/null").open("w", encoding="utf-8") as nowhere:
        logs.setup(format="json", stream=nowhere)
        _compare_lines()
        logs.shutdown()
    return 0


def _plain() -> Any:
    return value(type("Plain", (), {"__annotations__": dict.fromkeys(FIELDS, int)}))


def _frozen() -> Any:
    return dataclasses.make_dataclass("Frozen", FIELDS, frozen=True, slots=True, kw_only=True)


def _compare_lines() -> None:
    access, log = logs.AccessLog("GET", "/api/tasks", lambda *_: None), logs.get_logger("http")

    def by_logger() -> None:
        log.info(
            "Request finished.",
            event="http.request.finished",
            method="GET",
            route="/api/tasks",
            status=200,
            bytes=512,
            duration=0.001234,
            duration_ms=1.234,
            client="127.0.0.1",
        )

    with logs.context(requestId=REQUEST_ID), tracing.span("GET /api/tasks") as span:
        trace = span.context.traceparent
        compare(
            "an access line",
            TIMES // 10,
            lambda: access.write(200, 0.001234, 0, 512, "127.0.0.1", trace, REQUEST_ID),
            by_logger,
            other="a logger",
        )


if __name__ == "__main__":
    sys.exit(main())
