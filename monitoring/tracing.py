"""Traces: which work caused which, and how long each part took.

    with tracing.span("task.create", attributes={"rondo.task.id": task_id}) as span:
        …
        span.set_attribute("rondo.version", 7)

The decision what to export falls at the end, when it is known whether the work failed or was
slow: spans of one local trace gather in a list (a microsecond each) and only what is kept is
ever encoded. Without an endpoint nothing is gathered, and a span only hands on its ids.

A span is current for the task that entered it and for the tasks started inside. Do not hold one
across the `yield` of an async generator: use `start_span` and `end` there. A memory channel does
not carry it: put `current_traceparent()` into the envelope and give it as `parent` on the other side.
"""

import time
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from contextvars import ContextVar, Token
from dataclasses import dataclass, field
from enum import Enum
from types import TracebackType
from typing import Protocol, Self

import trio

from monitoring import scope, trace_context
from monitoring.scope import Scope
from monitoring.series import Counter, Histogram
from monitoring.trace_context import TraceContext

AttributeValue = str | bool | int | float | Sequence[str]

# Slower local traces are always kept, whatever the ratio: half a second is felt.
SLOW_SECONDS = 0.5
# A trace of more spans is a loop; its first spans tell the story.
MAX_SPANS = 256
MAX_LINKS = 32
# Cancellation is how trio stops work, not a failure of it.
_NOT_ERRORS = (trio.Cancelled, GeneratorExit, KeyboardInterrupt, SystemExit)
# The attribute of an exception that says in which trace it was raised.
_TRACE_OF_ERROR = "_rondo_trace_id"


class SpanKind(Enum):
    """OpenTelemetry's kinds of span; the values are the protocol's."""

    INTERNAL = 1
    SERVER = 2
    CLIENT = 3
    PRODUCER = 4
    CONSUMER = 5


@dataclass(slots=True)
class _LocalTrace:
    """The spans of one trace inside this process, from its local root to the decision."""

    spans: list["Span"] = field(default_factory=list)
    failed: bool = False
    wanted: bool = False
    kept: bool | None = None  # None until the local root has ended
    left_out: int = 0

    def take(self, ended: "Span") -> None:
        """Gather an ended span; the local root's end decides about all of them."""
        if self.kept is not None:  # a task that outlived its root
            if self.kept:
                _export((ended,))
        elif ended.is_root:
            chosen = ended.context.sampled or self.failed or self.wanted
            self.kept = chosen or ended.duration_seconds >= SLOW_SECONDS
            if self.left_out:
                ended.attributes["rondo.spans_left_out"] = self.left_out
            if self.kept:
                _export([*self.spans, ended])
            self.spans.clear()
        elif len(self.spans) < MAX_SPANS:
            self.spans.append(ended)
        else:
            self.left_out += 1


@dataclass(frozen=True, slots=True)
class SpanEvent:
    """A moment in a span; `at_ns` in Unix time."""

    name: str
    at_ns: int
    attributes: Mapping[str, AttributeValue]


@dataclass(slots=True, eq=False)
class Span:
    """A named piece of work with a beginning, an end and attributes."""

    name: str
    context: TraceContext
    parent: TraceContext | None
    kind: SpanKind
    _trace: _LocalTrace | None
    is_root: bool
    links: tuple[TraceContext, ...] = ()
    attributes: dict[str, AttributeValue] = field(default_factory=dict)
    events: list[SpanEvent] = field(default_factory=list)
    error_type: str | None = None
    started_at_ns: int = field(default_factory=time.time_ns)  # Unix time
    ended_at_ns: int = 0  # 0 while open
    # The monotonic clock: a duration must survive a jump of the wall clock.
    _started_ns: int = field(default_factory=time.perf_counter_ns)
    _tokens: tuple[Token[Scope], Token[_LocalTrace | None]] | None = None

    @property
    def duration_seconds(self) -> float:
        """How long the ended work took."""
        return (self.ended_at_ns - self.started_at_ns) / 1e9

    def set_attribute(self, key: str, value: AttributeValue) -> None:
        """Say more about the work. Names are OpenTelemetry's, or begin with `rondo.`."""
        if self._trace is not None:
            self.attributes[key] = value

    def add_event(self, name: str, attributes: Mapping[str, AttributeValue] | None = None) -> None:
        """Note a moment in the work."""
        if self._trace is not None:
            self.events.append(SpanEvent(name, time.time_ns(), dict(attributes or {})))

    def keep(self) -> None:
        """Export this trace whatever the ratio: there are few like it."""
        if self._trace is not None:
            self._trace.wanted = True

    def set_error(self, error_type: str) -> None:
        """Mark the work as failed.

        Args:
            error_type: A class of few values: an exception's name, a status code. Never a message.
        """
        self.error_type = error_type
        if self._trace is not None:
            self._trace.failed = True

    @property
    def is_recording(self) -> bool:
        """Whether attributes go anywhere, for those that cost something to make."""
        return self._trace is not None and not self.ended_at_ns

    def end(self) -> None:
        """End the work. Once is enough; later calls do nothing."""
        if self.ended_at_ns:
            return
        self.ended_at_ns = self.started_at_ns + time.perf_counter_ns() - self._started_ns
        if self._trace is not None:
            self._trace.take(self)

    def __enter__(self) -> Self:
        self._tokens = (_make_current(self.context), _local_trace.set(self._trace))
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if self._tokens is not None:
            scope.CURRENT.reset(self._tokens[0])
            _local_trace.reset(self._tokens[1])
            self._tokens = None
        if error is not None:
            remember_trace(error, self.context)
            if self.error_type is None and not isinstance(error, _NOT_ERRORS):
                self.set_error(type(error).__qualname__)
        self.end()


class _PassingSpan(Span):
    """A span while nothing is exported: it hands on the ids and remembers nothing. A quarter of the cost of one."""

    __slots__ = ("_token",)

    def __init__(self, context: TraceContext) -> None:  # without the fields that only an exporter reads
        self.context = context
        self.error_type = self._trace = None
        self.attributes = {}
        self.events = []
        self._token: Token[Scope] | None = None

    @property
    def is_recording(self) -> bool:
        """Whether attributes go anywhere: no."""
        return False

    def end(self) -> None:
        """Do nothing."""

    def __enter__(self) -> Self:
        if scope.CURRENT.get().trace is not self.context:
            self._token = _make_current(self.context)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if self._token is not None:
            scope.CURRENT.reset(self._token)
            self._token = None
        if error is not None:
            remember_trace(error, self.context)
            if not isinstance(error, _NOT_ERRORS):
                self.error_type = self.error_type or type(error).__qualname__


class Exporter(Protocol):
    """Takes the spans that were kept. Must neither wait nor raise."""

    def export(self, spans: Iterable[Span]) -> None:
        """Take ended spans."""

    def shutdown(self, seconds: float) -> None:
        """Send what waits, for at most this long. Blocks."""


_local_trace: ContextVar[_LocalTrace | None] = ContextVar("local_trace", default=None)
_exporter: Exporter | None = None
_threshold: int = 0


def setup(
    service: str = "rondo",
    version: str = "",
    endpoint: str | None = None,
    sample_ratio: float = 0.01,
    *,
    env: str = "production",
    instance: str | None = None,
) -> None:
    """Decide where spans go. May be called again.

    Args:
        service: `service.name` of the resource.
        version: `service.version`.
        endpoint: OTLP/HTTP address, such as `http://localhost:4318`. Without one nothing is recorded, and ids
            still travel.
        sample_ratio: Share of all traces kept, 0 to 1. Failed and slow ones are kept besides.
        env: `deployment.environment.name`.
        instance: `service.instance.id`.
    """
    exporter: Exporter | None = None
    if endpoint:
        from monitoring.otlp import OtlpExporter  # noqa: PLC0415 # a quarter second of imports, only if wanted

        about = {"service.name": service, "service.version": version, "deployment.environment.name": env}
        exporter = OtlpExporter(endpoint, about | ({"service.instance.id": instance} if instance else {}))
    use(exporter, sample_ratio)


def use(exporter: Exporter | None, sample_ratio: float = 1.0) -> None:
    """Give kept spans to this exporter, instead of the one before (which is shut down)."""
    global _exporter, _threshold  # noqa: PLW0603 # a process has one
    shutdown()
    _exporter = exporter
    _threshold = int(max(0.0, min(1.0, sample_ratio)) * 2**56)


def shutdown(seconds: float = 3.0) -> None:
    """Send what waits, for at most this long, and record no more. Blocks: call it in a thread."""
    global _exporter  # a process has one
    exporter, _exporter = _exporter, None
    if exporter is not None:
        exporter.shutdown(seconds)


def span(
    name: str,
    *,
    kind: SpanKind = SpanKind.INTERNAL,
    parent: str | bytes | None = None,
    links: Iterable[str | None] = (),
    attributes: Mapping[str, AttributeValue] | None = None,
    new_root: bool = False,
) -> Span:
    """Return a span to be entered with `with`: it is current inside, and ended after.

    An exception that passes through sets `error.type` and the status, nothing more: its text belongs to the log.

    Args:
        name: Of few values: `SELECT tasks`, never an id.
        kind: Who is on the other side.
        parent: A traceparent to continue, from a header or an envelope; garbage counts as none. None: the
            current span.
        links: Traceparents of work that caused this one without being its parent; garbage is left out.
        attributes: What is known at the start.
        new_root: Start a trace of its own, even inside another.
    """
    if _exporter is None:
        return _PassingSpan(_passing_context(parent, new_root=new_root))
    return start_span(name, kind=kind, parent=parent, links=links, attributes=attributes, new_root=new_root)


def start_span(
    name: str,
    *,
    kind: SpanKind = SpanKind.INTERNAL,
    parent: str | bytes | None = None,
    links: Iterable[str | None] = (),
    attributes: Mapping[str, AttributeValue] | None = None,
    new_root: bool = False,
) -> Span:
    """Return a running span that is not current. Whoever starts it calls `end`. Arguments as for `span`."""
    if _exporter is None:
        return _PassingSpan(_passing_context(parent, new_root=new_root))
    current = None if new_root else scope.CURRENT.get().trace
    above = (trace_context.parse(parent) if parent else None) or current
    inside = _local_trace.get() if above is not None and above == current else None
    trace = inside or _LocalTrace()
    made = Span(name, _below(above), above, kind, trace, is_root=trace is not inside)
    made.attributes.update(attributes or {})
    made.links = tuple(link for link in map(trace_context.parse, links) if link is not None)[:MAX_LINKS]
    return made


def current_traceparent() -> str | None:
    """Return the W3C `traceparent` of the current span, for an envelope or a header; None outside of any."""
    current = scope.CURRENT.get().trace
    return None if current is None else current.traceparent


def current_ids() -> tuple[str, str] | None:
    """Return trace id and span id of the current span; None outside of any."""
    current = scope.CURRENT.get().trace
    return None if current is None else (current.trace_id, current.span_id)


def trace_id_of(error: BaseException) -> str | None:
    """Return the trace in which an error, or what caused it, was raised; None: in no span, or not known."""
    seen: BaseException | None = error
    while seen is not None:
        known: str | None = getattr(seen, _TRACE_OF_ERROR, None)
        if known is not None:
            return known
        seen = seen.exceptions[0] if isinstance(seen, BaseExceptionGroup) else seen.__cause__
    return None


def remember_trace(error: BaseException, context: TraceContext | None) -> None:
    """Write on an error where it happened: whoever handles it far above no longer knows. The innermost span holds."""
    if context is None or isinstance(error, _NOT_ERRORS):
        return
    if getattr(error, _TRACE_OF_ERROR, None) is None:
        with suppress(AttributeError):  # an exception with slots has no room for it
            setattr(error, _TRACE_OF_ERROR, context.trace_id)


def observe_with_exemplar(histogram: Histogram, value: float) -> None:
    """Observe a value and point at the current trace, if that will be exported: a dead link is worse than none."""
    current = scope.CURRENT.get().trace
    if current is not None and current.sampled and _exporter is not None:
        histogram.observe_with(value, {"trace_id": current.trace_id})
    else:
        histogram.observe(value)


def point_at_trace(histogram: Histogram, value: float) -> None:
    """Point at the current trace, if that will be exported, from a value that is counted by itself."""
    current = scope.CURRENT.get().trace
    if current is not None and current.sampled and _exporter is not None:
        histogram.point(value, {"trace_id": current.trace_id})


def count_with_exemplar(counter: Counter, amount: float = 1) -> None:
    """Count, and point at the current trace if that will be exported."""
    current = scope.CURRENT.get().trace
    if current is not None and current.sampled and _exporter is not None:
        counter.inc(amount, {"trace_id": current.trace_id})
    else:
        counter.inc(amount)


def incoming(name: str, parent: bytes | None) -> tuple[Span | None, TraceContext]:
    """Return the span of a request from outside, None while spans go nowhere, and its place in a trace.

    Every request asks, so that a span that hands on ids and nothing else is not even made.

    Args:
        name: As for `span`.
        parent: The header `traceparent`; garbage counts as none.
    """
    if _exporter is None:
        return None, (trace_context.parse(parent) if parent else None) or trace_context.new_root()
    made = start_span(name, kind=SpanKind.SERVER, parent=parent)
    return made, made.context


def _passing_context(parent: str | bytes | None, *, new_root: bool = False) -> TraceContext:
    """Return what a span that goes nowhere hands on: the ids of the one above, since nobody will find its own."""
    above = (trace_context.parse(parent) if parent else None) or (None if new_root else scope.CURRENT.get().trace)
    return above or trace_context.new_root()


def _make_current(context: TraceContext) -> Token[Scope]:
    return scope.CURRENT.set(Scope(scope.CURRENT.get().fields, context))


def _below(above: TraceContext | None) -> TraceContext:
    if above is None:
        root = trace_context.new_root()
        return root._replace(sampled=True) if _is_chosen(root.trace_id) else root
    return TraceContext(above.trace_id, trace_context.new_span_id(), above.sampled)


def _is_chosen(trace_id: str) -> bool:
    """Decide by the low 56 bits, so that every process decides alike (OpenTelemetry's consistent sampling)."""
    return int(trace_id[-14:], 16) < _threshold


def _export(spans: Iterable[Span]) -> None:
    if _exporter is not None:
        _exporter.export(spans)
