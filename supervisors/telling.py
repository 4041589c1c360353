"""Tells the outside what supervisors report: each fact is one log line, one count and one span event (S58).

The three carry the same incarnation, and the line the id of the trace that the event is in. Only the line may be left
out: a child that goes round in circles does not fill the log (A11), and the next line says how many were not told.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Final

from monitoring import logs, metrics, tracing
from supervisors.damping import Damper
from supervisors.reports import Event, Exit, State

if TYPE_CHECKING:
    from collections.abc import Callable

    from supervisors.reports import Report
    from supervisors.stall_detector import Stall

log = logs.get_logger("supervisor")
runtime_log = logs.get_logger("runtime")

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
# A loop that is held all the time must not also drown in its own reports.
STALL_EVERY_SECONDS: Final = 1.0


class Teller:
    """An ``on_report``: every fact is metered and traced, and told unless the child goes round in circles.

    Args:
        expected: Errors that are no fault of the code's and say everything themselves, such as a database that went
            away. They are warnings, and told without a stack.
    """

    def __init__(self, expected: tuple[type[BaseException], ...] = ()) -> None:
        self._expected = expected
        self._damped = Damper(self._tell)

    def __call__(self, report: Report) -> None:
        """Log, count and trace one report. Not a checkpoint."""
        _meter(report)
        with tracing.span(f"supervise {report.child}", new_root=True) as span:
            span.keep()
            span.add_event(f"actor.{report.event.value}", _attributes(report))
            if report.error is not None:
                span.set_error(type(report.error).__qualname__)
            self._damped(report)

    def _tell(self, report: Report, left_out: int) -> None:
        _tell(report, left_out, is_expected=isinstance(report.error, self._expected))


class StallTeller:
    """Told of stalls: counts each, and logs at most one a second."""

    def __init__(self, clock: Callable[[], float] = time.perf_counter) -> None:
        self._clock = clock
        self._told_at = float("-inf")
        self._left_out = 0

    def __call__(self, stall: Stall) -> None:
        """Count and log one stall. Not a checkpoint."""
        metrics.EVENT_LOOP_SLOW_STEPS_TOTAL.inc()
        now = self._clock()
        if now - self._told_at < STALL_EVERY_SECONDS:
            self._left_out += 1
            return
        runtime_log.warning(
            "A task held the loop.",
            event="runtime.step.slow",
            task=stall.task,
            duration=round(stall.seconds, 6),
            unreported=self._left_out,
            stack=stall.stack,
        )
        self._told_at, self._left_out = now, 0


def _tell(report: Report, left_out: int, *, is_expected: bool) -> None:
    fields = {
        "supervisor": report.supervisor,
        "actor": report.child,
        "incarnation": report.incarnation,
        "reason": report.reason.value if report.reason else None,
        "attempt": report.attempt or None,
        "delaySeconds": round(report.delay, 3) or None,
        "leftOut": left_out or None,
        "stack": report.stack or None,
        "error": str(report.error) if is_expected else None,
    }
    said = {name: value for name, value in fields.items() if value is not None}
    level = _level(report)
    if is_expected and level == "ERROR":
        level = "WARNING"
    log.opt(exception=None if is_expected or level == "DEBUG" else report.error).log(
        level, f"Supervised child {report.event.value.replace('_', ' ')}", event=f"actor.{report.event.value}", **said
    )


def _attributes(report: Report) -> dict[str, tracing.AttributeValue]:
    attributes: dict[str, tracing.AttributeValue] = {
        "rondo.supervisor": report.supervisor,
        "rondo.actor": report.child,
        "rondo.incarnation": report.incarnation,
    }
    if report.reason is not None:
        attributes["rondo.reason"] = report.reason.value
    if report.attempt:
        attributes |= {"rondo.attempt": report.attempt, "rondo.delay_seconds": round(report.delay, 3)}
    return attributes


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
    metrics.ACTOR_EVENTS_TOTAL.labels(report.child, report.event.value).inc()
    if report.event is Event.RESTARTING:
        metrics.ACTOR_RESTARTS_TOTAL.labels(report.child, "crash").inc()
    state = _STATE_AFTER.get(report.event)
    if state is not None:
        for other in State:
            metrics.ACTOR_STATE.labels(report.child, other.value).set(other is state)
