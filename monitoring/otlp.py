"""Sends kept spans to an OTLP/HTTP receiver with OpenTelemetry's SDK, from the SDK's own thread.

What does not fit into the queue is dropped and counted, as is what the receiver does not take:
a receiver that is away costs spans, never a request. Imported only when there is an endpoint.
"""

import threading
from collections.abc import Callable, Iterable, Mapping, Sequence

from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import Event, ReadableSpan
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter, SpanExportResult
from opentelemetry.sdk.util.instrumentation import InstrumentationScope
from opentelemetry.trace import Link, SpanContext, Status, StatusCode, TraceFlags
from opentelemetry.trace import SpanKind as OtelSpanKind

from monitoring import metrics
from monitoring.trace_context import TraceContext
from monitoring.tracing import Span

# Enough for the burst of some hundred slow requests; a span is about a kilobyte.
QUEUE_SPANS = 2048
# Encoding holds the interpreter for 33 µs a span: small batches keep the loop responsive.
_BATCH_SPANS = 64
_DELAY_MILLISECONDS = 1000
_TIMEOUT_SECONDS = 5
_TRACES_PATH = "/v1/traces"
_OUTCOME = {
    outcome: metrics.TELEMETRY_SPANS_EXPORTED_TOTAL.labels(outcome) for outcome in ("success", "failure", "dropped")
}


class OtlpExporter:
    """The queue to one receiver. Takes spans from any thread."""

    def __init__(self, endpoint: str, about: Mapping[str, str]) -> None:
        """Start the exporting thread.

        Args:
            endpoint: Base address, or the full one ending in `/v1/traces`.
            about: Attributes of the resource: who speaks.
        """
        address = endpoint.rstrip("/")
        address = address if address.endswith(_TRACES_PATH) else address + _TRACES_PATH
        self._waiting = 0
        self._lock = threading.Lock()
        self._resource = Resource.create({**about})
        self._scope = InstrumentationScope("rondo", about.get("service.version"))
        self._processor = BatchSpanProcessor(
            _Counting(OTLPSpanExporter(address, timeout=_TIMEOUT_SECONDS), self._left),
            max_queue_size=QUEUE_SPANS,
            schedule_delay_millis=_DELAY_MILLISECONDS,
            max_export_batch_size=_BATCH_SPANS,
        )

    def export(self, spans: Iterable[Span]) -> None:
        """Queue spans, as far as there is room."""
        for span in spans:
            with self._lock:
                fits = self._waiting < QUEUE_SPANS
                self._waiting += fits
            if fits:
                self._processor.on_end(self._readable(span))
            else:
                _OUTCOME["dropped"].inc()
        metrics.TELEMETRY_SPAN_QUEUE_DEPTH.set(self._waiting)

    def shutdown(self, seconds: float) -> None:
        """Send what waits, for at most this long. Blocks."""
        # The SDK's own limit is longer than a whole shutdown of ours.
        closing = threading.Thread(target=self._processor.shutdown, name="span shutdown", daemon=True)
        closing.start()
        closing.join(seconds)

    def _left(self, count: int) -> None:
        with self._lock:
            self._waiting -= count
        metrics.TELEMETRY_SPAN_QUEUE_DEPTH.set(self._waiting)

    def _readable(self, span: Span) -> ReadableSpan:
        failed = span.error_type is not None
        attributes = {**span.attributes, "error.type": span.error_type} if failed else span.attributes
        return ReadableSpan(
            span.name,
            context=_otel(span.context, is_remote=False),
            parent=None if span.parent is None else _otel(span.parent, is_remote=True),
            resource=self._resource,
            attributes=attributes,
            events=[Event(event.name, dict(event.attributes), event.at_ns) for event in span.events],
            links=[Link(_otel(link, is_remote=True)) for link in span.links],
            kind=OtelSpanKind[span.kind.name],
            instrumentation_scope=self._scope,
            status=Status(StatusCode.ERROR if failed else StatusCode.UNSET),
            start_time=span.started_at_ns,
            end_time=span.ended_at_ns,
        )


class _Counting(SpanExporter):
    """Counts what became of the spans."""

    def __init__(self, exporter: SpanExporter, left: Callable[[int], None]) -> None:
        self._exporter = exporter
        self._left = left

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        try:
            result = self._exporter.export(spans)
        finally:
            self._left(len(spans))
        _OUTCOME["success" if result is SpanExportResult.SUCCESS else "failure"].inc(len(spans))
        return result

    def shutdown(self) -> None:
        self._exporter.shutdown()


def _otel(context: TraceContext, *, is_remote: bool) -> SpanContext:
    # The SDK exports only what is marked as sampled; whoever comes here was kept.
    flags = TraceFlags(TraceFlags.SAMPLED)
    return SpanContext(int(context.trace_id, 16), int(context.span_id, 16), is_remote, flags)
