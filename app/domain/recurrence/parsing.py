"""Reads RRULE text, or says in a sentence what is wrong with it.

Grammar: RFC 5545, section 3.3.10, with RSCALE and SKIP of RFC 7529. More forgiving than the grammar in case, spaces
around parts and the `RRULE:` prefix; as strict in everything that changes the meaning.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from functools import lru_cache
from typing import Any, Final

from app.domain.recurrence.checks import check
from app.domain.recurrence.rule import WEEKDAYS, Frequency, InvalidRuleError, LocalMoment, Rule, Skip, Weekday

# The longest rule any calendar program was seen to write has 170; it also bounds how many values a part can have.
MAX_RULE_CHARACTERS: Final = 512
# 10 000 days are 27 years. A COUNT must be counted from the first occurrence, so it bounds the work of one call.
MAX_COUNT: Final = 10_000
# More than a year in minutes; no calendar has use for more, and sums with it stay far from overflow.
MAX_INTERVAL: Final = 1_000_000
# Rules are read again for every completion and preview; a rule is a value, so the same text gives the same one.
CACHED_RULES: Final = 1_024

_NUMBER: Final = re.compile(r"[+-]?[0-9]{1,7}", re.ASCII)
_WEEKDAY: Final = re.compile(r"([+-]?[0-9]{1,2})?(MO|TU|WE|TH|FR|SA|SU)", re.ASCII)
_UNTIL: Final = re.compile(r"([0-9]{8})(?:T([0-9]{6})(Z?))?", re.ASCII)


@dataclass(frozen=True, slots=True)
class _Part:
    """How one part is called in `Rule`, and how its value is read."""

    field: str
    read: Callable[[str, str], Any]


def parse_rule(text: str, *, default_skip: Skip = Skip.OMIT) -> Rule:
    """Return the rule that `text` says.

    Args:
        text: RRULE value, with or without the `RRULE:` prefix.
        default_skip: The SKIP of monthly and yearly rules that name none and take their day from the anchor. A bare
            RRULE is read strictly, as RFC 5545 says (OMIT). Give BACKWARD when a person asked for "every month":
            the canonical text then says `SKIP=BACKWARD`, and means the same wherever it is read again.

    Raises:
        InvalidRuleError: It is not a rule, or one that contradicts itself or never yields an occurrence.
    """
    rule = _parse(text)
    implied = rule.frequency <= Frequency.MONTHLY and not rule.names_days
    if default_skip is Skip.OMIT or not implied or "SKIP=" in rule.text:
        return rule
    return replace(rule, skip=default_skip, text=f"{rule.text};SKIP={default_skip}")


@lru_cache(maxsize=CACHED_RULES)
def _parse(text: str) -> Rule:
    if len(text) > MAX_RULE_CHARACTERS:
        raise InvalidRuleError(f"A rule has at most {MAX_RULE_CHARACTERS} characters; this one has {len(text)}.")
    values = _split(text)
    if "FREQ" not in values:
        raise InvalidRuleError("A rule starts with how often: FREQ=DAILY, FREQ=WEEKLY and so on.", "FREQ")
    fields = {_PARTS[name].field: _PARTS[name].read(name, value) for name, value in values.items()}
    fields.pop("rscale", None)
    canonical = ";".join(f"{name}={values[name]}" for name in _PARTS if name in values and name != "RSCALE")
    rule = Rule(text=canonical, **fields)
    check(rule)
    return rule


def _split(text: str) -> dict[str, str]:
    """Return the value of each part, upper case."""
    values: dict[str, str] = {}
    body = text.strip().upper().removeprefix("RRULE:")
    for part in body.removesuffix(";").split(";"):
        name, equals, value = (piece.strip() for piece in part.partition("="))
        if not equals or not value:
            raise InvalidRuleError(f"A rule is made of NAME=VALUE parts separated by “;”; {_shown(part)} is none.")
        if name not in _PARTS:
            raise InvalidRuleError(f"{_shown(name)} is not a part of a recurrence rule.", _shown(name))
        if name in values:
            raise InvalidRuleError(f"{name} is given twice.", name)
        values[name] = ",".join(dict.fromkeys(piece.strip() for piece in value.split(",")))
    return values


def _shown(text: str) -> str:
    """Return `text` short and plain enough to be shown again."""
    plain = "".join(character if character.isprintable() else "?" for character in text.strip())
    return f"“{plain[:40]}”"


def _read_number(name: str, value: str, low: int, high: int) -> int:
    if _NUMBER.fullmatch(value) and low <= int(value) <= high:
        return int(value)
    raise InvalidRuleError(f"{name} takes whole numbers from {low} to {high}, not {_shown(value)}.", name)


def _number(low: int, high: int) -> Callable[[str, str], int]:
    return lambda name, value: _read_number(name, value, low, high)


def _numbers(low: int, high: int, *, signed: bool = False) -> Callable[[str, str], tuple[int, ...]]:
    """Return a reader of lists from `low` to `high`, or of their negatives too, but never of a signed zero."""

    def read(name: str, value: str) -> tuple[int, ...]:
        numbers = [_read_number(name, item, -high if signed else low, high) for item in value.split(",")]
        if signed and 0 in numbers:
            raise InvalidRuleError(f"{name} counts from 1, or from -1 backwards; there is no 0.", name)
        return tuple(dict.fromkeys(numbers))

    return read


def _read_seconds(name: str, value: str) -> tuple[int, ...]:
    return tuple(dict.fromkeys(min(second, 59) for second in _numbers(0, 60)(name, value)))


def _read_weekdays(name: str, value: str) -> tuple[Weekday, ...]:
    return tuple(dict.fromkeys(_read_weekday(name, item) for item in value.split(",")))


def _read_weekday(name: str, item: str) -> Weekday:
    match = _WEEKDAY.fullmatch(item)
    if match is None:
        raise InvalidRuleError(
            f"{name} takes {', '.join(WEEKDAYS)}, with a number such as 1MO; not {_shown(item)}.", name
        )
    ordinal, day = match.groups()
    if ordinal is not None and not 1 <= abs(int(ordinal)) <= 53:
        raise InvalidRuleError(f"{name} counts weekdays from 1 to 53 or from -1 to -53, not {_shown(item)}.", name)
    return Weekday(day=WEEKDAYS.index(day), ordinal=int(ordinal or 0))


def _read_week_start(name: str, value: str) -> int:
    if value not in WEEKDAYS:
        raise InvalidRuleError(f"{name} is one of {', '.join(WEEKDAYS)}, not {_shown(value)}.", name)
    return WEEKDAYS.index(value)


def _read_frequency(name: str, value: str) -> Frequency:
    if value not in Frequency.__members__:
        raise InvalidRuleError(f"{name} is one of {', '.join(Frequency.__members__)}, not {_shown(value)}.", name)
    return Frequency[value]


def _read_skip(name: str, value: str) -> Skip:
    if value not in Skip.__members__:
        raise InvalidRuleError(f"{name} is one of {', '.join(Skip)}, not {_shown(value)}.", name)
    return Skip(value)


def _read_calendar(name: str, value: str) -> str:
    if value != "GREGORIAN":
        raise InvalidRuleError(f"Only the Gregorian calendar is known here, not {_shown(value)}.", name)
    return value


def _read_until(name: str, value: str) -> LocalMoment:
    """Return a date for `20261231`, a wall-clock time for `20261231T090000`, an instant if a `Z` follows."""
    wrong = f"{name} is a date such as 20261231, or a time such as 20261231T170000Z; {_shown(value)} is none."
    match = _UNTIL.fullmatch(value)
    if match is None:
        raise InvalidRuleError(wrong, name)
    day, time, zulu = match.groups()
    try:
        if time is None:
            return date.fromisoformat(day)
        moment = datetime.fromisoformat(f"{day}T{time}")
    except ValueError as error:
        raise InvalidRuleError(wrong, name) from error
    return moment.replace(tzinfo=UTC) if zulu else moment


# In the order of the canonical text, which is the order the examples of RFC 5545 keep.
_PARTS: Final = {
    "FREQ": _Part("frequency", _read_frequency),
    "INTERVAL": _Part("interval", _number(1, MAX_INTERVAL)),
    "COUNT": _Part("count", _number(1, MAX_COUNT)),
    "UNTIL": _Part("until", _read_until),
    "BYMONTH": _Part("by_month", _numbers(1, 12)),
    "BYWEEKNO": _Part("by_week_number", _numbers(1, 53, signed=True)),
    "BYYEARDAY": _Part("by_year_day", _numbers(1, 366, signed=True)),
    "BYMONTHDAY": _Part("by_month_day", _numbers(1, 31, signed=True)),
    "BYDAY": _Part("by_day", _read_weekdays),
    "BYHOUR": _Part("by_hour", _numbers(0, 23)),
    "BYMINUTE": _Part("by_minute", _numbers(0, 59)),
    "BYSECOND": _Part("by_second", _read_seconds),
    "BYSETPOS": _Part("by_set_position", _numbers(1, 366, signed=True)),
    "WKST": _Part("week_start", _read_week_start),
    "RSCALE": _Part("rscale", _read_calendar),
    "SKIP": _Part("skip", _read_skip),
}
