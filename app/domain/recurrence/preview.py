"""What lies ahead in a series: to look at before it is stored, or while it runs."""

from collections.abc import Set as AbstractSet
from datetime import datetime
from itertools import islice, takewhile
from typing import Final
from zoneinfo import ZoneInfo

from app.domain.recurrence.decision import next_occurrence
from app.domain.recurrence.rule import LocalMoment, Recurrence, Rule
from app.domain.recurrence.series import Series, midday
from app.domain.recurrence.zones import to_instant
from app.domain.task import RecurrenceMode

# The longest preview that is answered.
MAX_PREVIEW: Final = 1_000


def preview(
    recurrence: Recurrence,
    *,
    start: LocalMoment,
    zone: ZoneInfo,
    anchor: LocalMoment | None = None,
    completed_at: datetime | None = None,
    number: int = 1,
    count: int = 5,
    exdates: AbstractSet[LocalMoment] = frozenset(),
) -> tuple[LocalMoment, ...]:
    """Return what lies ahead.

    Args:
        recurrence: The rule, and what is counted from what.
        start: From when on; the due date of the task that is looked at.
        zone: Where the wall is.
        anchor: The first date of the series, if that is not `start`.
        completed_at: When `start` is completed: then what follows it is returned, as if all later ones were completed
            in time. Without it the result begins at `start`, and for a schedule has what the rule gives from there: a
            first date that does not fit the rule counts for COUNT, but is not listed.
        number: Of `start` in its series.
        count: How many; at most `MAX_PREVIEW`.
        exdates: Occurrences to leave out.
    """
    count = min(count, MAX_PREVIEW)
    anchor = start if anchor is None else anchor
    if completed_at is None and recurrence.mode is RecurrenceMode.SCHEDULE:
        series = Series(rule=recurrence.rule, anchor=anchor, zone=zone, exdates=exdates)
        return tuple(islice((moment for moment in series.ahead(start) if not series.excludes(moment)), count))
    ahead: list[LocalMoment] = []
    if completed_at is None:
        ahead.append(start)
        completed_at = _in_time(start, zone)
    while len(ahead) < count:
        found = next_occurrence(
            recurrence,
            anchor=anchor,
            current=start,
            number=number,
            completed_at=completed_at,
            zone=zone,
            exdates=exdates,
        )
        if found is None:
            break
        start, number, completed_at = found.due, found.number, _in_time(found.due, zone)
        ahead.append(start)
    return tuple(ahead[:count])


def number_of(rule: Rule, anchor: LocalMoment, moment: LocalMoment, *, zone: ZoneInfo) -> int:
    """Return which occurrence of a schedule `moment` is, or would be; only a COUNT needs to know, else it is 1."""
    if rule.count is None:
        return 1
    series = Series(rule=rule, anchor=anchor, zone=zone)
    key = series.key(moment)
    return 1 + sum(1 for _ in takewhile(lambda earlier: series.key(earlier) < key, series.numbered()))


def _in_time(due: LocalMoment, zone: ZoneInfo) -> datetime:
    """Return the instant at which something due then is completed in time."""
    return to_instant(due if isinstance(due, datetime) else midday(due), zone)
