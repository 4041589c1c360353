"""Checks of outside input: each returns the value as it will be kept, and all that is wrong is told at once.

checks = Checks()
title = checks.text("title", given, least=1, most=500)
checks.finish()
"""

import re
import unicodedata
from collections.abc import Iterable
from datetime import UTC, date, datetime
from functools import lru_cache
from typing import Final
from zoneinfo import available_timezones

from app.domain.errors import FieldError, ValidationFailedError

# What both Python and PostgreSQL can count on, with room for time zones and for reminders before and after.
EARLIEST_DUE: Final = date(1900, 1, 1)
LATEST_DUE: Final = date(9999, 12, 30)


_UNSTORABLE: Final = re.compile("[\0\ud800-\udfff]")


class Checks:
    """Collects what is wrong with some fields. Every method takes the field's name on the wire."""

    def __init__(self) -> None:
        self.errors: list[FieldError] = []

    def refuse(self, field: str, code: str, message: str) -> None:
        """Note that a field is wrong."""
        self.errors.append(FieldError(field, code, message))

    def finish(self) -> None:
        """Refuse everything if anything was wrong.

        Raises:
            ValidationFailedError: With one entry per fault.
        """
        if self.errors:
            raise ValidationFailedError(self.errors)

    def text(self, field: str, value: str, *, least: int, most: int) -> str:
        """Return the text without surrounding space; lengths are in characters."""
        text = value.strip()
        if not storable(text):
            self.refuse(field, "invalid", "Contains characters that cannot be stored.")
        elif len(text) < least:
            self.refuse(field, "too_short", f"Must have at least {least} character{'s' if least > 1 else ''}.")
        elif len(text) > most:
            self.refuse(field, "too_long", f"Must have at most {most} characters.")
        return text

    def long_text(self, field: str, value: str, *, most_bytes: int) -> str:
        """Return the text as it is; its length is counted in bytes of UTF-8."""
        if not storable(value):
            self.refuse(field, "invalid", "Contains characters that cannot be stored.")
        elif 4 * len(value) > most_bytes and len(value.encode()) > most_bytes:
            self.refuse(field, "too_long", f"Must have at most {most_bytes} bytes.")
        return value

    def time_zone(self, field: str, value: str) -> str:
        """Return the IANA name of a time zone."""
        if not is_time_zone(value):
            self.refuse(field, "unknown_time_zone", "Is not the IANA name of a time zone, such as Europe/Berlin.")
        return value

    def day(self, field: str, value: date) -> date:
        """Return the date if it is in the range of the calendar that we keep."""
        if not EARLIEST_DUE <= value <= LATEST_DUE:
            self.refuse(field, "out_of_range", f"Must be between {EARLIEST_DUE} and {LATEST_DUE}.")
        return value

    def instant(self, field: str, value: datetime) -> datetime:
        """Return the instant in UTC."""
        if value.tzinfo is None:
            self.refuse(field, "invalid", "Must have an offset from UTC, such as Z.")
            return value
        try:
            moment = value.astimezone(UTC)
        except OverflowError:
            moment = value.replace(tzinfo=UTC)  # so near the end of the calendar that the range refuses it
        self.day(field, moment.date())
        return moment


def storable(text: str) -> bool:
    """Return whether PostgreSQL can keep the text: no NUL, no half of a surrogate pair."""
    return "\0" not in text if text.isascii() else _UNSTORABLE.search(text) is None


@lru_cache(maxsize=1)
def _time_zones() -> frozenset[str]:
    return frozenset(available_timezones())


def is_time_zone(name: str) -> bool:
    """Return whether this is a name in the IANA time zone database."""
    return name in _time_zones()


def folded(text: str) -> str:
    """Return what makes two spellings the same to people: letter case and composed characters do not count."""
    text = text.casefold()
    return text if text.isascii() else unicodedata.normalize("NFC", text)


def unique_texts(texts: Iterable[str]) -> tuple[str, ...]:
    """Return the texts trimmed, without empty ones, and of several spellings the first."""
    kept: dict[str, str] = {}
    for text in texts:
        if trimmed := text.strip():
            kept.setdefault(folded(trimmed), trimmed)
    return tuple(kept.values())
