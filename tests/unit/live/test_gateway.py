"""The door to the WebSocket: whose cookie it takes."""

from __future__ import annotations

from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import pytest

from app.web.live.gateway import gateway

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

TOKEN = "rondo_token"
PUBLIC = "https://rondo.test"


class Handshake:
    """An upgrade from a page of ours, as a proxy that is not trusted hands it on: without TLS."""

    path = "/ws"
    query_string = b""
    client = ("172.17.0.1", 4711)
    scheme = "ws"

    def __init__(self, cookie: str) -> None:
        self.headers = [(b"host", b"rondo.test"), (b"origin", PUBLIC.encode()), (b"cookie", cookie.encode())]

    @asynccontextmanager
    async def accept(self) -> AsyncIterator[Any]:
        yield None

    async def refuse(self, status: int, code: str, detail: str) -> None:
        raise AssertionError(f"{status} {code}: {detail}")


class Live:
    """Remembers whose socket it was."""

    token: str | None = None

    async def serve(self, _socket: object, token: str | None, _since: int | None) -> None:
        self.token = token


@pytest.mark.parametrize(
    ("public_url", "cookie", "token"),
    [
        (None, f"rondo_session={TOKEN}", TOKEN),
        (None, f"__Host-rondo={TOKEN}", None),
        (PUBLIC, f"__Host-rondo={TOKEN}", TOKEN),
        (PUBLIC, f"rondo_session={TOKEN}", None),
    ],
)
async def test_where_people_come_by_tls_only_the_secure_cookie_counts(
    public_url: str | None, cookie: str, token: str | None
) -> None:
    live: Any = Live()

    await gateway(live, public_url)(Handshake(cookie), None)

    assert live.token == token
