"""The texts of the contract that mean more than text: how each is read, and how the contract describes it.

A format goes into the annotation of a field (`Annotated[date | None, DUE]`). Its reader takes what JSON or the query
string holds and returns the domain's value, or says in one sentence what is wrong.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, timezone
from typing import Any, Final, TypeVar

from app.domain.account import EMAIL_CHARACTERS, NAME_CHARACTERS
from app.domain.checks import Checks
from app.domain.durations import parse_duration
from app.domain.errors import FieldError
from app.domain.passwords import LEAST_CHARACTERS, MOST_CHARACTERS
from app.domain.recurrence import InvalidRuleError, parse_rule
from app.domain.reminder import CHANNELS
from app.domain.task import DESCRIPTION_BYTES, TAG_CHARACTERS, TAGS, TITLE_CHARACTERS, Priority
from app.services.cursors import CURSOR_CHARACTERS

T = TypeVar("T")

SEARCH_CHARACTERS: Final = 500

_DATE: Final = re.compile(r"(\d{4})-(\d\d)-(\d\d)", re.ASCII)
# RFC 3339, section 5.6. An offset is always needed: without one an instant is a guess.
_INSTANT: Final = re.compile(
    r"(\d{4})-(\d\d)-(\d\d)[Tt](\d\d):(\d\d):(\d\d)(?:\.(\d{1,18}))?(?:([Zz])|([+-])(\d\d):(\d\d))", re.ASCII
)
_WALL_TIME: Final = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d)?", re.ASCII)
_TIME_OF_DAY: Final = re.compile(r"([01]\d|2[0-3]):([0-5]\d)", re.ASCII)
# Of a list in a query string: what separates, what is escaped, and all else.
_PIECE: Final = re.compile(r",|\\[\\,]|[^\\,]+|\\")


class FieldRefusedError(ValueError):
    """One field is not what it should be.

    Attributes:
        code: Stable.
        message: A sentence.
        below: Which part of the field it is, such as `.3`.
    """

    def __init__(self, code: str, message: str, below: str = "") -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.below = below


@dataclass(frozen=True, slots=True, eq=False)
class Format:
    """A way to read a value, and its JSON Schema.

    Attributes:
        read: Returns the domain's value, or raises `FieldRefusedError`.
        schema: JSON Schema of what is read.
    """

    read: Callable[[object], Any]
    schema: Mapping[str, Any]


def text_of(value: object) -> str:
    """Return a text, or say that it is none."""
    if not isinstance(value, str):
        raise FieldRefusedError("type", "Must be text.")
    return value


def read_instant(value: object) -> datetime:
    """Return an aware instant in UTC. A leap second is refused: neither Python nor PostgreSQL can keep one."""
    found = _INSTANT.fullmatch(text_of(value))
    if found is None:
        raise FieldRefusedError("invalid", "Must be an instant with an offset, such as 2026-11-23T09:00:00Z.")
    year, month, day, hour, minute, second, fraction, _, sign, offset_hours, offset_minutes = found.groups()
    microsecond = int((fraction or "0")[:6].ljust(6, "0"))
    try:
        moment = datetime(
            int(year), int(month), int(day), int(hour), int(minute), int(second), microsecond,
            _offset(sign, offset_hours, offset_minutes),
        )  # fmt: skip # one line reads like the notation
        moment = moment.astimezone(UTC)
    except (ValueError, OverflowError):
        raise FieldRefusedError("invalid", "There is no such instant.") from None
    _in_range(moment.date())
    return moment


def _in_range(day: date) -> date:
    checks = Checks()
    checks.day("", day)
    _pass_on(checks.errors)
    return day


def _pass_on(errors: list[FieldError]) -> None:
    if errors:
        raise FieldRefusedError(errors[0].code, errors[0].message)


def _offset(sign: str | None, hours: str | None, minutes: str | None) -> timezone:
    if sign is None or hours is None or minutes is None:
        return UTC
    if int(hours) > 23 or int(minutes) > 59:
        raise ValueError("no such offset")
    offset = timedelta(hours=int(hours), minutes=int(minutes))
    return timezone(-offset if sign == "-" else offset)


def read_local_or_instant(value: object) -> datetime:
    """Return an aware instant in UTC, or a naive time on the wall, such as 2026-11-23T09:00 or 2026-11-23T09:00:00."""
    text = text_of(value)
    if not _WALL_TIME.fullmatch(text):
        return read_instant(text)
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise FieldRefusedError("invalid", "There is no such time.") from None
    _in_range(moment.date())
    return moment


def read_local_or_due(value: object) -> date:
    """Return a date, an aware instant in UTC, or a naive time on the wall."""
    return read_local_or_instant(value) if _WALL_TIME.fullmatch(text_of(value)) else read_due(value)


def read_due(value: object) -> date:
    """Return a date, or an aware instant in UTC."""
    found = _DATE.fullmatch(text_of(value))
    if found is None:
        if not _INSTANT.fullmatch(text_of(value)):
            example = "a date such as 2026-11-23, or an instant such as 2026-11-23T09:00:00Z"
            raise FieldRefusedError("invalid", f"Must be {example}.")
        return read_instant(value)
    try:
        day = date.fromisoformat(found[0])
    except ValueError:
        raise FieldRefusedError("invalid", "There is no such date.") from None
    return _in_range(day)


def read_time_of_day(value: object) -> time:
    """Return a time such as 22:30."""
    found = _TIME_OF_DAY.fullmatch(text_of(value))
    if found is None:
        raise FieldRefusedError("invalid", "Must be a time of day, such as 22:30.")
    return time(int(found[1]), int(found[2]))


def read_time_zone(value: object) -> str:
    """Return the IANA name of a time zone."""
    return _checked(lambda checks, text: checks.time_zone("", text))(value)


def read_duration(value: object) -> str:
    """Return an ISO 8601 duration of fixed length, as given."""
    text = text_of(value)
    if parse_duration(text) is None:
        raise FieldRefusedError("invalid", "Must be an ISO 8601 duration, such as PT15M or P1D, of ten years at most.")
    return text


def read_rule(value: object) -> str:
    """Return a recurrence rule, as given."""
    rule = text_of(value)
    try:
        parse_rule(rule)
    except InvalidRuleError as error:
        raise FieldRefusedError("invalid", str(error)) from None
    return rule


def _checked(check: Callable[[Checks, str], T]) -> Callable[[object], T]:
    """Read a text as the domain does."""

    def read(value: object) -> T:
        checks = Checks()
        kept = check(checks, text_of(value))
        _pass_on(checks.errors)
        return kept

    return read


def _text(most: int, *, least: int = 0) -> Callable[[object], str]:
    return _checked(lambda checks, text: checks.text("", text, least=least, most=most))


def _read_password(value: object) -> str:
    text = text_of(value)
    if len(text) > MOST_CHARACTERS:  # how good it is, the domain says
        raise FieldRefusedError("too_long", f"Must have at most {MOST_CHARACTERS} characters.")
    return text


def _texts(of: Callable[[object], str], at_most: int) -> Callable[[object], tuple[str, ...]]:
    def read(value: object) -> tuple[str, ...]:
        if not isinstance(value, list):
            raise FieldRefusedError("type", "Must be a list of texts.")
        if len(value) > at_most:
            raise FieldRefusedError("too_many", f"Must have at most {at_most} entries.")
        return tuple(_entry(of, item, index) for index, item in enumerate(value))

    return read


def _entry(of: Callable[[object], T], item: object, index: int) -> T:
    try:
        return of(item)
    except FieldRefusedError as refusal:
        raise FieldRefusedError(refusal.code, refusal.message, f".{index}") from None


def _listed(of: Callable[[object], Any]) -> Callable[[object], tuple[Any, ...]]:
    """Read entries separated by commas; nothing between two commas is nothing."""

    def read(value: object) -> tuple[Any, ...]:
        entries = [entry.strip() for entry in _entries(text_of(value))]
        if len(entries) > TAGS:
            raise FieldRefusedError("too_many", f"Must have at most {TAGS} entries.")
        return tuple(of(entry) for entry in entries if entry)

    return read


def _entries(text: str) -> list[str]:
    r"""Split at commas. `\,` is a comma of the entry itself, `\\` a backslash, as is one before anything else."""
    if "\\" not in text:
        return text.split(",")
    entries = [""]
    for piece in _PIECE.findall(text):
        if piece == ",":
            entries.append("")
        else:
            entries[-1] += piece[-1] if piece[0] == "\\" else piece
    return entries


def _read_priority(value: object) -> Priority:
    try:
        return Priority(text_of(value))
    except ValueError:
        raise FieldRefusedError("invalid", f"Must be one of {', '.join(Priority)}.") from None


_TAG: Final = _text(TAG_CHARACTERS, least=1)
_TAG_SCHEMA: Final = {"type": "string", "minLength": 1, "maxLength": TAG_CHARACTERS, "pattern": r"\S"}

INSTANT: Final = Format(read_instant, {"type": "string", "format": "date-time"})
DUE: Final = Format(
    read_due, {"anyOf": [{"type": "string", "format": "date"}, {"type": "string", "format": "date-time"}]}
)
_WALL_SCHEMA: Final = {
    "type": "string",
    "pattern": "^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}(:[0-9]{2})?$",
    "description": "Without an offset: what the clock on the wall shows in `timeZone`.",
}
LOCAL_OR_INSTANT: Final = Format(read_local_or_instant, {"anyOf": [INSTANT.schema, _WALL_SCHEMA]})
LOCAL_OR_DUE: Final = Format(read_local_or_due, {"anyOf": [*DUE.schema["anyOf"], _WALL_SCHEMA]})
TIME_OF_DAY: Final = Format(read_time_of_day, {"type": "string", "pattern": "^([01][0-9]|2[0-3]):[0-5][0-9]$"})
TIME_ZONE: Final = Format(
    read_time_zone,
    {"type": "string", "pattern": "^[A-Za-z0-9_+/-]+$", "description": "A name of the IANA time zone database."},
)
DURATION: Final = Format(
    read_duration,
    {
        "type": "string",
        "pattern": "^P([0-9]{1,9}W)?([0-9]{1,9}D)?(T([0-9]{1,9}H)?([0-9]{1,9}M)?([0-9]{1,9}S)?)?$",
        "description": "ISO 8601: weeks, days, hours, minutes and seconds; ten years at most.",
    },
)
TITLE: Final = Format(
    _text(TITLE_CHARACTERS, least=1),
    {"type": "string", "minLength": 1, "maxLength": TITLE_CHARACTERS, "pattern": r"\S"},
)
DESCRIPTION: Final = Format(
    _checked(lambda checks, text: checks.long_text("", text, most_bytes=DESCRIPTION_BYTES)),
    {"type": "string", "maxLength": DESCRIPTION_BYTES, "description": f"At most {DESCRIPTION_BYTES:,} bytes in UTF-8."},
)
TAG_LIST: Final = Format(_texts(_TAG, TAGS), {"type": "array", "items": _TAG_SCHEMA, "maxItems": TAGS})
CHANNEL_LIST: Final = Format(
    _texts(_text(30, least=1), CHANNELS),
    {"type": "array", "items": {"type": "string", "minLength": 1, "maxLength": 30}, "maxItems": CHANNELS},
)
RULE: Final = Format(
    read_rule,
    {
        "type": "string",
        "minLength": 1,
        "description": "An RRULE of RFC 5545, with SKIP of RFC 7529, such as FREQ=WEEKLY;BYDAY=MO.",
    },
)
EMAIL: Final = Format(
    _text(EMAIL_CHARACTERS, least=1), {"type": "string", "format": "email", "maxLength": EMAIL_CHARACTERS}
)
PASSWORD: Final = Format(_read_password, {"type": "string", "format": "password", "maxLength": MOST_CHARACTERS})
NEW_PASSWORD: Final = Format(_read_password, {**PASSWORD.schema, "minLength": LEAST_CHARACTERS})
NAME: Final = Format(_text(NAME_CHARACTERS), {"type": "string", "maxLength": NAME_CHARACTERS})
SEARCH: Final = Format(_text(SEARCH_CHARACTERS), {"type": "string", "maxLength": SEARCH_CHARACTERS})
CURSOR: Final = Format(
    _text(CURSOR_CHARACTERS, least=1), {"type": "string", "minLength": 1, "maxLength": CURSOR_CHARACTERS}
)
TAGS_IN_QUERY: Final = Format(
    _listed(_TAG),
    {
        "type": "array",
        "items": _TAG_SCHEMA,
        "maxItems": TAGS,
        "description": r"Separated by commas; `\,` is a comma in a tag, and `\\` a backslash.",
    },
)
PRIORITIES_IN_QUERY: Final = Format(
    _listed(_read_priority), {"type": "array", "items": {"type": "string", "enum": [*Priority]}, "maxItems": TAGS}
)
