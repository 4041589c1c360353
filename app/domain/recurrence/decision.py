"""What comes next when an occurrence is completed.

The rules of the decision, whichever the mode: what comes next is later than the occurrence that was completed, and,
unless missed occurrences are kept, later than its completion. Dates are compared as dates, in the task's zone; times
are compared as instants, so that two times which a clock change made one never come twice.
"""

from collections.abc import Iterator
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from itertools import islice
from typing import Final
from zoneinfo import ZoneInfo

from app.domain.recurrence.expansion import allows
from app.domain.recurrence.plan import LAST_YEAR
from app.domain.recurrence.rule import Frequency, LocalMoment, Recurrence, Rule, Skip
from app.domain.recurrence.series import Key, Series, midday
from app.domain.recurrence.zones import to_local
from app.domain.task import MissedPolicy, RecurrenceMode

# A year of days. Of what was missed more often than this, only so much is listed and numbered.
MAX_MISSED: Final = 366

_ELAPSED: Final = {
    Frequency.HOURLY: timedelta(hours=1),
    Frequency.MINUTELY: timedelta(minutes=1),
    Frequency.SECONDLY: timedelta(seconds=1),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class NextOccurrence:
    """What follows a completion.

    Attributes:
        due: The next occurrence, on the clock of the wall; `to_instant` tells when that is.
        missed: Occurrences after the completed one that had come due by its completion, oldest first: passed over,
            or, if missed ones are kept, still to be done, the first of them being `due`. At most `MAX_MISSED`.
        number: Of `due` in its series, from 1.
    """

    due: LocalMoment
    missed: tuple[LocalMoment, ...] = ()
    number: int


def next_occurrence(
    recurrence: Recurrence,
    *,
    anchor: LocalMoment | None,
    current: LocalMoment | None,
    number: int,
    completed_at: datetime,
    zone: ZoneInfo,
    exdates: AbstractSet[LocalMoment] = frozenset(),
) -> NextOccurrence | None:
    """Return what follows when the occurrence `current` is completed, or None if the series has ended.

    Args:
        recurrence: The rule, and what is counted from what.
        anchor: The first date of the series; None for a task that had no due date: the day of the completion.
        current: The occurrence that the task stands for, also if its due date was moved since.
        number: Of `current` in the series, from 1; as RFC 5545 has it, the first date is number 1 whatever it is.
        completed_at: An aware instant.
        zone: Where the wall is.
        exdates: Occurrences to leave out. Those that the rule has count, as for COUNT in RFC 5545.

    Raises:
        InvalidRuleError: A scheduled rule needs a time of day and `anchor` is a date.
    """
    completion = to_local(completed_at, zone)
    anchor = completion.date() if anchor is None else anchor
    series = Series(rule=recurrence.rule, anchor=anchor, zone=zone, exdates=exdates)
    current = anchor if current is None else current
    if recurrence.mode is RecurrenceMode.AFTER_COMPLETION:
        return _after_completion(series, current, number, completed_at)
    return _on_schedule(series, current, number, completed_at, keep=recurrence.missed is MissedPolicy.KEEP)


def _on_schedule(
    series: Series, current: LocalMoment, number: int, completed_at: datetime, *, keep: bool
) -> NextOccurrence | None:
    """Return the first occurrence after `current`, and after the completion unless missed ones are kept."""
    completed, count = series.key_of_instant(completed_at), series.rule.count
    missed: list[LocalMoment] = []
    first_missed = number
    for key, moment in _with_jump(series, series.key(current), completed):
        number += 1
        if count is not None and number > count:
            break
        if series.excludes(moment):
            continue
        if key > completed:
            if keep and missed:
                break
            return NextOccurrence(due=moment, missed=tuple(missed), number=number)
        first_missed = first_missed if missed else number
        if len(missed) < MAX_MISSED:
            missed.append(moment)
    return NextOccurrence(due=missed[0], missed=tuple(missed), number=first_missed) if keep and missed else None


def _with_jump(series: Series, current: Key, completed: Key) -> Iterator[tuple[Key, LocalMoment]]:
    """Yield what is later than `current`; without COUNT, which must be counted, not much of it before `completed`."""
    limit = None if series.rule.count is not None else MAX_MISSED
    for key, moment in islice(series.later_than(current), limit):
        yield key, moment
        current = key
    if limit is not None:
        yield from series.later_than(max(current, completed))


def _after_completion(
    series: Series, current: LocalMoment, number: int, completed_at: datetime
) -> NextOccurrence | None:
    """Return the first date that is a whole number of intervals after the completion, and after `current`.

    That is the completion and one interval, except for a task completed more than an interval early: it would come
    back at or before the date that was just done.
    """
    rule = series.rule
    if rule.count is not None and number >= rule.count:
        return None
    if rule.is_plain and rule.frequency in _ELAPSED:
        candidates = _elapsed(series, current, completed_at)
    else:
        candidates = _counted_from(series, current, completed_at)
    due = next((moment for moment in candidates if not series.excludes(moment)), None)
    return None if due is None else NextOccurrence(due=due, number=number + 1)


def _counted_from(series: Series, current: LocalMoment, completed_at: datetime) -> Iterator[LocalMoment]:
    """Yield the occurrences of the rule as if the completion were its first date.

    Days and longer keep the anchor's time of day; they are counted on the calendar, so a day of 23 hours is a day.
    """
    completion = to_local(completed_at, series.zone).replace(microsecond=0, fold=0)
    start: LocalMoment = completion
    if series.rule.frequency <= Frequency.DAILY:
        day, anchor = completion.date(), series.anchor
        start = datetime.combine(day, anchor.time()) if isinstance(anchor, datetime) else day
    counted = replace(series, rule=_never_omitting(series.rule), anchor=start)
    floor = max(counted.key(start), counted.key(current), counted.key_of_instant(completed_at))
    return (moment for _, moment in counted.later_than(floor))


def _never_omitting(rule: Rule) -> Rule:
    """Return the rule that gives 28 February, not 31 March, for a month after 31 January.

    "A month after I did it" is an interval, not a set of dates: there is no month to leave out.
    """
    implied = rule.frequency <= Frequency.MONTHLY and not rule.names_days
    return replace(rule, skip=Skip.BACKWARD) if implied and rule.skip is Skip.OMIT else rule


def _elapsed(series: Series, current: LocalMoment, completed_at: datetime) -> Iterator[LocalMoment]:
    """Yield times that are whole numbers of elapsed intervals after the completion, whatever clocks were changed."""
    step = _ELAPSED[series.rule.frequency] * series.rule.interval
    timed = replace(series, anchor=midday(completed_at.date()))
    start = completed_at.astimezone(UTC).replace(microsecond=0)
    index = (max(timed.key(current), completed_at) - start) // step + 1
    while True:
        try:
            instant = start + index * step
        except OverflowError:
            return
        local = to_local(instant, series.zone)
        if instant.year > LAST_YEAR or not allows(series.rule, local, instant):
            return
        yield local
        index += 1
