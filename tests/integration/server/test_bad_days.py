"""Clients that are slow, stuck, too many or gone, on real sockets."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest
import trio
import trio.testing
from trio_websocket import open_websocket_url

from .conftest import GET, UPGRADE, everything

if TYPE_CHECKING:
    from app.web.server import Receive, Scope, Send

FLOOD_FRAME = b"\x81\x85\0\0\0\0flood"  # text, masked with zeros


@pytest.mark.accepts("C11")
async def test_ten_stuck_readers_and_ten_stuck_sockets_do_not_hold_a_stop(serve: Any, flooding: Any) -> None:
    server = await serve(flooding, drain_seconds=1)
    for _ in range(10):
        reader = await server.connect(receive_buffer=4096)
        await reader.send_all(GET)
        socket = await server.connect(receive_buffer=4096)
        await socket.send_all(UPGRADE + FLOOD_FRAME)
    await trio.testing.wait_all_tasks_blocked(0.05)
    began = trio.current_time()

    server.begin_drain()
    await server.stopped.wait()

    assert trio.current_time() - began <= 1 + 3
    assert server.connections == 0


@pytest.mark.accepts("C10")
async def test_a_socket_that_never_reads_is_dropped_and_the_others_notice_nothing(serve: Any) -> None:
    server = await serve(write_seconds=0.3, slowest_bytes_per_second=10**6, linger_seconds=0.2)
    stuck = await server.connect(receive_buffer=4096)
    await stuck.send_all(UPGRADE + FLOOD_FRAME)

    async with open_websocket_url(f"ws://127.0.0.1:{server.port}/ws") as socket:
        await wait_until(lambda: server.connections == 1, 35)
        await socket.send_message("still here")
        assert await socket.get_message() == "still here"


async def test_a_reader_that_stops_reading_is_dropped(serve: Any, flooding: Any) -> None:
    server = await serve(flooding, write_seconds=0.3, slowest_bytes_per_second=10**6)
    stuck = await server.connect(receive_buffer=4096)
    await stuck.send_all(GET)

    await wait_until(lambda: server.connections == 0, 35)

    with pytest.raises(trio.BrokenResourceError):
        await everything(stuck)


@pytest.mark.accepts("C15")
async def test_dripping_clients_are_ended_while_others_are_served(serve: Any) -> None:
    server = await serve(header_seconds=0.4, linger_seconds=0.1)
    drips = []
    for _ in range(100):  # each drips at once: to one that was given up meanwhile it would come too late
        drips.append(await server.connect())
        await drips[-1].send_all(b"G")

    data = await server.ask(b"GET / HTTP/1.0\r\n\r\n")
    answers = [await everything(drip) for drip in drips]

    assert data.startswith(b"HTTP/1.1 200")
    assert all(answer.startswith(b"HTTP/1.1 408") for answer in answers)


@pytest.mark.accepts("C17")
async def test_twenty_megabytes_are_413_and_readable(serve: Any) -> None:
    server = await serve()
    async with await server.connect() as stream, trio.open_nursery() as nursery:
        nursery.start_soon(send_quietly, stream, b"x" * 20_000_000)
        answer = await everything(stream)

    assert answer.startswith(b"HTTP/1.1 413")


async def send_quietly(stream: trio.SocketStream, body: bytes) -> None:
    head = b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: %d\r\n\r\n" % len(body)
    try:
        await stream.send_all(head + body)
    except trio.BrokenResourceError:
        return  # noqa: ASYNC910 # ends on the other side of a socket


async def test_one_too_many_is_503_and_there_is_room_again_when_one_leaves(serve: Any) -> None:
    server = await serve(connections=1)
    first = await server.connect()
    await first.send_all(GET)
    await first.receive_some()

    turned_away = await server.ask(GET)
    await first.aclose()
    await wait_until(lambda: server.connections == 0, 5)
    served = await server.ask(b"GET / HTTP/1.0\r\n\r\n")

    assert turned_away.startswith(b"HTTP/1.1 503")
    assert b"too_many_connections" in turned_away
    assert served.startswith(b"HTTP/1.1 200")


FULL = """
import resource, socket, sys, trio
from app.web.server import HttpServer, Limits, TcpAddress
resource.setrlimit(resource.RLIMIT_NOFILE, (40, 40))
async def app(scope, receive, send):
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": b"ok"})
async def main():
    server = HttpServer(api=app, pages=app, websocket=None, addresses=[TcpAddress("127.0.0.1", 0)])
    if sys.argv[1] == "uncapped":
        server._admission._total = 1000
    async with trio.open_nursery() as nursery:
        [address] = await nursery.start(server.run)
        print(address.port, flush=True)
trio.run(main)
"""


@pytest.mark.accepts("C13")
@pytest.mark.parametrize("cap", ["capped", "uncapped"])
async def test_a_process_without_files_serves_again_when_it_has_some(cap: str) -> None:
    command = [sys.executable, "-c", FULL, cap]
    process = await trio.lowlevel.open_process(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    assert process.stdout is not None
    assert process.stderr is not None
    try:
        with trio.fail_after(25):
            port = int(await process.stdout.receive_some())
            crowd = [await trio.open_tcp_stream("127.0.0.1", port) for _ in range(120)]
            for stream in crowd:
                await stream.send_all(GET)
            await trio.sleep(0.3)
            for stream in crowd:
                await stream.aclose()
            began = trio.current_time()
            await served_again(port)
            assert trio.current_time() - began < 5
    finally:
        process.terminate()
        await process.wait()  # noqa: ASYNC102 # the process is a test's
    noise = await everything(process.stderr)
    assert noise.count(b"Traceback") == 0
    assert len(noise.splitlines()) < 10


async def served_again(port: int) -> None:
    while True:
        async with await trio.open_tcp_stream("127.0.0.1", port) as stream:
            try:
                await stream.send_all(b"GET / HTTP/1.0\r\n\r\n")
                if (await everything(stream)).startswith(b"HTTP/1.1 200"):
                    return
            except trio.BrokenResourceError:
                continue


async def test_a_client_that_resets_in_the_middle_harms_nobody(serve: Any) -> None:
    done = trio.Event()

    async def slow(_scope: Scope, receive: Receive, send: Send) -> None:
        await receive()
        assert (await receive())["type"] == "http.disconnect"
        try:
            await send({"type": "http.response.start", "status": 200, "headers": []})
            await send({"type": "http.response.body", "body": b"x"})
        finally:
            done.set()

    server = await serve(slow)
    stream = await server.connect()
    await stream.send_all(GET)
    await trio.testing.wait_all_tasks_blocked(0.02)
    stream.setsockopt(1, 13, b"\x01\0\0\0\0\0\0\0")  # SO_LINGER: closing resets
    await stream.aclose()

    await done.wait()
    await wait_until(lambda: server.connections == 0, 5)


async def test_an_answer_cut_off_to_http_1_0_is_a_reset_and_not_an_end(serve: Any) -> None:
    async def broken(_scope: Scope, _receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"half", "more_body": True})
        raise RuntimeError("secret")

    server = await serve(broken)
    stream = await server.connect()
    await stream.send_all(b"GET / HTTP/1.0\r\n\r\n")

    with pytest.raises(trio.BrokenResourceError):
        await everything(stream)


async def test_an_error_of_a_session_ends_that_session_only(serve: Any) -> None:
    async def broken(_handshake: object, _stream: object) -> None:
        await trio.lowlevel.checkpoint()
        raise RuntimeError("secret")

    server = await serve(websocket=broken)

    assert await server.ask(UPGRADE) == b""
    assert (await server.ask(b"GET / HTTP/1.0\r\n\r\n")).startswith(b"HTTP/1.1 200")


async def test_it_can_run_again_after_it_stopped(serve: Any, nursery: trio.Nursery) -> None:
    server = await serve()
    server.begin_drain()
    await server.stopped.wait()

    [address] = await nursery.start(server.run)
    server.port = address.port

    assert (await server.ask(b"GET / HTTP/1.0\r\n\r\n")).startswith(b"HTTP/1.1 200")


async def test_idle_connections_do_not_hold_a_stop(serve: Any) -> None:
    server = await serve()
    idle = await server.connect()
    await idle.send_all(GET)
    await idle.receive_some()
    silent = await server.connect()
    await trio.testing.wait_all_tasks_blocked(0.02)
    began = trio.current_time()

    server.begin_drain()
    await server.stopped.wait()

    assert trio.current_time() - began < 1
    assert await everything(idle) == b""
    assert await everything(silent) == b""


async def test_who_waits_to_be_accepted_when_the_stop_comes_is_answered(serve: Any) -> None:
    server = await serve()
    stream = await server.connect()
    await stream.send_all(GET)

    server.begin_drain()

    assert (await everything(stream)).startswith(b"HTTP/1.1 200")


async def test_an_idle_connection_is_closed_by_the_watch(serve: Any) -> None:
    server = await serve(idle_seconds=0.2)
    stream = await server.connect()
    await stream.send_all(GET)

    assert (await everything(stream)).startswith(b"HTTP/1.1 200")


async def wait_until(condition: Any, seconds: float) -> None:  # noqa: ASYNC910 # ends on the other side of a socket
    """Look again and again: what is waited for happens on the other side of a socket."""
    with trio.fail_after(seconds):  # noqa: ASYNC912 # it is entered only to wait
        while not condition():  # noqa: ASYNC110 # it happens on the other side of a socket
            await trio.sleep(0.01)
