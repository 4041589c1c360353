"""Cursors: where the next page begins, as a text that means nothing to the client.

They carry no rights: every page asks again who may see what. A cursor of another list, of other filters or of another
order is refused, since it would begin at the wrong place in silence.
"""

import base64
import binascii
import hashlib
from typing import Any, Final

import orjson

from app.domain.errors import ValidationFailedError

# Ours are shorter; what is longer is not decoded at all. A title as a key has up to 500 characters: of emoji, 2 740.
CURSOR_CHARACTERS: Final = 4_096
_DIGEST_BYTES: Final = 9


def encode_cursor(*parts: object) -> str:
    """Return a cursor that holds JSON values."""
    return base64.urlsafe_b64encode(orjson.dumps(parts, default=str)).rstrip(b"=").decode()


def decode_cursor(cursor: str, length: int) -> list[Any]:
    """Return the values of a cursor.

    Raises:
        ValidationFailedError: It is not one of ours.
    """
    if len(cursor) <= CURSOR_CHARACTERS and cursor.isascii():
        try:
            parts = orjson.loads(base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True))
        except (binascii.Error, ValueError):
            parts = None
        if isinstance(parts, list) and len(parts) == length:
            return parts
    raise refused_cursor()


def refused_cursor() -> ValidationFailedError:
    """Return the refusal of a cursor."""
    return ValidationFailedError.of("cursor", "invalid", "Is not a cursor of this list with these filters and order.")


def digest(*parts: object) -> str:
    """Return a short text that differs when the parts do."""
    hashed = hashlib.sha256(orjson.dumps(parts, default=str)).digest()[:_DIGEST_BYTES]
    return base64.urlsafe_b64encode(hashed).decode()


def page_json(items: bytes, cursor: str | None) -> bytes:
    """Return `{items, nextCursor}` around JSON texts with commas between them."""
    return b'{"items":[%b],"nextCursor":%b}' % (items, orjson.dumps(cursor))
