# ruff: noqa: DTZ001  a time on the wall has no zone: that is what is tested here
"""R11: what clocks show where they are changed, in five places that each do it differently."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import islice
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.recurrence import Recurrence, next_occurrence, occurrences, parse_rule, preview, to_instant, to_local
from app.domain.recurrence.zones import gap_before, in_order
from tests.unit.recurrence.rules import STEADY

ZONES = (
    "Europe/Berlin",
    "Europe/Dublin",
    "Africa/Casablanca",
    "Australia/Lord_Howe",
    "Pacific/Apia",
    "America/New_York",
    "Pacific/Kwajalein",
    "Asia/Kathmandu",
    "UTC",
)

# A daily rule from the day before, one line per day: the time on the wall, and with it the offset from UTC.
DAILY = [
    ("Europe/Berlin", "2026-03-28T02:30", ["28T02:30+01:00", "29T03:30+02:00", "30T02:30+02:00"]),
    ("Europe/Berlin", "2026-10-24T02:30", ["24T02:30+02:00", "25T02:30+02:00", "26T02:30+01:00"]),
    # Half an hour, at 02:00.
    ("Australia/Lord_Howe", "2026-10-03T02:15", ["03T02:15+10:30", "04T02:45+11:00", "05T02:15+11:00"]),
    ("Australia/Lord_Howe", "2026-04-04T01:45", ["04T01:45+11:00", "05T01:45+11:00", "06T01:45+10:30"]),
    # Samoa left out 30 December 2011: what was due then is due on the 31st, once.
    ("Pacific/Apia", "2011-12-29T09:00", ["29T09:00-10:00", "31T09:00+14:00", "01T09:00+14:00"]),
    # Irish law calls winter the exception, with a negative saving; the clock does as its neighbours do.
    ("Europe/Dublin", "2026-03-28T01:30", ["28T01:30+00:00", "29T02:30+01:00", "30T01:30+01:00"]),
    ("Europe/Dublin", "2026-10-24T01:30", ["24T01:30+01:00", "25T01:30+01:00", "26T01:30+00:00"]),
    # Morocco goes back for Ramadan and forward after it.
    ("Africa/Casablanca", "2026-02-14T02:30", ["14T02:30+01:00", "15T02:30+01:00", "16T02:30+00:00"]),
    ("Africa/Casablanca", "2026-03-21T02:30", ["21T02:30+00:00", "22T03:30+01:00", "23T02:30+01:00"]),
]


@pytest.mark.accepts("R11")
@pytest.mark.parametrize(("name", "start", "expected"), DAILY)
def test_a_daily_time_stays_on_the_wall_moves_over_a_gap_and_comes_once(
    name: str, start: str, expected: list[str]
) -> None:
    zone, anchor = ZoneInfo(name), datetime.fromisoformat(start)

    found = preview(Recurrence(rule=parse_rule("FREQ=DAILY")), start=anchor, zone=zone, count=3)

    instants = [to_instant(local, zone) for local in found if isinstance(local, datetime)]
    assert [instant.astimezone(zone).isoformat(timespec="minutes")[8:] for instant in instants] == expected
    assert instants == sorted(set(instants))


@pytest.mark.accepts("R11")
@pytest.mark.parametrize(("name", "start", "expected"), DAILY)
def test_completing_in_time_walks_the_same_way(name: str, start: str, expected: list[str]) -> None:
    zone, anchor = ZoneInfo(name), datetime.fromisoformat(start)
    recurrence, current, seen = Recurrence(rule=parse_rule("FREQ=DAILY")), anchor, []

    for number in (1, 2, 3):
        seen.append(to_instant(current, zone))
        found = next_occurrence(
            recurrence, anchor=anchor, current=current, number=number, completed_at=seen[-1], zone=zone
        )
        assert found is not None
        assert isinstance(found.due, datetime)
        current = found.due

    assert [instant.astimezone(zone).isoformat(timespec="minutes")[8:] for instant in seen] == expected


def test_times_that_a_gap_moved_come_in_the_order_of_instants() -> None:
    zone = ZoneInfo("Europe/Berlin")

    found = preview(
        Recurrence(rule=parse_rule("FREQ=MINUTELY;INTERVAL=25")), start=datetime(2026, 3, 29, 1, 50), zone=zone, count=6
    )

    shown = [
        to_instant(local, zone).astimezone(zone).strftime("%H:%M") for local in found if isinstance(local, datetime)
    ]
    assert shown == ["01:50", "03:05", "03:15", "03:30", "03:40", "03:55"]


def test_an_hourly_rule_skips_the_hour_that_is_missing_and_takes_the_repeated_one_once() -> None:
    zone, rule = ZoneInfo("Europe/Berlin"), Recurrence(rule=parse_rule("FREQ=HOURLY"))

    spring = preview(rule, start=datetime(2026, 3, 29, 1), zone=zone, count=3)
    autumn = preview(rule, start=datetime(2026, 10, 25, 1), zone=zone, count=3)

    assert spring == (datetime(2026, 3, 29, 1), datetime(2026, 3, 29, 2), datetime(2026, 3, 29, 4))
    assert autumn == (datetime(2026, 10, 25, 1), datetime(2026, 10, 25, 2), datetime(2026, 10, 25, 3))


@STEADY
@given(st.datetimes(datetime(1900, 1, 1), datetime(2100, 1, 1)), st.sampled_from(ZONES))
def test_the_way_to_the_wall_and_back_is_exact(moment: datetime, name: str) -> None:
    instant, zone = moment.replace(tzinfo=UTC), ZoneInfo(name)

    assert to_instant(to_local(instant, zone), zone) == instant


@STEADY
@given(st.datetimes(datetime(1900, 1, 1), datetime(2100, 1, 1)), st.sampled_from(ZONES))
def test_a_time_that_no_clock_showed_comes_later_by_the_gap(local: datetime, name: str) -> None:
    zone = ZoneInfo(name)

    instant = to_instant(local, zone)

    late = to_local(instant, zone) - local
    assert late in {timedelta(0), gap_before(instant, zone)}


def test_a_fold_that_is_none_is_ignored() -> None:
    zone = ZoneInfo("Europe/Berlin")

    assert to_instant(datetime(2026, 3, 29, 2, 30, fold=1), zone) == datetime(2026, 3, 29, 1, 30, tzinfo=UTC)
    assert to_instant(datetime(2026, 10, 25, 2, 30, fold=1), zone) == datetime(2026, 10, 25, 1, 30, tzinfo=UTC)


@pytest.mark.parametrize("name", ["Asia/Tokyo", "America/New_York"])
def test_the_ends_of_the_calendar_are_no_trouble(name: str) -> None:
    zone = ZoneInfo(name)
    begin, end = datetime(1, 1, 1), datetime(9999, 12, 31, 23, 59, 59)

    assert to_instant(begin, zone) >= begin.replace(tzinfo=UTC)
    assert to_local(begin.replace(tzinfo=UTC), zone) >= begin
    assert to_local(end.replace(tzinfo=UTC), zone) <= end
    assert to_instant(end, zone) <= datetime.max.replace(tzinfo=UTC)
    assert gap_before(begin.replace(tzinfo=UTC), zone) == timedelta(0)


@pytest.mark.accepts("R12")
def test_a_floating_time_follows_the_wall_and_a_fixed_one_the_instant() -> None:
    rule, anchor = parse_rule("FREQ=DAILY"), datetime(2026, 6, 1, 9)
    new_york, london = ZoneInfo("America/New_York"), ZoneInfo("Europe/London")

    nine = next(islice(occurrences(rule, anchor), 1, None))

    assert isinstance(nine, datetime)
    assert to_local(to_instant(nine, london), london) == datetime(2026, 6, 2, 9)
    assert to_local(to_instant(nine, new_york), london) == datetime(2026, 6, 2, 14)


def test_a_series_may_end_in_a_gap() -> None:
    rule, zone = parse_rule("FREQ=DAILY;COUNT=2"), ZoneInfo("Europe/Berlin")

    found = preview(Recurrence(rule=rule), start=datetime(2026, 3, 28, 2, 30), zone=zone)

    assert found == (datetime(2026, 3, 28, 2, 30), datetime(2026, 3, 29, 2, 30))


def test_completing_walks_over_a_gap_in_the_order_of_instants_too() -> None:
    zone, start = ZoneInfo("Europe/Berlin"), datetime(2026, 3, 29, 1, 50)
    recurrence, walked = Recurrence(rule=parse_rule("FREQ=MINUTELY;INTERVAL=25")), [start]

    for number in range(1, 6):
        done_at = to_instant(walked[-1], zone)
        found = next_occurrence(
            recurrence, anchor=start, current=walked[-1], number=number, completed_at=done_at, zone=zone
        )
        assert found is not None
        assert isinstance(found.due, datetime)
        walked.append(found.due)

    shown = [to_instant(local, zone).astimezone(zone).strftime("%H:%M") for local in walked]
    assert shown == ["01:50", "03:05", "03:15", "03:30", "03:40", "03:55"]


def test_a_skipped_time_waits_for_no_more_than_its_own_gap() -> None:
    zone, asked = ZoneInfo("Europe/Berlin"), 0

    def skipped() -> Iterator[datetime]:
        nonlocal asked
        for year in range(2027, 9990):
            asked += 1
            march = datetime(year, 3, 31, 2, 30)
            yield march - timedelta(days=(march.weekday() + 1) % 7)

    first = next(in_order(skipped(), zone))

    assert first == (datetime(2027, 3, 28, 1, 30, tzinfo=UTC), datetime(2027, 3, 28, 2, 30))
    assert asked == 2
