"""A body arrives in whatever pieces, within its limits, or not at all."""

from collections.abc import Awaitable, Callable
from typing import Any

import pytest
import trio

from app.web.api import Api
from app.web.api.request import BODY_SECONDS, MAX_BODY_BYTES, ClientGoneError, Request, parse_query
from app.web.errors import RequestRefusedError
from monitoring import metrics
from tests.unit.web.fakes import USER_TOKEN, FakeServices


def request(receive: Callable[[], Awaitable[Any]], **headers: str) -> Request:
    pairs = [(name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()]
    scope = {"method": "POST", "path": "/", "query_string": b"", "headers": pairs, "client": None}
    return Request.of(scope, receive)


def chunks(*bodies: bytes, then: str = "http.request") -> Callable[[], Awaitable[Any]]:
    left = [{"type": "http.request", "body": body, "more_body": True} for body in bodies]
    left.append({"type": then, "body": b"", "more_body": False})

    async def receive() -> Any:
        await trio.lowlevel.checkpoint()
        return left.pop(0)

    return receive


async def test_a_body_in_pieces_is_one_body() -> None:
    assert await request(chunks(b"a", b"b", b"c")).read_body() == b"abc"


@pytest.mark.accepts("C17", "X20")
async def test_a_body_over_the_limit_is_refused_before_it_is_read() -> None:
    async def receive() -> Any:
        await trio.lowlevel.checkpoint()
        raise AssertionError("nobody should read this")

    with pytest.raises(RequestRefusedError) as refusal:
        await request(receive, content_length=str(MAX_BODY_BYTES + 1)).read_body()

    assert refusal.value.code == "body_too_large"


@pytest.mark.accepts("C17", "X20")
async def test_a_body_that_does_not_say_its_size_is_refused_at_the_limit() -> None:
    half = b"x" * (MAX_BODY_BYTES // 2)

    assert len(await request(chunks(half, half)).read_body()) == MAX_BODY_BYTES
    with pytest.raises(RequestRefusedError):
        await request(chunks(half, half, b"x")).read_body()


async def test_a_whole_body_is_held_to_the_limit_too() -> None:
    async def receive() -> Any:
        await trio.lowlevel.checkpoint()
        return {"type": "http.request", "body": b"x" * (MAX_BODY_BYTES + 1)}

    with pytest.raises(RequestRefusedError):
        await request(receive).read_body()


@pytest.mark.accepts("C16")
async def test_a_body_that_stalls_is_given_up(autojump_clock: trio.testing.MockClock) -> None:
    first = [{"type": "http.request", "body": b"abc", "more_body": True}]

    async def receive() -> Any:
        if first:
            return first.pop()
        return await trio.sleep_forever()

    started = trio.current_time()
    with pytest.raises(RequestRefusedError) as refusal:
        await request(receive).read_body()

    assert refusal.value.code == "request_timeout"
    assert trio.current_time() - started == pytest.approx(BODY_SECONDS)
    assert autojump_clock.autojump_threshold == 0


@pytest.mark.parametrize("bodies", [(), (b"half",)])
async def test_a_client_that_left_has_no_body(bodies: tuple[bytes, ...]) -> None:
    with pytest.raises(ClientGoneError):
        await request(chunks(*bodies, then="http.disconnect")).read_body()


async def test_a_client_that_left_is_recorded_and_not_answered(api: Api, services: FakeServices) -> None:
    counter = metrics.HTTP_REQUESTS_TOTAL.labels("POST", "/api/tasks", 499)
    before = counter.value
    scope = {
        "type": "http", "method": "POST", "path": "/api/tasks", "query_string": b"", "client": None,
        "headers": [(b"content-type", b"application/json"), (b"authorization", f"Bearer {USER_TOKEN}".encode())],
    }  # fmt: skip # one line reads like a request

    async def send(message: Any) -> None:
        await trio.lowlevel.checkpoint()
        raise AssertionError(message)

    await api(scope, chunks(then="http.disconnect"), send)

    assert services.calls == []
    assert counter.value == before + 1


async def test_what_is_stuck_is_given_up(
    api: Api, services: FakeServices, autojump_clock: trio.testing.MockClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def stuck(*_: object) -> Any:
        await trio.sleep_forever()

    monkeypatch.setattr(type(services), "logout", stuck)
    sent: list[Any] = []
    scope = {
        "type": "http", "method": "POST", "path": "/api/auth/logout", "query_string": b"", "client": None,
        "headers": [(b"authorization", f"Bearer {USER_TOKEN}".encode())],
    }  # fmt: skip # one line reads like a request

    async def send(message: Any) -> None:
        await trio.lowlevel.checkpoint()
        sent.append(message)

    await api(scope, chunks(b""), send)

    assert sent[0]["status"] == 503
    assert b'"too_slow"' in sent[1]["body"]
    assert autojump_clock.autojump_threshold == 0


def test_headers_sent_twice_are_joined() -> None:
    scope = {
        "method": "GET", "path": "/", "query_string": b"", "client": ("::1", 1), "scheme": "https",
        "headers": [(b"cookie", b"a=1"), (b"cookie", b"b=2"), (b"if-match", b'"1"'), (b"if-match", b'"2"')],
    }  # fmt: skip # one line reads like a request

    made = Request.of(scope, chunks())

    assert (made.header(b"cookie"), made.header(b"if-match"), made.address) == ("a=1; b=2", '"1", "2"', "::1")


def test_a_query_string_is_read_once() -> None:
    assert parse_query(b"a=1&&b=%C3%A9+x&a=2&c") == ({"a": "2", "b": "é x", "c": ""}, ["a"])
