"""Occurrences of a rule, computed from its anchor, never from the occurrence before: nothing can drift.

Why our own and not python-dateutil's: it has no SKIP, so "every month" from 31 January gives seven dates a year
instead of twelve, and "every year" from 29 February one in four years; and it walks from the first date on, so that
a daily rule of 1990 asked in 2026 costs it 31 ms, here 0.03 ms, reading the rule included. Month ends and clock
changes are what people come to this program for. dateutil remains the oracle of the differential test;
docs/recurrence.md says where we differ and why.

Silent about clock changes (`zones.py`) and about completion (`decision.py`).
"""

from bisect import bisect_left
from collections.abc import Iterator
from collections.abc import Set as AbstractSet
from datetime import datetime
from itertools import takewhile
from typing import Final
from zoneinfo import ZoneInfo

from app.domain.recurrence.periods import Period, periods
from app.domain.recurrence.plan import DAY, Plan, plan_for, to_moment, to_tick, to_wall_clock, until_tick
from app.domain.recurrence.rule import InvalidRuleError, LocalMoment, Rule
from app.domain.recurrence.zones import to_instant

# After so many periods, or jumps, in a row without an occurrence a series is taken to have ended. 400 years repeat
# exactly, so for yearly rules this is a proof; a monthly rule is looked through for 83 years.
MAX_BARREN_PERIODS: Final = 1_000


def occurrences(
    rule: Rule,
    anchor: LocalMoment,
    *,
    after: LocalMoment | None = None,
    zone: ZoneInfo | None = None,
    exdates: AbstractSet[LocalMoment] = frozenset(),
) -> Iterator[LocalMoment]:
    """Return the occurrences of `rule`, as dates if `anchor` is one, in wall-clock order.

    Args:
        rule: COUNT counts from the anchor, also when `after` is given, and counts excluded occurrences (RFC 5545).
        anchor: The first date. It is an occurrence only if it fits the rule.
        after: Only what is later than this; however far away it is, what lies between costs nothing, except that
            COUNT must be counted.
        zone: In which an UNTIL in UTC is read; without it, it is a time on a wall in UTC.
        exdates: Occurrences to leave out; a date leaves out its whole day.

    Raises:
        InvalidRuleError: The rule needs a time of day and `anchor` is a date.
    """
    plan = plan_for(rule, anchor)
    moments = moments_of(plan, after=None if after is None else tick_of(plan, after), zone=zone)
    return (moment for moment in moments if not is_excluded(moment, exdates)) if exdates else moments


def moments_of(plan: Plan, *, after: int | None, zone: ZoneInfo | None, counted: bool = True) -> Iterator[LocalMoment]:
    """Return what `occurrences` does after a tick, exceptions included; COUNT is heeded only if `counted`."""
    has_time, until = plan.has_time, plan.rule.until
    ticks = expand(plan, after=after, counted=counted)
    if until is None:
        return (to_moment(tick, has_time=has_time) for tick in ticks)
    if zone is None or not has_time or not isinstance(until, datetime) or until.tzinfo is None:
        last = until_tick(until, has_time=has_time, zone=zone)
        return (to_moment(tick, has_time=has_time) for tick in takewhile(lambda tick: tick <= last, ticks))
    # While clocks are changed, what the wall shows does not tell which of two instants is later: ask the instants.
    last = until_tick(until, has_time=has_time, zone=zone) + DAY
    moments = (to_wall_clock(tick) for tick in takewhile(lambda tick: tick <= last, ticks))
    return (moment for moment in moments if to_instant(moment, zone) <= until)


def check_start(rule: Rule, anchor: LocalMoment, *, zone: ZoneInfo | None = None) -> None:
    """Raise `InvalidRuleError` unless the series that starts at `anchor` has an occurrence.

    Hourly and shorter rules need a time of day; UNTIL may be before the start; and some intervals never meet the
    days that the rule names, such as every 4 years from 2025 on 29 February.
    """
    if next(occurrences(rule, anchor, zone=zone), None) is None:
        raise InvalidRuleError("From its first date on, this rule gives no date.")


def is_excluded(moment: LocalMoment, exdates: AbstractSet[LocalMoment]) -> bool:
    """Return whether an exception names `moment`, or its whole day."""
    return moment in exdates or (isinstance(moment, datetime) and moment.date() in exdates)


def allows(rule: Rule, local: datetime, instant: datetime) -> bool:
    """Return whether the rule's UNTIL is not before a time, which the wall shows as `local`."""
    until = rule.until
    if until is None:
        return True
    if not isinstance(until, datetime):
        return local.date() <= until
    return local <= until if until.tzinfo is None else instant <= until


def tick_of(plan: Plan, moment: LocalMoment) -> int:
    """Return the tick of `moment`, in a series of dates that of its day."""
    return to_tick(moment if plan.has_time or not isinstance(moment, datetime) else moment.date())


def expand(
    plan: Plan, *, after: int | None = None, counted: bool = True, barren_periods: int = MAX_BARREN_PERIODS
) -> Iterator[int]:
    """Yield ticks from the anchor on, later than `after`; UNTIL is not heeded, COUNT only if `counted`."""
    count = plan.rule.count if counted else None
    floor = plan.anchor if after is None else max(plan.anchor, after + 1)
    begin, seen = _beginning(plan, floor, count)
    barren = 0
    for period in periods(plan, begin, barren_periods):
        size = len(period)
        barren = 0 if size else barren + 1
        if barren >= barren_periods or (count is not None and seen >= count):
            return
        low = _index(period, plan.anchor)
        if count is not None:
            size = min(size, low + count - seen)
            seen += size - low
        for index in range(max(low, _index(period, floor)), size):
            yield period[index]


def _beginning(plan: Plan, floor: int, count: int | None) -> tuple[int, int]:
    """Return where to begin to reach tick `floor`, and how many occurrences are before that."""
    if count is None:
        return floor, 0
    if not plan.unit or not plan.rule.is_plain:
        return plan.anchor, 0
    step = plan.unit * plan.rule.interval
    passed = (floor - plan.anchor) // step
    return plan.anchor + passed * step, passed


def _index(period: Period, tick: int) -> int:
    """Return the index of the first occurrence that is not before `tick`."""
    return 0 if not period or period[0] >= tick else bisect_left(period, tick)
