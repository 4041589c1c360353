# ruff: noqa: DTZ001  a time on the wall has no zone: that is what is tested here
"""What comes next: late, early, missed, counted, excluded, after completion."""

from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from app.domain.recurrence import (
    InvalidRuleError,
    MissedPolicy,
    NextOccurrence,
    Recurrence,
    RecurrenceMode,
    next_occurrence,
    parse_rule,
    preview,
    to_instant,
)
from app.domain.recurrence.decision import MAX_MISSED

BERLIN = ZoneInfo("Europe/Berlin")
AFTER = RecurrenceMode.AFTER_COMPLETION
KEEP = MissedPolicy.KEEP
NOON = time(12)


def following(rule: str, current: Any, completed: datetime, **options: Any) -> NextOccurrence | None:
    """Return what follows the first occurrence, completed at a time on the wall in Berlin."""
    recurrence = Recurrence(
        rule=parse_rule(rule),
        mode=options.pop("mode", RecurrenceMode.SCHEDULE),
        missed=options.pop("missed", MissedPolicy.SKIP),
    )
    arguments = {"anchor": current, "current": current, "number": 1, "zone": BERLIN, **options}
    return next_occurrence(recurrence, completed_at=to_instant(completed, BERLIN), **arguments)


def due(rule: str, current: Any, completed: datetime, **options: Any) -> Any:
    found = following(rule, current, completed, **options)
    return None if found is None else found.due


def test_missed_occurrences_are_passed_over_and_told() -> None:
    assert following("FREQ=DAILY", date(2026, 1, 1), datetime(2026, 1, 4, 12)) == NextOccurrence(
        due=date(2026, 1, 5), missed=(date(2026, 1, 2), date(2026, 1, 3), date(2026, 1, 4)), number=5
    )


def test_kept_missed_occurrences_are_done_one_after_the_other() -> None:
    assert following("FREQ=DAILY", date(2026, 1, 1), datetime(2026, 1, 4, 12), missed=KEEP) == NextOccurrence(
        due=date(2026, 1, 2), missed=(date(2026, 1, 2), date(2026, 1, 3), date(2026, 1, 4)), number=2
    )


@pytest.mark.parametrize("missed", MissedPolicy)
def test_completed_early_the_next_is_after_the_one_completed(missed: MissedPolicy) -> None:
    assert following("FREQ=WEEKLY", date(2026, 1, 8), datetime(2026, 1, 1, 9), missed=missed) == NextOccurrence(
        due=date(2026, 1, 15), number=2
    )


def test_a_time_later_today_is_still_to_come() -> None:
    assert due("FREQ=DAILY", datetime(2026, 1, 1, 20), datetime(2026, 1, 3, 8)) == datetime(2026, 1, 3, 20)
    assert due("FREQ=DAILY", datetime(2026, 1, 1, 20), datetime(2026, 1, 3, 20)) == datetime(2026, 1, 4, 20)


def test_a_date_is_over_with_the_local_day_of_completion() -> None:
    assert due("FREQ=DAILY", date(2026, 1, 1), datetime(2026, 1, 1, 0, 30)) == date(2026, 1, 2)
    assert due("FREQ=DAILY", date(2026, 1, 1), datetime(2026, 1, 2, 0, 30)) == date(2026, 1, 3)


def test_the_anchor_decides_and_not_the_date_that_was_moved() -> None:
    found = following(
        "FREQ=MONTHLY;SKIP=BACKWARD", date(2026, 2, 28), datetime(2026, 2, 28, 9), anchor=date(2026, 1, 31)
    )

    assert found == NextOccurrence(due=date(2026, 3, 31), number=2)


@pytest.mark.parametrize("missed", MissedPolicy)
@pytest.mark.parametrize("rule", ["FREQ=DAILY;COUNT=3", "FREQ=DAILY;UNTIL=20260103"])
def test_a_series_ends(rule: str, missed: MissedPolicy) -> None:
    last = following(rule, date(2026, 1, 2), datetime(2026, 1, 2, 9), anchor=date(2026, 1, 1), number=2, missed=missed)

    assert last == NextOccurrence(due=date(2026, 1, 3), number=3)
    assert (
        following(rule, date(2026, 1, 3), datetime(2026, 1, 3, 9), anchor=date(2026, 1, 1), number=3, missed=missed)
        is None
    )


@pytest.mark.parametrize("rule", ["FREQ=DAILY;COUNT=3", "FREQ=DAILY;UNTIL=20260103"])
def test_a_series_that_ended_while_it_was_missed_is_over_unless_missed_ones_are_kept(rule: str) -> None:
    assert following(rule, date(2026, 1, 1), datetime(2026, 2, 1, 9)) is None
    assert following(rule, date(2026, 1, 1), datetime(2026, 2, 1, 9), missed=KEEP) == NextOccurrence(
        due=date(2026, 1, 2), missed=(date(2026, 1, 2), date(2026, 1, 3)), number=2
    )


def test_exceptions_are_left_out_and_counted() -> None:
    exdates = frozenset({date(2026, 1, 2)})

    assert following(
        "FREQ=DAILY;COUNT=3", date(2026, 1, 1), datetime(2026, 1, 1, 9), exdates=exdates
    ) == NextOccurrence(due=date(2026, 1, 3), number=3)
    assert following(
        "FREQ=DAILY", date(2026, 1, 1), datetime(2026, 1, 3, 9), exdates=exdates, missed=KEEP
    ) == NextOccurrence(due=date(2026, 1, 3), missed=(date(2026, 1, 3),), number=3)


@pytest.mark.parametrize("exdate", [datetime(2026, 3, 29, 2, 30), datetime(2026, 3, 29, 3, 30), date(2026, 3, 29)])
def test_an_exception_may_name_the_time_the_gap_made_of_it(exdate: date) -> None:
    start = datetime(2026, 3, 28, 2, 30)

    assert due("FREQ=DAILY", start, start, exdates=frozenset({exdate})) == datetime(2026, 3, 30, 2, 30)


def test_many_missed_occurrences_are_listed_up_to_a_limit() -> None:
    found = following("FREQ=MINUTELY", datetime(2006, 1, 1, 9), datetime(2026, 1, 1, 9))

    assert found is not None
    assert found.due == datetime(2026, 1, 1, 9, 1)
    assert len(found.missed) == MAX_MISSED
    assert found.number == MAX_MISSED + 2


def test_many_missed_occurrences_of_a_counted_series_all_count() -> None:
    found = following("FREQ=DAILY;COUNT=10000", date(2016, 1, 1), datetime(2026, 1, 1, 9))

    assert found is not None
    assert found.number == (date(2026, 1, 2) - date(2016, 1, 1)).days + 1


@pytest.mark.parametrize(
    ("rule", "current", "completed", "expected"),
    [
        ("FREQ=DAILY;INTERVAL=3", date(2026, 1, 1), datetime(2026, 1, 5, 23, 59), date(2026, 1, 8)),
        ("FREQ=DAILY;INTERVAL=3", datetime(2026, 1, 1, 9), datetime(2026, 1, 5, 22), datetime(2026, 1, 8, 9)),
        ("FREQ=DAILY", datetime(2026, 1, 1, 20), datetime(2026, 1, 3, 8), datetime(2026, 1, 4, 20)),
        ("FREQ=WEEKLY", date(2026, 1, 10), datetime(2026, 1, 8, 9), date(2026, 1, 15)),
        ("FREQ=MONTHLY", date(2026, 1, 15), datetime(2026, 1, 31, 9), date(2026, 2, 28)),
        ("FREQ=MONTHLY;SKIP=FORWARD", date(2026, 1, 15), datetime(2026, 1, 31, 9), date(2026, 3, 1)),
        ("FREQ=YEARLY", date(2024, 1, 15), datetime(2024, 2, 29, 9), date(2025, 2, 28)),
        ("FREQ=WEEKLY;BYDAY=MO", date(2026, 1, 5), datetime(2026, 1, 7, 9), date(2026, 1, 12)),
        ("FREQ=MONTHLY;BYMONTHDAY=31", date(2026, 1, 31), datetime(2026, 2, 2, 9), date(2026, 3, 31)),
        (
            "FREQ=HOURLY;INTERVAL=4;BYHOUR=8,12,16,20",
            datetime(2026, 1, 1, 8),
            datetime(2026, 1, 1, 8, 10),
            datetime(2026, 1, 1, 12, 10),
        ),
        (
            "FREQ=HOURLY;INTERVAL=12",
            datetime(2026, 1, 1, 8),
            datetime(2026, 1, 1, 10, 7, 33),
            datetime(2026, 1, 1, 22, 7, 33),
        ),
        # Elapsed hours: the clock shows one more in spring and one less in autumn.
        ("FREQ=HOURLY;INTERVAL=12", datetime(2026, 3, 28, 8), datetime(2026, 3, 28, 20), datetime(2026, 3, 29, 9)),
        ("FREQ=HOURLY;INTERVAL=12", datetime(2026, 10, 24, 8), datetime(2026, 10, 24, 20), datetime(2026, 10, 25, 7)),
        # A day is a day of the calendar, also of 23 hours.
        ("FREQ=DAILY", datetime(2026, 3, 28, 20), datetime(2026, 3, 28, 20), datetime(2026, 3, 29, 20)),
    ],
)
def test_after_completion_the_interval_is_counted_from_it(
    rule: str, current: Any, completed: datetime, expected: Any
) -> None:
    assert following(rule, current, completed, mode=AFTER) == NextOccurrence(due=expected, number=2)


def test_completed_more_than_an_interval_early_it_does_not_come_back_before_its_date() -> None:
    assert due("FREQ=DAILY;INTERVAL=3", date(2026, 1, 10), datetime(2026, 1, 2, 9), mode=AFTER) == date(2026, 1, 11)
    assert due("FREQ=HOURLY", datetime(2026, 1, 1, 20), datetime(2026, 1, 1, 8, 30), mode=AFTER) == datetime(
        2026, 1, 1, 20, 30
    )


def test_the_repeated_hour_is_told_apart() -> None:
    found = due("FREQ=MINUTELY;INTERVAL=60", datetime(2026, 10, 25, 1), datetime(2026, 10, 25, 2, 30), mode=AFTER)

    assert (found, found.fold) == (datetime(2026, 10, 25, 2, 30), 1)
    assert to_instant(found, BERLIN) == datetime(2026, 10, 25, 1, 30, tzinfo=UTC)


@pytest.mark.parametrize(
    ("rule", "expected"),
    [
        ("FREQ=DAILY;COUNT=1", None),
        ("FREQ=DAILY;UNTIL=20260102", date(2026, 1, 2)),
        ("FREQ=DAILY;UNTIL=20260101", None),
        ("FREQ=HOURLY;UNTIL=20260101", datetime(2026, 1, 1, 10)),
        ("FREQ=HOURLY;UNTIL=20260101T100000", datetime(2026, 1, 1, 10)),
        ("FREQ=HOURLY;UNTIL=20260101T095959", None),
        ("FREQ=HOURLY;UNTIL=20260101T090000Z", datetime(2026, 1, 1, 10)),
        ("FREQ=HOURLY;UNTIL=20260101T085959Z", None),
    ],
)
def test_a_series_after_completion_ends_too(rule: str, expected: Any) -> None:
    assert due(rule, date(2026, 1, 1), datetime(2026, 1, 1, 9), mode=AFTER) == expected


def test_after_completion_exceptions_are_left_out() -> None:
    day, hour = frozenset({date(2026, 1, 4)}), frozenset({datetime(2026, 1, 1, 10)})

    assert due("FREQ=DAILY;INTERVAL=3", date(2026, 1, 1), datetime(2026, 1, 1, 9), mode=AFTER, exdates=day) == date(
        2026, 1, 7
    )
    assert due("FREQ=HOURLY", datetime(2026, 1, 1, 9), datetime(2026, 1, 1, 9), mode=AFTER, exdates=hour) == datetime(
        2026, 1, 1, 11
    )


def test_a_task_without_a_date_begins_with_its_completion() -> None:
    completed = datetime(2026, 1, 1, 9)

    assert due("FREQ=DAILY;INTERVAL=3", None, completed, mode=AFTER) == date(2026, 1, 4)
    assert due("FREQ=HOURLY;INTERVAL=3", None, completed, mode=AFTER) == datetime(2026, 1, 1, 12)
    assert due("FREQ=HOURLY;INTERVAL=3;BYMINUTE=0", None, completed, mode=AFTER) == datetime(2026, 1, 1, 12)
    assert due("FREQ=DAILY;INTERVAL=3", None, completed) == date(2026, 1, 4)


def test_an_hourly_schedule_needs_a_time() -> None:
    with pytest.raises(InvalidRuleError):
        due("FREQ=HOURLY", date(2026, 1, 1), datetime(2026, 1, 1, 9))


@pytest.mark.parametrize("rule", ["FREQ=HOURLY;INTERVAL=1000000", "FREQ=DAILY"])
def test_the_calendar_ends_and_so_does_every_series(rule: str) -> None:
    late = datetime(9999, 12, 30, 9)

    assert due(rule, late, late, mode=AFTER) is None


def test_the_result_depends_on_nothing_else() -> None:
    arguments = ("FREQ=MONTHLY;BYDAY=-1FR", datetime(2026, 1, 30, 9), datetime(2026, 5, 1, 9))

    assert following(*arguments) == following(*arguments)


def ahead(rule: str, start: Any, **options: Any) -> tuple[Any, ...]:
    recurrence = Recurrence(rule=parse_rule(rule), mode=options.pop("mode", RecurrenceMode.SCHEDULE))
    return preview(recurrence, start=start, zone=BERLIN, **options)


def test_a_preview_of_a_schedule_begins_at_its_start() -> None:
    assert ahead("FREQ=DAILY;COUNT=2", date(2026, 1, 1)) == (date(2026, 1, 1), date(2026, 1, 2))
    assert ahead("FREQ=DAILY;COUNT=4", date(2026, 1, 3), anchor=date(2026, 1, 1)) == (
        date(2026, 1, 3),
        date(2026, 1, 4),
    )
    assert ahead("FREQ=MONTHLY;SKIP=BACKWARD", date(2026, 2, 1), anchor=date(2026, 1, 31), count=1) == (
        date(2026, 2, 28),
    )


@pytest.mark.parametrize(
    ("rule", "anchor"),
    [
        ("FREQ=WEEKLY;BYDAY=MO;COUNT=3", date(2026, 11, 25)),  # a Wednesday
        ("FREQ=WEEKLY;BYDAY=MO;COUNT=1", date(2026, 11, 25)),
        ("FREQ=WEEKLY;BYDAY=WE;COUNT=3", date(2026, 11, 25)),
        ("FREQ=MONTHLY;BYMONTHDAY=31;COUNT=3", date(2026, 11, 30)),
        ("FREQ=HOURLY;COUNT=5", datetime(2026, 3, 29, 0)),  # two of them are one, at the change of clocks
        ("FREQ=HOURLY;BYHOUR=2,3,4;COUNT=5", datetime(2026, 3, 29, 0)),
    ],
)
def test_a_preview_of_a_count_shows_as_many_as_really_come(rule: str, anchor: Any) -> None:
    recurrence, current, number = Recurrence(rule=parse_rule(rule)), anchor, 1
    came = [anchor]
    while found := next_occurrence(
        recurrence,
        anchor=anchor,
        current=current,
        number=number,
        completed_at=to_instant(current if isinstance(current, datetime) else datetime.combine(current, NOON), BERLIN),
        zone=BERLIN,
    ):
        current, number = found.due, found.number
        came.append(current)
    fitting = [moment for moment in came if moment in set(ahead(rule.partition(";COUNT")[0], anchor, count=50))]

    assert list(ahead(rule, anchor)) == fitting
    assert list(ahead(rule, came[-1], anchor=anchor)) == fitting[-1:]


def test_a_preview_leaves_exceptions_out_and_is_bounded() -> None:
    assert ahead("FREQ=DAILY", date(2026, 1, 1), count=1, exdates=frozenset({date(2026, 1, 1)})) == (date(2026, 1, 2),)
    assert len(ahead("FREQ=DAILY", date(2026, 1, 1), count=10**9)) == 1_000
    assert ahead("FREQ=DAILY", date(2026, 1, 1), count=0) == ()


def test_a_preview_after_completion_takes_each_as_completed_in_time() -> None:
    start, day = datetime(2026, 3, 28, 20), timedelta(days=1)

    assert ahead("FREQ=DAILY", start, mode=AFTER, count=3) == (start, start + day, start + 2 * day)
    assert ahead("FREQ=MONTHLY;COUNT=3", date(2026, 1, 31), mode=AFTER) == (
        date(2026, 1, 31),
        date(2026, 2, 28),
        date(2026, 3, 28),
    )
    assert ahead("FREQ=DAILY", start, mode=AFTER, count=0) == ()


def test_a_preview_of_a_completion_tells_what_follows_it() -> None:
    completed = to_instant(datetime(2026, 1, 5, 10), BERLIN)
    rule = "FREQ=DAILY;INTERVAL=3;COUNT=4"

    assert ahead(rule, date(2026, 1, 1), completed_at=completed) == (date(2026, 1, 7), date(2026, 1, 10))
    assert ahead(rule, date(2026, 1, 1), completed_at=completed, mode=AFTER) == (
        date(2026, 1, 8),
        date(2026, 1, 11),
        date(2026, 1, 14),
    )
