"""Durations as ISO 8601 writes them, as far as a reminder needs them: weeks to seconds, no months.

Days are days of the calendar, also when a change of the clocks makes one 23 or 25 hours long (RFC 5545, 3.3.6).
"""

import re
from dataclasses import dataclass
from typing import Final

# Ten years: longer than any reminder, and far from the ends of the calendar.
LONGEST_SECONDS: Final = 10 * 366 * 86_400

_DURATION: Final = re.compile(
    r"P(?:(\d{1,9})W)?(?:(\d{1,9})D)?(?:T(?=\d)(?:(\d{1,9})H)?(?:(\d{1,9})M)?(?:(\d{1,9})S)?)?", re.ASCII
)


@dataclass(frozen=True, slots=True)
class Duration:
    """So many days of the calendar and so many seconds."""

    days: int
    seconds: int

    @property
    def nominal_seconds(self) -> int:
        """How long it is on an ordinary day."""
        return self.days * 86_400 + self.seconds


def parse_duration(text: str) -> Duration | None:
    """Return a duration (`PT15M`, `P1DT12H`, `P2W`), None if the text is not one or it is too long to count with."""
    match = _DURATION.fullmatch(text)
    if match is None or text == "P":
        return None
    weeks, days, hours, minutes, seconds = (int(number or 0) for number in match.groups())
    duration = Duration(weeks * 7 + days, hours * 3_600 + minutes * 60 + seconds)
    return duration if duration.nominal_seconds <= LONGEST_SECONDS else None
