"""Log lines: one JSON object each, with the ids that join them to requests, users and traces.

    log = logs.get_logger("relay")
    log.info("Published a batch.", event="relay.batch.published", count=12)

The message is constant text, everything variable is a field. Fields that hold for a whole piece
of work are set once with `context(...)`. What the libraries say through `logging` comes out the
same way. A sink that fails or blocks loses lines and counts them; it never stops the service.
"""

import logging
import os
import socket
import sys
import time
from collections.abc import Callable
from contextvars import Token
from dataclasses import dataclass, field
from functools import lru_cache
from typing import IO, TYPE_CHECKING, Final, Literal, Self, TypeAlias
from uuid import UUID

import orjson
from loguru import logger

from monitoring import log_record, metrics, redaction, scope
from monitoring.log_ring import LogRing
from monitoring.log_writer import LineWriter
from monitoring.scope import Scope
from monitoring.trace_context import TraceContext

if TYPE_CHECKING:
    from loguru import Logger, Message, Record

Format = Literal["auto", "json", "text"]

# loguru has two levels more than our readers know.
_LEVELS = {
    "TRACE": "debug",
    "DEBUG": "debug",
    "INFO": "info",
    "SUCCESS": "info",
    "WARNING": "warning",
    "ERROR": "error",
    "CRITICAL": "critical",
}
_COUNTED = {level: metrics.LOG_RECORDS_TOTAL.labels(level) for level in _LEVELS.values()}
_WRITTEN = _COUNTED["info"]
_INFO = logger.level("INFO").no
_DEBUG = logger.level("DEBUG").no
# Libraries that say something useful at INFO; the others speak from WARNING on.
_TALKATIVE = ("hypercorn.error", "quart.app")


@dataclass(slots=True)
class _Output:
    """Where lines go, and what every line says about this process."""

    writer: LineWriter | None = None
    text: bool = False
    colour: bool = False
    level: int = _INFO
    about: dict[str, object] = field(default_factory=dict)

    def line(self, fields: dict[str, object]) -> bytes:
        return log_record.to_text(fields, colour=self.colour) if self.text else log_record.to_json(fields)

    def write(self, level: str, fields: dict[str, object]) -> None:
        _COUNTED[level].inc()
        if self.writer is not None:
            self.writer.write(self.line(fields))


_output = _Output()
# The last lines of each actor, for whoever looks at it; they need not be written anywhere for that.
ring = LogRing()


def setup(
    level: str = "INFO",
    *,
    format: Format = "auto",  # noqa: A002 # the setting's own name
    service: str = "rondo",
    version: str = "",
    env: str = "production",
    instance: str | None = None,
    stream: IO[str] | None = None,
) -> None:
    """Send all logging of this process, loguru's and the standard library's, to one stream. May be called again.

    Args:
        level: The lowest level written: DEBUG, INFO, WARNING, ERROR or CRITICAL, in any case.
        format: `json`, `text` (for people), or `auto`: text on a terminal, JSON elsewhere.
        service: Field `service`.
        version: Field `version`.
        env: Field `env`, such as `production`.
        instance: Field `instance`; host name and process id if not given.
        stream: Where to write; standard output if not given.

    Raises:
        ValueError: There is no such level.
    """
    number = logger.level(level.upper()).no
    stream = stream or sys.stdout
    shutdown()
    _output.writer = LineWriter(stream)
    _output.level = number
    _output.text = format == "text" or (format == "auto" and stream.isatty())
    _output.colour = stream.isatty() and "NO_COLOR" not in os.environ
    instance = instance or f"{socket.gethostname()}:{os.getpid()}"
    _output.about = {"service": service, "version": version, "env": env, "instance": instance}
    logger.remove()
    # `diagnose` would write the values of variables, secrets included.
    logger.add(_sink, level=min(number, _DEBUG), format=_no_text, backtrace=False, diagnose=False)
    _route_standard_logging(number)


def shutdown(seconds: float = 1.0) -> None:
    """Write what is still waiting, for at most this long. Blocks. Later records are only counted."""
    if _output.writer is not None:
        _output.writer.close(seconds)
        _output.writer = None


def flush(seconds: float = 1.0) -> bool:
    """Wait until all lines are written, for at most this long. Blocks; return whether they were."""
    return _output.writer is None or _output.writer.flush(seconds)


def _catch_up() -> None:
    if _output.writer is not None:
        _output.writer.make()


metrics.REGISTRY.catch_up = _catch_up


def get_logger(component: str) -> "Logger":
    """Return the logger of a component. Fields are keywords; `event` is a stable id such as `http.request.finished`."""
    return logger.bind(component=component)


class context:  # noqa: N801 # written like a function: `with logs.context(…):`
    """Add fields (`requestId`, `userId`, …) to every line written inside, also by tasks started inside."""

    __slots__ = ("_added", "_token")
    _token: Token[Scope]

    def __init__(self, **fields: object) -> None:
        self._added = redaction.redact_fields(fields)

    def __enter__(self) -> Self:
        outer = scope.CURRENT.get()
        self._token = scope.CURRENT.set(Scope(outer.fields | self._added, outer.trace))
        return self

    def __exit__(self, *_: object) -> None:
        scope.CURRENT.reset(self._token)


# No address is as long, whatever a proxy says.
_CLIENT_CHARACTERS: Final = 200
# How a finished request is counted: by its status, the seconds it took, the bytes of its body and of the answer's.
Count: TypeAlias = Callable[[int, float, int, int], None]
# The moment (Unix time in ns) and what `AccessLog.write` was told.
_Told: TypeAlias = tuple[int, int, float, int, int, str, str, str, UUID | None, str | None]


class AccessLog:
    """Counts finished requests of one route and writes the one line each has, whose words are put together once.

    Every request pays it, and a logger costs ten times as much (`python -m loadtest.bench_parts`). The text is made
    later, many lines in a row, and the requests are counted on that occasion: between two requests all that is needed
    for one has left the caches.
    """

    __slots__ = ("_about", "_count", "_make", "_start", "method", "route")

    def __init__(self, method: str, route: str, count: Count) -> None:
        """Make one.

        Args:
            method: The HTTP method.
            route: The route template, never the raw path.
            count: Is called for each request before metrics are read: maybe later, maybe in another thread.
        """
        self.method = method
        self.route = route
        self._count = count
        self._about: dict[str, object] | None = None
        self._start = ""
        self._make = self._line

    def write(  # noqa: PLR0913, PLR0917 # once per request: an object of these would cost as much as their line
        self,
        status: int,
        seconds: float,
        received: int,
        size: int,
        client: str,
        traceparent: str,
        request_id: str,
        account_id: UUID | None = None,
        error_type: str | None = None,
    ) -> None:
        """Count a request and write its line.

        Args:
            status: The status answered.
            seconds: How long it took.
            received: Bytes of the request's body.
            size: Bytes of the response body.
            client: The client's network address.
            traceparent: Its place in a trace, as W3C Trace Context writes it.
            request_id: Its id: letters and digits of ASCII, and `.`, `_` and `-`.
            account_id: Who asked, if it is known.
            error_type: The problem's code, when the request was refused: letters of ASCII, and `_`.
        """
        output = _output
        if output.level > _INFO:
            self._count(status, seconds, received, size)
            return
        _WRITTEN.value += 1  # what `inc` does, without a call
        if output.writer is None:
            self._count(status, seconds, received, size)
            return
        moment = time.time_ns()
        told = moment, status, seconds, received, size, client, traceparent, request_id, account_id, error_type
        output.writer.write_later(self._make, told)

    def _line(self, told: _Told) -> str:
        moment, status, seconds, received, size, client, trace, request_id, account_id, error_type = told
        self._count(status, seconds, received, size)
        if self._about is not _output.about:
            self._about = _output.about
            self._start = log_record.to_json(self._constant())[1:-2].decode()
        user = "" if account_id is None else f',"userId":"{account_id}"'
        error = "" if error_type is None else f',"error.type":"{error_type}"'
        line = (
            f'{{"timestamp":"{log_record.timestamp_of(moment)}",{self._start},"status":{status},"bytes":{size},'
            f'"duration":{seconds:.6f},"duration_ms":{seconds * 1000:.3f},"client":{_client_text(client)},'
            f'"trace_id":"{trace[3:35]}","span_id":"{trace[36:52]}","trace_flags":"{trace[53:]}",'
            f'"requestId":"{request_id}"{user}{error}}}\n'
        )
        return _output.line(orjson.loads(line)).decode() if _output.text else line

    def _constant(self) -> dict[str, object]:
        return {
            "level": "info",
            "message": "Request finished.",
            "logger": "access",
            "component": "http",
            "event": "http.request.finished",
            **_output.about,
            "method": self.method,
            "route": self.route,
        }


def _sink(message: "Message") -> None:
    record = message.record
    work = scope.CURRENT.get()
    extra = {**work.fields, **record["extra"]}
    if record["exception"] is not None and record["exception"].value is not None:
        extra |= log_record.exception_fields(record["exception"].value)
    component = str(extra.pop("component", "app"))
    level = _LEVELS.get(record["level"].name, "info")
    line: dict[str, object] = {
        "timestamp": log_record.timestamp(record["time"]),
        "level": level,
        "message": redaction.redact_text(record["message"]),
        "logger": extra.pop("logger", record["name"]),
        "component": component,
        "event": extra.pop("event", f"{component}.message"),
        **_output.about,
    }
    if work.trace is not None:
        line |= _ids(work.trace)
    for key, value in redaction.redact_fields(extra).items():
        line.setdefault(key, value)  # a field cannot take the place of a required one
    ring.take(line)
    if record["level"].no >= _output.level:
        _output.write(level, line)


def _ids(trace: TraceContext) -> dict[str, object]:
    return {"trace_id": trace.trace_id, "span_id": trace.span_id, "trace_flags": trace.flags}


@lru_cache(maxsize=1_000)
def _client_text(client: str) -> str:
    return orjson.dumps(redaction.redact_text(client)[:_CLIENT_CHARACTERS]).decode()


def _no_text(_record: "Record") -> str:
    """Tell loguru not to format: the sink does."""
    return ""


class _FromStandardLogging(logging.Handler):
    """Hands records of the standard library's `logging` to our sink."""

    def emit(self, record: logging.LogRecord) -> None:
        level = record.levelname if record.levelname in _LEVELS else "INFO"
        component = record.name.partition(".")[0]
        bound = logger.bind(component=component, logger=record.name, event=f"{component}.message")
        bound.opt(exception=record.exc_info).log(level, "{}", record.getMessage())


def _route_standard_logging(level: int) -> None:
    root = logging.getLogger()
    if not any(isinstance(handler, _FromStandardLogging) for handler in root.handlers):
        root.addHandler(_FromStandardLogging())
    root.setLevel(max(level, logging.WARNING))
    for name in _TALKATIVE:
        logging.getLogger(name).setLevel(max(level, logging.INFO))
    logging.captureWarnings(capture=True)
