"""Turns a log record into its line: one JSON object, or one human sentence on a terminal.

Never raises and never grows: what cannot be serialised is described, what is too long is cut.
"""

import traceback
from datetime import UTC, datetime

import orjson

from monitoring import redaction

# Collectors cut or refuse longer lines.
MAX_LINE_BYTES = 16 * 1024
# What a long text keeps when a line must be cut; a stack trace is told by its end.
_CUT_CHARACTERS = 2_000
_STACK_CHARACTERS = 6_000
# Required fields, which also survive every cut.
_REQUIRED = ("timestamp", "level", "message", "logger", "component", "event", "service", "version", "env", "instance")
_COLOURS = {"debug": "\x1b[2m", "info": "", "warning": "\x1b[33m", "error": "\x1b[31m", "critical": "\x1b[1;31m"}
_RESET = "\x1b[0m"
# Known from the terminal they are read on, or said elsewhere in the sentence.
_NOT_FOR_HUMANS = frozenset({*_REQUIRED, "span_id", "trace_flags", "duration_ms", "exception.stacktrace"})

_OPTIONS = orjson.OPT_APPEND_NEWLINE | orjson.OPT_NON_STR_KEYS

# The digits of a second and its text.
_last_second = "0", "1970-01-01T00:00:00"


def timestamp_of(nanoseconds: int) -> str:
    """Return a Unix time as `timestamp` does. Made of a second that is kept: each request has one."""
    global _last_second  # noqa: PLW0603 # there is one present
    digits = f"{nanoseconds:010d}"
    second = digits[:-9]
    known, text = _last_second
    if second != known:
        text = datetime.fromtimestamp(int(second), UTC).isoformat()[:-6]
        _last_second = second, text
    return f"{text}.{digits[-9:-3]}Z"


def timestamp(instant: datetime) -> str:
    """Return an RFC 3339 instant in UTC with microseconds."""
    return instant.astimezone(UTC).isoformat(timespec="microseconds")[:-6] + "Z"


def exception_fields(error: BaseException) -> dict[str, object]:
    """Return `exception.type`, `.message` and `.stacktrace` (OpenTelemetry's names)."""
    kind = type(error)
    prefix = "" if kind.__module__ == "builtins" else f"{kind.__module__}."
    return {
        "exception.type": prefix + kind.__qualname__,
        "exception.message": str(error),
        "exception.stacktrace": "".join(traceback.format_exception(error)),
    }


def to_json(fields: dict[str, object]) -> bytes:
    """Return the fields as one line of JSON of at most 16 KiB, newline included."""
    line = _dump(fields)
    if len(line) > MAX_LINE_BYTES:
        line = _dump({key: _cut(key, value) for key, value in fields.items()} | {"truncated": True})
    if len(line) > MAX_LINE_BYTES:
        kept = {key: _cut(key, fields[key])[:200] for key in _REQUIRED if key in fields}
        line = _dump({**kept, "truncated": True})
    return line


def to_text(fields: dict[str, object], *, colour: bool) -> bytes:
    """Return the fields as one sentence for a person, stack trace below it."""
    level = str(fields["level"])
    clock = str(fields["timestamp"])[11:23]
    details = " ".join(f"{key}={_visible(value)}" for key, value in fields.items() if key not in _NOT_FOR_HUMANS)
    message = _visible(fields["message"])
    text = f"{clock} {level:<8} {fields['component']}: {message}" + (f"  {details}" if details else "")
    if stack := fields.get("exception.stacktrace"):
        text += f"\n{stack}".rstrip()
    if colour and _COLOURS.get(level):
        text = f"{_COLOURS[level]}{text}{_RESET}"
    return (text + "\n").encode("utf-8", "backslashreplace")


def _visible(value: object) -> str:
    """Return the text on one line: what a client sent must not forge lines or move a terminal's cursor."""
    text = str(value)
    return text if text.isprintable() else repr(text)[1:-1]


def _dump(fields: dict[str, object]) -> bytes:
    try:
        return orjson.dumps(fields, str, _OPTIONS)
    except orjson.JSONEncodeError:
        # A lone surrogate, an integer over 64 bits, a depth without end: say what it looked like.
        described = {_clean(key): value if _is_plain(value) else _clean(value) for key, value in fields.items()}
        return orjson.dumps(described, option=orjson.OPT_APPEND_NEWLINE)


def _is_plain(value: object) -> bool:
    return value is None or isinstance(value, bool | float) or (isinstance(value, int) and abs(value) < 2**63)


def _clean(value: object) -> str:
    return str(value).encode("utf-8", "backslashreplace").decode()


def _cut(key: str, value: object) -> str:
    text = value if isinstance(value, str) else redaction.redact_text(_clean(value))
    if key == "exception.stacktrace" and len(text) > _STACK_CHARACTERS:
        return f"… {len(text) - _STACK_CHARACTERS} characters left out …\n{text[-_STACK_CHARACTERS:]}"
    if len(text) > _CUT_CHARACTERS:
        return f"{text[:_CUT_CHARACTERS]}… {len(text) - _CUT_CHARACTERS} characters left out"
    return text
