"""Tells the outside what supervisors report: one log line and one set of metrics per fact."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from monitoring import logs, metrics
from supervisors.damping import Damper
from supervisors.reports import Event, Exit, State

if TYPE_CHECKING:
    from supervisors.reports import Report

log = logs.get_logger("supervisor")

# Ends and restarts that nobody asked for.
_WARNINGS: Final = {Event.RESTARTING, Event.SHUTDOWN_TIMEOUT}
_ERRORS: Final = {Event.START_FAILED, Event.SHUTDOWN_ERROR, Event.STUCK, Event.GAVE_UP}
_STATE_AFTER: Final = {
    Event.STARTED: State.RUNNING,
    Event.RESTARTING: State.RESTARTING,
    Event.EXITED: State.STOPPED,
    Event.START_FAILED: State.STOPPED,
    Event.STUCK: State.STUCK,
}


class Teller:
    """An ``on_report``: every fact is metered; a child that goes round in circles does not fill the log (A11)."""

    def __init__(self) -> None:
        self._damped = Damper(_tell)

    def __call__(self, report: Report) -> None:
        """Log and meter one report. Not a checkpoint."""
        _meter(report)
        self._damped(report)


def _tell(report: Report, left_out: int) -> None:
    fields = {
        "supervisor": report.supervisor,
        "actor": report.child,
        "incarnation": report.incarnation,
        "reason": report.reason.value if report.reason else None,
        "attempt": report.attempt or None,
        "delaySeconds": round(report.delay, 3) or None,
        "leftOut": left_out or None,
        "stack": report.stack or None,
    }
    said = {name: value for name, value in fields.items() if value is not None}
    level = _level(report)
    log.opt(exception=None if level == "DEBUG" else report.error).log(
        level, f"Supervised child {report.event.value.replace('_', ' ')}", event=f"actor.{report.event.value}", **said
    )


def _level(report: Report) -> str:
    if report.event is Event.START_FAILED and report.incarnation == 1:
        return "DEBUG"  # whoever started it gets the error and says what it means
    crashed = report.event is Event.EXITED and report.reason is Exit.CRASHED
    if report.event in _ERRORS or crashed:
        return "ERROR"
    if report.event in _WARNINGS:
        return "WARNING"
    # A first start and an ordered end are no news; a child that is back is.
    return "INFO" if report.event is Event.STARTED and report.incarnation > 1 else "DEBUG"


def _meter(report: Report) -> None:
    if report.event is Event.RESTARTING:
        metrics.ACTOR_RESTARTS_TOTAL.labels(report.child, "crash").inc()
    state = _STATE_AFTER.get(report.event)
    if state is not None:
        for other in State:
            metrics.ACTOR_STATE.labels(report.child, other.value).set(other is state)
