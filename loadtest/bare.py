"""A Rondo without instrumentation, to measure what instrumentation costs. Usage: as ``python -m app.cli``.

Metrics count nothing, spans are one shared object, requests have no context and leave no line. Replaced from outside
and before anything of the application is imported, so that the application itself needs no switch.
"""

from __future__ import annotations

import sys
from typing import Any, Self

from monitoring import logs, metrics, series, tracing
from monitoring.trace_context import TraceContext


class NoSpan:
    """A span that notes nothing."""

    context = TraceContext(trace_id="0" * 31 + "1", span_id="0" * 15 + "1", sampled=False)
    is_recording = False

    def __init__(self) -> None:
        self.attributes: dict[str, Any] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        return None

    def ignore(self, *_: object, **__: object) -> None:
        """Do nothing."""

    set_attribute = add_event = keep = set_error = end = ignore


class NoContext:
    """Fields that no line will carry."""

    def __init__(self, *_: object, **__: object) -> None: ...

    def __enter__(self) -> None: ...

    def __exit__(self, *_: object) -> None: ...


NO_SPAN = NoSpan()


def no_span(*_: object, **__: object) -> NoSpan:
    """Return the one span."""
    return NO_SPAN


def nothing(*_: object, **__: object) -> None:
    """Do nothing."""


def _deafen() -> None:
    """Let distributions forget what they are told, those that there are and those to come."""
    make = series.Histogram.__init__

    def deaf(self: series.Histogram, *args: Any) -> None:
        make(self, *args)
        self.observe = nothing

    series.Histogram.__init__ = deaf  # type: ignore[assignment,method-assign] # stripped from outside, so that the application needs no switch
    for family in metrics.REGISTRY.families:
        for each in family.series():
            if isinstance(each, series.Histogram):
                each.observe = nothing


def strip() -> None:
    """Replace what observes."""
    series.Counter.inc = nothing  # type: ignore[method-assign] # stripped from outside, so that the application needs no switch
    series.Gauge.inc = series.Gauge.dec = series.Gauge.set = nothing  # type: ignore[method-assign] # stripped from outside, so that the application needs no switch
    _deafen()
    for name in ("span", "start_span"):
        setattr(tracing, name, no_span)
    for name in ("observe_with_exemplar", "count_with_exemplar", "current_traceparent"):
        setattr(tracing, name, nothing)
    tracing.incoming = lambda *_, **__: (None, NoSpan.context)
    from app.web.api.observing import Observation  # noqa: PLC0415 - see the module

    Observation.__enter__ = lambda self: self  # type: ignore[method-assign] # stripped from outside, so that the application needs no switch
    Observation.__exit__ = nothing  # type: ignore[method-assign] # stripped from outside, so that the application needs no switch
    logs.context = NoContext  # type: ignore[misc,assignment] # stripped from outside, so that the application needs no switch


if __name__ == "__main__":
    strip()
    from app.cli import main

    sys.exit(main())
