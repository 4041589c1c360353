"""Instants, dates, zones and durations: what is read, and what there is not."""

from datetime import UTC, date, datetime

import pytest

from app.web.api import formats
from app.web.api.formats import FieldRefusedError


@pytest.mark.parametrize(
    ("text", "instant"),
    [
        ("2026-11-23T09:00:00Z", datetime(2026, 11, 23, 9, tzinfo=UTC)),
        ("2026-11-23t09:00:00z", datetime(2026, 11, 23, 9, tzinfo=UTC)),
        ("2026-11-23T09:00:00+01:00", datetime(2026, 11, 23, 8, tzinfo=UTC)),
        ("2026-11-23T09:00:00-05:30", datetime(2026, 11, 23, 14, 30, tzinfo=UTC)),
        ("2026-11-23T09:00:00.5Z", datetime(2026, 11, 23, 9, 0, 0, 500_000, tzinfo=UTC)),
        ("2026-11-23T09:00:00.123456789Z", datetime(2026, 11, 23, 9, 0, 0, 123_456, tzinfo=UTC)),
        ("9999-12-30T23:59:59Z", datetime(9999, 12, 30, 23, 59, 59, tzinfo=UTC)),
    ],
)
def test_an_instant_is_read_as_utc(text: str, instant: datetime) -> None:
    assert formats.read_instant(text) == instant


@pytest.mark.accepts("R20")
@pytest.mark.parametrize(
    "value",
    [
        "2026-11-23T23:59:60Z",
        "2026-11-23T09:00:00",
        "2026-11-23 09:00:00Z",
        "2026-11-23",
        "2026-02-30T00:00:00Z",
        "2026-11-23T24:00:00Z",
        "2026-11-23T09:00:00+24:00",
        "2026-11-23T09:00:00+01:60",
        "0000-01-01T00:00:00Z",
        "0001-01-01T00:00:00+14:00",
        "9999-12-31T23:59:59-01:00",
        "\uff12\uff10\uff12\uff16-11-23T09:00:00Z",
        "next friday",
        "",
        1_764_000_000,
        None,
        ["2026-11-23T09:00:00Z"],
    ],
)
def test_what_is_no_instant_is_refused(value: object) -> None:
    with pytest.raises(FieldRefusedError):
        formats.read_instant(value)


def test_a_preview_also_takes_times_on_the_wall() -> None:
    assert formats.read_local_or_due("2026-11-23") == date(2026, 11, 23)
    assert formats.read_local_or_due("2026-11-23T09:00:00Z") == datetime(2026, 11, 23, 9, tzinfo=UTC)
    assert formats.read_local_or_due("2026-11-23T09:00") == datetime(2026, 11, 23, 9)  # noqa: DTZ001  on a wall
    assert formats.read_local_or_instant("2026-11-23T09:00:30") == datetime(2026, 11, 23, 9, 0, 30)  # noqa: DTZ001  same
    for wrong in ("2026-02-30T09:00", "2026-11-23T24:00", "2026-11-23T09", "1899-12-31T09:00", "2026-11-23"):
        with pytest.raises(FieldRefusedError):
            formats.read_local_or_instant(wrong)


def test_a_due_date_is_a_date_or_an_instant() -> None:
    assert formats.read_due("2026-11-23") == date(2026, 11, 23)
    assert formats.read_due("2026-11-23T09:00:00Z") == datetime(2026, 11, 23, 9, tzinfo=UTC)


@pytest.mark.parametrize(
    "value", ["2026-02-29", "2026-13-01", "0000-01-01", "0001-01-01", "9999-12-31", "23.11.2026", 20261123]
)
def test_what_is_no_date_is_refused(value: object) -> None:
    with pytest.raises(FieldRefusedError):
        formats.read_due(value)


def test_a_time_zone_is_one_of_the_iana_database() -> None:
    assert formats.read_time_zone("Europe/Berlin") == "Europe/Berlin"


@pytest.mark.parametrize("value", ["Mars/Olympus", "europe/berlin", "../../etc/passwd", "+01:00", "", 1])
def test_what_is_no_time_zone_is_refused(value: object) -> None:
    with pytest.raises(FieldRefusedError):
        formats.read_time_zone(value)


@pytest.mark.parametrize("text", ["PT15M", "P1D", "P2W", "P1DT12H", "PT0S"])
def test_a_duration_is_kept_as_given(text: str) -> None:
    assert formats.read_duration(text) == text


@pytest.mark.parametrize("value", ["P", "PT", "15m", "P1M", "P1Y", "-PT15M", "PT1.5H", "P99999W", 900])
def test_what_is_no_duration_of_fixed_length_is_refused(value: object) -> None:
    with pytest.raises(FieldRefusedError):
        formats.read_duration(value)


def test_a_wrong_entry_of_a_list_is_named_by_its_place() -> None:
    with pytest.raises(FieldRefusedError) as refusal:
        formats.TAG_LIST.read(["home", " "])

    assert (refusal.value.below, refusal.value.code) == (".1", "too_short")


@pytest.mark.accepts("X20")
@pytest.mark.parametrize("value", ["home", [1], ["x" * 101], ["x"] * 101, {"0": "home"}])
def test_what_is_no_list_of_tags_is_refused(value: object) -> None:
    with pytest.raises(FieldRefusedError):
        formats.TAG_LIST.read(value)


def test_nothing_between_commas_is_nothing() -> None:
    assert formats.TAGS_IN_QUERY.read("home,, work ,") == ("home", "work")


@pytest.mark.parametrize(
    ("text", "tags"),
    [
        (r"a\,b", ("a,b",)),
        (r"a\, b,c", ("a, b", "c")),
        (r"\,", (",",)),
        (r"a\\,b", ("a\\", "b")),
        (r"a\\\,b", (r"a\,b",)),
        (r"C:\dir,b", (r"C:\dir", "b")),
        ("a\\", ("a\\",)),
        ("\\\n", ("\\",)),
    ],
)
def test_a_backslash_keeps_a_comma_in_its_entry(text: str, tags: tuple[str, ...]) -> None:
    assert formats.TAGS_IN_QUERY.read(text) == tags


def test_more_entries_between_commas_than_tags_are_refused() -> None:
    with pytest.raises(FieldRefusedError):
        formats.TAGS_IN_QUERY.read("a," * 200)
