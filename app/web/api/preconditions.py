"""`ETag`, `If-Match` and `If-None-Match` (RFC 9110, sections 8.8 and 13.1). A tag is the version of a task."""

import re
from dataclasses import dataclass
from typing import Final

from app.web.errors import RequestRefusedError

_TAG: Final = r'(?:W/)?"[\x21\x23-\x7e\x80-\xff]*"'
_TAGS: Final = re.compile(rf"{_TAG}(?:\s*,\s*{_TAG})*")
_ONE: Final = re.compile(r'(W/)?"([^"]*)"')
_VERSION: Final = re.compile(r"[1-9]\d{0,9}", re.ASCII)
_LARGEST_VERSION: Final = 2**31 - 1


@dataclass(frozen=True, slots=True)
class EntityTags:
    """The tags of one header.

    Attributes:
        every: It was `*`.
        strong: Versions named without `W/`.
        all: Versions named either way.
    """

    every: bool
    strong: frozenset[int]
    all: frozenset[int]

    def has(self, version: int) -> bool:
        """Whether a GET would bring nothing new (weak comparison)."""
        return self.every or version in self.all


def etag(version: int) -> bytes:
    """Return the entity tag of a version."""
    return b'"%d"' % version


def parse(name: str, value: str | None) -> EntityTags | None:
    """Return the tags of a header, None if it was not sent.

    Raises:
        RequestRefusedError: It is not a list of entity tags.
    """
    if value is None:
        return None
    if value == "*":
        return EntityTags(every=True, strong=frozenset(), all=frozenset())
    if _TAGS.fullmatch(value) is None:
        raise RequestRefusedError("malformed_header", f'{name} must be * or entity tags in quotes, such as "7".')
    tags = [(weak, int(tag)) for weak, tag in _ONE.findall(value) if _VERSION.fullmatch(tag)]
    known = frozenset(version for _, version in tags if version <= _LARGEST_VERSION)
    strong = frozenset(version for weak, version in tags if not weak) & known
    return EntityTags(every=False, strong=strong, all=known)
