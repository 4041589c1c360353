# ruff: noqa: DTZ001  a time on the wall has no zone: that is what is tested here
"""What a rule may say, and the sentence for one that may not."""

from contextlib import suppress
from datetime import UTC, date, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.recurrence import Frequency, InvalidRuleError, Skip, Weekday, check_start, parse_rule
from tests.unit.recurrence.rules import STEADY

REFUSED = [
    ("", "RRULE"),
    ("every day", "RRULE"),
    ("FREQ=DAILY;;COUNT=1", "RRULE"),
    ("FREQ=", "RRULE"),
    ("FREQ=DAILY;FREQ=DAILY", "FREQ"),
    ("INTERVAL=2", "FREQ"),
    ("FREQ=FORTNIGHTLY", "FREQ"),
    ("FREQ=DAILY;INTERVAL=0", "INTERVAL"),
    ("FREQ=DAILY;INTERVAL=1000001", "INTERVAL"),
    ("FREQ=DAILY;INTERVAL=1.5", "INTERVAL"),
    ("FREQ=DAILY;INTERVAL=٣", "INTERVAL"),
    ("FREQ=DAILY;COUNT=0", "COUNT"),
    ("FREQ=DAILY;COUNT=-1", "COUNT"),
    ("FREQ=DAILY;COUNT=99999999999999999999", "COUNT"),
    ("FREQ=DAILY;COUNT=3;UNTIL=20270101", "UNTIL"),
    ("FREQ=DAILY;UNTIL=20270230", "UNTIL"),
    ("FREQ=DAILY;UNTIL=20270101T235960", "UNTIL"),
    ("FREQ=DAILY;UNTIL=2027-01-01", "UNTIL"),
    ("FREQ=DAILY;BYMONTH=0", "BYMONTH"),
    ("FREQ=DAILY;BYMONTH=13", "BYMONTH"),
    ("FREQ=DAILY;BYMONTH=1,,2", "BYMONTH"),
    ("FREQ=MONTHLY;BYMONTHDAY=0", "BYMONTHDAY"),
    ("FREQ=MONTHLY;BYMONTHDAY=-32", "BYMONTHDAY"),
    ("FREQ=YEARLY;BYYEARDAY=367", "BYYEARDAY"),
    ("FREQ=MONTHLY;BYYEARDAY=1", "BYYEARDAY"),
    ("FREQ=YEARLY;BYWEEKNO=54", "BYWEEKNO"),
    ("FREQ=MONTHLY;BYWEEKNO=1", "BYWEEKNO"),
    ("FREQ=WEEKLY;BYMONTHDAY=1", "BYMONTHDAY"),
    ("FREQ=WEEKLY;BYDAY=XX", "BYDAY"),
    ("FREQ=WEEKLY;BYDAY=1MO", "BYDAY"),
    ("FREQ=MONTHLY;BYDAY=0MO", "BYDAY"),
    ("FREQ=YEARLY;BYDAY=54MO", "BYDAY"),
    ("FREQ=YEARLY;BYWEEKNO=1;BYDAY=1MO", "BYDAY"),
    ("FREQ=DAILY;BYHOUR=24", "BYHOUR"),
    ("FREQ=DAILY;BYMINUTE=60", "BYMINUTE"),
    ("FREQ=DAILY;BYSECOND=61", "BYSECOND"),
    ("FREQ=DAILY;BYSETPOS=1", "BYSETPOS"),
    ("FREQ=MONTHLY;BYDAY=MO;BYSETPOS=0", "BYSETPOS"),
    ("FREQ=DAILY;WKST=1MO", "WKST"),
    ("FREQ=DAILY;RSCALE=HEBREW", "RSCALE"),
    ("FREQ=DAILY;SKIP=SIDEWAYS", "SKIP"),
    ("FREQ=DAILY;BYEASTER=0", "“BYEASTER”"),
    ("FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30", "RRULE"),
    ("FREQ=DAILY;BYMONTH=4;BYMONTHDAY=31", "RRULE"),
    ("FREQ=MONTHLY;BYDAY=1MO;BYMONTHDAY=8", "RRULE"),
    ("FREQ=MONTHLY;BYMONTHDAY=1;BYSETPOS=2", "RRULE"),
    ("FREQ=HOURLY;BYMINUTE=0;BYSETPOS=2", "RRULE"),
    ("FREQ=DAILY;" + ";" * 512, "RRULE"),
]


@pytest.mark.parametrize(("text", "part"), REFUSED)
def test_a_rule_that_makes_no_sense_is_refused_with_a_sentence(text: str, part: str) -> None:
    with pytest.raises(InvalidRuleError) as refusal:
        parse_rule(text)

    assert refusal.value.part == part
    assert refusal.value.message.endswith(".")
    assert len(refusal.value.message) < 200


@pytest.mark.uncovered
@STEADY
@given(st.text(max_size=60) | st.text(alphabet="FREQ=DAILYMOBYSTUNTCHW;:,-+0123456789T ", max_size=80))
def test_any_text_is_a_rule_or_refused(text: str) -> None:
    with suppress(InvalidRuleError):
        rule = parse_rule(text)

        assert parse_rule(rule.text) == rule


@STEADY
@given(st.text(max_size=60).filter(lambda text: "=" not in text))
def test_a_refusal_can_be_shown(text: str) -> None:
    with pytest.raises(InvalidRuleError) as refusal:
        parse_rule(text)

    assert refusal.value.message.isprintable()


def test_every_part_is_understood() -> None:
    rule = parse_rule(
        "FREQ=YEARLY;INTERVAL=2;COUNT=9;BYMONTH=1,3;BYYEARDAY=-1,9;BYMONTHDAY=9,-1;BYDAY=MO,-2TU;BYHOUR=0;BYMINUTE=5;"
        "BYSECOND=60,59;BYSETPOS=-1;WKST=SU;RSCALE=GREGORIAN;SKIP=FORWARD"
    )

    assert (rule.frequency, rule.interval, rule.count) == (Frequency.YEARLY, 2, 9)
    assert (rule.by_month, rule.by_year_day, rule.by_month_day) == ((1, 3), (-1, 9), (9, -1))
    assert rule.by_day == (Weekday(day=0), Weekday(day=1, ordinal=-2))
    assert (rule.by_hour, rule.by_minute, rule.by_second) == ((0,), (5,), (59,))
    assert (rule.by_set_position, rule.week_start, rule.skip) == ((-1,), 6, Skip.FORWARD)


@pytest.mark.parametrize(
    ("text", "until"),
    [
        ("20271231", date(2027, 12, 31)),
        ("20271231T170000", datetime(2027, 12, 31, 17)),
        ("20271231T170000Z", datetime(2027, 12, 31, 17, tzinfo=UTC)),
    ],
)
def test_until_is_a_date_a_time_on_the_wall_or_an_instant(text: str, until: date) -> None:
    assert parse_rule(f"FREQ=DAILY;UNTIL={text}").until == until


@pytest.mark.parametrize(
    ("text", "canonical"),
    [
        (" rrule:freq=weekly; byday = mo , fr ,mo; ", "FREQ=WEEKLY;BYDAY=MO,FR"),
        ("BYMONTHDAY=1;SKIP=OMIT;COUNT=2;FREQ=MONTHLY", "FREQ=MONTHLY;COUNT=2;BYMONTHDAY=1;SKIP=OMIT"),
        ("RSCALE=GREGORIAN;FREQ=MONTHLY;SKIP=BACKWARD", "FREQ=MONTHLY;SKIP=BACKWARD"),
    ],
)
def test_the_canonical_text_has_one_order_and_no_noise(text: str, canonical: str) -> None:
    assert parse_rule(text).text == canonical


@pytest.mark.parametrize(
    ("text", "skip"),
    [
        ("FREQ=MONTHLY", Skip.BACKWARD),
        ("FREQ=YEARLY;INTERVAL=2", Skip.BACKWARD),
        ("FREQ=YEARLY;BYMONTH=2", Skip.BACKWARD),
        ("FREQ=MONTHLY;SKIP=OMIT", Skip.OMIT),
        ("FREQ=MONTHLY;BYMONTHDAY=31", Skip.OMIT),
        ("FREQ=MONTHLY;BYDAY=5MO", Skip.OMIT),
        ("FREQ=WEEKLY", Skip.OMIT),
    ],
)
def test_a_default_skip_is_for_days_that_the_first_date_implies(text: str, skip: Skip) -> None:
    rule = parse_rule(text, default_skip=Skip.BACKWARD)

    assert rule.skip is skip
    assert parse_rule(rule.text) == rule
    assert parse_rule(text).skip is Skip.OMIT


@pytest.mark.parametrize(
    ("text", "anchor"),
    [
        ("FREQ=HOURLY", date(2026, 1, 1)),
        ("FREQ=DAILY;UNTIL=20251231", date(2026, 1, 1)),
        ("FREQ=YEARLY;INTERVAL=4;BYMONTH=2;BYMONTHDAY=29", date(2025, 1, 1)),
        ("FREQ=DAILY;INTERVAL=7;BYDAY=TU", date(2026, 1, 5)),
        ("FREQ=HOURLY;INTERVAL=2;BYHOUR=9", datetime(2026, 1, 1, 8)),
        ("FREQ=SECONDLY;INTERVAL=60;BYSECOND=30", datetime(2026, 1, 1, 8)),
        ("FREQ=MONTHLY;INTERVAL=12;BYMONTH=2", date(2026, 3, 1)),
        ("FREQ=WEEKLY;BYDAY=MO;BYHOUR=9,17;BYSETPOS=2", date(2026, 3, 1)),
    ],
)
def test_a_start_from_which_nothing_ever_comes_is_refused(text: str, anchor: date) -> None:
    with pytest.raises(InvalidRuleError):
        check_start(parse_rule(text), anchor)


def test_a_start_from_which_something_comes_is_fine() -> None:
    check_start(parse_rule("FREQ=YEARLY;INTERVAL=4;BYMONTH=2;BYMONTHDAY=29"), date(2024, 1, 1))
