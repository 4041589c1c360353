"""Finds the periods of daily, hourly, minutely and secondly rules without walking through those in between.

Such a period is as long as a number of seconds, so candidates are `anchor + k * interval * unit` and every BY… part
for something longer than the period is a limit. From a candidate that a limit refuses we jump to the first candidate
after the next allowed day, hour or minute.
"""

from bisect import bisect_left
from collections.abc import Iterator
from typing import Final

from app.domain.recurrence.days import next_day
from app.domain.recurrence.plan import DAY, END, HOUR, MINUTE, Plan

# A limit: the length of what it numbers, in seconds; how many of it there are in the next longer; the allowed ones.
_Limit = tuple[int, int, list[int]]
_NEVER: Final = -1
# A rule may begin anew to be barren after each occurrence, 10 000 times with COUNT. This many jumps take as long as
# 10 000 occurrences do (see Limits in docs/recurrence.md).
MAX_JUMPS: Final = 100_000


def seek(plan: Plan, start: int, barren_periods: int) -> Iterator[int]:
    """Yield the first tick of each period from the one around `start` on.

    `barren_periods` fruitless jumps in a row end it, or `MAX_JUMPS` in all.
    """
    unit = plan.unit
    step = unit * plan.rule.interval
    origin = plan.anchor // unit * unit
    limits = _limits(plan)
    tick = _aligned(start // unit * unit, origin, step)
    barren = jumps = 0
    while barren < barren_periods and jumps < MAX_JUMPS and tick < END:
        target = _allowed_from(plan, tick, limits)
        if target == _NEVER:
            return
        if target == tick:
            yield tick
            barren = 0
            tick += step
        else:
            barren += 1
            jumps += 1
            tick = _aligned(target, origin, step)


def _aligned(tick: int, origin: int, step: int) -> int:
    """Return the first candidate that is not before `tick`."""
    return origin + max(-(-(tick - origin) // step), 0) * step


def _limits(plan: Plan) -> list[_Limit]:
    """Return the limits within a day that a period can break, the longest first."""
    rule, unit = plan.rule, plan.unit
    limits: list[_Limit] = []
    for length, base, allowed in ((HOUR, 24, rule.by_hour), (MINUTE, 60, rule.by_minute), (1, 60, rule.by_second)):
        if allowed and unit <= length:
            limits.append((length, base, sorted(allowed)))
    return limits


def _allowed_from(plan: Plan, tick: int, limits: list[_Limit]) -> int:
    """Return `tick` if nothing refuses it, otherwise where to look next, or `_NEVER`."""
    if plan.limits_days:
        day = next_day(plan, tick // DAY)
        if day is None:
            return _NEVER
        if day != tick // DAY:
            return day * DAY
    for length, base, allowed in limits:
        whole = tick // length
        value = whole % base
        index = bisect_left(allowed, value)
        wanted = allowed[index] if index < len(allowed) else base
        if wanted != value:
            return (whole - value + wanted) * length
    return tick
