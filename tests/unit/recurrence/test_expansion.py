# ruff: noqa: DTZ001  a time on the wall has no zone: that is what is tested here
"""What dateutil cannot vouch for: SKIP, weeks at the turn of the year, far jumps, dates, exceptions, ends."""

from calendar import monthrange
from datetime import UTC, date, datetime, timedelta
from itertools import islice, takewhile
from random import Random
from time import process_time
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from app.domain.recurrence import Skip, occurrences, parse_rule, seek

SEED = 7529
QUESTIONS = 20


def first(count: int, text: str, anchor: date, **options: Any) -> list[Any]:
    return list(islice(occurrences(parse_rule(text), anchor, **options), count))


def dates(text: str) -> list[date]:
    return [date.fromisoformat(day) for day in text.split()]


@pytest.mark.parametrize(
    ("rule", "anchor", "expected"),
    [
        ("FREQ=MONTHLY;SKIP=FORWARD", "2026-01-31", "2026-01-31 2026-03-01 2026-03-31 2026-05-01 2026-05-31"),
        ("FREQ=MONTHLY;SKIP=BACKWARD", "2026-12-31", "2026-12-31 2027-01-31 2027-02-28 2027-03-31"),
        ("FREQ=YEARLY;SKIP=FORWARD", "2024-02-29", "2024-02-29 2025-03-01 2026-03-01 2027-03-01 2028-02-29"),
        ("FREQ=MONTHLY;BYMONTHDAY=29,30,31;SKIP=BACKWARD", "2026-02-01", "2026-02-28 2026-03-29 2026-03-30 2026-03-31"),
        ("FREQ=MONTHLY;BYMONTHDAY=1,31;SKIP=FORWARD", "2026-02-01", "2026-02-01 2026-03-01 2026-03-31 2026-04-01"),
        ("FREQ=MONTHLY;BYMONTHDAY=-31,-1;SKIP=BACKWARD", "2026-03-02", "2026-03-31 2026-04-30 2026-05-01 2026-05-31"),
        ("FREQ=MONTHLY;BYMONTHDAY=-31;SKIP=FORWARD", "2026-01-01", "2026-01-01 2026-02-01 2026-03-01 2026-04-01"),
        ("FREQ=MONTHLY;BYMONTHDAY=31;BYDAY=SA;SKIP=BACKWARD", "2026-01-01", "2026-01-31 2026-02-28 2026-10-31"),
        ("FREQ=MONTHLY;BYMONTH=2;BYMONTHDAY=30;SKIP=FORWARD", "2026-01-01", "2026-03-01 2027-03-01 2028-03-01"),
        ("FREQ=YEARLY;BYYEARDAY=366;SKIP=BACKWARD", "2026-01-01", "2026-12-31 2027-12-31 2028-12-31"),
        ("FREQ=YEARLY;BYYEARDAY=366;SKIP=FORWARD", "2026-01-01", "2027-01-01 2028-01-01 2028-12-31 2030-01-01"),
        ("FREQ=YEARLY;BYYEARDAY=366;SKIP=OMIT", "2026-01-01", "2028-12-31 2032-12-31"),
        ("FREQ=MONTHLY;COUNT=4;SKIP=BACKWARD", "2026-01-31", "2026-01-31 2026-02-28 2026-03-31 2026-04-30"),
        ("FREQ=MONTHLY;UNTIL=20260228;SKIP=BACKWARD", "2026-01-31", "2026-01-31 2026-02-28"),
    ],
)
def test_a_date_that_does_not_exist_goes_where_skip_says(rule: str, anchor: str, expected: str) -> None:
    wanted = dates(expected)

    assert first(len(wanted), rule, date.fromisoformat(anchor)) == wanted


def test_skip_equals_a_plain_reading_of_rfc_7529_on_random_rules() -> None:
    random = Random(SEED)
    anchor = date(2023, 1, 1)
    for _ in range(400):
        skip = random.choice((Skip.BACKWARD, Skip.FORWARD))
        days = random.sample([*range(-31, 0), *range(27, 32)], random.randint(1, 4))
        weekdays = random.choice(((), (), ("MO", "WE", "SU")))
        positions = random.choice(((), (1,), (-1, 2)))
        interval = random.choice((1, 1, 2, 5))
        text = f"FREQ=MONTHLY;INTERVAL={interval};BYMONTHDAY={','.join(map(str, days))};SKIP={skip}"
        text += f";BYDAY={','.join(weekdays)}" if weekdays else ""
        text += f";BYSETPOS={','.join(map(str, positions))}" if positions else ""

        wanted = read_plainly(skip, days, weekdays, positions, interval)
        found = list(takewhile(lambda day: day < date(2026, 1, 1), occurrences(parse_rule(text), anchor)))

        assert found == wanted, text


def read_plainly(skip: Skip, days: Any, weekdays: Any, positions: Any, interval: int) -> list[date]:
    """Do what RFC 7529, section 4.1, says, month by month, with no thought of speed."""
    found = set()
    for month in range(0, 40, interval):
        year, number = 2023 + month // 12, month % 12 + 1
        begin, length = date(year, number, 1), monthrange(year, number)[1]
        chosen = set()
        for day in days:
            if abs(day) <= length:
                chosen.add(begin + timedelta(days=day - 1 if day > 0 else length + day))
            elif day > 0:
                chosen.add(begin + timedelta(days=length if skip is Skip.FORWARD else length - 1))
            else:
                chosen.add(begin if skip is Skip.FORWARD else begin - timedelta(days=1))
        kept = sorted(day for day in chosen if not weekdays or day.weekday() in {0, 2, 6})
        if positions:
            kept = [
                kept[place]
                for place in {p - 1 if p > 0 else len(kept) + p for p in positions}
                if 0 <= place < len(kept)
            ]
        found.update(kept)
    return sorted(day for day in found if date(2023, 1, 1) <= day < date(2026, 1, 1))


@pytest.mark.parametrize("week", [1, 2, 51, 52, 53, -1, -2, -52, -53])
def test_week_numbers_are_those_of_iso_8601_also_at_the_turn_of_the_year(week: int) -> None:
    begin, end = date(2000, 1, 1), date(2030, 1, 1)
    all_days = [begin + timedelta(days=index) for index in range((end - begin).days)]

    def number(day: date) -> int:
        calendar = day.isocalendar()
        return calendar.week if week > 0 else calendar.week - date(calendar.year, 12, 28).isocalendar().week - 1

    rule = parse_rule(f"FREQ=YEARLY;BYWEEKNO={week};BYDAY=MO,TU,WE,TH,FR,SA,SU")

    assert list(takewhile(lambda day: day < end, occurrences(rule, begin))) == [
        d for d in all_days if number(d) == week
    ]


def test_a_week_number_alone_means_the_weekday_of_the_first_date() -> None:
    assert first(3, "FREQ=YEARLY;BYWEEKNO=20", date(2026, 5, 12)) == dates("2026-05-12 2027-05-18 2028-05-16")


def test_plain_and_numbered_weekdays_are_joined() -> None:
    assert first(6, "FREQ=MONTHLY;BYDAY=MO,1TU", date(2026, 6, 1)) == dates(
        "2026-06-01 2026-06-02 2026-06-08 2026-06-15 2026-06-22 2026-06-29"
    )


def test_positions_count_in_the_whole_first_week() -> None:
    assert first(2, "FREQ=WEEKLY;BYDAY=MO,WE,FR;BYSETPOS=2", date(2026, 6, 4)) == dates("2026-06-10 2026-06-17")


@pytest.mark.parametrize("frequency", ["HOURLY", "MINUTELY", "SECONDLY"])
def test_limits_of_short_rules_leave_out_what_does_not_fit(frequency: str) -> None:
    random = Random(SEED)
    step = {"HOURLY": 3600, "MINUTELY": 60, "SECONDLY": 1}[frequency] * (
        interval := {"HOURLY": 5, "MINUTELY": 77, "SECONDLY": 4001}[frequency]
    )
    anchor = datetime(2026, 1, 30, 20, 10, 30)
    for _ in range(40):
        months, days = random.sample(range(1, 4), 2), random.sample(range(1, 32), 12)
        weekdays, hours = random.sample(range(7), 5), random.sample(range(24), 9)
        year_days = random.sample(range(1, 91), 60)
        names = ",".join(("MO", "TU", "WE", "TH", "FR", "SA", "SU")[day] for day in weekdays)
        text = (
            f"FREQ={frequency};INTERVAL={interval};BYMONTH={','.join(map(str, months))};BYDAY={names};"
            f"BYMONTHDAY={','.join(map(str, days))};BYHOUR={','.join(map(str, hours))};"
            f"BYYEARDAY={','.join(map(str, year_days))}"
        )
        moments = (anchor + timedelta(seconds=step * index) for index in range(60 * 86_400 // step))
        wanted = [
            moment
            for moment in moments
            if moment.month in months
            and moment.day in days
            and moment.weekday() in weekdays
            and moment.hour in hours
            and moment.timetuple().tm_yday in year_days
        ]

        found = first(len(wanted), text, anchor) if wanted else []

        assert found == wanted, text


def test_a_series_of_dates_gives_dates_and_ignores_times() -> None:
    assert first(2, "FREQ=DAILY;BYHOUR=9,17;BYMINUTE=30", date(2026, 1, 1)) == dates("2026-01-01 2026-01-02")
    assert first(1, "FREQ=DAILY", date(2026, 1, 1), after=datetime(2026, 1, 1, 23)) == dates("2026-01-02")


def test_exceptions_are_left_out_and_counted() -> None:
    exdates = frozenset({date(2026, 1, 2), datetime(2026, 1, 3, 9), datetime(2026, 1, 4, 10)})

    assert first(9, "FREQ=DAILY;COUNT=4", datetime(2026, 1, 1, 9), exdates=exdates) == [
        datetime(2026, 1, 1, 9),
        datetime(2026, 1, 4, 9),
    ]


@pytest.mark.parametrize(
    ("until", "anchor", "zone", "last"),
    [
        ("20260103", date(2026, 1, 1), None, date(2026, 1, 3)),
        ("20260103", datetime(2026, 1, 1, 23), None, datetime(2026, 1, 3, 23)),
        ("20260103T090000", datetime(2026, 1, 1, 9), None, datetime(2026, 1, 3, 9)),
        ("20260103T085959", datetime(2026, 1, 1, 9), None, datetime(2026, 1, 2, 9)),
        ("20260103T090000", date(2026, 1, 1), None, date(2026, 1, 3)),
        ("20260103T080000Z", datetime(2026, 1, 1, 9), "Europe/Berlin", datetime(2026, 1, 3, 9)),
        ("20260103T075959Z", datetime(2026, 1, 1, 9), "Europe/Berlin", datetime(2026, 1, 2, 9)),
        ("20260103T090000Z", datetime(2026, 1, 1, 9), None, datetime(2026, 1, 3, 9)),
        ("20260103T233000Z", date(2026, 1, 1), "Europe/Berlin", date(2026, 1, 4)),
        # Both are half past two on the wall; the second showing is an hour later.
        ("20261025T003000Z", datetime(2026, 10, 20, 2, 30), "Europe/Berlin", datetime(2026, 10, 25, 2, 30)),
        ("20261025T011000Z", datetime(2026, 10, 20, 2, 30), "Europe/Berlin", datetime(2026, 10, 25, 2, 30)),
        ("20261025T002959Z", datetime(2026, 10, 20, 2, 30), "Europe/Berlin", datetime(2026, 10, 24, 2, 30)),
        # Half past two was skipped and is half past three, 01:30 UTC.
        ("20260329T012959Z", datetime(2026, 3, 27, 2, 30), "Europe/Berlin", datetime(2026, 3, 28, 2, 30)),
        ("20260329T013000Z", datetime(2026, 3, 27, 2, 30), "Europe/Berlin", datetime(2026, 3, 29, 2, 30)),
    ],
)
def test_until_is_inclusive(until: str, anchor: date, zone: str | None, last: date) -> None:
    rule, where = parse_rule(f"FREQ=DAILY;UNTIL={until}"), ZoneInfo(zone) if zone else None

    assert list(occurrences(rule, anchor, zone=where))[-1] == last


@pytest.mark.uncovered
@pytest.mark.parametrize(
    ("text", "anchor", "expected"),
    [
        ("FREQ=DAILY", datetime(1990, 1, 1, 9), datetime(2026, 1, 1, 9)),
        ("FREQ=DAILY;INTERVAL=3;BYDAY=MO,TU,WE,TH,FR", datetime(1990, 1, 1, 9), datetime(2026, 1, 1, 9)),
        ("FREQ=DAILY;COUNT=10000", datetime(1999, 1, 1, 9), datetime(2026, 1, 1, 9)),
        ("FREQ=SECONDLY;INTERVAL=7", datetime(1990, 1, 1), datetime(2026, 1, 1, 0, 0, 3)),
        ("FREQ=MINUTELY;BYHOUR=9;BYMINUTE=30", datetime(1990, 1, 1), datetime(2026, 1, 1, 9, 30)),
        ("FREQ=HOURLY;INTERVAL=1000", datetime(1990, 1, 1), datetime(2026, 1, 18, 16)),
        ("FREQ=WEEKLY;INTERVAL=2;BYDAY=MO,FR", datetime(1990, 1, 1, 9), datetime(2026, 1, 2, 9)),
        ("FREQ=MONTHLY;SKIP=BACKWARD", datetime(1990, 1, 31, 9), datetime(2026, 1, 31, 9)),
        ("FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=29;BYDAY=MO", datetime(1990, 1, 1), datetime(2044, 2, 29)),
    ],
)
def test_a_question_decades_later_is_answered_at_once(text: str, anchor: datetime, expected: datetime) -> None:
    rule, after = parse_rule(text), datetime(2026, 1, 1)
    began = process_time()

    for _ in range(QUESTIONS):
        found = next(occurrences(rule, anchor, after=after - timedelta(seconds=1)))

    assert found == expected
    # Measured 0.01 to 0.4 ms, where walking there takes from 10 ms.
    assert (process_time() - began) / QUESTIONS < 0.005


def test_a_rule_of_the_longest_text_is_harmless() -> None:
    minutes = ",".join(map(str, range(60)))
    text = f"FREQ=DAILY;BYHOUR={','.join(map(str, range(24)))};BYMINUTE={minutes};BYSECOND={minutes}"

    assert first(2, text, datetime(2026, 1, 1), after=datetime(2026, 6, 1, 12)) == [
        datetime(2026, 6, 1, 12, 0, 1),
        datetime(2026, 6, 1, 12, 0, 2),
    ]


@pytest.mark.parametrize("frequency", ["YEARLY", "MONTHLY", "WEEKLY", "DAILY", "HOURLY", "MINUTELY", "SECONDLY"])
@pytest.mark.parametrize("part", ["", ";BYMONTH=12", ";INTERVAL=1000000", ";BYMONTH=12;SKIP=FORWARD"])
def test_the_calendar_ends_and_so_does_every_series(frequency: str, part: str) -> None:
    late = datetime(9998, 12, 31, 23, 59, 58)

    found = first(5, f"FREQ={frequency}{part}", late)

    assert found[0] == late
    assert all(moment.year == 9998 for moment in found)


@pytest.mark.parametrize("text", ["FREQ=DAILY", "FREQ=WEEKLY", "FREQ=MONTHLY;BYMONTHDAY=-1", "FREQ=YEARLY;BYWEEKNO=1"])
def test_the_calendar_begins_without_trouble(text: str) -> None:
    assert first(1, text, date(1, 1, 1))[0] >= date(1, 1, 1)


def test_until_in_utc_is_read_in_utc_without_a_zone() -> None:
    assert parse_rule("FREQ=DAILY;UNTIL=20260101T000000Z").until == datetime(2026, 1, 1, tzinfo=UTC)


def test_a_limit_beyond_the_end_of_the_calendar_ends_the_series() -> None:
    assert first(1, "FREQ=DAILY;BYMONTH=6", date(9998, 7, 1)) == []


def test_a_rule_that_is_barren_again_and_again_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    rule, anchor = (
        parse_rule("FREQ=SECONDLY;INTERVAL=3599;BYMINUTE=0,15,30,45;BYSECOND=0;COUNT=50"),
        datetime(2026, 1, 1),
    )
    whole = list(occurrences(rule, anchor))

    monkeypatch.setattr(seek, "MAX_JUMPS", 1_000)
    found = list(occurrences(rule, anchor))

    assert len(whole) == 50
    assert 1 < len(found) < 50
    assert found == whole[: len(found)]
