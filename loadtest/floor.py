"""The floor: the least work that can be called "an HTTP request answered with a query" on trio. Not a product.

Usage: python -m loadtest.floor POSTGRESQL_URL (prints its port)

One request is parsed by llhttp into an ASGI scope, one `SELECT 1` goes over one of eight asyncpg connections, a body
of 24 bytes goes back in one system call. Nothing else: no routes, authentication, limits, time limits, cancellation,
logs or metrics. It shares no code with Rondo, so that Rondo becoming faster or slower does not move it.
"""

# ruff: noqa: SLF001 - a driver of asyncio's machinery from outside works with its private parts

from __future__ import annotations

import asyncio
import collections
import sys
from typing import Any, Final

import asyncpg
import httptools
import trio

POOL: Final = 8
BODY: Final = b'{"id":1,"title":"hello"}'
START: Final = {
    "type": "http.response.start",
    "status": 200,
    "headers": [(b"content-type", b"application/json"), (b"content-length", b"24")],
}

# asyncpg needs an event loop's vocabulary, not an event loop. What it never asks for raises NotImplementedError.


class Fiber:
    """Stands for `asyncio.current_task()` while a connection is made; nobody cancels it."""

    def cancelling(self) -> int:
        """Return 0."""
        return 0

    uncancel = cancelling


class Loop:
    """Futures and callbacks for asyncpg; time limits never pass here."""

    def __init__(self, nursery: trio.Nursery) -> None:
        self.nursery = nursery
        self.queue: collections.deque[asyncio.Handle] = collections.deque()

    def get_debug(self) -> bool:
        """Return False."""
        return False

    def is_closed(self) -> bool:
        """Return False."""
        return False

    def time(self) -> float:
        """Return trio's time."""
        return trio.current_time()

    def create_future(self) -> asyncio.Future[Any]:
        """Return a future of this loop."""
        loop: Any = self
        return asyncio.Future(loop=loop)

    def call_soon(self, callback: Any, *args: Any, context: Any = None) -> asyncio.Handle:
        """Queue a callback."""
        loop: Any = self
        handle = asyncio.Handle(callback, args, loop, context)
        self.queue.append(handle)
        return handle

    def call_at(self, when: float, callback: Any, *args: Any, context: Any = None) -> asyncio.TimerHandle:
        """Return a timer that never fires."""
        loop: Any = self
        return asyncio.TimerHandle(when, callback, args, loop, context)

    call_later = call_at

    def _timer_handle_cancelled(self, handle: asyncio.TimerHandle) -> None:
        """Do nothing: it would not have fired."""

    def step(self, function: Any, *args: Any) -> Any:
        """Call into asyncpg, then run what it queued."""
        loop: Any = self
        asyncio.events._set_running_loop(loop)
        try:
            return function(*args)
        finally:
            while self.queue:
                self.queue.popleft()._run()
            asyncio.events._set_running_loop(None)

    async def drive(self, coroutine: Any) -> Any:
        """Step a coroutine of asyncpg from a trio task until it returns."""
        task = trio.lowlevel.current_task()
        while True:
            try:
                waited = self.step(coroutine.send, None)
            except StopIteration as end:
                return end.value
            if asyncio.isfuture(waited):
                waited._asyncio_future_blocking = False
                if not waited.done():
                    waited.add_done_callback(lambda _: trio.lowlevel.reschedule(task))
                    await trio.lowlevel.wait_task_rescheduled(_never)

    async def create_unix_connection(self, protocol_factory: Any, path: Any = None, **_: Any) -> Any:
        """Connect; a task of the nursery reads from now on."""
        sock = trio.socket.socket(trio.socket.AF_UNIX)
        # Waiting belongs to trio and this runs inside `drive`; a local connect is immediate.
        sock._sock.connect(path)  # type: ignore[attr-defined] # trio's own socket underneath
        protocol = protocol_factory()
        transport = Wire(sock)
        protocol.connection_made(transport)
        self.nursery.start_soon(transport.read, self, protocol)
        return transport, protocol


def _never(_: Any) -> trio.lowlevel.Abort:
    return trio.lowlevel.Abort.FAILED


class Wire(asyncio.Transport):
    """A Unix socket to PostgreSQL; what is sent here always fits."""

    def __init__(self, sock: trio.socket.SocketType) -> None:
        super().__init__()
        self.raw: Any = sock._sock  # type: ignore[attr-defined] # trio's own socket underneath

    def is_closing(self) -> bool:
        """Return False."""
        return False

    def write(self, data: Any) -> None:
        """Send."""
        self.raw.send(data)

    def writelines(self, list_of_data: Any) -> None:
        """Send all as one."""
        self.raw.send(b"".join(list_of_data))

    async def read(self, loop: Loop, protocol: Any) -> None:
        """Hand over what comes until the process ends."""
        while True:
            await trio.lowlevel.wait_readable(self.raw)
            loop.step(protocol.data_received, self.raw.recv(65536))


class Pool:
    """Eight connections and who waits for one."""

    def __init__(self, loop: Loop) -> None:
        self.loop = loop
        self.idle: list[Any] = []
        self.free = trio.Semaphore(POOL)

    async def fill(self, url: str) -> None:
        """Connect."""
        loop: Any = self.loop
        for _ in range(POOL):
            fiber: Any = Fiber()
            asyncio.tasks._enter_task(loop, fiber)
            try:
                self.idle.append(await self.loop.drive(asyncpg.connect(url, loop=loop)))
            finally:
                asyncio.tasks._leave_task(loop, fiber)

    async def query(self) -> Any:
        """Ask the least question."""
        async with self.free:
            connection = self.idle.pop()
            try:
                return await self.loop.drive(connection.fetchval("SELECT 1"))
            finally:
                self.idle.append(connection)


class Exchange:
    """One client."""

    def __init__(self, stream: trio.SocketStream, pool: Pool) -> None:
        self.stream, self.pool = stream, pool
        self.parser = httptools.HttpRequestParser(self)
        self.waiting: list[dict[str, Any]] = []
        self.headers: list[tuple[bytes, bytes]] = []
        self.target = self.head = b""

    def on_message_begin(self) -> None:
        """Begin a request."""
        self.target, self.headers = b"", []

    def on_url(self, url: bytes) -> None:
        """Keep the target."""
        self.target += url

    def on_header(self, name: bytes, value: bytes) -> None:
        """Keep a header."""
        self.headers.append((name.lower(), value))

    def on_message_complete(self) -> None:
        """Queue the request as ASGI describes it."""
        parts = httptools.parse_url(self.target)
        self.waiting.append(
            {
                "type": "http",
                "asgi": {"version": "3.0"},
                "http_version": "1.1",
                "method": self.parser.get_method().decode(),
                "scheme": "http",
                "path": parts.path.decode(),
                "raw_path": parts.path,
                "query_string": parts.query or b"",
                "root_path": "",
                "headers": self.headers,
            }
        )

    async def serve(self) -> None:
        """Answer until the client leaves."""
        while data := await self.stream.receive_some(65536):
            self.parser.feed_data(data)
            scopes, self.waiting = self.waiting, []
            for scope in scopes:
                await self.application(scope)

    async def application(self, _scope: dict[str, Any]) -> None:
        """Answer with a small JSON once PostgreSQL has answered."""
        await self.pool.query()
        await self.send(START)
        await self.send({"type": "http.response.body", "body": BODY})

    async def send(self, message: dict[str, Any]) -> None:
        """Take the head, send it with the body."""
        if message["type"] == "http.response.start":
            lines = [b"HTTP/1.1 %d OK\r\n" % message["status"]]
            lines += [b"%b: %b\r\n" % pair for pair in message["headers"]]
            self.head = b"".join(lines) + b"\r\n"
        else:
            await self.stream.send_all(self.head + message["body"])


async def main(url: str) -> None:
    """Serve until the process ends."""
    async with trio.open_nursery() as nursery:
        pool = Pool(Loop(nursery))
        await pool.fill(url)

        async def serve(stream: trio.SocketStream) -> None:
            try:
                await Exchange(stream, pool).serve()
            except trio.BrokenResourceError:
                await stream.aclose()

        [listener] = await trio.open_tcp_listeners(0, host="127.0.0.1")
        print(listener.socket.getsockname()[1], flush=True)
        nursery.start_soon(trio.serve_listeners, serve, [listener])


if __name__ == "__main__":
    trio.run(main, sys.argv[1])
