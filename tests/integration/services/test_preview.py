"""Looking at a recurrence before it is stored."""

from datetime import UTC, date, datetime
from typing import Any

import pytest

from app.adapters.clock import SystemClock
from app.domain.errors import ValidationFailedError
from app.domain.ids import AccountId, ProjectId, SessionId, new_id
from app.domain.queries import PreviewQuery
from app.domain.task import MissedPolicy, RecurrenceMode
from app.services.context import Context, Principal
from app.services.recurrence import RecurrenceService
from tests.integration.services.world import NOON, StoppedClock, parsed

SOMEBODY = Context(
    principal=Principal(
        account_id=AccountId(new_id(NOON)),
        session_id=SessionId(new_id(NOON)),
        inbox_id=ProjectId(new_id(NOON)),
        email="somebody@example.org",
        time_zone="Europe/Berlin",
    )
)


async def _preview(**query: Any) -> Any:
    return parsed(await RecurrenceService(clock=StoppedClock()).preview(SOMEBODY, PreviewQuery(**query)))


async def test_a_preview_says_what_comes_and_in_words() -> None:
    answer = await _preview(rule="FREQ=WEEKLY;BYDAY=MO", start=date(2026, 11, 23), count=3)

    assert answer["occurrences"] == ["2026-11-23", "2026-11-30", "2026-12-07"]
    assert answer["next"] == "2026-11-30"
    assert "Monday" in answer["text"]


async def test_times_keep_their_place_on_the_wall() -> None:
    start = datetime(2027, 3, 27, 8, tzinfo=UTC)

    answer = await _preview(rule="FREQ=DAILY", start=start, count=2)
    elsewhere = await _preview(rule="FREQ=DAILY", start=start, count=2, time_zone="Asia/Tokyo")

    assert answer["occurrences"] == ["2027-03-27T08:00:00Z", "2027-03-28T07:00:00Z"]
    assert elsewhere["occurrences"] == ["2027-03-27T08:00:00Z", "2027-03-28T08:00:00Z"]


async def test_times_without_an_offset_are_those_on_the_wall() -> None:
    gap = datetime(2026, 3, 7, 2, 30)  # noqa: DTZ001  a time on a wall has no zone
    late = datetime(2026, 3, 6, 23, 56)  # noqa: DTZ001  the same

    answer = await _preview(rule="FREQ=DAILY;COUNT=3", start=gap, time_zone="America/New_York", completed_at=late)
    here = await _preview(rule="FREQ=DAILY", start=gap, anchor=gap.replace(day=1), count=1)

    assert answer["occurrences"] == ["2026-03-07T07:30:00Z", "2026-03-08T07:30:00Z", "2026-03-09T06:30:00Z"]
    assert answer["next"] == "2026-03-08T07:30:00Z"
    assert here["occurrences"] == ["2026-03-07T01:30:00Z"]


@pytest.mark.parametrize(
    ("query", "following"),
    [
        ({}, "2026-11-24"),
        ({"missed": MissedPolicy.KEEP}, "2026-11-21"),
        ({"completed_at": datetime(2026, 11, 21, 12, tzinfo=UTC)}, "2026-11-22"),
        ({"mode": RecurrenceMode.AFTER_COMPLETION, "completed_at": datetime(2026, 12, 1, tzinfo=UTC)}, "2026-12-02"),
    ],
)
async def test_what_follows_a_completion(query: dict[str, Any], following: str) -> None:
    assert (await _preview(rule="FREQ=DAILY", start=date(2026, 11, 20), **query))["next"] == following


async def test_a_count_is_counted_from_the_anchor() -> None:
    query = {"rule": "FREQ=DAILY;COUNT=3", "anchor": date(2026, 11, 23), "start": date(2026, 11, 25)}

    answer = await _preview(**query)

    assert (answer["occurrences"], answer["next"]) == (["2026-11-25"], None)


async def test_a_first_date_that_does_not_fit_the_rule_counts_as_the_first() -> None:
    query = {"rule": "FREQ=WEEKLY;BYDAY=MO;COUNT=3", "anchor": date(2026, 11, 25)}  # a Wednesday

    first = await _preview(**query, start=date(2026, 11, 25))
    second = await _preview(**query, start=date(2026, 11, 30), completed_at=NOON)
    last = await _preview(**query, start=date(2026, 12, 7), completed_at=NOON)

    assert (first["occurrences"], first["next"]) == (["2026-11-30", "2026-12-07"], "2026-11-30")
    assert (second["occurrences"], second["next"]) == (["2026-11-30", "2026-12-07"], "2026-12-07")
    assert (last["occurrences"], last["next"]) == (["2026-12-07"], None)


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ({"rule": "FREQ=SOMETIMES"}, "rule"),
        ({"rule": "FREQ=HOURLY"}, "rule"),
        ({"rule": "FREQ=DAILY;UNTIL=20200101"}, "rule"),
        ({"time_zone": "Mars/Olympus"}, "timeZone"),
        ({"count": 0}, "count"),
        ({"count": 101}, "count"),
        ({"anchor": NOON}, "anchor"),
        ({"start": date(1, 1, 1)}, "start"),
        ({"completed_at": datetime(1, 1, 1, tzinfo=UTC)}, "completedAt"),
    ],
)
async def test_a_preview_that_makes_no_sense_is_refused(query: dict[str, Any], field: str) -> None:
    with pytest.raises(ValidationFailedError) as refusal:
        await _preview(**{"rule": "FREQ=DAILY", "start": date(2026, 11, 23), **query})

    assert [error.field for error in refusal.value.errors] == [field]


def test_the_clock_of_the_machine_tells_utc() -> None:
    assert SystemClock().now().tzinfo is UTC
