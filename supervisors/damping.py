"""Keeps a child that crashes again and again from filling the log; metrics count every crash all the same.

Two failures in a row are told in full. From the third on, each attempt is one line; from the sixth on, one line a
minute says how many were left out.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from supervisors.reports import Event, Exit, Report

# What is part of going round in circles; everything else is always told.
_ROUTINE: Final = frozenset({Event.STARTED, Event.EXITED, Event.START_FAILED, Event.RESTARTING})


@dataclass(slots=True)
class _Loop:
    attempt: int = 0
    told_at: float = 0.0
    left_out: int = 0


class Damper:
    """Passes on what is worth a line; is itself an `on_report`.

    Args:
        tell: Gets a report, and how many failures were left out before it.
        burst: So many attempts get a line each.
        every_seconds: After that, one line in this time.
    """

    def __init__(self, tell: Callable[[Report, int], None], *, burst: int = 5, every_seconds: float = 60.0) -> None:
        self._tell, self._burst, self._every_seconds = tell, burst, every_seconds
        self._loops: dict[tuple[str, str], _Loop] = {}

    def __call__(self, report: Report) -> None:
        """Tell a report, or leave it out."""
        key = (report.supervisor, report.child)
        if report.event is Event.RESTARTING and report.attempt == 1:
            self._loops[key] = _Loop()
        loop = self._loops.get(key)
        if loop is None or loop.attempt < 2 or report.event not in _ROUTINE:
            self._tell(report, 0)
        elif report.event is Event.START_FAILED or report.reason is Exit.CRASHED:
            self._tell_failure(report, loop)
        if loop is not None and report.event is Event.RESTARTING:
            loop.attempt = report.attempt
        if report.reason in (Exit.NORMAL, Exit.SHUTDOWN):
            self._loops.pop(key, None)

    def _tell_failure(self, report: Report, loop: _Loop) -> None:
        if loop.attempt > self._burst and report.at - loop.told_at < self._every_seconds:
            loop.left_out += 1
            return
        self._tell(report, loop.left_out)
        loop.told_at, loop.left_out = report.at, 0
