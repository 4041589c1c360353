"""A rule joined with its anchor: nothing implied any more, and moments as plain numbers.

A moment is a *tick*: seconds on the wall clock, counted so that `tick // DAY == date.toordinal()`. Ticks sort,
subtract and divide, which dates do slowly or not at all. They know no zone and no clock change.
"""

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from typing import Final
from zoneinfo import ZoneInfo

from app.domain.recurrence.rule import Frequency, InvalidRuleError, LocalMoment, Rule, Skip
from app.domain.recurrence.zones import to_local

DAY: Final = 86_400
HOUR: Final = 3_600
MINUTE: Final = 60
# Far enough for anyone, and a year away from where a zone's offset would leave the calendar.
LAST_YEAR: Final = 9_998
END: Final = (date(LAST_YEAR, 12, 31).toordinal() + 1) * DAY
# Series being worked on; a plan is about a kilobyte.
CACHED_PLANS: Final = 1_024

_MIDNIGHT: Final = datetime(1, 1, 1)  # noqa: DTZ001  a wall-clock time has no zone
_UNITS: Final = {Frequency.DAILY: DAY, Frequency.HOURLY: HOUR, Frequency.MINUTELY: MINUTE, Frequency.SECONDLY: 1}


@dataclass(frozen=True, slots=True)
class Offsets:
    """Seconds into a period of a day or less, ascending: every hour with every minute with every second.

    Computed when asked for: a rule of 500 characters can mean 86 400 times a day.
    """

    hours: tuple[int, ...] = (0,)
    minutes: tuple[int, ...] = (0,)
    seconds: tuple[int, ...] = (0,)

    def __len__(self) -> int:
        return len(self.hours) * len(self.minutes) * len(self.seconds)

    def at(self, index: int) -> int:
        """Return the offset number `index`, from 0."""
        rest, second = divmod(index, len(self.seconds))
        hour, minute = divmod(rest, len(self.minutes))
        return self.hours[hour] * HOUR + self.minutes[minute] * MINUTE + self.seconds[second]


# Compared by identity: `plan_for` gives the same one for the same question, and others cache by it.
@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Plan:
    """What to expand.

    Attributes:
        anchor: The tick of the first date.
        has_time: False for series of dates: their ticks are midnights and become dates again.
        unit: Seconds in a period of a daily or shorter rule; 0 for the longer ones, whose periods differ in length.
        offsets: The times within a day, or within an hour or minute if that is the period.
        weekdays: Days of the week that count whenever they come.
        ordinals: (weekday, n) of the month or year, such as the last Friday.
        spills: Whether SKIP can move a date out of its own period.
    """

    rule: Rule
    anchor: int
    has_time: bool
    unit: int
    offsets: Offsets
    months: tuple[int, ...]
    month_days: tuple[int, ...]
    weekdays: frozenset[int]
    ordinals: tuple[tuple[int, int], ...]
    spills: bool

    @property
    def limits_days(self) -> bool:
        """Whether a daily or shorter rule leaves out some days."""
        return bool(self.months or self.month_days or self.weekdays or self.rule.by_year_day)


@lru_cache(maxsize=CACHED_PLANS)
def plan_for(rule: Rule, anchor: LocalMoment) -> Plan:
    """Return `rule` with everything that it leaves to its first date filled in (RFC 5545, 3.3.10).

    Raises:
        InvalidRuleError: The rule needs a time of day and `anchor` is a date.
    """
    has_time = isinstance(anchor, datetime)
    if not has_time and rule.frequency > Frequency.DAILY:
        raise InvalidRuleError("A rule in hours, minutes or seconds needs a first date with a time of day.", "FREQ")
    months, month_days, weekdays = _implied_days(rule, anchor)
    return Plan(
        rule=rule,
        anchor=to_tick(anchor),
        has_time=has_time,
        unit=_UNITS.get(rule.frequency, 0),
        offsets=_offsets(rule, anchor) if isinstance(anchor, datetime) else Offsets(),
        months=months,
        month_days=month_days,
        weekdays=frozenset(weekdays),
        ordinals=tuple((weekday.day, weekday.ordinal) for weekday in rule.by_day if weekday.ordinal),
        spills=_spills(rule, month_days),
    )


def _implied_days(rule: Rule, anchor: date) -> tuple[tuple[int, ...], tuple[int, ...], tuple[int, ...]]:
    """Return months, month days and weekdays, taken from the anchor where the rule is silent."""
    weekdays = tuple(weekday.day for weekday in rule.by_day if not weekday.ordinal)
    if rule.by_week_number and not (rule.by_day or rule.by_month_day or rule.by_year_day):
        return rule.by_month, (), (anchor.weekday(),)
    if not rule.names_days:
        if rule.frequency is Frequency.YEARLY:
            return rule.by_month or (anchor.month,), (anchor.day,), ()
        if rule.frequency is Frequency.MONTHLY:
            return rule.by_month, (anchor.day,), ()
        if rule.frequency is Frequency.WEEKLY:
            return rule.by_month, (), (anchor.weekday(),)
    return tuple(sorted(rule.by_month)), rule.by_month_day, weekdays


def _offsets(rule: Rule, anchor: datetime) -> Offsets:
    """Return the times within a period: what is not shorter than it is 0, what the rule does not say the anchor's."""
    frequency, every = rule.frequency, (0,)
    return Offsets(
        hours=tuple(sorted(rule.by_hour or (anchor.hour,))) if frequency < Frequency.HOURLY else every,
        minutes=tuple(sorted(rule.by_minute or (anchor.minute,))) if frequency < Frequency.MINUTELY else every,
        seconds=tuple(sorted(rule.by_second or (anchor.second,))) if frequency < Frequency.SECONDLY else every,
    )


def _spills(rule: Rule, month_days: tuple[int, ...]) -> bool:
    if rule.skip is Skip.OMIT or rule.frequency > Frequency.MONTHLY:
        return False
    sign = 1 if rule.skip is Skip.FORWARD else -1
    return any(day * sign > 28 for day in month_days) or sign * 366 in rule.by_year_day


def to_tick(moment: LocalMoment) -> int:
    """Return the tick of a date or wall-clock time; fractions of a second are dropped."""
    tick = moment.toordinal() * DAY
    if isinstance(moment, datetime):
        tick += moment.hour * HOUR + moment.minute * MINUTE + moment.second
    return tick


def to_moment(tick: int, *, has_time: bool) -> LocalMoment:
    """Return the wall-clock time of a tick, or its date."""
    return to_wall_clock(tick) if has_time else date.fromordinal(tick // DAY)


def to_wall_clock(tick: int) -> datetime:
    """Return the wall-clock time of a tick."""
    return _MIDNIGHT + timedelta(seconds=tick - DAY)


def until_tick(until: LocalMoment, *, has_time: bool, zone: ZoneInfo | None) -> int:
    """Return the last tick that `until` allows: a date all of its day; an instant is read in `zone`, or else UTC."""
    if not isinstance(until, datetime):
        return to_tick(until) + DAY - 1
    if until.tzinfo is not None:
        until = to_local(until, zone) if zone else until.astimezone(UTC).replace(tzinfo=None)
    return to_tick(until) if has_time else to_tick(until.date())
