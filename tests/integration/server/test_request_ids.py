"""A caller finds its own request id again, also where the edge refuses by itself."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import orjson
import pytest

from app.wiring.refusing import refuse

if TYPE_CHECKING:
    from app.web.server import WebSocketHandshake

GIVEN = b"X-Request-Id: my-id.1\r\n"
HOST = b"Host: a\r\n"
POST = b"POST / HTTP/1.1\r\n" + HOST + GIVEN
CHUNKED = POST + b"Transfer-Encoding: chunked\r\n\r\n" + b"8000\r\n" + b"x" * 0x8000 + b"\r\n"
UPGRADE = (
    b"GET /nowhere HTTP/1.1\r\n" + HOST + GIVEN + b"Connection: Upgrade\r\nUpgrade: websocket\r\n"
    b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: "
)

REFUSED = {
    "a body that is too large": (413, POST + b"Content-Length: 1048577\r\n\r\n"),
    "a body that becomes too large": (413, CHUNKED + (b"8000\r\n" + b"x" * 0x8000 + b"\r\n") * 32),
    "a target that is too long": (414, b"GET /" + b"a" * 8192 + b" HTTP/1.1\r\n" + HOST + GIVEN + b"\r\n"),
    "too many headers": (431, b"GET / HTTP/1.1\r\n" + HOST + GIVEN + b"x: y\r\n" * 100 + b"\r\n"),
    "TRACE": (405, b"TRACE / HTTP/1.1\r\n" + HOST + GIVEN + b"\r\n"),
    "no Host": (400, b"GET / HTTP/1.1\r\n" + GIVEN + b"\r\n"),
    "a version of WebSocket": (426, UPGRADE + b"8\r\n\r\n"),
    "a WebSocket that is not there": (404, UPGRADE + b"13\r\n\r\n"),
}

NEW = {
    "a head that cannot be parsed": b"GET / HTTP/1.1\r\n" + GIVEN + b"Host : a\r\n\r\n",
    "an id that could be a secret": b"TRACE / HTTP/1.1\r\nX-Request-Id: rondo_" + b"x" * 43 + b"\r\n\r\n",
    "an id that is none": b"TRACE / HTTP/1.1\r\nX-Request-Id: a b\r\n\r\n",
    "two ids": b"TRACE / HTTP/1.1\r\n" + GIVEN + GIVEN + b"\r\n",
    "no id": b"TRACE / HTTP/1.1\r\n\r\n",
}


async def no_socket(handshake: WebSocketHandshake, _stream: object) -> None:
    await handshake.refuse(404, "not_found", "The WebSocket is at /ws.")


def ids(answer: bytes) -> tuple[str, str]:
    """Return the id in the head, and the one in the problem."""
    head, _, body = answer.partition(b"\r\n\r\n")
    (line,) = (line for line in head.split(b"\r\n") if line.startswith(b"x-request-id: "))
    return line.partition(b": ")[2].decode(), orjson.loads(body)["requestId"]


@pytest.mark.parametrize(("status", "data"), REFUSED.values(), ids=REFUSED)
async def test_a_refusal_names_the_id_that_the_caller_gave(serve: Any, status: int, data: bytes) -> None:
    server = await serve(websocket=no_socket, error_response=refuse)

    answer = await server.ask(data)

    assert answer.startswith(b"HTTP/1.1 %d " % status)
    assert ids(answer) == ("my-id.1", "my-id.1")


@pytest.mark.parametrize("data", NEW.values(), ids=NEW)
async def test_a_refusal_has_a_new_id_where_the_caller_gave_none(serve: Any, data: bytes) -> None:
    server = await serve(error_response=refuse)

    in_head, in_problem = ids(await server.ask(data))

    assert in_head == in_problem
    assert len(in_head) == 36
