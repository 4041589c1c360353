"""Checks of outside input, and the words of the domain."""

from datetime import UTC, date, datetime, timedelta, timezone

import pytest

from app.domain import events
from app.domain.account import Profile, ProfileChanges, RegisterDraft
from app.domain.checks import Checks, storable, unique_texts
from app.domain.drafts import checked_draft, checked_registration, email_key
from app.domain.errors import FieldError, PasswordRefusedError, ValidationFailedError, VersionConflictError
from app.domain.task import Priority, TaskDraft, is_instant, sort_instant
from app.domain.unset import UNSET


def test_every_event_has_a_sentence() -> None:
    types = {
        value for name, value in vars(events).items() if name.isupper() and isinstance(value, str) and "." in value
    }

    assert types == set(events.EVENT_WORDING)


def test_a_refusal_of_fields_says_all_of_it() -> None:
    refusal = ValidationFailedError([FieldError("a", "x", "Is wrong."), FieldError("b", "y", "Is missing.")])

    assert refusal.detail == "a: Is wrong.; b: Is missing."
    assert refusal.code == "validation_failed"
    assert PasswordRefusedError("too_short", "Is too short.").errors[0].field == "password"
    assert VersionConflictError(3).current == 3


def test_unset_is_false_and_not_none() -> None:
    assert not UNSET
    assert ProfileChanges().name is UNSET


def test_a_profile_takes_what_is_named() -> None:
    assert Profile(name="A").changed(ProfileChanges(time_zone="Asia/Tokyo")) == Profile(
        name="A", time_zone="Asia/Tokyo"
    )


def test_tags_are_unique_whatever_their_spelling() -> None:
    assert unique_texts([" Straße ", "STRASSE", "cafe\u0301", "Café", ""]) == ("Straße", "cafe\u0301")


def test_more_tags_than_allowed_are_refused_after_the_doubles_are_gone() -> None:
    assert checked_draft(TaskDraft(title="x", tags=("a",) * 101)).tags == ("a",)
    with pytest.raises(ValidationFailedError, match="at most 100 tags"):
        checked_draft(TaskDraft(title="x", tags=tuple(map(str, range(101)))))


@pytest.mark.parametrize("length", [1, 500])
def test_titles_have_up_to_500_characters(length: int) -> None:
    assert checked_draft(TaskDraft(title=" " + "🪴" * length + "\n")).title == "🪴" * length
    with pytest.raises(ValidationFailedError):
        checked_draft(TaskDraft(title="x" * 501))


def test_descriptions_have_up_to_64_kib_and_keep_their_spaces() -> None:
    assert checked_draft(TaskDraft(title="x", description=" a\n")).description == " a\n"
    checked_draft(TaskDraft(title="x", description="ä" * 32_768))
    with pytest.raises(ValidationFailedError, match="description"):
        checked_draft(TaskDraft(title="x", description="ä" * 32_768 + "a"))


@pytest.mark.parametrize("text", ["a\0b", "\ud83d", "\udc00x"])
def test_what_postgresql_cannot_keep_is_refused(text: str) -> None:
    assert not storable(text)
    for draft in (TaskDraft(title=text), TaskDraft(title="x", description=text), TaskDraft(title="x", tags=(text,))):
        with pytest.raises(ValidationFailedError):
            checked_draft(draft)


def test_instants_are_kept_in_utc() -> None:
    due = datetime(2026, 12, 1, 9, tzinfo=timezone(timedelta(hours=5, minutes=45)))

    assert checked_draft(TaskDraft(title="x", due=due)).due == datetime(2026, 12, 1, 3, 15, tzinfo=UTC)


@pytest.mark.parametrize(
    "due",
    [
        date(1899, 12, 31),
        date(9999, 12, 31),
        datetime(9999, 12, 31, 23, tzinfo=timezone(timedelta(hours=-14))),
        datetime(1, 1, 1, tzinfo=timezone(timedelta(hours=14))),
    ],
)
def test_the_ends_of_the_calendar_are_refused(due: date) -> None:
    with pytest.raises(ValidationFailedError, match="between"):
        checked_draft(TaskDraft(title="x", due=due))


def test_checks_tell_nothing_when_nothing_is_wrong() -> None:
    Checks().finish()


@pytest.mark.parametrize(
    "email", ["a@b", "Jo.O'Neill+x@sub.example.org", "jörg@müller.example", "a" * 242 + "@example.org"]
)
def test_addresses(email: str) -> None:
    assert checked_registration(RegisterDraft(email=email, password="")).email == email


@pytest.mark.parametrize(
    "email",
    [
        "",
        "a",
        "@b",
        "a@",
        "a@b@c",
        "a b@c",
        "a@b..c",
        ".a@b",
        "a.@b",
        "a..b@c",
        "a@b\r\nBcc: x@y",
        "<a@b>",
        "a,b@c",
        "a@b ;",
        "\0@b",
        "a" * 243 + "@example.org",
    ],
)  # fmt: skip - a corpus
def test_what_is_no_address(email: str) -> None:
    with pytest.raises(ValidationFailedError, match="email"):
        checked_registration(RegisterDraft(email=email, password=""))


def test_the_key_of_an_address_does_not_know_case() -> None:
    assert email_key(" Jörg@EXAMPLE.org") == email_key("jo\u0308rg@example.org")


def test_priorities_are_ranked() -> None:
    assert [priority.rank for priority in Priority] == [0, 1, 2, 3]
    assert all(Priority.of_rank(priority.rank) is priority for priority in Priority)


def test_dates_are_compared_at_their_midnight() -> None:
    assert sort_instant(date(2026, 12, 1)) == datetime(2026, 12, 1, tzinfo=UTC)
    assert (is_instant(date(2026, 12, 1)), is_instant(datetime(2026, 12, 1, tzinfo=UTC))) == (False, True)
