# ruff: noqa: DTZ001  a time on the wall has no zone: that is what is tested here
"""R14: ten thousand random rules give what python-dateutil gives, except where docs/recurrence.md says otherwise.

Left out, because there we differ on purpose or dateutil is wrong: SKIP; BYSETPOS in the anchor's own week; numbered
beside plain weekdays; BYWEEKNO without a day; weeks 52 and 53 (compared with `date.isocalendar` elsewhere).
"""

import datetime as dt
from collections.abc import Iterator
from datetime import datetime, timedelta
from itertools import islice, takewhile
from random import Random
from typing import Any

import pytest
from dateutil import rrule as oracle

from app.domain.recurrence import InvalidRuleError, occurrences, parse_rule
from tests.unit.recurrence.rules import SHORT, random_rule

pytestmark = pytest.mark.uncovered

# Fixed, so that a red run can be repeated; another one is as good.
SEED = 5545
BATCHES = 10
RULES_PER_BATCH = 1_000
# How many are compared, and before when: dateutil walks every period, 0.2 ms for a year without an occurrence, and
# up to the end of the calendar if there is none at all.
COMPARED = 6
HORIZON = datetime(2025, 1, 1)


@pytest.fixture(autouse=True)
def _short_calendar(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let dateutil give up after the horizon, not in 9999, on rules that yield nothing more."""
    monkeypatch.setattr(dt, "MAXYEAR", HORIZON.year)


@pytest.mark.accepts("R14")
@pytest.mark.parametrize("batch", range(BATCHES))
def test_random_rules_give_what_dateutil_gives(batch: int) -> None:
    random = Random(SEED + batch)
    print(f"seed {SEED + batch}")  # noqa: T201  shown when the test fails

    answers = [answers_for_one_rule(random) for _ in range(RULES_PER_BATCH)]

    assert [question for question, ours, theirs in answers if ours != theirs] == []
    assert sum(bool(ours) for _, ours, _ in answers) > RULES_PER_BATCH * 0.6


def answers_for_one_rule(random: Random) -> tuple[str, list[Any], list[Any]]:
    """Return a question, our answer and dateutil's."""
    anchor = datetime(2019, 6, 1) + timedelta(minutes=15 * random.randrange(730 * 96))
    text = random_rule(random, anchor)
    short = any(frequency in text for frequency in SHORT)
    after = anchor + timedelta(days=-1 if short else random.choice((-1, 3, 40, 500)))
    exdates = frozenset({anchor + timedelta(days=random.choice((0, 1, 7)))})

    def compared(moments: Iterator[Any]) -> list[Any]:
        return list(islice(takewhile(lambda moment: moment < HORIZON, moments), COMPARED))

    theirs = compared(moment for moment in expected(text, anchor) if moment > after and moment not in exdates)
    try:
        ours = compared(occurrences(parse_rule(text), anchor, after=after, exdates=exdates))
    except InvalidRuleError as refusal:
        ours = [] if refusal.part == "RRULE" else [refusal]
    return f"{anchor} {text} after {after}: {ours} instead of {theirs}", ours, theirs


def expected(text: str, anchor: datetime) -> Iterator[datetime]:
    """Return what dateutil says; where it refuses an empty set, an empty set."""
    try:
        yield from oracle.rrulestr(text, dtstart=anchor)
    except ValueError as error:
        if "empty" not in str(error):
            raise
