"""Between the clock on a wall and instants, where clocks are changed.

RFC 5545, section 3.3.5, with verified erratum 4271: a time that the clock skipped is read with the offset before the
gap (02:30 becomes 03:30); a time that it showed twice is the first one. Both count as occurrences.
"""

import heapq
from collections.abc import Iterable, Iterator
from datetime import MINYEAR, UTC, datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

# No clock was ever put forward by more than the day that Samoa (2011) and Kwajalein (1993) left out.
_LONGEST_GAP: Final = timedelta(hours=26)
_AFTER_ANY_GAP: Final = datetime.min.replace(tzinfo=UTC) + _LONGEST_GAP
_NO_TIME: Final = timedelta()


def to_instant(local: datetime, zone: ZoneInfo) -> datetime:
    """Return the UTC instant at which a clock in `zone` shows `local`.

    A `fold=1` that `to_local` put on the second showing of a repeated time is honoured, so that the way there and
    back is exact; nothing else in this package sets one. At the ends of the calendar the result is its first or last
    moment.
    """
    aware = local.replace(tzinfo=zone)
    instant = _saturated(local, -_offset(aware)).replace(tzinfo=UTC)
    if local.fold and to_local(instant, zone) != local:
        return to_instant(local.replace(fold=0), zone)
    return instant


def to_local(instant: datetime, zone: ZoneInfo) -> datetime:
    """Return what a clock in `zone` shows at an aware instant; `fold=1` if it shows that for the second time."""
    try:
        return instant.astimezone(zone).replace(tzinfo=None)
    except OverflowError:
        return _saturated(instant.replace(tzinfo=None), _NO_TIME)


def _offset(aware: datetime) -> timedelta:
    return aware.utcoffset() or _NO_TIME


def _saturated(moment: datetime, shift: timedelta) -> datetime:
    """Return the sum, without zone and fold, or the end of the calendar that it would leave."""
    try:
        return moment.replace(fold=0) + shift
    except OverflowError:
        return datetime.min if shift < _NO_TIME else datetime.max  # noqa: DTZ901  a wall-clock time has no zone


def in_order(moments: Iterable[datetime], zone: ZoneInfo) -> Iterator[tuple[datetime, datetime]]:
    """Yield (instant, wall-clock time) by instant, for wall-clock times that come in their own order.

    The two orders differ only around a gap: 02:40, which is skipped and read as 03:40, comes after 03:05. So a skipped
    time waits, but for no more than its own gap: a rule may have no other times than skipped ones.
    """
    held: list[tuple[datetime, datetime]] = []
    for moment in moments:
        instant = to_instant(moment, zone)
        is_skipped = to_local(instant, zone) != moment
        settled = max(instant, _AFTER_ANY_GAP) - _LONGEST_GAP if is_skipped else instant
        while held and held[0][0] <= settled:
            yield heapq.heappop(held)
        if is_skipped:
            heapq.heappush(held, (instant, moment))
        else:
            yield instant, moment
    while held:
        yield heapq.heappop(held)


def gap_before(instant: datetime, zone: ZoneInfo) -> timedelta:
    """Return by how much clocks in `zone` were put forward in the day before `instant`, never negative."""
    if instant.year == MINYEAR:
        return _NO_TIME
    passed = to_local(instant, zone) - to_local(instant - _LONGEST_GAP, zone)
    return max(passed - _LONGEST_GAP, _NO_TIME)
