"""Too much, too deep and too strange is refused by the real process, and every refusal is guarded."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
import trio

from app.web.security import SECURITY_HEADERS

if TYPE_CHECKING:
    from tests.fixtures.client import Person
    from tests.fixtures.rondo import RondoProcess

HOSTILE = (
    b"[" * 100_000,
    b'{"title": "\xff"}',
    b'{"title": NaN}',
    b'{"title": 1e999}',
    b'{"title": "a", "title": "b"}',
    rb'{"title": "\ud800"}',
    rb'{"title": "a\u0000"}',
    b'{"title": ' + b"9" * 5000 + b"}",
)


@pytest.mark.accepts("C18")
async def test_hostile_json_is_400_and_leaves_nothing(ada: Person) -> None:
    headers = {"authorization": f"Bearer {ada.token}", "content-type": "application/json"}

    for body in HOSTILE:
        response = await ada.http.post("/api/tasks", content=body, headers=headers)
        assert response.status_code == 400, body[:40]
        assert response.headers["content-type"] == "application/problem+json"
    assert await ada.titles() == []


@pytest.mark.accepts("C17", "X20")
async def test_limits_are_where_the_contract_says(ada: Person) -> None:
    longest = {"title": "t" * 500, "description": "d" * 65_536, "tags": [f"{number:0100d}" for number in range(100)]}
    too_long = {"title": "t" * 501, "description": "d" * 65_537, "tags": [f"{number:0101d}" for number in range(100)]}
    huge = json.dumps({"title": "a", "description": "d" * 1_100_000}).encode()

    kept = await ada.call("POST", "/api/tasks", longest)
    refused = await ada.call("POST", "/api/tasks", too_long)
    headers = {"authorization": f"Bearer {ada.token}", "content-type": "application/json"}
    over = await ada.http.post("/api/tasks", content=huge, headers=headers)
    page = await ada.call("GET", "/api/tasks?limit=201")
    many = await ada.call("GET", "/api/tasks?" + "&".join(f"a{number}=1" for number in range(500)))

    assert kept.status_code == 201
    assert (await ada.get(kept.headers["location"]))["tags"] == longest["tags"]
    assert {error["field"] for error in refused.json()["errors"]} == {"title", "description", "tags.0"}
    assert (over.status_code, over.json()["code"]) == (413, "body_too_large")
    assert (page.status_code, many.status_code) == (422, 400)


EDGE = {
    b"GET /api/tasks HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n": 400,
    b"GET /api/tasks HTTP/1.1\r\n\r\n": 400,
    b"GET /api/tasks HTTP/1.1\r\nHost: a\r\nX-Big: " + b"x" * 40_000 + b"\r\n\r\n": 431,
    b"GET /api/tasks HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n": 401,
    b"GET /nowhere HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n": 404,
}


@pytest.mark.accepts("X17", "X23")
@pytest.mark.parametrize("request_bytes", EDGE)
async def test_refusals_of_the_edge_are_guarded_like_all_others(rondo: RondoProcess, request_bytes: bytes) -> None:
    stream = await trio.open_tcp_stream("127.0.0.1", rondo.port)
    with trio.fail_after(10):
        async with stream:
            await stream.send_all(request_bytes)
            answer = b"".join([chunk async for chunk in stream])

    head, _, body = answer.partition(b"\r\n\r\n")
    assert head.split()[1] == str(EDGE[request_bytes]).encode()
    document = json.loads(body)
    assert f"x-request-id: {document['requestId']}".encode() in head.lower()
    for name, value in SECURITY_HEADERS:
        assert name + b": " + value.lower() in head.lower()
    assert b"\nserver:" not in head.lower()
