"""A rule at work for one task: its occurrences in the order in which they really come.

What is compared is a *key*: a date for a series of dates, which never meets a clock; an instant for one with times,
since around clock changes the order on the wall and the order of instants differ.
"""

from collections.abc import Iterator
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from datetime import date, datetime, time
from itertools import chain, islice
from typing import Any, TypeAlias
from zoneinfo import ZoneInfo

from app.domain.recurrence.expansion import is_excluded, moments_of
from app.domain.recurrence.plan import plan_for, to_tick
from app.domain.recurrence.rule import LocalMoment, Rule
from app.domain.recurrence.zones import gap_before, in_order, to_instant, to_local

# `date` or aware `datetime`, within one series always the same; the two do not compare, which types cannot say.
Key: TypeAlias = Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Series:
    """A rule, where it begins, where its wall is, and its exceptions."""

    rule: Rule
    anchor: LocalMoment
    zone: ZoneInfo
    exdates: AbstractSet[LocalMoment] = frozenset()

    @property
    def has_time(self) -> bool:
        """Whether the occurrences have a time of day."""
        return isinstance(self.anchor, datetime)

    def key(self, moment: LocalMoment) -> Key:
        """Return by what `moment` is compared; a date among times counts as its midnight."""
        if not self.has_time:
            return moment.date() if isinstance(moment, datetime) else moment
        return to_instant(moment if isinstance(moment, datetime) else datetime.combine(moment, time()), self.zone)

    def key_of_instant(self, instant: datetime) -> Key:
        """Return by what an instant is compared: itself, or the date it has here."""
        return instant if self.has_time else to_local(instant, self.zone).date()

    def excludes(self, moment: LocalMoment) -> bool:
        """Return whether `moment` was taken out, by its name or by the time it really has after a gap."""
        if not self.exdates:
            return False
        if is_excluded(moment, self.exdates):
            return True
        return isinstance(moment, datetime) and is_excluded(self._shown(moment), self.exdates)

    def _shown(self, moment: datetime) -> datetime:
        return to_local(to_instant(moment, self.zone), self.zone).replace(fold=0)

    def later_than(self, key: Key) -> Iterator[tuple[Key, LocalMoment]]:
        """Yield (key, occurrence) by key, each key once, excluded ones too; COUNT is not heeded, UNTIL is."""
        last = key
        for found, moment in self._from(key):
            if found > last:
                last = found
                yield found, moment

    def _from(self, key: Key) -> Iterator[tuple[Key, LocalMoment]]:
        if not self.has_time:
            return self._keyed(to_tick(key))
        # A time that a gap swallowed comes later than the wall says, by the length of the gap at most.
        return self._keyed(to_tick(to_local(key, self.zone) - gap_before(key, self.zone)))

    def _keyed(self, after: int) -> Iterator[tuple[Key, LocalMoment]]:
        moments = moments_of(plan_for(self.rule, self.anchor), after=after, zone=self.zone, counted=False)
        if not self.has_time:
            return ((day, day) for day in moments)
        return in_order((moment for moment in moments if isinstance(moment, datetime)), self.zone)

    def ahead(self, start: LocalMoment) -> Iterator[LocalMoment]:
        """Yield occurrences from `start` on by key, each key once, excluded ones too; COUNT and UNTIL are heeded."""
        if self.rule.count is not None:
            return self._ahead_as_counted(self.key(start))
        return self._ahead_of(start)

    def _ahead_as_counted(self, start: Key) -> Iterator[LocalMoment]:
        counted = self.numbered() if self._anchor_fits() else islice(self.numbered(), 1, None)
        return (moment for moment in counted if self.key(moment) >= start)

    def _ahead_of(self, start: LocalMoment) -> Iterator[LocalMoment]:
        last = None
        for key, moment in self._keyed(to_tick(start) - 1):
            if key != last:
                yield moment
            last = key

    def numbered(self) -> Iterator[LocalMoment]:
        """Return the occurrences 1, 2, 3 … up to COUNT, by key: the anchor is the first, whether it fits or not."""
        later = (moment for _, moment in self.later_than(self.key(self.anchor)))
        return islice(chain((self.anchor,), later), self.rule.count)

    def _anchor_fits(self) -> bool:
        plan = plan_for(self.rule, self.anchor)
        return next(moments_of(plan, after=plan.anchor - 1, zone=self.zone, counted=False), None) == self.anchor


def midday(day: date) -> datetime:
    """Return a time at which every clock in the world is on `day`'s page."""
    return datetime.combine(day, time(12))
