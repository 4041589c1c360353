"""How the edge refuses by itself: in the words of the API, and under the id that the caller gave."""

from __future__ import annotations

from typing import TYPE_CHECKING

import trio

from app.web.api.request import Request
from app.web.errors import edge_problem

if TYPE_CHECKING:
    from app.web.server import Headers
    from app.web.server.asgi import Message


def refuse(status: int, code: str, detail: str, headers: Headers) -> tuple[Headers, bytes]:
    """Return headers and body of a refusal; ``headers`` are the request's, none if it could not be parsed."""
    return edge_problem(status, code, detail, _given_id(headers))


def _given_id(headers: Headers) -> str | None:
    scope = {"method": "", "path": "", "query_string": b"", "headers": headers}
    return Request.of(scope, _no_body).given_id


async def _no_body() -> Message:
    await trio.lowlevel.checkpoint()
    raise AssertionError("nothing is read of a request that is refused")
