"""The door to the WebSocket: who may come in, before anything is accepted.

A cookie counts only together with an Origin that is ours (X11): a page of another site can make a browser open a
WebSocket and send the cookie along, but not forge the Origin. Programs send ``Authorization``, or a first message. A
token in the URL is not looked at: URLs end up in logs.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, Protocol
from urllib.parse import parse_qs

from app.web.api.credentials import SessionCookies, find_credentials
from app.web.api.request import Request
from app.web.api.same_origin import SameOrigin
from app.web.errors import RequestRefusedError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from contextlib import AbstractAsyncContextManager

    from app.web.live.session import Live, Socket

PATH: Final = "/ws"
# A position fits into 63 bits; one that is not there yet is answered with a reset.
LONGEST_POSITION: Final = 18
MOST_PARAMETERS: Final = 20


class Handshake(Protocol):
    """An upgrade request, as ``app.web.server.websocket`` hands it over."""

    path: str
    query_string: bytes
    headers: Any
    client: Any
    scheme: str

    def accept(self) -> AbstractAsyncContextManager[Socket]:
        """Open the connection for the length of a block."""
        ...

    async def refuse(self, status: int, code: str, detail: str) -> None:
        """Answer with a problem instead."""
        ...


def gateway(live: Live, public_url: str | None) -> Callable[[Handshake, object], Awaitable[None]]:
    """Return the handler of WebSocket upgrades."""
    same_origin, cookies = SameOrigin(public_url), SessionCookies.at(public_url)

    async def enter(handshake: Handshake, _stream: object) -> None:
        if handshake.path != PATH:
            await handshake.refuse(404, "not_found", "The WebSocket is at /ws.")
            return
        try:
            since = _since(handshake.query_string)
        except ValueError:
            await handshake.refuse(400, "malformed_query", "since must be a position: a whole number, given once.")
            return
        credentials = find_credentials(_request(handshake), cookies)
        if credentials is not None and credentials.method == "cookie":
            try:
                same_origin.check(_request(handshake))
            except RequestRefusedError:
                await handshake.refuse(403, "cross_site_request", "This page is not from here.")
                return
        async with handshake.accept() as socket:
            await live.serve(socket, credentials.token if credentials else None, since)

    return enter


def _since(query: bytes) -> int | None:
    """Return the position behind which a client resumes, None if it does not.

    Raises:
        ValueError: It is no position, or there are several.
    """
    given = parse_qs(query, keep_blank_values=True, max_num_fields=MOST_PARAMETERS).get(b"since")
    if given is None:
        return None
    (text,) = given
    if not (text.isdigit() and len(text) <= LONGEST_POSITION):
        raise ValueError("not a position")
    return int(text)


def _request(handshake: Handshake) -> Request:
    """Return the upgrade as the API sees requests; without ``Sec-Fetch-Site``, so that the Origin alone decides."""
    scope = {
        "type": "http",
        "method": "GET",
        "path": handshake.path,
        "raw_path": handshake.path.encode(),
        "query_string": b"",
        "scheme": "https" if handshake.scheme == "wss" else "http",
        "headers": [pair for pair in handshake.headers if pair[0] != b"sec-fetch-site"],
        "client": handshake.client,
    }
    return Request.of(scope, _no_body)


async def _no_body() -> dict[str, Any]:  # noqa: ASYNC124 - ASGI awaits it
    raise AssertionError("an upgrade has no body")
