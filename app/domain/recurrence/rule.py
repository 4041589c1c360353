"""A recurrence rule as a value: the parts of RFC 5545 (RRULE) and RFC 7529 (SKIP), already understood.

Knows nothing of the text it came from except its canonical form, of anchors, of zones and of completion. A value of
this module is valid on its own; whether it fits a given first date is `expansion.check_start`.
"""

from dataclasses import dataclass
from datetime import date, datetime
from enum import IntEnum, StrEnum
from typing import Final, TypeAlias

from app.domain.task import MissedPolicy, RecurrenceMode

# Wall-clock time without a zone. A `date` belongs to a task without a time of day, and never meets a clock.
LocalMoment: TypeAlias = date | datetime

# Weekdays as RFC 5545 writes them; the index is `date.weekday()`.
WEEKDAYS: Final = ("MO", "TU", "WE", "TH", "FR", "SA", "SU")


class InvalidRuleError(ValueError):
    """The rule cannot be used.

    Attributes:
        message: A sentence for the person who wrote the rule.
        part: The part of the rule it is about (`BYDAY`, `COUNT` …), or `RRULE` for the whole.
    """

    def __init__(self, message: str, part: str = "RRULE") -> None:
        super().__init__(message)
        self.message = message
        self.part = part


class Frequency(IntEnum):
    """FREQ, the longest period first: a comparison asks which of two is shorter."""

    YEARLY = 0
    MONTHLY = 1
    WEEKLY = 2
    DAILY = 3
    HOURLY = 4
    MINUTELY = 5
    SECONDLY = 6


class Skip(StrEnum):
    """What becomes of a date that does not exist, such as 30 February (RFC 7529, section 4.1)."""

    OMIT = "OMIT"
    BACKWARD = "BACKWARD"
    FORWARD = "FORWARD"


@dataclass(frozen=True, slots=True, kw_only=True)
class Weekday:
    """One value of BYDAY.

    Attributes:
        day: 0 for Monday to 6 for Sunday.
        ordinal: 2 for the second of the month or year, -1 for the last, 0 for every one.
    """

    day: int
    ordinal: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """A parsed RRULE. An empty tuple is a part that was not given.

    Attributes:
        text: The canonical form: upper case, no prefix, parts in one order, values as they were written.
        interval: Every how many periods, from 1.
        count: How many occurrences there are, before exceptions are taken away; None for no such end.
        until: The last moment an occurrence may have, inclusive: a date, a wall-clock time, or an aware UTC instant.
        by_second: 0 to 59; 60 is read as 59, since no clock here knows leap seconds (RFC 5545, 3.3.12).
        week_start: 0 for Monday to 6 for Sunday.
    """

    text: str
    frequency: Frequency
    interval: int = 1
    count: int | None = None
    until: LocalMoment | None = None
    by_month: tuple[int, ...] = ()
    by_week_number: tuple[int, ...] = ()
    by_year_day: tuple[int, ...] = ()
    by_month_day: tuple[int, ...] = ()
    by_day: tuple[Weekday, ...] = ()
    by_hour: tuple[int, ...] = ()
    by_minute: tuple[int, ...] = ()
    by_second: tuple[int, ...] = ()
    by_set_position: tuple[int, ...] = ()
    week_start: int = 0
    skip: Skip = Skip.OMIT

    @property
    def names_days(self) -> bool:
        """Whether the rule itself says which days it means; otherwise the anchor does."""
        return bool(self.by_week_number or self.by_year_day or self.by_month_day or self.by_day)

    @property
    def is_plain(self) -> bool:
        """Whether there is nothing but a frequency and an interval: one occurrence in every period."""
        times = self.by_hour or self.by_minute or self.by_second
        return not (self.names_days or self.by_month or times or self.by_set_position)


@dataclass(frozen=True, slots=True, kw_only=True)
class Recurrence:
    """How a task repeats: its rule, what is counted from what, and what becomes of missed occurrences."""

    rule: Rule
    mode: RecurrenceMode = RecurrenceMode.SCHEDULE
    missed: MissedPolicy = MissedPolicy.SKIP
