# ruff: noqa: DTZ001  a time on the wall has no zone: that is what is tested here
"""Rules in English: each part is said, and two rules that differ are not said in the same words."""

from collections import defaultdict
from datetime import datetime
from random import Random
from typing import Any

import pytest

from app.domain.recurrence import (
    Frequency,
    InvalidRuleError,
    MissedPolicy,
    Recurrence,
    RecurrenceMode,
    Rule,
    Skip,
    describe,
    parse_rule,
)
from tests.unit.recurrence.rules import random_rule

SEED = 1
WORDS = [
    ("FREQ=DAILY", "every day"),
    ("FREQ=WEEKLY;INTERVAL=2;BYDAY=MO,FR;COUNT=10", "every 2 weeks on Monday and Friday, 10 times"),
    ("FREQ=WEEKLY;BYDAY=FR,MO,TU,WE,TH", "every weekday (Monday to Friday)"),
    ("FREQ=WEEKLY;INTERVAL=2;BYDAY=MO,TU,WE,TH,FR", "every 2 weeks on Monday to Friday"),
    ("FREQ=WEEKLY;INTERVAL=2;BYDAY=TU,SU;WKST=SU", "every 2 weeks on Tuesday and Sunday, weeks starting on Sunday"),
    ("FREQ=WEEKLY;BYDAY=TU,SU;WKST=SU", "every week on Tuesday and Sunday"),
    ("FREQ=WEEKLY;BYMONTH=6,7,8", "every week, only in June to August"),
    ("FREQ=MONTHLY", "every month"),
    ("FREQ=MONTHLY;SKIP=BACKWARD", "every month, in shorter months on the last day"),
    ("FREQ=MONTHLY;BYMONTHDAY=-1", "every month on the last day"),
    ("FREQ=MONTHLY;BYMONTHDAY=1,15,-2", "every month on the 1st, the 15th and the second to last day"),
    ("FREQ=MONTHLY;BYMONTHDAY=10,11,12,13", "every month on the 10th to the 13th"),
    ("FREQ=MONTHLY;BYMONTHDAY=31", "every month on the 31st, leaving out months without that day"),
    ("FREQ=MONTHLY;BYMONTHDAY=31;SKIP=BACKWARD", "every month on the 31st, in shorter months on the last day"),
    (
        "FREQ=MONTHLY;BYMONTHDAY=31;SKIP=FORWARD",
        "every month on the 31st, after shorter months on the first day of the next",
    ),
    (
        "FREQ=MONTHLY;BYMONTHDAY=-31;SKIP=BACKWARD",
        "every month on the 31st to last day, on the day before where a month has no such day",
    ),
    ("FREQ=MONTHLY;BYDAY=1SU,-1SU", "every month on the first Sunday and the last Sunday"),
    ("FREQ=MONTHLY;BYDAY=MO,1TU", "every month on every Monday and the first Tuesday"),
    ("FREQ=MONTHLY;BYDAY=FR;BYMONTHDAY=13", "every month on the 13th if it is a Friday"),
    ("FREQ=MONTHLY;BYDAY=MO,TU,WE,TH,FR;BYSETPOS=-1", "every month on the last weekday (Monday to Friday)"),
    ("FREQ=MONTHLY;BYDAY=SA,SU;BYSETPOS=1,2", "every month on the first and second Saturday or Sunday"),
    ("FREQ=YEARLY", "every year"),
    ("FREQ=YEARLY;BYMONTH=1,7", "every year in January and July"),
    ("FREQ=YEARLY;BYMONTH=1;BYMONTHDAY=1", "every year on the 1st of January"),
    ("FREQ=YEARLY;BYMONTHDAY=1", "every year on the 1st of every month"),
    ("FREQ=YEARLY;BYMONTH=11;BYDAY=4TH", "every year on the fourth Thursday of November"),
    ("FREQ=YEARLY;BYMONTH=11;BYDAY=TH", "every year on every Thursday in November"),
    ("FREQ=YEARLY;BYDAY=20MO", "every year on the 20th Monday of the year"),
    ("FREQ=YEARLY;BYWEEKNO=20", "every year in week 20"),
    ("FREQ=YEARLY;BYWEEKNO=1,-1;BYDAY=MO", "every year on Monday in week 1 and the last week"),
    ("FREQ=YEARLY;BYWEEKNO=1;WKST=SU", "every year in week 1, weeks starting on Sunday"),
    ("FREQ=YEARLY;BYYEARDAY=1,100,-1", "every year on day 1, day 100 and the last day of the year"),
    ("FREQ=YEARLY;BYYEARDAY=100;BYMONTHDAY=10", "every year on day 100 of the year if it is the 10th of every month"),
    ("FREQ=YEARLY;BYYEARDAY=366", "every year on day 366 of the year, leaving out years without that day"),
    ("FREQ=YEARLY;BYYEARDAY=366;SKIP=BACKWARD", "every year on day 366 of the year, in shorter years on the last day"),
    (
        "FREQ=YEARLY;BYMONTH=3;BYDAY=MO;BYSETPOS=1",
        "every year on every Monday in March, only the first of these in each year",
    ),
    ("FREQ=DAILY;BYHOUR=9,17;BYMINUTE=0,30", "every day at 09:00, 09:30, 17:00 and 17:30"),
    ("FREQ=DAILY;BYHOUR=9;BYMINUTE=0;BYSECOND=5", "every day at 09:00:05"),
    ("FREQ=DAILY;BYHOUR=9", "every day in hour 9"),
    ("FREQ=DAILY;BYMINUTE=0,15,30,45;BYHOUR=8,9,10,11", "every day in hours 8 to 11 at minutes 0, 15, 30 and 45"),
    ("FREQ=DAILY;BYMONTH=1;BYDAY=MO;BYMONTHDAY=1", "every day, only on Monday on the 1st of the month in January"),
    ("FREQ=HOURLY;INTERVAL=2;BYHOUR=9,10,11", "every 2 hours, only in hours 9 to 11"),
    ("FREQ=HOURLY;BYMINUTE=0,30", "every hour at minutes 0 and 30"),
    ("FREQ=HOURLY;BYYEARDAY=1", "every hour, only on day 1 of the year"),
    ("FREQ=MINUTELY;INTERVAL=15", "every 15 minutes"),
    ("FREQ=SECONDLY;BYSECOND=0", "every second, only at second 0"),
    ("FREQ=DAILY;COUNT=1", "every day, once"),
    ("FREQ=DAILY;UNTIL=20261231", "every day, until 31 December 2026"),
    ("FREQ=DAILY;UNTIL=20261231T170000", "every day, until 31 December 2026 at 17:00"),
    ("FREQ=DAILY;UNTIL=20261231T170005Z", "every day, until 31 December 2026 at 17:00:05 UTC"),
]


@pytest.mark.parametrize(("text", "words"), WORDS)
def test_a_rule_is_said_in_words(text: str, words: str) -> None:
    assert describe(parse_rule(text)) == words
    assert describe(Recurrence(rule=parse_rule(text))) == words


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("FREQ=DAILY;INTERVAL=3", "3 days after completion"),
        ("FREQ=MONTHLY;COUNT=5", "1 month after completion, 5 times"),
        ("FREQ=MONTHLY;SKIP=BACKWARD", "1 month after completion"),
        ("FREQ=MONTHLY;SKIP=FORWARD", "1 month after completion, after shorter months on the first day of the next"),
        ("FREQ=WEEKLY;BYDAY=MO", "every week on Monday, counted from completion"),
    ],
)
def test_what_is_counted_from_completion_says_so(text: str, words: str) -> None:
    assert describe(Recurrence(rule=parse_rule(text), mode=RecurrenceMode.AFTER_COMPLETION)) == words


def test_keeping_missed_ones_is_said() -> None:
    recurrence = Recurrence(rule=parse_rule("FREQ=DAILY"), missed=MissedPolicy.KEEP)

    assert describe(recurrence) == "every day, keeping missed ones"


@pytest.mark.uncovered
def test_rules_that_mean_different_things_are_said_in_different_words() -> None:
    random = Random(SEED)
    meanings: defaultdict[str, set[Any]] = defaultdict(set)
    for _ in range(3_000):
        text = random_rule(random, datetime(2026, 1, 1))
        try:
            rule = parse_rule(f"{text};SKIP={random.choice(tuple(Skip))}")
        except InvalidRuleError:
            continue
        meanings[describe(rule)].add(meaning(rule))

    assert len(meanings) > 1_500
    assert [words for words, different in meanings.items() if len(different) > 1] == []


def meaning(rule: Rule) -> Any:
    """Return the parts without order, and without those that change nothing."""
    weeks = rule.frequency is Frequency.WEEKLY and ((rule.interval > 1 and rule.by_day) or rule.by_set_position)
    days = [*rule.by_month_day, *(int(day / 12) for day in rule.by_year_day)]
    movable = rule.frequency <= Frequency.MONTHLY and (not rule.names_days or any(abs(day) > 28 for day in days))
    implied_omit = not rule.names_days and rule.skip is Skip.OMIT
    return (
        rule.frequency,
        rule.interval,
        rule.count,
        rule.until,
        *(frozenset(values) for values in (rule.by_month, rule.by_week_number, rule.by_year_day, rule.by_month_day)),
        frozenset((day.day, day.ordinal) for day in rule.by_day),
        *(frozenset(values) for values in (rule.by_hour, rule.by_minute, rule.by_second, rule.by_set_position)),
        rule.week_start if weeks or rule.by_week_number else None,
        rule.skip if movable and not implied_omit else None,
    )
