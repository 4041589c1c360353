"""TLS, and HTTP/2 inside it, with httpx2 and h2."""

from __future__ import annotations

import ssl
from typing import TYPE_CHECKING, Any

import h2.config
import h2.connection
import h2.errors
import h2.events
import httpx2  # noqa: ASYNC127 # the test client of the whole project
import orjson
import pytest
import trio
import trio.testing
from trio_websocket import open_websocket_url

from app.web.server import ClientDisconnectedError, Limits, TlsError, TlsFiles
from app.web.server.edge import Edge, Peer
from app.web.server.http2 import Http2Connection
from app.web.server.tls import load_context
from app.wiring.refusing import refuse
from tests.fixtures.waiting import eventually

from .conftest import GET, echo, everything, issue

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    import trustme

    from app.web.server import Receive, Scope, Send


@pytest.fixture
def trusting(authority: trustme.CA) -> ssl.SSLContext:
    context = ssl.create_default_context()
    authority.configure_trust(context)
    return context


class Http2Client:
    """An HTTP/2 client that says and hears single frames."""

    def __init__(self, stream: trio.SSLStream[trio.SocketStream]) -> None:
        self.stream = stream
        self.h2 = h2.connection.H2Connection(h2.config.H2Configuration(header_encoding="utf-8"))
        self.events: list[h2.events.Event] = []

    async def start(self) -> None:
        self.h2.initiate_connection()
        await self.flush()

    async def flush(self) -> None:
        await self.stream.send_all(self.h2.data_to_send())

    async def request(
        self,
        *,
        end: bool = True,
        stream_id: int | None = None,
        headers: Sequence[tuple[str, str]] = (),
        **pseudo: str,
    ) -> int:
        fields = {"method": "GET", "scheme": "https", "path": "/", "authority": "localhost"} | pseudo
        stream_id = stream_id or self.h2.get_next_available_stream_id()
        head = [(f":{name}", value) for name, value in fields.items() if value]
        self.h2.send_headers(stream_id, [*head, *headers], end_stream=end)
        await self.flush()
        return stream_id

    async def hear(self, kind: type[Any], stream_id: int | None = None) -> Any:
        """Return the next event of this kind, perhaps of one stream."""
        with trio.fail_after(10):
            while True:
                for event in self.events:
                    if isinstance(event, kind) and stream_id in {None, getattr(event, "stream_id", None)}:
                        self.events.remove(event)
                        return event
                data = await self.stream.receive_some()
                assert data, f"the connection ended; {self.events} came before"
                self.events += self.h2.receive_data(bytes(data))
                await self.flush()


@pytest.fixture
async def dial(trusting: ssl.SSLContext, nursery: trio.Nursery) -> Any:
    async def connect(server: Any, *protocols: str, receive_buffer: int | None = None) -> trio.SSLStream[Any]:
        trusting.set_alpn_protocols(list(protocols))
        transport = await server.connect(receive_buffer=receive_buffer)
        stream = trio.SSLStream(transport, trusting, server_hostname="localhost", https_compatible=True)
        await stream.do_handshake()
        return stream

    async def http2(server: Any, **options: Any) -> Http2Client:
        client = Http2Client(await connect(server, "h2", **options))
        await client.start()
        return client

    connect.http2 = http2  # type: ignore[attr-defined] # one fixture, two ways
    return connect


# --- TLS ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("http2", "version"), [(False, "1.1"), (True, "2")])
async def test_the_protocol_is_agreed_on_in_the_handshake(
    serve: Any,
    certificate: TlsFiles,
    trusting: ssl.SSLContext,
    http2: bool,  # noqa: FBT001 # a column of the table
    version: str,  # a column
) -> None:
    server = await serve(tls=certificate)
    async with httpx2.AsyncClient(verify=trusting, http2=http2) as client:
        response = await client.post(f"https://localhost:{server.port}/x%20y", content=b"x" * 300_000)

    assert response.text == f"{version} https POST /x y 300000"
    assert response.http_version == f"HTTP/{version}"
    assert response.headers["date"].endswith("GMT")
    assert "server" not in response.headers


async def test_many_requests_share_one_http2_connection(
    serve: Any, certificate: TlsFiles, trusting: ssl.SSLContext
) -> None:
    server = await serve(tls=certificate)
    codes: list[int] = []
    async with httpx2.AsyncClient(verify=trusting, http2=True) as client:

        async def ask() -> None:
            codes.append((await client.get(f"https://localhost:{server.port}/")).status_code)

        await ask()
        async with trio.open_nursery() as nursery:
            for _ in range(50):
                nursery.start_soon(ask)
        assert server.connections == 1

    assert codes == [200] * 51


async def test_a_websocket_works_over_tls(serve: Any, certificate: TlsFiles, trusting: ssl.SSLContext) -> None:
    server = await serve(tls=certificate)

    async with open_websocket_url(f"wss://localhost:{server.port}/ws", ssl_context=trusting) as socket:
        await socket.send_message("hello")
        assert await socket.get_message() == "hello"


async def test_the_certificate_is_renewed_without_a_restart(
    serve: Any, certificate: TlsFiles, authority: trustme.CA, dial: Any
) -> None:
    server = await serve(tls=certificate)
    before = (await dial(server, "http/1.1")).getpeercert()
    issue(authority, certificate.key.parent)

    server.reload_tls()
    after = (await dial(server, "http/1.1")).getpeercert()

    assert before["serialNumber"] != after["serialNumber"]


async def test_a_broken_new_certificate_keeps_the_old_one(serve: Any, certificate: TlsFiles, dial: Any) -> None:
    server = await serve(tls=certificate)
    certificate.key.write_text("nonsense")

    server.reload_tls()
    stream = await dial(server, "http/1.1")
    await stream.send_all(GET)

    assert (await stream.receive_some()).startswith(b"HTTP/1.1 200")


async def test_to_reload_without_tls_is_nothing(serve: Any) -> None:
    server = await serve()

    server.reload_tls()

    assert (await server.ask(b"GET / HTTP/1.0\r\n\r\n")).startswith(b"HTTP/1.1 200")


@pytest.mark.parametrize("content", [None, "nonsense"])
def test_files_that_cannot_be_used_are_one_clear_sentence(tmp_path: Path, content: str | None) -> None:
    files = TlsFiles(certificate=tmp_path / "cert.pem", key=tmp_path / "key.pem")
    if content:
        files.certificate.write_text(content)
        files.key.write_text(content)

    with pytest.raises(TlsError, match="Cannot use the certificate"):
        load_context(files)


async def test_a_client_that_does_not_speak_tls_harms_nobody(serve: Any, certificate: TlsFiles, dial: Any) -> None:
    server = await serve(tls=certificate)
    plain = await server.ask(GET)

    stream = await dial(server, "http/1.1")
    await stream.send_all(GET)

    assert b"200" not in plain
    assert (await stream.receive_some()).startswith(b"HTTP/1.1 200")


async def test_a_handshake_that_stalls_is_ended(serve: Any, certificate: TlsFiles) -> None:
    server = await serve(tls=certificate, header_seconds=0.2)
    stream = await server.connect()

    assert await everything(stream) == b""


async def test_stuck_readers_over_tls_do_not_hold_a_stop(
    serve: Any, certificate: TlsFiles, flooding: Any, dial: Any
) -> None:
    server = await serve(flooding, tls=certificate, drain_seconds=0.5)
    reader = await dial(server, "http/1.1", receive_buffer=4096)
    await reader.send_all(GET)
    client = await dial.http2(server, receive_buffer=4096)
    await client.request()
    idle = await dial.http2(server)
    await trio.testing.wait_all_tasks_blocked(0.05)
    began = trio.current_time()

    server.begin_drain()
    await server.stopped.wait()

    assert trio.current_time() - began < 0.5 + 3
    assert (await idle.hear(h2.events.ConnectionTerminated)).error_code == h2.errors.ErrorCodes.NO_ERROR


# --- HTTP/2 ------------------------------------------------------------------------------------------------


async def body_of(client: Http2Client, stream_id: int) -> bytes:
    """Return the body of one response."""
    body = b""
    while True:
        event = await client.hear((h2.events.DataReceived, h2.events.StreamEnded), stream_id)  # type: ignore[arg-type] # isinstance takes both
        if isinstance(event, h2.events.StreamEnded):
            return body
        body += event.data


def status_of(event: Any) -> int:
    return int(dict(event.headers)[":status"])


async def test_trace_is_405_over_http2(serve: Any, certificate: TlsFiles, dial: Any) -> None:
    client = await dial.http2(await serve(tls=certificate))

    stream = await client.request(method="TRACE")
    response = await client.hear(h2.events.ResponseReceived)

    assert status_of(response) == 405
    assert orjson.loads(await body_of(client, stream))["code"] == "method_not_allowed"


@pytest.mark.parametrize(
    ("pseudo", "code"),
    [
        ({"method": "CONNECT", "path": "", "scheme": ""}, h2.errors.ErrorCodes.HTTP_1_1_REQUIRED),
        ({"path": "nowhere"}, h2.errors.ErrorCodes.PROTOCOL_ERROR),
        ({"path": "/\N{LATIN SMALL LETTER A WITH DIAERESIS}"}, h2.errors.ErrorCodes.PROTOCOL_ERROR),
    ],
)
async def test_what_is_not_served_over_http2_is_reset_and_the_rest_goes_on(
    serve: Any, certificate: TlsFiles, dial: Any, pseudo: dict[str, str], code: int
) -> None:
    client = await dial.http2(await serve(tls=certificate))

    await client.request(**pseudo)
    reset = await client.hear(h2.events.StreamReset)
    await client.request()
    response = await client.hear(h2.events.ResponseReceived)

    assert reset.error_code == code
    assert status_of(response) == 200


OVER = {
    "a target that is too long": (414, "target_too_long", {"path": "/" + "a" * 8192}),
    "too many headers": (431, "headers_too_large", {"headers": [("x", "y")] * 100}),
    "headers that are too large": (431, "headers_too_large", {"headers": [("x", "y" * 33_000)]}),
    "a host with user information": (400, "bad_host", {"authority": "a@b"}),
    "a host with a path": (400, "bad_host", {"authority": "a/b"}),
    "a host that is not in the authority": (400, "bad_host", {"authority": "", "headers": [("host", "a b")]}),
    "a target with a fragment": (400, "bad_target", {"path": "/a#b"}),
    "a target that is not UTF-8": (400, "bad_target", {"path": "/%ff"}),
    "a target with an encoded NUL": (400, "bad_target", {"path": "/%00"}),
    "an expectation": (417, "expectation_failed", {"headers": [("expect", "the unexpected")]}),
    "a body that is said to be too large": (
        413,
        "body_too_large",
        {"method": "POST", "end": False, "headers": [("content-length", "1048577")]},
    ),
}


@pytest.mark.accepts("X21")
@pytest.mark.parametrize(("status", "code", "asked"), OVER.values(), ids=OVER)
async def test_http2_has_the_limits_and_the_codes_of_http1(
    serve: Any, certificate: TlsFiles, dial: Any, status: int, code: str, asked: dict[str, Any]
) -> None:
    client = await dial.http2(await serve(tls=certificate))

    stream = await client.request(**asked)
    response = await client.hear(h2.events.ResponseReceived)
    problem = orjson.loads(await body_of(client, stream))
    await client.request(headers=[("x", "y")] * 99)

    assert (status_of(response), problem["code"]) == (status, code)
    assert status_of(await client.hear(h2.events.ResponseReceived)) == 200


async def test_a_head_that_is_not_even_unpacked_ends_the_connection(
    serve: Any, certificate: TlsFiles, dial: Any
) -> None:
    server = await serve(tls=certificate)
    client = await dial.http2(server)

    assert server.connections == 1
    await client.request(headers=[("x", "y" * 70_000)])

    await eventually(lambda: not server.connections, seconds=5)


async def test_a_refusal_names_the_callers_id_over_http2(serve: Any, certificate: TlsFiles, dial: Any) -> None:
    client = await dial.http2(await serve(tls=certificate, error_response=refuse))

    stream = await client.request(method="TRACE", headers=[("x-request-id", "my-id.1")])
    response = await client.hear(h2.events.ResponseReceived)

    assert dict(response.headers)["x-request-id"] == "my-id.1"
    assert orjson.loads(await body_of(client, stream))["requestId"] == "my-id.1"


async def test_a_client_that_waits_for_100_continue_hears_it_when_its_body_is_wanted(
    serve: Any, certificate: TlsFiles, dial: Any
) -> None:
    client = await dial.http2(await serve(tls=certificate))
    expecting = [("expect", "100-continue"), ("content-length", "5")]

    stream = await client.request(method="POST", end=False, headers=expecting)
    told = await client.hear(h2.events.InformationalResponseReceived)
    client.h2.send_data(stream, b"hello", end_stream=True)
    await client.flush()

    assert status_of(told) == 100
    assert await body_of(client, stream) == b"2 https POST / 5"


async def test_a_body_that_nobody_wants_is_not_asked_for(serve: Any, certificate: TlsFiles, dial: Any) -> None:
    async def no(_scope: Scope, _receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 403, "headers": []})
        await send({"type": "http.response.body", "body": b"no"})

    client = await dial.http2(await serve(no, tls=certificate))

    await client.request(method="POST", end=False, headers=[("expect", "100-continue")])
    response = await client.hear(h2.events.ResponseReceived)

    assert status_of(response) == 403
    assert not [event for event in client.events if isinstance(event, h2.events.InformationalResponseReceived)]


async def test_who_leaves_while_its_body_is_asked_for_harms_nobody(
    serve: Any, certificate: TlsFiles, dial: Any
) -> None:
    heard = trio.Event()
    left = trio.Event()

    async def waiting(_scope: Scope, receive: Receive, _send: Send) -> None:
        await left.wait()
        if (await receive())["type"] == "http.disconnect":
            heard.set()

    server = await serve(waiting, tls=certificate)
    client = await dial.http2(server)
    await client.request(method="POST", end=False, headers=[("expect", "100-continue")])
    await trio.testing.wait_all_tasks_blocked(0.05)

    await client.stream.transport_stream.aclose()
    await trio.testing.wait_all_tasks_blocked(0.05)
    left.set()

    await heard.wait()


async def test_websocket_over_http2_is_not_offered(serve: Any, certificate: TlsFiles, dial: Any) -> None:
    client = await dial.http2(await serve(tls=certificate))

    await client.hear(h2.events.RemoteSettingsChanged)

    assert client.h2.remote_settings.enable_connect_protocol == 0
    assert client.h2.remote_settings.max_concurrent_streams == 100


async def test_a_body_over_the_limit_is_413_over_http2(serve: Any, certificate: TlsFiles, dial: Any) -> None:
    client = await dial.http2(await serve(tls=certificate, body_bytes=1000))

    stream = await client.request(method="POST", end=False)
    client.h2.send_data(stream, b"x" * 1001)
    await client.flush()
    response = await client.hear(h2.events.ResponseReceived)
    # What comes after the answer is not an error of the connection.
    client.h2.send_data(stream, b"x" * 1000, end_stream=True)
    await client.flush()
    await client.request()

    assert status_of(response) == 413
    assert status_of(await client.hear(h2.events.ResponseReceived)) == 200


async def test_a_stalled_body_is_408_over_http2(serve: Any, certificate: TlsFiles, dial: Any) -> None:
    client = await dial.http2(await serve(tls=certificate, body_seconds=0.2))

    await client.request(method="POST", end=False)
    response = await client.hear(h2.events.ResponseReceived)

    assert status_of(response) == 408


@pytest.mark.parametrize("kind", ["raises", "silent", "line break"])
async def test_a_failing_application_is_500_over_http2(serve: Any, certificate: TlsFiles, dial: Any, kind: str) -> None:
    async def broken(_scope: Scope, _receive: Receive, send: Send) -> None:  # noqa: ASYNC910 # ends on the other side of a socket
        if kind == "raises":
            raise RuntimeError("secret")
        if kind == "line break":
            await send({"type": "http.response.start", "status": 200, "headers": [(b"x", b"a\r\nb: c")]})

    client = await dial.http2(await serve(broken, tls=certificate))

    stream = await client.request()
    response = await client.hear(h2.events.ResponseReceived)

    assert status_of(response) == 500
    assert b"secret" not in await body_of(client, stream)


async def test_an_exception_in_the_middle_resets_the_stream(serve: Any, certificate: TlsFiles, dial: Any) -> None:
    async def broken(_scope: Scope, _receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": [(b"connection", b"close")]})
        await send({"type": "http.response.body", "body": b"half", "more_body": True})
        raise RuntimeError("secret")

    client = await dial.http2(await serve(broken, tls=certificate))

    await client.request()
    reset = await client.hear(h2.events.StreamReset)

    assert reset.error_code == h2.errors.ErrorCodes.INTERNAL_ERROR


async def test_an_application_hears_that_a_stream_was_reset(serve: Any, certificate: TlsFiles, dial: Any) -> None:
    heard = trio.Event()
    began = trio.Event()

    async def waiting(_scope: Scope, receive: Receive, _send: Send) -> None:
        await receive()
        began.set()
        if (await receive())["type"] == "http.disconnect":
            heard.set()

    client = await dial.http2(await serve(waiting, tls=certificate))
    stream = await client.request()
    await began.wait()

    client.h2.reset_stream(stream)
    await client.flush()

    await heard.wait()


async def test_an_application_that_still_runs_hears_that_the_client_left(
    serve: Any, certificate: TlsFiles, dial: Any
) -> None:
    ended = trio.Event()

    async def flood(scope: Scope, receive: Receive, send: Send) -> None:
        await receive()
        await send({"type": "http.response.start", "status": 200, "headers": []})
        try:
            while True:
                await send({"type": "http.response.body", "body": b"x" * 10_000, "more_body": True})
        finally:
            ended.set()

    client = await dial.http2(await serve(flood, tls=certificate))
    await client.request()
    await client.hear(h2.events.ResponseReceived)

    await client.stream.transport_stream.aclose()

    await ended.wait()


async def test_an_application_that_goes_on_sending_is_told_that_its_stream_was_reset(
    serve: Any, certificate: TlsFiles, dial: Any
) -> None:
    told = trio.Event()
    turns = 0

    async def flood(_scope: Scope, _receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        sent, seen = 0, -1
        while sent < 100:
            try:
                await send({"type": "http.response.body", "body": b"x" * 10_000, "more_body": True})
            except ClientDisconnectedError:
                told.set()
                return
            sent, seen = (sent + 1, seen) if seen == turns else (0, turns)
        pytest.fail("nobody else has a turn")

    client = await dial.http2(await serve(flood, tls=certificate))
    stream = await client.request()
    await client.hear(h2.events.ResponseReceived)
    client.h2.reset_stream(stream)
    await client.flush()

    with trio.fail_after(10):
        while not told.is_set():
            turns += 1
            await trio.lowlevel.checkpoint()


async def test_sending_is_a_checkpoint_even_when_nothing_is_sent(nursery: trio.Nursery) -> None:
    async def drop(_message: object) -> None:
        """Do what hypercorn does for a stream that is gone."""

    client, stream = trio.testing.memory_stream_pair()
    edge = Edge(api=echo, pages=echo, limits=Limits())
    connection = Http2Connection(stream, Peer(("192.0.2.7", 4711), ("127.0.0.1", 8000), "https"), edge)
    nursery.start_soon(connection.run)

    with trio.testing.assert_checkpoints():
        await connection.send(drop, {"type": "http.response.body", "body": b"x", "more_body": True})

    await client.aclose()


async def test_a_client_that_gives_little_window_costs_little_memory(
    serve: Any, certificate: TlsFiles, dial: Any
) -> None:
    sent = 0

    async def large(_scope: Scope, _receive: Receive, send: Send) -> None:
        nonlocal sent
        await send({"type": "http.response.start", "status": 200, "headers": []})
        while True:
            await send({"type": "http.response.body", "body": b"x" * 10_000, "more_body": True})
            sent += 10_000

    client = await dial.http2(await serve(large, tls=certificate))
    stream = await client.request()
    await client.hear(h2.events.ResponseReceived)
    for _ in range(100):
        client.h2.increment_flow_control_window(1, stream)
        client.h2.increment_flow_control_window(1)
        await client.flush()
    client.h2.ping(b"all seen")
    await client.flush()
    await client.hear(h2.events.PingAckReceived)

    assert 65_536 <= sent <= 65_536 + 2 * 65_536


async def test_a_client_that_gives_no_window_is_cut_off(serve: Any, certificate: TlsFiles, dial: Any) -> None:
    async def large(_scope: Scope, _receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"x" * 1_000_000})

    server = await serve(large, tls=certificate, write_seconds=0.3, slowest_bytes_per_second=10**9)
    client = await dial.http2(server)
    await client.request()
    await client.hear(h2.events.ResponseReceived)

    await eventually(lambda: not server.connections, seconds=5)


async def test_an_idle_http2_connection_is_closed_with_a_goodbye(serve: Any, certificate: TlsFiles, dial: Any) -> None:
    client = await dial.http2(await serve(tls=certificate, idle_seconds=0.2))

    goodbye = await client.hear(h2.events.ConnectionTerminated)

    assert goodbye.error_code == h2.errors.ErrorCodes.NO_ERROR


async def test_what_is_in_flight_is_answered_over_http2_when_the_server_drains(
    serve: Any, certificate: TlsFiles, dial: Any
) -> None:
    server = await serve(tls=certificate)
    client = await dial.http2(server)
    stream = await client.request(method="POST", end=False)
    await trio.testing.wait_all_tasks_blocked(0.05)
    server.begin_drain()

    late = await client.request()
    refused = await client.hear(h2.events.StreamReset)
    client.h2.send_data(stream, b"hello", end_stream=True)
    await client.flush()
    body = await body_of(client, stream)
    await server.stopped.wait()

    assert (refused.stream_id, refused.error_code) == (late, h2.errors.ErrorCodes.REFUSED_STREAM)
    assert body == b"2 https POST / 5"


async def test_streams_that_are_reset_quickly_do_not_pile_up(serve: Any, certificate: TlsFiles, dial: Any) -> None:
    running = 0
    most = 0

    async def slow(scope: Scope, receive: Receive, send: Send) -> None:
        nonlocal running, most
        running += 1
        most = max(most, running)
        await trio.sleep(0.05)
        running -= 1
        await echo(scope, receive, send)

    client = await dial.http2(await serve(slow, tls=certificate, streams_per_connection=5))
    await client.hear(h2.events.RemoteSettingsChanged)
    for _ in range(50):
        stream = await client.request()
        client.h2.reset_stream(stream)
    await client.flush()
    await client.request()

    assert status_of(await client.hear(h2.events.ResponseReceived)) == 200
    assert most <= 5


async def test_a_protocol_error_ends_the_connection(serve: Any, certificate: TlsFiles, dial: Any) -> None:
    server = await serve(tls=certificate)
    stream = await dial(server, "h2")

    await stream.send_all(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")

    await eventually(lambda: not server.connections, seconds=5)
