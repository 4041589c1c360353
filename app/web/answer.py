"""An HTTP response as a value: what endpoints return and what errors become."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Final

JSON: Final = b"application/json"
PROBLEM_JSON: Final = b"application/problem+json"

Header = tuple[bytes, bytes]
Write = Callable[[bytes], Awaitable[None]]


@dataclass(slots=True)  # not frozen: every request makes one, and that would cost four times as much
class Answer:
    """A complete response.

    Attributes:
        status: The status code.
        body: The whole body; empty means that there is none, and no content type either.
        content_type: Of the body.
        headers: On top of the ones that every response has; names in lower case.
        code: The problem's code when this is a refusal, for metrics and logs.
        replayed: It comes from the idempotency store.
        write_to: Writes the body piece by piece, when it is too long to be held in memory. If it fails half way, the
            client sees a response that was cut off.
    """

    status: int
    body: bytes = b""
    content_type: bytes = JSON
    headers: tuple[Header, ...] = ()
    code: str | None = None
    replayed: bool = False
    write_to: Callable[[Write], Awaitable[None]] | None = None
