"""One HTTP/1.1 connection, byte by byte, under virtual time."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import httpx2  # noqa: ASYNC127 # the test client of the whole project
import orjson
import pytest
import trio
from trio.testing import wait_all_tasks_blocked

from app.web.server.asgi import ClientDisconnectedError
from app.web.server.edge import Peer, is_api
from app.web.server.forwarded import TrustedProxies, networks

if TYPE_CHECKING:
    from app.web.server.asgi import Message, Receive, Scope, Send

GET = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"
CLOSING = b"GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"
POST = b"POST / HTTP/1.1\r\nHost: a\r\n"


class Response:
    """A response taken apart."""

    def __init__(self, data: bytes | bytearray) -> None:
        head, _, self.body = bytes(data).partition(b"\r\n\r\n")
        line, *headers = head.split(b"\r\n")
        self.status = int(line.split()[1])
        self.headers = httpx2.Headers([tuple(header.split(b": ", 1)) for header in headers])  # type: ignore[arg-type] # two parts

    @property
    def problem(self) -> dict[str, Any]:
        assert self.headers["content-type"] == "application/problem+json"
        problem: dict[str, Any] = orjson.loads(self.body)
        assert set(problem) == {"type", "title", "status", "detail", "code", "requestId"}
        assert problem["status"] == self.status
        return problem


# --- answers ---------------------------------------------------------------------------------------------


async def test_a_request_is_answered_with_head_and_body_in_one_piece(wire: Any) -> None:
    connection = wire()
    await connection.send(b"GET /path?query HTTP/1.1\r\nHost: a\r\n\r\n")

    response = Response(await connection.client.receive_some())

    assert response.status == 200
    assert response.body == b"GET /path query "
    assert response.headers["date"].endswith("GMT")
    assert "server" not in response.headers
    assert "connection" not in response.headers


async def test_requests_sent_ahead_are_answered_in_order(wire: Any) -> None:
    connection = wire()

    data = await connection.ask(b"".join(b"GET /%d HTTP/1.1\r\nHost: a\r\n\r\n" % n for n in range(50)))

    assert [int(part.split()[0]) for part in data.split(b"GET /")[1:]] == list(range(50))


async def test_a_half_closed_client_gets_its_answer(wire: Any) -> None:
    connection = wire()

    response = Response(await connection.ask(POST + b"Content-Length: 5\r\n\r\nhello"))

    assert response.body == b"POST /  hello"


async def test_connection_close_closes(wire: Any) -> None:
    connection = wire()
    await connection.send(CLOSING)

    response = Response(await connection.receive_all())

    assert response.headers["connection"] == "close"


async def test_http_1_0_is_closed_and_told_to_stay_when_it_asks(wire: Any) -> None:
    closed, kept = wire(), wire()
    await closed.send(b"GET / HTTP/1.0\r\n\r\n")
    await kept.send(b"GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n")

    first = Response(await closed.receive_all())
    second = Response(await kept.client.receive_some())

    assert first.headers["connection"] == "close"
    assert second.headers["connection"] == "keep-alive"


async def test_head_gets_the_length_and_no_body(wire: Any, answering: Any) -> None:
    connection = wire(answering(b"hello"))

    data = await connection.ask(b"HEAD / HTTP/1.1\r\nHost: a\r\n\r\n" + GET)

    first, _, rest = data.partition(b"\r\n\r\n")
    assert b"content-length: 5" in first
    assert rest.startswith(b"HTTP/1.1 200 OK\r\n")
    assert rest.endswith(b"\r\n\r\nhello")


@pytest.mark.parametrize(("status", "length"), [(204, None), (304, "7")])
async def test_a_status_without_a_body_has_none(wire: Any, answering: Any, status: int, length: str | None) -> None:
    connection = wire(answering(b"ignored", status=status, headers=[(b"content-length", b"7")]))

    response = Response(await connection.ask(GET))

    assert response.status == status
    assert response.body == b""
    assert response.headers.get("content-length") == length
    assert "transfer-encoding" not in response.headers


async def test_a_body_in_pieces_of_unknown_length_is_chunked(wire: Any) -> None:
    connection = wire(pieces(b"one", b"", b"three"))

    response = Response(await connection.ask(GET))

    assert response.headers["transfer-encoding"] == "chunked"
    assert response.body == b"3\r\none\r\n5\r\nthree\r\n0\r\n\r\n"


async def test_a_body_in_pieces_to_http_1_0_ends_with_the_connection(wire: Any) -> None:
    connection = wire(pieces(b"one", b"three"))

    response = Response(await connection.ask(b"GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n"))

    assert response.body == b"onethree"
    assert response.headers["connection"] == "close"


async def test_a_body_in_pieces_of_known_length_is_sent_as_it_is(wire: Any) -> None:
    connection = wire(pieces(b"one", b"three", headers=[(b"content-length", b"8")]))

    response = Response(await connection.ask(GET))

    assert response.body == b"onethree"
    assert "transfer-encoding" not in response.headers


async def test_headers_that_belong_to_the_edge_are_not_the_applications(wire: Any, answering: Any) -> None:
    headers = [(b"transfer-encoding", b"gzip"), (b"keep-alive", b"x"), (b"date", b"then"), (b"connection", b"close")]
    connection = wire(answering(headers=headers))
    await connection.send(GET)

    response = Response(await connection.receive_all())

    assert response.headers.get_list("date") == ["then"]
    assert "keep-alive" not in response.headers
    assert "transfer-encoding" not in response.headers
    assert response.headers["connection"] == "close"


async def test_a_status_nobody_named_is_sent(wire: Any, answering: Any) -> None:
    connection = wire(answering(status=599))

    response = Response(await connection.ask(GET))

    assert response.status == 599


# --- bodies of requests ------------------------------------------------------------------------------------


async def test_a_chunked_body_reaches_the_application(wire: Any) -> None:
    connection = wire()

    response = Response(
        await connection.ask(POST + b"Transfer-Encoding: chunked\r\n\r\n3\r\nfoo\r\n3\r\nbar\r\n0\r\n\r\n")
    )

    assert response.body == b"POST /  foobar"


async def test_a_body_is_read_only_as_fast_as_the_application_takes_it(wire: Any) -> None:
    taken = trio.Event()

    async def slow(_scope: Scope, receive: Receive, _send: Send) -> None:
        await receive()
        taken.set()
        await trio.sleep_forever()

    connection = wire(slow)
    await connection.send(POST + b"Content-Length: 10\r\n\r\nhello")
    await taken.wait()
    await connection.send(b"wor")
    await wait_all_tasks_blocked()

    assert await connection.server.receive_some() == b"wor"


async def test_100_continue_is_said_when_the_application_wants_the_body(wire: Any) -> None:
    connection = wire()
    await connection.send(POST + b"Expect: 100-continue\r\nContent-Length: 5\r\n\r\n")

    go = await connection.receive(b"\r\n\r\n")
    response = Response(await connection.ask(b"hello"))

    assert go == b"HTTP/1.1 100 Continue\r\n\r\n"
    assert response.body == b"POST /  hello"


async def test_100_continue_is_not_said_when_the_body_is_not_wanted(wire: Any, answering: Any) -> None:
    connection = wire(answering(b"no", status=401))

    await connection.send(POST + b"Expect: 100-continue\r\nContent-Length: 5\r\n\r\n")
    response = Response(await connection.receive(b"no"))

    assert response.status == 401
    assert response.headers["connection"] == "close"


async def test_a_body_that_nobody_reads_does_not_cost_the_connection(wire: Any, answering: Any) -> None:
    connection = wire(answering(b"no", status=401))
    await connection.send(POST + b"Content-Length: 10\r\n\r\nhello")

    first = Response(await connection.receive(b"no"))
    second = await connection.ask(b"world" + GET)

    assert "connection" not in first.headers
    assert second.startswith(b"HTTP/1.1 401")


# --- refusals ----------------------------------------------------------------------------------------------


async def test_an_upgrade_to_a_version_that_is_not_spoken_hears_which_one_is(wire: Any) -> None:
    head = b"GET /ws HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"

    connection = wire()
    response = Response(
        await connection.ask(head + b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 8\r\n\r\n")
    )

    assert (response.status, response.problem["code"]) == (426, "websocket_version")
    assert response.headers["sec-websocket-version"] == "13"
    assert response.headers["upgrade"] == "websocket"
    assert response.headers.get_list("connection") == ["upgrade", "close"]


@pytest.mark.accepts("C21")
async def test_a_refusal_is_a_problem_with_security_headers_and_the_end(wire: Any) -> None:
    connection = wire()

    response = Response(await connection.ask(b"GET / HTTP/1.1\r\n\r\n" + GET))

    assert response.status == 400
    assert response.problem["code"] == "bad_host"
    assert response.headers["connection"] == "close"
    assert response.headers["x-content-type-options"] == "nosniff"
    assert response.headers["x-request-id"] == response.problem["requestId"]
    assert response.body.count(b"HTTP/1.1") == 0


async def test_a_method_that_is_not_served_is_told_which_are(wire: Any) -> None:
    connection = wire()

    response = Response(await connection.ask(b"TRACE / HTTP/1.1\r\nHost: a\r\n\r\n"))

    assert response.status == 405
    assert "GET" in response.headers["allow"]


async def test_what_was_asked_before_a_fault_is_answered_first(wire: Any) -> None:
    connection = wire()

    data = await connection.ask(GET + b"GET / HTTP/1.1\r\nHost : a\r\n\r\n")

    assert data.startswith(b"HTTP/1.1 200")
    assert data.count(b"HTTP/1.1 400") == 1


@pytest.mark.accepts("C17")
async def test_a_chunked_body_over_the_limit_is_413(wire: Any) -> None:
    connection = wire(body_bytes=10)

    response = Response(
        await connection.ask(POST + b"Transfer-Encoding: chunked\r\n\r\n6\r\n123456\r\n6\r\n123456\r\n")
    )

    assert response.status == 413
    assert response.problem["code"] == "body_too_large"


async def test_a_broken_chunk_is_400_and_the_application_hears_of_a_disconnect(wire: Any) -> None:
    heard: list[Message] = []

    async def application(_scope: Scope, receive: Receive, _send: Send) -> None:
        heard.append(await receive())
        heard.append(await receive())

    connection = wire(application)
    await connection.send(POST + b"Transfer-Encoding: chunked\r\n\r\n3\r\nfoo\r\n")
    await wait_all_tasks_blocked()
    response = Response(await connection.ask(b"nonsense\r\n"))

    assert response.status == 400
    assert [message["type"] for message in heard] == ["http.request", "http.disconnect"]


async def test_a_refusal_after_the_answer_began_breaks_it_off(wire: Any) -> None:
    failures = []

    async def application(_scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"x", "more_body": True})
        message = await receive()
        while message["type"] != "http.disconnect":
            message = await receive()
        try:
            await send({"type": "http.response.body", "body": b"y"})
        except ClientDisconnectedError as error:
            failures.append(error)

    connection = wire(application)

    data = await connection.ask(POST + b"Transfer-Encoding: chunked\r\n\r\n3\r\nfoo\r\nnonsense\r\n")

    assert data.endswith(b"\r\n\r\n1\r\nx\r\n")
    assert len(failures) == 1


# --- time --------------------------------------------------------------------------------------------------


@pytest.mark.accepts("C15")
async def test_a_dripping_head_is_ended_in_ten_seconds(wire: Any, autojump_clock: trio.testing.MockClock) -> None:
    connection = wire()
    for letter in b"GET / HTT":
        await connection.send(bytes([letter]))
        await trio.sleep(1)

    response = Response(await connection.receive_all())

    assert response.status == 408
    assert trio.current_time() <= 12  # ten seconds, and two in which the client may still read


async def test_a_silent_newcomer_is_ended_in_ten_seconds(wire: Any, autojump_clock: trio.testing.MockClock) -> None:
    connection = wire()

    data = await connection.receive_all()

    assert data == b""
    assert trio.current_time() <= 10


async def test_an_idle_connection_is_closed_after_its_time(wire: Any, autojump_clock: trio.testing.MockClock) -> None:
    connection = wire()
    await connection.send(GET)
    await connection.receive(b"GET /  ")

    assert await connection.receive_all() == b""
    assert 75 <= trio.current_time() <= 76


@pytest.mark.accepts("C16")
async def test_a_stalled_body_is_408_in_fifteen_seconds(wire: Any, autojump_clock: trio.testing.MockClock) -> None:
    connection = wire()
    await connection.send(POST + b"Content-Length: 1000\r\n\r\n123")

    response = Response(await connection.receive(b"}"))

    assert response.status == 408
    assert trio.current_time() <= 15


async def test_a_dripping_body_is_408_in_about_as_long(wire: Any, autojump_clock: trio.testing.MockClock) -> None:
    connection = wire()
    await connection.send(POST + b"Content-Length: 1000\r\n\r\n")
    for _ in range(14):
        await connection.send(b"x")
        await trio.sleep(1)

    response = Response(await connection.receive(b"}"))

    assert response.status == 408
    assert trio.current_time() <= 15


async def test_a_slow_body_that_moves_is_waited_for(wire: Any, autojump_clock: trio.testing.MockClock) -> None:
    connection = wire()
    await connection.send(POST + b"Content-Length: 800000\r\n\r\n")
    for _ in range(20):
        await trio.sleep(4)
        await connection.send(b"x" * 40_000)

    response = Response(await connection.receive(b"xxx"))

    assert response.status == 200


async def test_a_slow_application_costs_the_client_nothing(wire: Any, autojump_clock: trio.testing.MockClock) -> None:
    async def slow(_scope: Scope, receive: Receive, send: Send) -> None:
        while (await receive())["more_body"]:  # noqa: ASYNC110 # it happens on the other side of a socket
            await trio.sleep(60)
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"done"})

    connection = wire(slow)
    await connection.send(POST + b"Content-Length: 6\r\n\r\nabc")
    await trio.sleep(50)
    await connection.send(b"def")

    response = Response(await connection.receive(b"done"))

    assert response.status == 200


# --- clients that leave ------------------------------------------------------------------------------------


async def test_the_application_hears_that_the_client_left_and_is_not_cancelled(
    wire: Any, autojump_clock: trio.testing.MockClock
) -> None:
    events = []

    async def application(_scope: Scope, receive: Receive, _send: Send) -> None:
        events.append((await receive())["type"])
        events.append((await receive())["type"])
        await trio.sleep(3)
        events.append("finished")

    connection = wire(application)
    await connection.send(GET)
    await connection.client.aclose()
    await connection.ended.wait()

    assert events == ["http.request", "http.disconnect", "finished"]


async def test_a_half_closed_client_counts_as_gone_only_after_a_while(
    wire: Any, autojump_clock: trio.testing.MockClock
) -> None:
    connection = wire(until_disconnect(3))

    response = Response(await connection.ask(GET))

    assert response.body == b"kept waiting"


async def test_what_is_sent_ahead_while_one_waits_for_a_disconnect_is_not_lost(
    wire: Any, autojump_clock: trio.testing.MockClock
) -> None:
    connection = wire(until_disconnect(3))
    await connection.send(GET)
    await trio.sleep(1)
    await connection.send(GET)

    data = await connection.ask(GET)

    assert data.count(b"kept waiting") == 3


async def test_an_endless_answer_ends_when_its_reader_is_gone(wire: Any) -> None:
    async def endless(_scope: Scope, _receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        while True:
            await send({"type": "http.response.body", "body": b"x", "more_body": True})

    connection = wire(endless)
    await connection.send(GET)
    await connection.receive(b"x\r\n")
    await connection.client.aclose()

    with trio.fail_after(5):
        await connection.ended.wait()


async def test_an_application_that_ignores_the_end_does_not_hold_the_thread(wire: Any, nursery: trio.Nursery) -> None:
    async def stubborn(_scope: Scope, _receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        while True:  # noqa: ASYNC913 # every round waits for bytes
            try:
                await send({"type": "http.response.body", "body": b"x", "more_body": True})
            except ClientDisconnectedError:
                continue

    connection = wire(stubborn)
    await connection.send(GET)
    await connection.client.aclose()

    with trio.fail_after(5):
        await trio.sleep(0.05)
    assert not connection.ended.is_set()
    nursery.cancel_scope.cancel()


# --- applications that fail --------------------------------------------------------------------------------


async def test_an_exception_is_a_500_that_tells_nothing(wire: Any) -> None:
    async def broken(_scope: Scope, _receive: Receive, _send: Send) -> None:
        await trio.lowlevel.checkpoint()
        raise RuntimeError("secret")

    connection = wire(broken)

    response = Response(await connection.ask(GET + GET))

    assert response.status == 500
    assert response.problem["code"] == "internal_error"
    assert b"secret" not in response.body


async def test_a_group_of_exceptions_is_a_500_too(wire: Any) -> None:
    async def broken(_scope: Scope, _receive: Receive, _send: Send) -> None:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(trio.sleep_forever)
            raise RuntimeError("secret")

    connection = wire(broken)

    assert Response(await connection.ask(GET)).status == 500


async def test_an_application_that_says_nothing_is_a_500(wire: Any) -> None:
    async def silent(_scope: Scope, _receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})

    connection = wire(silent)

    assert Response(await connection.ask(GET)).status == 500


async def test_an_exception_in_the_middle_breaks_the_answer_off(wire: Any) -> None:
    async def broken(_scope: Scope, _receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"half", "more_body": True})
        raise RuntimeError("secret")

    connection = wire(broken)

    data = await connection.ask(GET + GET)

    assert data.endswith(b"4\r\nhalf\r\n")
    assert data.count(b"HTTP/1.1") == 1


@pytest.mark.parametrize(
    "headers", [[(b"x", b"a\r\nset-cookie: b")], [(b"x", b"a\nb")], [(b"x\r\ny", b"a")], [(b"date", b"\n")]]
)
async def test_a_line_break_in_a_header_never_leaves(wire: Any, answering: Any, headers: Any) -> None:
    connection = wire(answering(headers=headers))

    response = Response(await connection.ask(GET))

    assert response.status == 500
    assert "set-cookie" not in response.headers


@pytest.mark.parametrize("length", [b"1", b"3"])
async def test_a_body_of_another_length_than_was_said_is_a_500(wire: Any, answering: Any, length: bytes) -> None:
    connection = wire(answering(b"ok", headers=[(b"content-length", length)]))

    assert Response(await connection.ask(GET)).status == 500


@pytest.mark.parametrize(
    "messages",
    [
        [{"type": "http.response.body", "body": b"x"}],
        [{"type": "http.response.start", "status": 200}, {"type": "http.response.start", "status": 200}],
        [{"type": "http.response.push"}],
    ],
)
async def test_messages_out_of_order_are_a_500(wire: Any, messages: list[Message]) -> None:
    async def confused(_scope: Scope, _receive: Receive, send: Send) -> None:  # noqa: ASYNC910 # the edge has checkpoints
        for message in messages:
            await send(message)

    connection = wire(confused)

    assert Response(await connection.ask(GET)).status == 500


async def test_after_a_whole_answer_the_request_is_over_for_the_application(wire: Any) -> None:
    heard = []

    async def talkative(_scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"ok"})
        heard.append((await receive())["type"])
        await send({"type": "http.response.body", "body": b"more"})

    connection = wire(talkative)
    data = await connection.ask(GET)

    assert heard == ["http.disconnect"]
    assert data.endswith(b"\r\n\r\nok")


# --- draining ----------------------------------------------------------------------------------------------


async def test_an_idle_connection_is_closed_at_once_when_the_server_drains(wire: Any) -> None:
    connection = wire()
    await connection.send(GET)
    await connection.receive(b"GET /  ")
    await wait_all_tasks_blocked()

    connection.edge.draining = True
    connection.connection.begin_drain()

    assert await connection.receive_all() == b""


async def test_what_is_in_flight_is_answered_and_then_closed_when_the_server_drains(wire: Any) -> None:
    connection = wire()
    await connection.send(POST + b"Content-Length: 5\r\n\r\nhe")
    await wait_all_tasks_blocked()
    connection.edge.draining = True
    connection.connection.begin_drain()
    await connection.send(b"llo")

    response = Response(await connection.receive_all())

    assert response.body == b"POST /  hello"
    assert response.headers["connection"] == "close"


# --- who asks ----------------------------------------------------------------------------------------------


async def scope_as_text(scope: Scope, _receive: Receive, send: Send) -> None:
    client = scope["client"]
    text = f"{client[0] if client else None} {scope['scheme']} {scope['server']}".encode()
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": text})


FORWARDED = b"GET / HTTP/1.1\r\nHost: a\r\nX-Forwarded-For: 203.0.113.9\r\nX-Forwarded-Proto: https\r\n\r\n"


@pytest.mark.accepts("X21")
async def test_a_stranger_cannot_say_who_it_is(wire: Any) -> None:
    connection = wire(scope_as_text)

    response = Response(await connection.ask(FORWARDED))

    assert response.body == b"192.0.2.7 http ('127.0.0.1', 8000)"


async def test_a_trusted_proxy_says_who_the_client_is(wire: Any) -> None:
    connection = wire(scope_as_text, peer=Peer(("10.0.0.1", 1), None, "http", trusted=True))
    connection.edge.proxies = replace(TrustedProxies(), networks=networks(["10.0.0.0/8"]))

    response = Response(await connection.ask(FORWARDED))

    assert response.body == b"203.0.113.9 https None"


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("/api/tasks", True),
        ("/api", True),
        ("/health", True),
        ("/health/ready", True),
        ("/metrics", True),
        ("/", False),
        ("/apiary", False),
        ("/healthy", False),
        ("/metrics/x", False),
        ("/docs", False),
    ],
)
def test_paths_find_their_application(path: str, expected: bool) -> None:  # noqa: FBT001 # a column of the table
    assert is_api(path) is expected


def pieces(*parts: bytes, headers: list[tuple[bytes, bytes]] | None = None) -> Any:
    """Return an application that answers in these pieces."""

    async def application(_scope: Scope, _receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": headers or []})
        for part in parts:
            await send({"type": "http.response.body", "body": part, "more_body": True})
        await send({"type": "http.response.body", "body": b"", "more_body": False})

    return application


def until_disconnect(seconds: float) -> Any:
    """Return an application that answers after `seconds`, unless the client is said to be gone before."""

    async def application(_scope: Scope, receive: Receive, send: Send) -> None:
        await receive()
        with trio.move_on_after(seconds):
            await receive()
            return
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"kept waiting"})

    return application
