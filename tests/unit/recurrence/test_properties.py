# ruff: noqa: DTZ001  a time on the wall has no zone: that is what is tested here
"""The invariants of the design, for any rule, anchor, zone and completion."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from itertools import islice, pairwise, takewhile
from random import Random
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import assume, given, reject
from hypothesis import strategies as st

from app.domain.recurrence import (
    Frequency,
    InvalidRuleError,
    MissedPolicy,
    Recurrence,
    RecurrenceMode,
    Rule,
    Skip,
    days,
    next_occurrence,
    occurrences,
    parse_rule,
    parsing,
    plan,
    to_instant,
    to_local,
)
from tests.unit.recurrence.rules import STEADY, random_rule
from tests.unit.recurrence.test_zones import ZONES

pytestmark = [pytest.mark.accepts("R14", "R15"), pytest.mark.uncovered]

BEGIN, END = datetime(2010, 1, 1), datetime(2030, 1, 1)
LOOKED_AT = 12


@dataclass(frozen=True)
class Case:
    """A series, the occurrence that is completed, and when."""

    recurrence: Recurrence
    anchor: Any
    current: Any
    zone: ZoneInfo
    completed_at: datetime

    def key(self, moment: Any) -> Any:
        return to_instant(moment, self.zone) if isinstance(moment, datetime) else moment

    def completed(self, moment: Any) -> Any:
        """Return the completion as it compares with `moment`."""
        return self.completed_at if isinstance(moment, datetime) else to_local(self.completed_at, self.zone).date()

    def next(self, **options: Any) -> Any:
        arguments = {"current": self.current, "number": 1, "completed_at": self.completed_at, **options}
        return next_occurrence(self.recurrence, anchor=self.anchor, zone=self.zone, **arguments)


@st.composite
def series(draw: st.DrawFn) -> tuple[Rule, Any]:
    """Draw a rule and an anchor that is its first occurrence, half of them dates."""
    start = draw(st.datetimes(BEGIN, END).map(lambda moment: moment.replace(microsecond=0)))
    text = random_rule(Random(draw(st.integers(0, 2**32))), start)
    skip = draw(st.sampled_from(Skip))
    try:
        rule = parse_rule(f"{text};SKIP={skip}")
    except InvalidRuleError:
        assume(condition=False)
    anchor = start if rule.frequency > Frequency.DAILY or draw(st.booleans()) else start.date()
    first = next(occurrences(rule, anchor), None)
    if first is None or first.year > 2040:
        reject()
    # Not so if SKIP took it out of a period that has another place among the intervals.
    assume(next(occurrences(rule, first), None) == first)
    return rule, first


@st.composite
def cases(draw: st.DrawFn, *, late: bool = False) -> Case:
    rule, anchor = draw(series())
    missed, mode = draw(st.sampled_from(MissedPolicy)), draw(st.sampled_from(RecurrenceMode))
    current = draw(st.sampled_from(list(islice(occurrences(rule, anchor), 4))))
    zone = ZoneInfo(draw(st.sampled_from(ZONES)))
    noon = current if isinstance(current, datetime) else datetime.combine(current, datetime.min.time())
    minutes = draw(
        st.integers(0, 200_000) if late else st.integers(-90, 90) | st.sampled_from((-20_000, 3_000, 200_000))
    )
    recurrence = Recurrence(rule=rule, mode=mode, missed=missed)
    return Case(recurrence, anchor, current, zone, to_instant(noon + timedelta(minutes=minutes), zone))


@STEADY
@given(cases())
def test_the_next_is_later_than_the_current_and_than_the_completion(case: Case) -> None:
    found = case.next()
    assume(found is not None)

    assert case.key(found.due) > case.key(case.current)
    if case.recurrence.mode is RecurrenceMode.AFTER_COMPLETION or case.recurrence.missed is MissedPolicy.SKIP:
        assert case.key(found.due) > case.completed(found.due)


@STEADY
@given(cases(late=True))
def test_what_was_missed_lies_between_the_current_and_the_completion(case: Case) -> None:
    found = case.next()
    assume(found is not None)
    assume(found.missed)

    keys = [case.key(moment) for moment in found.missed]
    assert keys == sorted(set(keys))
    assert case.key(case.current) < keys[0]
    assert keys[-1] <= case.completed(found.due)
    assert (found.due == found.missed[0]) == (case.recurrence.missed is MissedPolicy.KEEP)


@STEADY
@given(cases())
def test_it_is_a_function_of_its_arguments_alone(case: Case) -> None:
    found = case.next()
    for cache in (parsing._parse, plan.plan_for, days._allowed_days, days.month_span):
        cache.cache_clear()

    assert case.next() == found


@STEADY
@given(cases(), st.integers(1, 20))
def test_the_number_rises_and_never_beyond_the_count(case: Case, number: int) -> None:
    found = case.next(number=number)

    count = case.recurrence.rule.count
    if found is not None:
        assert found.number > number
        assert count is None or found.number <= count
    if count is not None and number >= count:
        assert found is None


@STEADY
@given(series(), st.integers(0, 2_000))
def test_expanding_in_windows_is_expanding_at_once(drawn: tuple[Rule, Any], later: int) -> None:
    rule, anchor = drawn
    after = anchor + timedelta(days=later)
    horizon = after + timedelta(days=800)

    at_once = list(takewhile(lambda moment: moment <= horizon, islice(occurrences(rule, anchor), 3_000)))
    window = takewhile(lambda moment: moment <= horizon, occurrences(rule, anchor, after=after))

    wanted = [moment for moment in at_once if moment > after][:LOOKED_AT]
    assume(len(at_once) < 3_000)
    assert list(islice(window, LOOKED_AT)) == wanted


@STEADY
@given(series())
def test_occurrences_are_in_order_and_never_twice(drawn: tuple[Rule, Any]) -> None:
    found = list(islice(occurrences(*drawn), LOOKED_AT * 2))

    assert all(earlier < later for earlier, later in pairwise(found))


@STEADY
@given(series(), st.sampled_from(ZONES))
def test_completing_each_in_time_is_walking_the_schedule(drawn: tuple[Rule, Any], name: str) -> None:
    rule, anchor = drawn
    zone, current, number, walked = ZoneInfo(name), anchor, 1, [anchor]
    while len(walked) < LOOKED_AT:
        done_at = to_instant(
            current if isinstance(current, datetime) else datetime.combine(current, datetime.min.time()), zone
        )
        found = next_occurrence(
            Recurrence(rule=rule), anchor=anchor, current=current, number=number, completed_at=done_at, zone=zone
        )
        if found is None:
            break
        current, number = found.due, found.number
        walked.append(current)

    expanded = list(islice(occurrences(rule, anchor, zone=zone), LOOKED_AT))
    instants = [to_instant(moment, zone) if isinstance(moment, datetime) else moment for moment in expanded]
    assume(all(earlier < later for earlier, later in pairwise(instants)))  # otherwise a gap made two of them one
    assert walked == expanded


@STEADY
@given(series(), st.sampled_from(ZONES))
def test_a_daily_or_longer_rule_keeps_its_time_on_the_wall_outside_gaps(drawn: tuple[Rule, Any], name: str) -> None:
    rule, anchor = drawn
    assume(isinstance(anchor, datetime) and rule.frequency <= Frequency.DAILY)
    assume(not (rule.by_hour or rule.by_minute or rule.by_second))
    zone = ZoneInfo(name)

    for moment in islice(occurrences(rule, anchor), LOOKED_AT):
        assert isinstance(moment, datetime)
        assert moment.time() == anchor.time()
        late = to_local(to_instant(moment, zone), zone) - moment
        assert timedelta(0) <= late <= timedelta(days=1)


@STEADY
@given(series())
def test_the_canonical_text_means_the_same(drawn: tuple[Rule, Any]) -> None:
    rule, anchor = drawn

    again = parse_rule(f"RRULE:{rule.text.lower()}")

    assert again == rule
    assert list(islice(occurrences(again, anchor), 5)) == list(islice(occurrences(rule, anchor), 5))


@STEADY
@given(st.dates(date(2000, 1, 1), date(2050, 12, 31)), st.sampled_from(("MONTHLY", "YEARLY")), st.integers(1, 14))
def test_every_month_and_every_year_come_in_every_one_of_them(start: date, frequency: str, interval: int) -> None:
    rule = parse_rule(f"FREQ={frequency};INTERVAL={interval}", default_skip=Skip.BACKWARD)
    months = interval * (12 if frequency == "YEARLY" else 1)

    for index, found in enumerate(islice(occurrences(rule, start), 30)):
        month = start.year * 12 + start.month - 1 + months * index
        assert (found.year * 12 + found.month - 1) == month
        assert found.day == start.day or (found + timedelta(days=1)).day == 1
