"""The WebSocket as a client meets it: who may come in, what comes in which order, and how it ends."""

from __future__ import annotations

import contextlib
import json
import socket
from typing import TYPE_CHECKING, Any
from uuid import UUID

import pytest
import trio
from trio_websocket import (
    ConnectionClosed,
    ConnectionRejected,
    WebSocketConnection,
    wrap_client_stream,
)

from app.adapters.postgres import Database
from app.adapters.postgres.embedded import EmbeddedPostgres
from tests.fixtures.client import PASSWORD, Listener, client, connected, listening, register
from tests.fixtures.rondo import running_rondo

if TYPE_CHECKING:
    from pathlib import Path

    from tests.fixtures.client import Json, Person
    from tests.fixtures.rondo import RondoProcess

Headers = list[tuple[bytes, bytes]]


async def closed_with(connection: WebSocketConnection, seconds: float = 5) -> int:
    """Read until the server closes; return its code."""
    with trio.fail_after(seconds):
        while True:
            try:
                await connection.get_message()
            except ConnectionClosed as closed:
                return int(closed.reason.code) if closed.reason else 1006


def cookie(person: Person, *more: tuple[bytes, bytes]) -> Headers:
    return [(b"cookie", f"rondo_session={person.token}".encode()), *more]


def origin(text: str) -> tuple[bytes, bytes]:
    return b"origin", text.encode()


# --- who may come in --------------------------------------------------------------------------------------


async def test_a_program_comes_in_by_header_or_by_first_message(rondo: RondoProcess) -> None:
    async with client(rondo.url) as http:
        ada = await register(http)
        async with listening(rondo.websocket_url, ada.token) as by_header, connected(rondo.websocket_url) as by_message:
            await by_message.say(type="authenticate", token=ada.token)
            hello = await by_message.next()

    assert (by_header.hello["type"], by_header.hello["userId"]) == ("hello", ada.user["id"])
    assert (hello["type"], hello["userId"]) == ("hello", ada.user["id"])
    assert isinstance(hello["position"], int)


async def test_a_page_of_ours_comes_in_by_cookie(rondo: RondoProcess) -> None:
    async with client(rondo.url) as http:
        ada = await register(http)
        async with connected(rondo.websocket_url, cookie(ada, origin(rondo.url))) as page:
            assert (await page.next())["userId"] == ada.user["id"]


@pytest.mark.accepts("X11")
@pytest.mark.parametrize(
    "said", [None, "null", "https://evil.example", "{url}.evil.example", "http://127.0.0.1:1", "{url}@evil.example"]
)
async def test_a_cookie_from_elsewhere_is_refused_before_anything_is_accepted(
    rondo: RondoProcess, said: str | None
) -> None:
    headers = [] if said is None else [origin(said.format(url=rondo.url))]
    async with client(rondo.url) as http:
        ada = await register(http)

    with pytest.raises(ConnectionRejected) as refused:
        async with connected(rondo.websocket_url, cookie(ada, *headers)):
            pass

    assert refused.value.status_code == 403
    assert json.loads(refused.value.body or b"{}")["code"] == "cross_site_request"


@pytest.mark.parametrize("token", ["wrong", "é", "x" * 5000])
async def test_a_wrong_token_is_told_4401(rondo: RondoProcess, token: str) -> None:
    async with connected(rondo.websocket_url, [(b"authorization", f"Bearer {token}".encode())]) as stranger:
        code = await closed_with(stranger.socket)

    assert code == 4401


@pytest.mark.slow
@pytest.mark.accepts("X11")
async def test_a_token_in_the_url_is_not_looked_at_and_silence_ends_after_five_seconds(rondo: RondoProcess) -> None:
    async with client(rondo.url) as http:
        ada = await register(http)
    async with connected(f"{rondo.websocket_url}?token={ada.token}&access_token={ada.token}") as silent:
        began = trio.current_time()
        code = await closed_with(silent.socket, 10)
        took = trio.current_time() - began

    assert (code, 4 < took < 8) == (4401, True)
    assert ada.token not in rondo.log_path.read_text()


async def test_a_plain_request_is_told_to_upgrade(rondo: RondoProcess) -> None:
    async with client(rondo.url) as http:
        response = await http.get("/ws")

    assert (response.status_code, response.headers["upgrade"]) == (426, "websocket")
    assert "upgrade" in response.headers["connection"]


async def test_there_is_one_place_for_websockets(rondo: RondoProcess) -> None:
    with pytest.raises(ConnectionRejected) as refused:
        async with connected(rondo.websocket_url.replace("/ws", "/elsewhere")):
            pass

    assert refused.value.status_code == 404


@pytest.mark.accepts("X20")
async def test_a_user_has_twenty_sockets_and_not_one_more(rondo: RondoProcess) -> None:
    async with client(rondo.url) as http, contextlib.AsyncExitStack() as stack:
        ada, eve = await register(http), await register(http)
        for _ in range(20):
            await stack.enter_async_context(listening(rondo.websocket_url, ada.token))
        headers = [(b"authorization", f"Bearer {ada.token}".encode())]
        async with connected(rondo.websocket_url, headers) as one_more:
            code = await closed_with(one_more.socket)
        async with listening(rondo.websocket_url, eve.token) as other:
            welcome = other.hello["type"]

    assert (code, welcome) == (1008, "hello")


# --- what may be said -------------------------------------------------------------------------------------


async def test_ping_is_answered_and_what_is_not_understood_does_not_end_it(rondo: RondoProcess) -> None:
    async with client(rondo.url) as http:
        ada = await register(http)
        async with listening(rondo.websocket_url, ada.token) as ear:
            await ear.say(type="ping")
            await ear.say(type="sing", song="la")
            await ear.socket.send_message("[" * 65_536)
            await ear.socket.send_message(b"\x00")
            await ear.say(type="ping")
            frames = await ear.take(5)

    assert [frame["type"] for frame in frames] == ["pong", "error", "error", "error", "pong"]
    assert [frame["code"] for frame in frames[1:4]] == ["invalid_message", "invalid_message", "not_text"]


@pytest.mark.accepts("X20")
async def test_too_many_messages_are_1008_and_too_big_ones_1009(rondo: RondoProcess) -> None:
    async with client(rondo.url) as http:
        ada = await register(http)
        async with listening(rondo.websocket_url, ada.token) as hasty:
            for _ in range(60):
                with contextlib.suppress(ConnectionClosed):
                    await hasty.say(type="ping")
            too_many = await closed_with(hasty.socket)
        async with listening(rondo.websocket_url, ada.token) as big:
            await big.socket.send_message("x" * 65_537)
            too_big = await closed_with(big.socket)

    assert (too_many, too_big) == (1008, 1009)


@pytest.mark.accepts("X05")
async def test_signing_out_closes_the_sockets_of_that_session_only(rondo: RondoProcess) -> None:
    async with client(rondo.url) as http:
        ada = await register(http)
        again = await http.post("/api/auth/login", json={"email": ada.email, "password": PASSWORD})
        http.cookies.clear()
        other_token = again.json()["token"]
        async with (
            listening(rondo.websocket_url, ada.token) as leaving,
            listening(rondo.websocket_url, other_token) as staying,
        ):
            await ada.call("POST", "/api/auth/logout")
            code = await closed_with(leaving.socket, 2)
            await staying.say(type="ping")
            answer = await staying.next()

    assert (code, answer["type"]) == (4401, "pong")


@pytest.mark.accepts("X05")
@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE sessions SET revoked_at = now() WHERE account_id = $1",
        "DELETE FROM sessions WHERE account_id = $1",
        "UPDATE accounts SET disabled_at = now() WHERE id = $1",
    ],
)
async def test_whoever_is_signed_out_in_the_database_is_signed_out_at_once(
    rondo: RondoProcess, nursery: trio.Nursery, statement: str
) -> None:
    database = Database(EmbeddedPostgres(rondo.data_dir).url, size=1, name="test")
    await nursery.start(database.run)
    async with client(rondo.url) as http:
        ada = await register(http)
        async with listening(rondo.websocket_url, ada.token) as ear:
            await database.execute("NOTIFY rondo_revoked, 'nonsense'")  # anyone can: all are asked, none is closed
            await ear.say(type="ping")
            still_there = await ear.next()
            await database.execute(statement, UUID(ada.user["id"]))
            code = await closed_with(ear.socket, 2)
        answer = await ada.call("GET", "/api/me")

    assert (still_there["type"], code, answer.status_code) == ("pong", 4401, 401)


# --- what comes -------------------------------------------------------------------------------------------


async def test_own_and_other_connections_hear_the_same_and_strangers_nothing(rondo: RondoProcess) -> None:
    async with client(rondo.url) as http:
        ada, eve = await register(http), await register(http)
        async with (
            listening(rondo.websocket_url, ada.token) as one,
            listening(rondo.websocket_url, ada.token) as two,
            listening(rondo.websocket_url, eve.token) as foreign,
        ):
            task = await ada.create("Shared with myself")
            await ada.call("POST", f"/api/tasks/{task['id']}/complete")
            heard = [await one.take(2), await two.take(2)]
            await eve.create("Mine")
            theirs = await foreign.next()

    assert heard[0] == heard[1]
    assert [frame["type"] for frame in heard[0]] == ["task.created", "task.completed"]
    assert (heard[0][0]["task"], heard[0][0]["actor"]) == (task, ada.user["id"])
    assert (theirs["type"], theirs["task"]["title"]) == ("task.created", "Mine")


async def test_resume_is_exact_while_others_go_on_writing(rondo: RondoProcess) -> None:
    async with client(rondo.url) as http:
        ada = await register(http)
        async with listening(rondo.websocket_url, ada.token) as first:
            since = first.hello["position"]

        async def write(number: int) -> None:
            for count in range(12):
                await ada.create(f"{number}-{count}")

        frames: list[Json] = []
        async with trio.open_nursery() as nursery:
            for number in range(3):
                nursery.start_soon(write, number)
            while len(frames) < 36:
                # Cut again and again; each time go on behind the last frame that was seen.
                async with listening(rondo.websocket_url, ada.token) as ear:
                    await ear.say(type="resume", since=frames[-1]["position"] if frames else since)
                    frames += await ear.take(min(6, 36 - len(frames)))
        wanted = {f"{number}-{count}" for number in range(3) for count in range(12)}
        audit = [row["position"] for row in reversed(await all_audited(ada, 37)) if row["action"] == "task.created"]

    assert [frame["position"] for frame in frames] == audit
    assert {frame["task"]["title"] for frame in frames} == wanted


async def all_audited(person: Person, count: int) -> list[Json]:
    """Wait until so many events are in the audit trail, and return them."""
    with trio.fail_after(5):
        while len(rows := await person.all_audit()) < count:
            await trio.sleep(0.02)
    return rows


async def test_the_address_may_say_where_to_go_on(rondo: RondoProcess) -> None:
    async with client(rondo.url) as http:
        person = await register(http)
        async with listening(rondo.websocket_url, person.token) as ear:
            since = ear.hello["position"]
        await person.create("While nobody listened")
        await all_audited(person, 1)
        async with listening(f"{rondo.websocket_url}?since={since}", person.token) as ear:
            missed = await ear.next()

    assert (missed["type"], missed["task"]["title"]) == ("task.created", "While nobody listened")
    assert missed["position"] > since


@pytest.mark.parametrize("query", ["since=", "since=x", "since=1&since=2", f"since={10**18}", "since=%D9%A1"])
async def test_an_address_that_makes_no_sense_is_refused(rondo: RondoProcess, query: str) -> None:
    with pytest.raises(ConnectionRejected) as rejected:
        async with connected(f"{rondo.websocket_url}?{query}"):
            pytest.fail("it must not open")

    assert rejected.value.status_code == 400
    assert json.loads(rejected.value.body or b"")["code"] == "malformed_query"


async def test_a_position_of_the_future_means_start_over(rondo: RondoProcess) -> None:
    async with client(rondo.url) as http:
        ada = await register(http)
        async with listening(rondo.websocket_url, ada.token) as ear:
            await ear.say(type="resume", since=2**62)
            reset = await ear.next()
            await ada.create("After the reset")
            live = await ear.next()

    assert (reset, live["type"]) == ({"type": "reset"}, "task.created")


@pytest.mark.slow
@pytest.mark.accepts("C10")
async def test_a_reader_that_stops_is_cut_off_alone_and_resumes_with_nothing_lost(rondo: RondoProcess) -> None:
    async with client(rondo.url) as http:
        ada = await register(http)
        async with listening(rondo.websocket_url, ada.token) as quick, trio.open_nursery() as nursery:
            stream = await small_window(rondo.port)
            headers = [(b"authorization", f"Bearer {ada.token}".encode())]
            stuck = await wrap_client_stream(nursery, stream, f"127.0.0.1:{rondo.port}", "/ws", extra_headers=headers)
            seen = [json.loads(await stuck.get_message())["position"]]
            task = await ada.create("Big")
            created = await quick.next()
            slowest, heard = 0.0, [created["position"]]
            for number in range(110):
                text = f"{number} " + "x" * 60_000
                answer = await ada.call("PATCH", f"/api/tasks/{task['id']}", {"description": text})
                assert answer.status_code == 200
                began = trio.current_time()
                heard.append((await quick.next())["position"])
                slowest = max(slowest, trio.current_time() - began)
            await trio.sleep(11)
            code, late = await drain(stuck)
            seen += late
            async with listening(rondo.websocket_url, ada.token) as again:
                await again.say(type="resume", since=seen[-1])
                seen += [frame["position"] for frame in await again.take(len(heard) - len(seen) + 1)]
                quiet = await again.silence()
            await trio.aclose_forcefully(stream)
            nursery.cancel_scope.cancel()

    assert code in {1013, 1006}
    assert len(late) < len(heard)
    assert (seen[1:], quiet) == (heard, True)
    assert slowest < 2


async def small_window(port: int) -> trio.SocketStream:
    """Connect with a small receive buffer: what nobody asks for stays in the network."""
    sock = trio.socket.socket()
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    await sock.connect(("127.0.0.1", port))
    return trio.SocketStream(sock)


async def drain(connection: WebSocketConnection) -> tuple[int, list[int]]:
    """Read what has still come; return the close code and the positions."""
    positions: list[int] = []
    with trio.fail_after(10):
        while True:
            try:
                frame: dict[str, Any] = json.loads(await connection.get_message())
            except ConnectionClosed as closed:
                return (closed.reason.code if closed.reason else 1006), positions
            positions.append(frame["position"])


# --- how it ends ------------------------------------------------------------------------------------------


async def test_a_stopping_rondo_says_1001_to_everybody_and_the_next_one_resumes(tmp_path: Path) -> None:
    with running_rondo(tmp_path / "data") as rondo:
        async with client(rondo.url) as http:
            ada = await register(http)
            async with contextlib.AsyncExitStack() as stack:
                ears = [await stack.enter_async_context(listening(rondo.websocket_url, ada.token)) for _ in range(3)]
                task = await ada.create("Before the stop")
                since = ears[0].hello["position"]
                codes: list[int] = []

                async def hear_the_end(ear: Listener) -> None:
                    codes.append(await closed_with(ear.socket, 20))

                async with trio.open_nursery() as nursery:
                    for ear in ears:
                        nursery.start_soon(hear_the_end, ear)
                    exit_code = await trio.to_thread.run_sync(rondo.stop)
        rondo.start()
        async with listening(rondo.websocket_url, ada.token) as ear:
            await ear.say(type="resume", since=since)
            missed = await ear.next()

    assert (exit_code, codes) == (0, [1001] * 3)
    assert missed["taskId"] == task["id"]
