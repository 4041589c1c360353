"""What an HTTP exchange costs: CPU time of the server per request, beside the floor, both measured in the same run.

Usage: python -m loadtest.bench_edge [REQUESTS]

The floor is the least that can be called an HTTP server on trio and llhttp: no limits, no drain, no refusals. Both
answer the same small JSON over 16 kept connections. Other processes on the machine disturb the figures: look at the
ratio, and at the best of the rounds.
"""

import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

import httptools
import trio

from app.web.server import HttpServer, Receive, Scope, Send, TcpAddress, WebSocketHandshake

BODY = b'{"id":1,"title":"hello"}'
HEADERS = [(b"content-type", b"application/json"), (b"content-length", b"%d" % len(BODY))]
CONNECTIONS = 16
REQUESTS = 20_000
ROUNDS = 3
TICKS_PER_SECOND = 100
PLAIN = b"GET /api/tasks HTTP/1.1\r\nHost: localhost\r\n\r\n"
BROWSER = (
    b"GET /api/tasks?limit=50 HTTP/1.1\r\nHost: localhost:8000\r\nConnection: keep-alive\r\n"
    b'sec-ch-ua: "Chromium";v="140"\r\nsec-ch-ua-mobile: ?0\r\nsec-ch-ua-platform: "Linux"\r\n'
    b"User-Agent: Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0\r\n"
    b"Accept: application/json\r\nSec-Fetch-Site: same-origin\r\nSec-Fetch-Mode: cors\r\nSec-Fetch-Dest: empty\r\n"
    b"Referer: http://localhost:8000/\r\nAccept-Encoding: gzip, deflate, br\r\nAccept-Language: en\r\n"
    b"Cookie: rondo_session=0123456789abcdef0123456789abcdef\r\n\r\n"
)


async def application(_scope: Scope, _receive: Receive, send: Send) -> None:
    """Answer as an API endpoint does."""
    await send({"type": "http.response.start", "status": 200, "headers": HEADERS})
    await send({"type": "http.response.body", "body": BODY})


async def refuse(handshake: WebSocketHandshake, _stream: trio.abc.Stream) -> None:
    """There are no sockets here."""
    await handshake.refuse(404, "not_found", "Nothing here.")


async def serve_edge() -> None:
    """Run the edge and print its port."""
    server = HttpServer(api=application, pages=application, websocket=refuse, addresses=[TcpAddress("127.0.0.1", 0)])
    async with trio.open_nursery() as nursery:
        [address] = await nursery.start(server.run)
        print(address.port, flush=True)


class FloorConnection:
    """Parse, call, send: nothing else."""

    def __init__(self, stream: trio.SocketStream) -> None:
        self.stream = stream
        self.parser = httptools.HttpRequestParser(self)
        self.url = b""
        self.headers: list[tuple[bytes, bytes]] = []
        self.scopes: list[Scope] = []

    def on_message_begin(self) -> None:
        """Begin a request."""
        self.url, self.headers = b"", []

    def on_url(self, url: bytes) -> None:
        """Keep the target."""
        self.url += url

    def on_header(self, name: bytes, value: bytes) -> None:
        """Keep a header."""
        self.headers.append((name.lower(), value))

    def on_message_complete(self) -> None:
        """Queue the request."""
        url = httptools.parse_url(self.url)
        scope = {"type": "http", "asgi": {"version": "3.0"}, "http_version": "1.1", "scheme": "http", "root_path": ""}
        request = {"path": url.path.decode(), "raw_path": url.path, "query_string": url.query or b""}
        method = self.parser.get_method().decode()
        self.scopes.append({**scope, **request, "method": method, "headers": self.headers})

    async def run(self) -> None:
        """Serve until the client leaves."""
        while True:
            data = b""
            with trio.move_on_after(30):
                data = bytes(await self.stream.receive_some(65536))
            if not data:
                return
            self.parser.feed_data(data)
            scopes, self.scopes = self.scopes, []
            for scope in scopes:
                await self.answer(scope)

    async def answer(self, scope: Scope) -> None:
        """Answer one request with one send."""
        head = b""

        async def send(message: dict[str, object]) -> None:
            nonlocal head
            if message["type"] == "http.response.start":
                lines = [b"HTTP/1.1 200 OK\r\n", *(b"%b: %b\r\n" % pair for pair in HEADERS)]
                head = b"".join(lines) + b"\r\n"
            else:
                await self.stream.send_all(head + BODY)
            await trio.lowlevel.checkpoint_if_cancelled()

        await application(scope, trio.sleep_forever, send)  # type: ignore[arg-type] # the floor has no types


async def serve_floor() -> None:
    """Run the floor and print its port."""

    async def serve(stream: trio.SocketStream) -> None:  # noqa: ASYNC910 # serving waits for the client
        with suppress(trio.BrokenResourceError):
            await FloorConnection(stream).run()

    async with trio.open_nursery() as nursery:
        listener = (await trio.open_tcp_listeners(0, host="127.0.0.1"))[0]
        nursery.start_soon(trio.serve_listeners, serve, [listener])
        print(listener.socket.getsockname()[1], flush=True)


async def load(port: int, request: bytes, requests: int) -> None:
    """Send so many requests over the connections."""

    async def client() -> None:
        async with await trio.open_tcp_stream("127.0.0.1", port) as stream:
            for _ in range(requests // CONNECTIONS):
                await stream.send_all(request)
                data = await stream.receive_some()
                while not data.endswith(BODY):
                    data += await stream.receive_some()

    async with trio.open_nursery() as nursery:
        for _ in range(CONNECTIONS):
            nursery.start_soon(client)


def cpu_seconds(pid: int) -> float:
    """Return the CPU time that a process has used."""
    fields = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICKS_PER_SECOND


def measure(servers: dict[str, tuple[int, int]], request: bytes, requests: int) -> dict[str, float]:
    """Return the best CPU time per request of each server, in microseconds; rounds alternate."""
    best = dict.fromkeys(servers, float("inf"))
    for _ in range(ROUNDS):
        for name, (pid, port) in servers.items():
            before, began = cpu_seconds(pid), time.perf_counter()
            trio.run(load, port, request, requests)
            cost = (cpu_seconds(pid) - before) / requests * 1e6
            rate = requests / (time.perf_counter() - began)
            print(f"  {name:6} {cost:6.1f} µs CPU per request, {rate:7.0f} requests/s from this client")
            best[name] = min(best[name], cost)
    return best


def main(requests: int) -> None:
    """Measure and print."""
    processes = {}
    try:
        for name in ("floor", "edge"):
            command = [sys.executable, "-m", "loadtest.bench_edge", "serve", name]
            processes[name] = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)  # ourselves
        servers = {
            name: (process.pid, int(process.stdout.readline())) for name, process in processes.items() if process.stdout
        }
        for label, request in (("one header", PLAIN), ("a browser's headers", BROWSER)):
            print(f"{label}:")
            best = measure(servers, request, requests)
            print(f"  edge / floor = {best['edge'] / best['floor']:.2f}")
    finally:
        for process in processes.values():
            process.terminate()


if __name__ == "__main__":
    if sys.argv[1:2] == ["serve"]:
        trio.run(serve_edge if sys.argv[2] == "edge" else serve_floor)
    else:
        main(int(sys.argv[1]) if len(sys.argv) > 1 else REQUESTS)
