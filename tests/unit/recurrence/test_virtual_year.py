# ruff: noqa: DTZ001  a time on the wall has no zone: that is what is tested here
"""R18: a year of a hundred series, each occurrence completed in time, against numbers that need no program."""

from datetime import UTC, date, datetime, timedelta
from time import process_time
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


@pytest.mark.uncovered
@pytest.mark.accepts("R18")
def test_a_year_of_a_hundred_series_has_the_expected_number_of_each() -> None:
    began = process_time()

    counted = {
        (rule, mode, name): completed_in_a_year(rule, mode, ZoneInfo(name))
        for rule, mode, _ in SERIES
        for name in ZONES
    }

    assert len(counted) == 100
    assert counted == {(rule, mode, name): expected for rule, mode, expected in SERIES for name in ZONES}
    # Measured: 0.4 s.
    assert process_time() - began < 10


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
@pytest.mark.parametrize(
    ("mode", "start", "hours"),
    [
        # In March an hour is left out, on the wall and of the time that elapses.
        (RecurrenceMode.SCHEDULE, datetime(2026, 3, 23, 9), 14 * 24 - 1),
        (RecurrenceMode.AFTER_COMPLETION, datetime(2026, 3, 23, 9), 14 * 24 - 1),
        # In October one is shown twice; it elapses twice, and on the wall only the first showing counts.
        (RecurrenceMode.SCHEDULE, datetime(2026, 10, 19, 9), 14 * 24),
        (RecurrenceMode.AFTER_COMPLETION, datetime(2026, 10, 19, 9), 14 * 24 + 1),
    ],
)
def test_hours_are_counted_on_the_wall_or_as_they_elapse(mode: RecurrenceMode, start: datetime, hours: int) -> None:
    recurrence, zone = Recurrence(rule=parse_rule("FREQ=HOURLY"), mode=mode), ZoneInfo("Europe/Berlin")
    current, count, end = start, 0, to_instant(start + timedelta(days=14), zone)

    while to_instant(current, zone) < end:
        count += 1
        done_at = to_instant(current, zone)
        found = next_occurrence(recurrence, anchor=start, current=current, number=1, completed_at=done_at, zone=zone)
        assert found is not None
        assert isinstance(found.due, datetime)
        current = found.due

    assert count == hours


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
