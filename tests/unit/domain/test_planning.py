"""When reminders fire, as pure values."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest

from app.domain import planning
from app.domain.durations import Duration, parse_duration
from app.domain.ids import AccountId, ProjectId, ReminderId, TaskId, new_id
from app.domain.planning import DueMoment, due_moment, moved, planned, replanned, restored
from app.domain.reminder import Reminder, ReminderState

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)
TOMORROW = DueMoment(NOON + timedelta(days=1), "UTC")


def _reminder(before: str | None = "PT1H", remind_at: datetime | None = None) -> Reminder:
    return Reminder(
        id=ReminderId(new_id(NOON)),
        task_id=TaskId(new_id(NOON)),
        project_id=ProjectId(new_id(NOON)),
        account_id=AccountId(new_id(NOON)),
        before=None if remind_at else before,
        remind_at=remind_at,
        created_at=NOON,
        updated_at=NOON,
    )


@pytest.mark.parametrize(
    ("text", "duration"),
    [
        ("PT15M", Duration(0, 900)),
        ("P1D", Duration(1, 0)),
        ("P1W2DT3H4M5S", Duration(9, 11_045)),
        ("PT0S", Duration(0, 0)),
        ("P3660D", Duration(3660, 0)),
        ("P3661D", None),
        ("", None),
        ("P", None),
        ("PT", None),
        ("P1DT", None),
        ("P1Y", None),
        ("P1M", None),
        ("PT1.5H", None),
        ("pt15m", None),
        ("PT\u0661M", None),
        ("PT15M\n", None),
    ],
)
def test_durations(text: str, duration: Duration | None) -> None:
    assert parse_duration(text) == duration


def test_a_date_is_remembered_at_nine_in_its_zone() -> None:
    assert due_moment(date(2026, 11, 24), "Europe/Berlin") == DueMoment(
        datetime(2026, 11, 24, 8, tzinfo=UTC), "Europe/Berlin"
    )


def test_complete_and_reopen_is_no_change() -> None:
    reminder = planned(_reminder(), due=TOMORROW, is_open=True, now=NOON)

    assert restored(planning.cancelled(reminder), now=NOON) == reminder


@pytest.mark.parametrize("state", [ReminderState.FIRED, ReminderState.ACKNOWLEDGED])
def test_what_has_fired_stays_fired_when_its_task_is_completed(state: ReminderState) -> None:
    fired = replace(_reminder(), state=state, fire_at=NOON)

    assert planning.cancelled(fired) == fired
    assert restored(fired, now=NOON) == fired


def test_what_has_fired_stays_fired_when_the_date_moves_into_the_past() -> None:
    fired = replace(_reminder(), state=ReminderState.FIRED, fire_at=NOON)
    yesterday = DueMoment(NOON - timedelta(days=1), "UTC")

    assert replanned(fired, due=yesterday, is_open=True, now=NOON) == fired
    assert replanned(fired, due=None, is_open=True, now=NOON) == fired


def test_a_new_date_makes_an_end_of_a_snooze() -> None:
    snoozed = replace(_reminder(), snoozed_until=NOON, fire_at=NOON, occurrence=2)

    after = replanned(snoozed, due=TOMORROW, is_open=True, now=NOON)

    assert (after.fire_at, after.snoozed_until, after.occurrence) == (TOMORROW.at - timedelta(hours=1), None, 2)


def test_a_moment_that_passed_while_it_was_asked_for_still_fires() -> None:
    due = DueMoment(NOON + timedelta(minutes=59, seconds=30), "UTC")

    assert planned(_reminder(), due=due, is_open=True, now=NOON).state is ReminderState.SCHEDULED


def test_moving_by_nothing_is_exact_when_the_wall_shows_a_time_twice() -> None:
    second_half_past_two = datetime(2026, 10, 25, 1, 30, tzinfo=UTC)

    assert moved(second_half_past_two, timedelta(), "Europe/Berlin") == second_half_past_two
    assert moved(second_half_past_two, timedelta(days=1), "Europe/Berlin") == datetime(2026, 10, 26, 1, 30, tzinfo=UTC)


def test_moving_beyond_the_calendar_moves_nothing() -> None:
    assert moved(NOON, timedelta(days=4_000_000), "UTC") == NOON


@pytest.mark.parametrize("due", [DueMoment(NOON + timedelta(minutes=10), "UTC"), None])
def test_a_snooze_stays_when_the_new_date_leaves_nothing_else_to_remind(due: DueMoment | None) -> None:
    later = NOON + timedelta(hours=1)
    snoozed = replace(_reminder(), state=ReminderState.SCHEDULED, fire_at=later, snoozed_until=later, occurrence=2)

    assert replanned(snoozed, due=due, is_open=True, now=NOON) == snoozed


@pytest.mark.parametrize("state", [ReminderState.SCHEDULED, ReminderState.CANCELLED])
def test_a_snooze_stays_when_only_the_zone_changes(state: ReminderState) -> None:
    later = NOON + timedelta(minutes=10)
    snoozed = replace(_reminder(), state=state, fire_at=later, snoozed_until=later, occurrence=2)

    assert replanned(snoozed, due=TOMORROW, is_same_date=True, is_open=True, now=NOON) == snoozed


def test_a_snooze_that_has_fired_holds_nothing_up_when_only_the_zone_changes() -> None:
    fired = replace(_reminder(), state=ReminderState.FIRED, fire_at=NOON, snoozed_until=NOON, occurrence=2)

    after = replanned(fired, due=TOMORROW, is_same_date=True, is_open=True, now=NOON)

    assert (after.state, after.occurrence, after.snoozed_until) == (ReminderState.SCHEDULED, 3, None)
