"""English for numbers, days, months and lists of them, as rules need it."""

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from typing import Final

from app.domain.recurrence.rule import LocalMoment

MONTHS: Final = (
    "January", "February", "March", "April", "May", "June",
    "July", "August", "September", "October", "November", "December",
)  # fmt: skip
DAYS: Final = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
# From here on a run of neighbours reads better as "first to last".
SHORTEST_RUN: Final = 3

_FIRST_ORDINALS: Final = ("first", "second", "third", "fourth", "fifth")
_SUFFIXES: Final = {1: "st", 2: "nd", 3: "rd"}


def listed(words: Sequence[str], conjunction: str = "and") -> str:
    """Return "a", "a and b", "a, b and c"."""
    if len(words) == 1:
        return words[0]
    return f"{', '.join(words[:-1])} {conjunction} {words[-1]}"


def listed_numbers(numbers: Iterable[int], name: Callable[[int], str], conjunction: str = "and") -> str:
    """Return the names of numbers, the positive ones first and in order, with runs of them as "a to b"."""
    ordered = sorted(set(numbers), key=lambda number: (number < 0, number))
    words: list[str] = []
    while ordered:
        length = 1
        while length < len(ordered) and ordered[length] == ordered[0] + length > 0 <= ordered[0]:
            length += 1
        if length < SHORTEST_RUN:
            length = 1
            words.append(name(ordered[0]))
        else:
            words.append(f"{name(ordered[0])} to {name(ordered[length - 1])}")
        ordered = ordered[length:]
    return listed(words, conjunction)


def numbered(number: int) -> str:
    """Return "21st"."""
    suffix = "th" if 11 <= number % 100 <= 13 else _SUFFIXES.get(number % 10, "th")
    return f"{number}{suffix}"


def ordinal(number: int) -> str:
    """Return "first", "20th", "last" or "second to last"."""
    size = abs(number)
    word = _FIRST_ORDINALS[size - 1] if size <= len(_FIRST_ORDINALS) else numbered(size)
    if number > 0:
        return word
    return "last" if number == -1 else f"{word} to last"


def times(number: int) -> str:
    """Return "once" or "10 times"."""
    return "once" if number == 1 else f"{number} times"


def quantity(number: int, unit: str) -> str:
    """Return "1 day" or "3 days"."""
    return f"{number} {unit}" if number == 1 else f"{number} {unit}s"


def moment(value: LocalMoment) -> str:
    """Return "31 December 2026", with the time if there is one, and "UTC" if it is an instant."""
    day = f"{value.day} {MONTHS[value.month - 1]} {value.year}"
    if not isinstance(value, datetime):
        return day
    clock = value.strftime("%H:%M:%S" if value.second else "%H:%M")
    return f"{day} at {clock}" + (" UTC" if value.tzinfo else "")
