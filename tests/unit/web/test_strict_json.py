"""Nothing that cannot be stored and said again gets past the reader of JSON."""

import contextlib
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.web.api import strict_json
from app.web.errors import RequestRefusedError

HOSTILE = {
    "empty": (b"", "malformed_json"),
    "cut off": (b'{"title": "a', "malformed_json"),
    "two values": (b"{} {}", "malformed_json"),
    "single quotes": (b"{'title': 'a'}", "malformed_json"),
    "NaN": (b'{"a": NaN}', "malformed_json"),
    "Infinity": (b'{"a": -Infinity}', "malformed_json"),
    "byte order mark": (b"\xef\xbb\xbf{}", "malformed_json"),
    "invalid UTF-8": (b'{"title": "\xff"}', "malformed_json"),
    "UTF-16": ('{"title": "a"}'.encode("utf-16"), "malformed_json"),
    "surrogate in UTF-8": (b'{"title": "\xed\xa0\x80"}', "malformed_json"),
    "raw NUL": (b'{"title": "\x00"}', "malformed_json"),
    "raw line break": (b'{"title": "\n"}', "malformed_json"),
    "1e999": (b'{"a": 1e999}', "number_out_of_range"),
    "5,000 digits": (b'{"a": ' + b"9" * 5000 + b"}", "number_out_of_range"),
    "same key": (b'{"a": 1, "a": 1}', "duplicate_key"),
    "same key, spelled differently": (rb'{"a": 1, "\u0061": 1}', "duplicate_key"),
    "same key below": (b'{"a": [{"b": 1, "b": 2}]}', "duplicate_key"),
    "lone surrogate": (rb'{"title": "\ud800"}', "invalid_text"),
    "lone surrogate in a key": (rb'{"\udc00": 1}', "invalid_text"),
    "escaped NUL": (rb'{"title": "a\u0000b"}', "invalid_text"),
    "escaped NUL in a list": (rb'{"tags": ["\u0000"]}', "invalid_text"),
    "33 levels": (b"[" * 33 + b"]" * 33, "too_deep"),
    "100,000 levels": (b"[" * 100_000, "too_deep"),
    "100,000 levels of objects": (b'{"a":' * 100_000, "too_deep"),
}


@pytest.mark.accepts("C18", "X20", "X31")
@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_json_is_refused_by_name(name: str) -> None:
    body, code = HOSTILE[name]

    with pytest.raises(RequestRefusedError) as refusal:
        strict_json.decode(body)

    assert refusal.value.code == code


def test_32_levels_are_read() -> None:
    assert strict_json.decode(b"[" * 32 + b"]" * 32) == json.loads("[" * 32 + "]" * 32)


def test_brackets_inside_texts_are_no_levels() -> None:
    text = '\\"[{' * 1000

    assert strict_json.decode(f'{{"title": "{text}"}}'.encode()) == {"title": '"[{' * 1000}


def test_a_text_that_never_ends_costs_linear_time() -> None:
    with pytest.raises(RequestRefusedError):
        strict_json.decode(b'["' + b'\\"[' * 300_000)


def test_a_pair_of_surrogates_is_one_character() -> None:
    assert strict_json.decode(rb'"\ud83d\ude00"') == "😀"


_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**18), 10**18) | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0")),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text("abc"), inner, max_size=4),
    max_leaves=15,
)  # fmt: skip # one alternative a line


@given(_VALUES)
def test_what_can_be_stored_is_read_as_the_standard_library_reads_it(value: object) -> None:
    assert strict_json.decode(json.dumps(value).encode()) == value


@given(st.binary(max_size=60))
def test_no_bytes_whatever_raise_anything_but_a_refusal(body: bytes) -> None:
    with contextlib.suppress(RequestRefusedError):
        assert strict_json.decode(body) == json.loads(body)
