"""Reads `Idempotency-Key`: the client's promise that requests with one key are one request."""

import hashlib
import re
from typing import Final

from app.services.context import Idempotency
from app.web.api.request import Request
from app.web.errors import RequestRefusedError

_KEY: Final = re.compile(r"[\x21-\x7e](?:[\x20-\x7e]{0,253}[\x21-\x7e])?")


def read_key(request: Request, body: bytes) -> Idempotency | None:
    """Return key and fingerprint of a request, None if it has no key.

    Raises:
        RequestRefusedError: The key is empty, too long or not printable ASCII.
    """
    key = request.header(b"idempotency-key")
    if key is None:
        return None
    if _KEY.fullmatch(key) is None:
        raise RequestRefusedError("malformed_header", "Idempotency-Key must be 1 to 255 printable ASCII characters.")
    # The lengths are told so that no two requests can have the same bytes.
    head = f"{request.method} {len(request.path)} {request.path} ".encode()
    return Idempotency(key=key, request_hash=hashlib.sha256(head + body).digest())
