"""Entity tags are read as RFC 9110 writes them."""

import pytest

from app.web.api.preconditions import EntityTags, parse
from app.web.errors import RequestRefusedError


def tags(value: str) -> EntityTags:
    found = parse("If-Match", value)
    assert found is not None
    return found


def test_without_the_header_there_are_no_tags() -> None:
    assert parse("If-Match", None) is None


@pytest.mark.parametrize(
    ("value", "strong", "every"),
    [
        ('"7"', {7}, False),
        ('"7", "8"', {7, 8}, False),
        ('"7","8"', {7, 8}, False),
        ('W/"7"', set(), False),
        ('W/"7", "8"', {8}, False),
        ('"abc"', set(), False),
        ('"007"', set(), False),
        ('"99999999999999999999"', set(), False),
        ('"9999999999"', set(), False),
        ('""', set(), False),
        ("*", set(), True),
    ],
)
def test_strong_tags_are_versions(value: str, strong: set[int], every: bool) -> None:  # noqa: FBT001 # a column of the table
    assert tags(value).strong == frozenset(strong)
    assert tags(value).every is every


@pytest.mark.parametrize(
    ("value", "known"), [('"7"', True), ('W/"7"', True), ('"6", W/"7"', True), ("*", True), ('"8"', False)]
)
def test_a_get_compares_weakly(value: str, known: bool) -> None:  # noqa: FBT001 # a column of the table
    assert tags(value).has(7) is known


@pytest.mark.parametrize("value", ["7", "", '"7', '"7" "8"', '"7",', "W/7", 'w/"7"', '*, "7"', '"a b"'])
def test_what_is_no_list_of_tags_is_refused(value: str) -> None:
    with pytest.raises(RequestRefusedError) as refusal:
        parse("If-Match", value)

    assert refusal.value.code == "malformed_header"
