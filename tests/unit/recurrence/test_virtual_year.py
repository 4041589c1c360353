"""R18: a year of a hundred series, each occurrence completed in time, against numbers that need no program."""

from datetime import UTC, date, datetime, timedelta
from time import perf_counter
from zoneinfo import ZoneInfo

import pytest

from app.domain.recurrence import Recurrence, RecurrenceMode, next_occurrence, parse_rule, to_instant

ZONES = ("Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Africa/Casablanca", "UTC")
START = datetime(2026, 1, 1, 9)  # a Thursday
DAYS = 365
END = START + timedelta(days=DAYS)

# Rule, mode, and how often it comes from the start (included) to the end (excluded) of the year.
SERIES = [
    *((f"FREQ=DAILY;INTERVAL={n}", RecurrenceMode.SCHEDULE, -(-DAYS // n)) for n in range(1, 8)),
    *((f"FREQ=WEEKLY;INTERVAL={n}", RecurrenceMode.SCHEDULE, -(-DAYS // (7 * n))) for n in range(1, 4)),
    *((f"FREQ=DAILY;INTERVAL={n}", RecurrenceMode.AFTER_COMPLETION, -(-DAYS // n)) for n in range(1, 4)),
    ("FREQ=MONTHLY;SKIP=BACKWARD", RecurrenceMode.SCHEDULE, 12),
    ("FREQ=MONTHLY;INTERVAL=5", RecurrenceMode.SCHEDULE, 3),
    ("FREQ=YEARLY", RecurrenceMode.SCHEDULE, 1),
    ("FREQ=WEEKLY;BYDAY=MO,TU,WE,TH,FR", RecurrenceMode.SCHEDULE, 261),
    ("FREQ=MONTHLY;BYDAY=TH", RecurrenceMode.SCHEDULE, 53),
    ("FREQ=DAILY;INTERVAL=10;COUNT=30", RecurrenceMode.SCHEDULE, 30),
    ("FREQ=WEEKLY;UNTIL=20260629", RecurrenceMode.AFTER_COMPLETION, 26),
]


@pytest.mark.accepts("R18")
def test_a_year_of_a_hundred_series_has_the_expected_number_of_each() -> None:
    began = perf_counter()

    counted = {
        (rule, mode, name): completed_in_a_year(rule, mode, ZoneInfo(name))
        for rule, mode, _ in SERIES
        for name in ZONES
    }

    assert len(counted) == 100
    assert counted == {(rule, mode, name): expected for rule, mode, expected in SERIES for name in ZONES}
    # Measured: 0.4 s.
    assert perf_counter() - began < 10


def completed_in_a_year(text: str, mode: RecurrenceMode, zone: ZoneInfo) -> int:
    """Complete every occurrence five minutes after it is due, and return how many there were."""
    recurrence, end = Recurrence(rule=parse_rule(text), mode=mode), to_instant(END, zone)
    current, number, completed = START, 1, 0
    while to_instant(current, zone) < end:
        completed += 1
        found = next_occurrence(
            recurrence,
            anchor=START,
            current=current,
            number=number,
            completed_at=to_instant(current, zone) + timedelta(minutes=5),
            zone=zone,
        )
        if found is None:
            break
        assert isinstance(found.due, datetime)
        assert found.due.time() == START.time()
        current, number = found.due, found.number
    return completed


@pytest.mark.accepts("R18")
def test_a_year_of_hours_is_counted_by_the_clock_that_ran_or_by_the_clock_on_the_wall() -> None:
    berlin = ZoneInfo("Europe/Berlin")
    hours = DAYS * 24

    elapsed = hourly_in_a_year(RecurrenceMode.AFTER_COMPLETION, berlin)
    on_the_wall = hourly_in_a_year(RecurrenceMode.SCHEDULE, berlin)

    assert elapsed == hours
    # One hour never was; the one that was twice is taken once.
    assert on_the_wall == hours - 1


def hourly_in_a_year(mode: RecurrenceMode, zone: ZoneInfo) -> int:
    recurrence, current, count = Recurrence(rule=parse_rule("FREQ=HOURLY"), mode=mode), START, 0
    while to_instant(current, zone) < to_instant(END, zone):
        count += 1
        found = next_occurrence(
            recurrence, anchor=START, current=current, number=1, completed_at=to_instant(current, zone), zone=zone
        )
        assert found is not None
        assert isinstance(found.due, datetime)
        current = found.due
    return count


def test_a_leap_day_comes_on_the_last_of_february_for_a_life() -> None:
    recurrence, current = Recurrence(rule=parse_rule("FREQ=YEARLY;SKIP=BACKWARD")), date(2024, 2, 29)
    for year in range(2025, 2105):
        found = next_occurrence(
            recurrence,
            anchor=date(2024, 2, 29),
            current=current,
            number=1,
            completed_at=datetime(current.year, current.month, current.day, 12, tzinfo=UTC),
            zone=ZoneInfo("UTC"),
        )
        assert found is not None
        current = found.due
        assert (current.year, (current + timedelta(days=1)).month, current.month) == (year, 3, 2)
