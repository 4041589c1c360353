"""Reads a JSON body, and only what can be stored and said again unchanged.

Stricter than the standard library: no NaN, no number that overflows, no key twice, no nesting
that exhausts a stack, no lone surrogate, no NUL, no invalid UTF-8. All of them are refused with
400 before anything else looks at the body.
"""

import json
import math
import re
from collections import Counter
from typing import Any, Final, NoReturn

from app.web.errors import RequestRefusedError

MAX_DEPTH: Final = 32
# Beyond the 19 digits of a 64-bit integer nothing of ours counts; 5,000 digits would cost quadratic time.
MAX_INTEGER_LENGTH: Final = 20

# A string, or a bracket outside of one. An unterminated string matches too, so that the search stays linear.
_STRINGS_AND_BRACKETS: Final = re.compile(r'"(?:[^"\\]|\\.)*+"?|[\[{\]}]', re.DOTALL)


def decode(body: bytes) -> Any:
    """Return the value of a JSON text.

    Raises:
        RequestRefusedError: it is not JSON, or says something that cannot be kept.
    """
    try:
        text = body.decode("utf-8")
    except UnicodeDecodeError as error:
        raise RequestRefusedError("malformed_json", f"Byte {error.start} is not valid UTF-8.") from None
    _check_depth(text)
    try:
        value = _DECODER.decode(text)
    except json.JSONDecodeError as error:
        place = f"line {error.lineno}, column {error.colno}"
        raise RequestRefusedError("malformed_json", f"The body is not JSON: {error.msg}, {place}.") from None
    if "\\u" in text:  # only escapes can bring in what UTF-8 cannot
        _check_text(value)
    return value


def _check_depth(text: str) -> None:
    if text.count("[") + text.count("{") <= MAX_DEPTH:
        return
    depth = 0
    for found in _STRINGS_AND_BRACKETS.finditer(text):
        match found[0]:
            case "[" | "{":
                depth += 1
                if depth > MAX_DEPTH:
                    raise RequestRefusedError("too_deep", f"The body is nested deeper than {MAX_DEPTH} levels.")
            case "]" | "}":
                depth -= 1


def _check_text(value: Any) -> None:
    match value:
        case str():
            if "\0" in value:
                raise RequestRefusedError("invalid_text", "A text contains the character NUL.")
            try:
                value.encode("utf-8")
            except UnicodeEncodeError:
                raise RequestRefusedError("invalid_text", "A text contains half of a surrogate pair.") from None
        case list():
            for item in value:
                _check_text(item)
        case dict():
            for key, item in value.items():
                _check_text(key)
                _check_text(item)


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    made = dict(pairs)
    if len(made) != len(pairs):
        counted = Counter(key for key, _ in pairs)
        twice, _ = counted.most_common(1)[0]
        raise RequestRefusedError("duplicate_key", f"The key {json.dumps(twice)[:100]} occurs twice.")
    return made


def _integer(digits: str) -> int:
    if len(digits) > MAX_INTEGER_LENGTH:
        raise RequestRefusedError("number_out_of_range", "A number has too many digits.")
    return int(digits)


def _float(digits: str) -> float:
    number = float(digits)
    if not math.isfinite(number):
        raise RequestRefusedError("number_out_of_range", "A number is too large.")
    return number


def _constant(name: str) -> NoReturn:
    raise RequestRefusedError("malformed_json", f"{name} is not JSON.")


_DECODER: Final = json.JSONDecoder(
    object_pairs_hook=_object, parse_int=_integer, parse_float=_float, parse_constant=_constant
)
