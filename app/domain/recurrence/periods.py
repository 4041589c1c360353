"""The periods of a rule (years, months, weeks, days …), each with the occurrences in it, in order.

BYSETPOS chooses within one period, always a whole one: the week of the anchor counts from its first day on.
"""

from bisect import bisect_left
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final

from app.domain.recurrence.days import days_of_month, days_of_week, days_of_year, weekday_of
from app.domain.recurrence.plan import DAY, END, LAST_YEAR, Offsets, Plan
from app.domain.recurrence.rule import Frequency
from app.domain.recurrence.seek import seek

_AT_ONCE: Final = Offsets()


@dataclass(frozen=True, slots=True)
class Period:
    """The ticks of one period, ascending, computed when asked for: every base with every offset.

    Attributes:
        bases: First ticks of days, or of an hour, minute or second.
        picks: Which of them BYSETPOS chose; None for all.
    """

    bases: Sequence[int]
    offsets: Offsets
    picks: Sequence[int] | None = None

    def __len__(self) -> int:
        return len(self.bases) * len(self.offsets) if self.picks is None else len(self.picks)

    def __getitem__(self, index: int) -> int:
        chosen = index if self.picks is None else self.picks[index]
        base, offset = divmod(chosen, len(self.offsets))
        return self.bases[base] + self.offsets.at(offset)


def periods(plan: Plan, start: int, barren_periods: int) -> Iterator[Period]:
    """Yield periods, also empty ones, from one that has or precedes tick `start` on.

    Ends with the calendar; those of a day or less also after so many fruitless jumps.
    """
    if plan.unit:
        for base in seek(plan, start, barren_periods):
            yield _chosen(plan, (base,))
        return
    calendar = _calendar_periods(plan, start)
    if not plan.spills:
        for _, bases in calendar:
            yield _chosen(plan, bases)
    elif plan.rule.by_set_position:
        chosen = ((following, _ticks(_chosen(plan, bases))) for following, bases in calendar)
        for ticks in _settled(chosen):
            yield Period(ticks, _AT_ONCE)
    else:
        for bases in _settled(calendar):
            yield Period(bases, plan.offsets)


def _chosen(plan: Plan, bases: Sequence[int]) -> Period:
    positions = plan.rule.by_set_position
    if not positions:
        return Period(bases, plan.offsets)
    size = len(bases) * len(plan.offsets)
    picks = {position - 1 if position > 0 else size + position for position in positions}
    return Period(bases, plan.offsets, sorted(pick for pick in picks if 0 <= pick < size))


def _ticks(period: Period) -> list[int]:
    return [period[index] for index in range(len(period))]


def _settled(calendar: Iterator[tuple[int, list[int]]]) -> Iterator[list[int]]:
    """Put in order, and make unique, ticks that SKIP moved over the border of a period.

    They move by one day past it at most, so what lies before the last day of a period cannot be met again.
    """
    held: list[int] = []
    for following, ticks in calendar:
        merged = sorted({*held, *ticks})
        cut = bisect_left(merged, following - DAY)
        yield merged[:cut]
        held = merged[cut:]
    yield held


def _calendar_periods(plan: Plan, start: int) -> Iterator[tuple[int, list[int]]]:
    """Yield (tick at which the following period begins, first ticks of the days in this one)."""
    walk = {Frequency.YEARLY: _years, Frequency.MONTHLY: _months, Frequency.WEEKLY: _weeks}[plan.rule.frequency]
    for following, days in walk(plan, start):
        yield following, [day * DAY for day in days]


def _first(start: int, origin: int, interval: int) -> int:
    """Return the number of the last period that begins before period `start` does, on the way from `origin`."""
    return origin + max((start - origin - 1) // interval, 0) * interval


def _years(plan: Plan, start: int) -> Iterator[tuple[int, list[int]]]:
    interval = plan.rule.interval
    origin, wanted = _date(plan.anchor).year, _date(start).year
    for year in range(_first(wanted, origin, interval), LAST_YEAR + 1, interval):
        following = min(year + interval, LAST_YEAR + 1)
        yield date(following, 1, 1).toordinal() * DAY, days_of_year(plan, year)


def _months(plan: Plan, start: int) -> Iterator[tuple[int, list[int]]]:
    interval = plan.rule.interval
    origin, wanted = (first.year * 12 + first.month - 1 for first in (_date(plan.anchor), _date(start)))
    last = LAST_YEAR * 12 + 11
    for index in range(_first(wanted, origin, interval), last + 1, interval):
        year, month = divmod(min(index + interval, last + 1), 12)
        yield date(year, month + 1, 1).toordinal() * DAY, days_of_month(plan, index // 12, index % 12 + 1)


def _weeks(plan: Plan, start: int) -> Iterator[tuple[int, list[int]]]:
    week_start, step = plan.rule.week_start, 7 * plan.rule.interval
    day = plan.anchor // DAY
    origin = day - (weekday_of(day) - week_start) % 7
    for first in range(_first(start // DAY, origin, step), END // DAY, step):
        yield (first + step) * DAY, days_of_week(plan, first)


def _date(tick: int) -> date:
    return date.fromordinal(tick // DAY)
