"""`Content-Type` as RFC 9110 writes it (section 8.3.1): a type, and parameters of any name, some in quotes."""

import re
from typing import Final

# A token, as the standard calls it.
_WORD: Final = r"[!#$%&'*+.^_`|~0-9A-Za-z-]+"
_QUOTED: Final = r'"(?:[^"\\]|\\.)*+"'
_PARAMETER: Final = re.compile(rf"[ \t]*;[ \t]*(?:({_WORD})(?:=({_WORD}|{_QUOTED}))?)?+")
_MEDIA_TYPE: Final = re.compile(rf"({_WORD}/{_WORD})((?:{_PARAMETER.pattern})*+)[ \t]*")
_ESCAPED: Final = re.compile(r"\\(.)")
# Of JSON in UTF-8; ASCII is a part of it.
_CHARSETS: Final = frozenset({"utf-8", "utf8", "us-ascii"})


def is_in_utf8(text: str, media_types: tuple[str, ...]) -> bool:
    """Return whether a header says one of these types, which are in lower case, and no other charset than UTF-8."""
    if text in media_types:  # what nearly all say
        return True
    found = _MEDIA_TYPE.fullmatch(text)
    if found is None or found[1].lower() not in media_types:
        return False
    parameters = _PARAMETER.findall(found[2])
    return all(_plain(value) in _CHARSETS for name, value in parameters if name.lower() == "charset")


def _plain(value: str) -> str:
    """Return a value without its quotes, in lower case."""
    return _ESCAPED.sub(r"\1", value[1:-1] if value.startswith('"') else value).lower()
