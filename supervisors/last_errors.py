"""Remembers the last error of every child: what it raised, where, and in which trace.

An ``on_report``. The supervisor itself keeps no exception (it would keep alive all that its frames refer to); here only
text stays, and one entry per child.
"""

from __future__ import annotations

import traceback
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from monitoring import tracing

if TYPE_CHECKING:
    from supervisors.reports import Report

# A page of frames; the innermost ones, at the end, say what happened.
MAX_STACK_CHARACTERS: Final = 8_000
MAX_MESSAGE_CHARACTERS: Final = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class LastError:
    """An error of a child; ``at`` in seconds of trio's clock."""

    message: str
    at: float
    trace_id: str | None
    stack: str


class LastErrors:
    """The last error of each child, by its supervisor's id and its own."""

    def __init__(self) -> None:
        self._errors: dict[tuple[str, str], LastError] = {}

    def __call__(self, report: Report) -> None:
        """Remember the error of a report, if it has one. Not a checkpoint."""
        if report.error is None:
            return
        stack = "".join(traceback.format_exception(report.error))
        self._errors[report.supervisor, report.child] = LastError(
            message=f"{type(report.error).__name__}: {report.error}"[:MAX_MESSAGE_CHARACTERS],
            at=report.at,
            trace_id=tracing.trace_id_of(report.error),
            stack=stack[-MAX_STACK_CHARACTERS:],
        )

    def of(self, supervisor: str, child: str) -> LastError | None:
        """Return the last error of a child."""
        return self._errors.get((supervisor, child))
