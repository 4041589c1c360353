"""The applications behind the edge: which path goes where, and quart-trio as the pages."""

from __future__ import annotations

from typing import Any

import pytest
import quart
import trio
import trio.testing
from quart_trio import QuartTrio
from trio_websocket import ConnectionClosed, wrap_client_stream

from app.web.server import TcpAddress

from .conftest import everything


@pytest.fixture
def pages() -> QuartTrio:
    app = QuartTrio(__name__)

    @app.get("/")
    async def _home() -> str:
        await trio.sleep(0.05)
        return "home"

    @app.post("/form")
    async def _form() -> str:
        return str((await quart.request.form)["name"])

    @app.get("/fails")
    def _fails() -> str:
        raise RuntimeError("secret")

    return app


async def test_pages_are_quarts_and_the_rest_is_the_apis(serve: Any, pages: QuartTrio) -> None:
    server = await serve(pages=pages)

    page = await server.ask(b"GET / HTTP/1.0\r\n\r\n")
    api = await server.ask(b"GET /api/tasks HTTP/1.0\r\n\r\n")

    assert page.endswith(b"\r\n\r\nhome")
    assert page.count(b"HTTP/1.1") == 1
    assert api.endswith(b"GET /api/tasks 0")


async def test_a_half_closed_client_gets_its_page(serve: Any, pages: QuartTrio) -> None:
    server = await serve(pages=pages)
    async with await server.connect() as stream:
        await stream.send_all(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
        await stream.send_eof()

        assert (await everything(stream)).endswith(b"\r\n\r\nhome")


async def test_a_form_that_drips_reaches_quart(serve: Any, pages: QuartTrio) -> None:
    server = await serve(pages=pages)
    async with await server.connect() as stream:
        head = b"POST /form HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Length: 9\r\n"
        await stream.send_all(head + b"Content-Type: application/x-www-form-urlencoded\r\n\r\n")
        for letter in b"name=Rond":
            await stream.send_all(bytes([letter]))
            await trio.testing.wait_all_tasks_blocked()

        assert (await everything(stream)).endswith(b"\r\n\r\nRond")


async def test_a_page_that_fails_is_500_and_tells_nothing(serve: Any, pages: QuartTrio) -> None:
    server = await serve(pages=pages)

    answer = await server.ask(b"GET /fails HTTP/1.0\r\n\r\n")

    assert answer.startswith(b"HTTP/1.1 500")
    assert b"secret" not in answer


async def test_sockets_are_told_that_the_server_goes_away(serve: Any, nursery: trio.Nursery) -> None:
    server = await serve()
    socket = await wrap_client_stream(nursery, await server.connect(), "localhost", "/ws")
    await socket.send_message("hello")
    assert await socket.get_message() == "hello"

    server.begin_drain()
    with pytest.raises(ConnectionClosed):
        await socket.get_message()

    assert socket.closed is not None
    assert socket.closed.code == 1001
    await server.stopped.wait()


async def test_one_server_may_listen_in_several_places(serve: Any) -> None:
    server = await serve(addresses=[TcpAddress("127.0.0.1", 0), TcpAddress("127.0.0.1", 0)])

    assert (await server.ask(b"GET / HTTP/1.0\r\n\r\n")).startswith(b"HTTP/1.1 200")
