"""Bodies and query strings become domain values, or every wrong field is named."""

from datetime import UTC, date, datetime, time
from typing import Any

import pytest

from app.domain.account import QuietHoursChanges
from app.domain.errors import ValidationFailedError
from app.domain.queries import Order, TaskSort
from app.domain.task import MissedPolicy, Priority, RecurrenceChanges, RecurrenceMode, RecurrenceSpec
from app.domain.unset import UNSET
from app.web.api.bodies import (
    READ_ONLY,
    ChangedProfile,
    ChangedTask,
    NewReminder,
    NewTask,
    Preview,
    Registration,
    ReplacedTask,
    TaskListQuery,
)
from app.web.api.reading import MAX_ERRORS, StructReader

NEW = StructReader(NewTask, READ_ONLY)
REPLACED = StructReader(ReplacedTask, READ_ONLY)
CHANGED = StructReader(ChangedTask, READ_ONLY)
LIST = StructReader(TaskListQuery, from_text=True)
FULL = {
    "title": " Water the plants ",
    "description": "The fern too.",
    "priority": "high",
    "tags": ["home"],
    "dueDate": "2026-11-27",
    "timeZone": "Europe/Berlin",
    "recurrence": {"rule": "FREQ=WEEKLY", "mode": "afterCompletion", "missed": "keep"},
}


def wrong(reader: StructReader[Any], document: object) -> dict[str, str]:
    with pytest.raises(ValidationFailedError) as refusal:
        reader.read(document)
    return {error.field: error.code for error in refusal.value.errors}


def test_a_new_task_needs_a_title_only() -> None:
    draft = NEW.read({"title": " a "}).draft()

    assert (draft.title, draft.priority, draft.tags, draft.due) == ("a", Priority.MEDIUM, (), None)


def test_every_field_of_a_new_task_is_read() -> None:
    draft = NEW.read(FULL).draft()

    assert draft.title == "Water the plants"
    assert draft.due == date(2026, 11, 27)
    assert draft.recurrence == RecurrenceSpec(
        rule="FREQ=WEEKLY", mode=RecurrenceMode.AFTER_COMPLETION, missed=MissedPolicy.KEEP
    )


def test_null_in_a_recurrence_means_the_default_wherever_it_is_said() -> None:
    document = {**FULL, "recurrence": {"rule": "FREQ=DAILY", "mode": None, "missed": None}}
    default: dict[str, Any] = {"rule": "FREQ=DAILY", "mode": RecurrenceMode.SCHEDULE, "missed": MissedPolicy.SKIP}

    assert NEW.read(document).draft().recurrence == RecurrenceSpec(**default)
    assert REPLACED.read(document).draft().recurrence == RecurrenceSpec(**default)
    assert CHANGED.read(document).changes().recurrence == RecurrenceChanges(**default)


def test_all_wrong_fields_are_named_at_once() -> None:
    document = {
        "title": "",
        "description": "x" * 65_537,
        "priority": "asap",
        "tags": ["ok", 3],
        "dueDate": "2026-11-23T23:59:60Z",
        "timeZone": "Mars/Olympus",
        "recurrence": {"mode": "sometimes", "rule": "FREQ=NEVER", "every": 1},
        "completed": "yes",
        "owner": "me",
    }

    assert wrong(NEW, document) == {
        "title": "too_short",
        "description": "too_long",
        "priority": "invalid",
        "tags.1": "type",
        "dueDate": "invalid",
        "timeZone": "unknown_time_zone",
        "recurrence.rule": "invalid",
        "recurrence.mode": "invalid",
        "recurrence.every": "unknown",
        "completed": "type",
        "owner": "unknown",
    }


@pytest.mark.accepts("X31")
@pytest.mark.parametrize(
    ("field", "value"),
    [("completed", 1), ("completed", "true"), ("title", 1), ("title", True), ("tags", "home"), ("recurrence", "daily")],
)
def test_nothing_is_taken_for_something_else(field: str, value: object) -> None:
    assert wrong(NEW, {"title": "a"} | {field: value})[field] == "type"


@pytest.mark.parametrize("document", [[], "a", 1, None, True])
def test_a_body_must_be_an_object(document: object) -> None:
    assert wrong(NEW, document) == {"": "type"}


def test_what_the_server_writes_is_skipped() -> None:
    document = {"title": "a", **dict.fromkeys(READ_ONLY, "whatever")}

    assert NEW.read(document).draft().title == "a"


def test_a_new_task_is_open() -> None:
    with pytest.raises(ValidationFailedError):
        NEW.read({"title": "a", "completed": True}).draft()


def test_put_names_every_writable_field_that_is_missing() -> None:
    missing = wrong(REPLACED, {"title": "a"})

    assert missing == dict.fromkeys(
        ("description", "priority", "tags", "dueDate", "timeZone", "recurrence"), "required"
    )


def test_put_with_completed_changes_every_field() -> None:
    changes = REPLACED.read({**FULL, "completed": True}).changes()

    assert changes.completed is True
    assert UNSET not in (changes.title, changes.description, changes.tags, changes.due, changes.recurrence)


def test_a_patch_touches_what_it_names() -> None:
    changes = CHANGED.read({"title": "b", "recurrence": {"rule": "FREQ=DAILY"}}).changes()

    assert (changes.title, changes.recurrence) == ("b", RecurrenceChanges(rule="FREQ=DAILY"))
    assert {changes.description, changes.priority, changes.tags, changes.due, changes.completed} == {UNSET}


def test_a_patch_of_the_recurrence_touches_what_it_names_and_null_means_the_default() -> None:
    changes = CHANGED.read({"recurrence": {"missed": "keep", "mode": None}}).changes()

    assert changes.recurrence == RecurrenceChanges(mode=RecurrenceMode.SCHEDULE, missed=MissedPolicy.KEEP)


def test_null_in_a_patch_means_the_default() -> None:
    fields = ("description", "priority", "tags", "dueDate", "timeZone", "recurrence")

    changes = CHANGED.read(dict.fromkeys(fields)).changes()

    assert (changes.description, changes.priority, changes.tags) == ("", Priority.MEDIUM, ())
    assert (changes.due, changes.time_zone, changes.recurrence) == (None, None, None)


def test_a_patch_cannot_take_the_title_away() -> None:
    assert wrong(CHANGED, {"title": None, "completed": None}) == {"title": "type", "completed": "type"}


def test_a_query_string_becomes_a_query() -> None:
    query = LIST.read(
        {
            "completed": "false",
            "priority": "high,urgent",
            "tags": "home,work",
            "search": " fern ",
            "dueBefore": "2026-12-01",
            "dueAfter": "2026-11-23T00:00:00Z",
            "sort": "dueDate",
            "order": "desc",
            "limit": "200",
            "cursor": "abc",
        }
    ).query()

    assert query.completed is False
    assert query.priorities == {Priority.HIGH, Priority.URGENT}
    assert query.tags == ("home", "work")
    assert query.search == "fern"
    assert (query.due_before, query.due_after) == (date(2026, 12, 1), datetime(2026, 11, 23, tzinfo=UTC))
    assert (query.sort, query.order, query.limit, query.cursor) == (TaskSort.DUE_DATE, Order.DESC, 200, "abc")


def test_every_wrong_parameter_is_named() -> None:
    parameters = {
        "completed": "1",
        "priority": "asap",
        "dueBefore": "soon",
        "sort": "id",
        "order": "up",
        "limit": "0",
        "cursor": "",
        "page": "2",
    }

    assert set(wrong(LIST, parameters)) == set(parameters)


@pytest.mark.accepts("X20")
@pytest.mark.parametrize("limit", ["201", "-1", "1.5", "ten", "9" * 30, "", "0x10", "\uff11"])
def test_a_page_has_one_to_two_hundred_entries(limit: str) -> None:
    assert "limit" in wrong(LIST, {"limit": limit})


def test_a_flood_of_wrong_fields_is_told_in_part() -> None:
    document = {f"field{number}": 1 for number in range(500)}

    assert len(wrong(NEW, document)) == MAX_ERRORS


def test_a_reminder_is_at_a_moment_or_before_the_due_date() -> None:
    reader = StructReader(NewReminder)

    assert reader.read({"before": "PT15M", "channels": ["email"]}).draft().channels == ("email",)
    assert reader.read({"remindAt": "2026-11-23T09:00:00Z"}).draft().before is None
    for neither_or_both in ({}, {"before": "PT1H", "remindAt": "2026-11-23T09:00:00Z"}):
        with pytest.raises(ValidationFailedError):
            reader.read(neither_or_both).draft()


def test_quiet_hours_are_merged_end_by_end() -> None:
    reader = StructReader(ChangedProfile)

    changes = reader.read({"quietHours": {"from": "22:00", "to": "07:30"}, "name": None}).changes()

    assert changes.quiet_hours == QuietHoursChanges(start=time(22), end=time(7, 30))
    assert changes.name == ""
    assert reader.read({"quietHours": None}).changes().quiet_hours is None
    assert reader.read({"quietHours": {"to": "08:00"}}).changes().quiet_hours == QuietHoursChanges(end=time(8))
    assert wrong(reader, {"quietHours": {"from": "25:00", "to": None}, "weekStart": "someday"}) == {
        "quietHours.from": "invalid",
        "quietHours.to": "type",
        "weekStart": "invalid",
    }


def test_a_preview_asks_for_up_to_a_hundred_occurrences() -> None:
    reader = StructReader(Preview)
    query = reader.read({"rule": "FREQ=DAILY", "start": "2026-11-23", "count": 3}).query()

    assert (query.start, query.count, query.mode) == (date(2026, 11, 23), 3, RecurrenceMode.SCHEDULE)
    assert wrong(reader, {"rule": "FREQ=DAILY", "start": "2026-11-23", "count": 101}) == {"count": "invalid"}


def test_null_in_a_preview_means_the_default() -> None:
    reader, asked = StructReader(Preview), {"rule": "FREQ=DAILY", "start": "2026-11-23"}

    assert reader.read({**asked, "mode": None, "missed": None}).query() == reader.read(asked).query()


def test_a_registration_needs_an_address_and_a_password() -> None:
    reader = StructReader(Registration)

    draft = reader.read({"email": "a@example.org", "password": " p ", "name": None, "timeZone": None}).draft()

    assert (draft.password, draft.name, draft.time_zone) == (" p ", "", "UTC")
    assert wrong(reader, {}) == {"email": "required", "password": "required"}
    assert wrong(reader, {"email": "a@example.org", "password": "x" * 1025}) == {"password": "too_long"}
