"""Which days of a year, month or week a rule means, as ordinals (`date.toordinal`).

The order of RFC 5545 as changed by RFC 7529, section 4.1: BYMONTH, BYWEEKNO, BYYEARDAY, BYMONTHDAY, then SKIP for
dates that do not exist, then BYDAY. Two readings are ours, where the texts leave room:

* A negative day before the first of its month (-31 in April) is, going BACKWARD, the last of the month before.
* A week belongs to a period by its days: BYWEEKNO=1 under FREQ=YEARLY takes the days of the calendar year that lie
  in a week number 1, also at its end. BYWEEKNO without a day means the anchor's weekday, as DTSTART says all else.
"""

from calendar import monthrange
from collections.abc import Iterable
from datetime import date
from functools import lru_cache
from typing import Final

from app.domain.recurrence.plan import LAST_YEAR, Plan
from app.domain.recurrence.rule import Skip

ALL_MONTHS: Final = tuple(range(1, 13))
# How many months a daily or shorter rule is looked through for a day it allows. Leap days that fall on a given
# weekday are 28 years apart, 40 across a year such as 2100; this is 83 years.
MAX_BARREN_MONTHS: Final = 1_000


def weekday_of(ordinal: int) -> int:
    """Return 0 for Monday to 6 for Sunday: ordinal 1 was a Monday."""
    return (ordinal - 1) % 7


def days_of_year(plan: Plan, year: int) -> list[int]:
    """Return the days that a yearly rule means in `year`, ascending."""
    rule, months = plan.rule, plan.months
    pools: list[set[int]] = []
    if rule.by_week_number:
        pools.append(_days_of_weeks(plan, year))
    if rule.by_year_day:
        span = _year_span(year)
        pools.append(set(_placed(rule.by_year_day, span.start, len(span), rule.skip)))
    if plan.month_days:
        pools.append({day for month in months or ALL_MONTHS for day in _month_days(plan, year, month)})
    elif months and pools:
        pools.append({day for month in months for day in month_span(year, month)})
    scopes = [month_span(year, month) for month in months] if months else [_year_span(year)]
    return _on_weekdays(plan, set.intersection(*pools) if pools else None, scopes)


def days_of_month(plan: Plan, year: int, month: int) -> list[int]:
    """Return the days that a monthly rule means in a month, ascending."""
    if plan.months and month not in plan.months:
        return []
    pool = set(_month_days(plan, year, month)) if plan.month_days else None
    return _on_weekdays(plan, pool, [month_span(year, month)])


def days_of_week(plan: Plan, first: int) -> list[int]:
    """Return the days that a weekly rule means in the week whose first day is `first`, ascending."""
    days = [day for day in range(first, first + 7) if weekday_of(day) in plan.weekdays]
    if plan.months:
        return [day for day in days if date.fromordinal(day).month in plan.months]
    return days


def next_day(plan: Plan, day: int) -> int | None:
    """Return the first day from `day` on that a daily or shorter rule allows; None if there is none for long."""
    start = date.fromordinal(day)
    year, month = start.year, start.month
    for _ in range(MAX_BARREN_MONTHS):
        if not plan.months or month in plan.months:
            for allowed in _allowed_days(plan, year, month):
                if allowed >= day:
                    return allowed
        year, month = (year, month + 1) if month < 12 else (year + 1, 1)
        if year > LAST_YEAR:
            return None
    return None


@lru_cache(maxsize=256)
def _allowed_days(plan: Plan, year: int, month: int) -> tuple[int, ...]:
    """Return the days of a month that pass every BY… part of a daily or shorter rule, where each is a limit."""
    span, whole_year = month_span(year, month), _year_span(year)
    days: Iterable[int] = span
    if plan.month_days:
        days = sorted(set(_placed(plan.month_days, span.start, len(span), Skip.OMIT)))
    if plan.rule.by_year_day:
        placed = set(_placed(plan.rule.by_year_day, whole_year.start, len(whole_year), Skip.OMIT))
        days = [day for day in days if day in placed]
    return tuple(day for day in days if not plan.weekdays or weekday_of(day) in plan.weekdays)


@lru_cache(maxsize=256)
def month_span(year: int, month: int) -> range:
    """Return all days of a month."""
    first = date(year, month, 1).toordinal()
    return range(first, first + monthrange(year, month)[1])


def _year_span(year: int) -> range:
    first = date(year, 1, 1).toordinal()
    return range(first, date(year, 12, 31).toordinal() + 1)


def _month_days(plan: Plan, year: int, month: int) -> list[int]:
    span = month_span(year, month)
    return _placed(plan.month_days, span.start, len(span), plan.rule.skip)


def _placed(numbers: tuple[int, ...], first: int, length: int, skip: Skip) -> list[int]:
    """Return the days with these numbers in a month or year; SKIP decides about those that it does not have."""
    days = []
    for number in numbers:
        day = first + (number - 1 if number > 0 else length + number)
        if not first <= day < first + length:
            if skip is Skip.OMIT:
                continue
            # The nearest day that exists: earlier for BACKWARD, later for FORWARD.
            edge = first + length if number > 0 else first
            day = edge - 1 if skip is Skip.BACKWARD else edge
        days.append(day)
    return days


def _days_of_weeks(plan: Plan, year: int) -> set[int]:
    """Return the days of `year` in the weeks that BYWEEKNO names.

    A week belongs to the year that has its fourth day (ISO 8601, with any first day of the week).
    """
    span, fourth_weekday = _year_span(year), (plan.rule.week_start + 3) % 7
    days: set[int] = set()
    for owner in range(max(year - 1, 1), year + 2):
        first, last = date(owner, 1, 1).toordinal(), date(owner, 12, 31).toordinal()
        fourth_days = range(first + (fourth_weekday - weekday_of(first)) % 7, last + 1, 7)
        for fourth in _placed_in(fourth_days, plan.rule.by_week_number):
            days.update(day for day in range(fourth - 3, fourth + 4) if day in span)
    return days


def _placed_in(days: range, numbers: Iterable[int]) -> list[int]:
    """Return the days with these numbers, from 1, or from -1 backwards."""
    return [days[number - 1 if number > 0 else number] for number in numbers if abs(number) <= len(days)]


def _on_weekdays(plan: Plan, pool: set[int] | None, scopes: list[range]) -> list[int]:
    """Return the days of `pool`, or of the scopes if it is None, that BYDAY allows; it numbers weekdays per scope."""
    if not plan.rule.by_day and not plan.weekdays:
        return sorted(day for scope in scopes for day in scope) if pool is None else sorted(pool)
    named: set[int] = set()
    for scope in scopes:
        for weekday in plan.weekdays:
            named.update(_weekdays_in(scope, weekday))
        for weekday, ordinal in plan.ordinals:
            named.update(_placed_in(_weekdays_in(scope, weekday), (ordinal,)))
    if pool is None:
        return sorted(named)
    # Asked of the day itself, since SKIP may have moved it out of every scope.
    return sorted(day for day in pool if weekday_of(day) in plan.weekdays or day in named)


def _weekdays_in(scope: range, weekday: int) -> range:
    return range(scope.start + (weekday - weekday_of(scope.start)) % 7, scope.stop, 7)
