"""Where the edge listens, and what it says when it cannot."""

from __future__ import annotations

import os
import socket
import stat
from typing import TYPE_CHECKING, Any

import pytest
import trio

from app.web.server import InheritedSocket, ListenError, TcpAddress, UnixAddress, inherited_sockets
from app.web.server.listeners import open_listeners

if TYPE_CHECKING:
    from pathlib import Path

CLOSING = b"GET /x HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"


async def test_it_says_where_it_listens_when_the_kernel_chose_the_port(serve: Any) -> None:
    server = await serve()

    assert server.port > 0
    assert (await server.ask(CLOSING)).endswith(b"1.1 http GET /x 0")


def test_a_name_with_two_addresses_gets_one_port() -> None:
    listeners = open_listeners([TcpAddress("localhost", 0)])
    ports = {listener.address.port for listener in listeners if isinstance(listener.address, TcpAddress)}
    for listener in listeners:
        listener.close()

    assert len(ports) == 1


def test_a_port_that_is_taken_is_one_clear_sentence() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]

        with pytest.raises(ListenError, match=f"Cannot listen on 127.0.0.1:{port}: another process already listens"):
            open_listeners([TcpAddress("127.0.0.1", port)])


def test_nothing_stays_open_when_one_address_fails() -> None:
    with socket.create_server(("127.0.0.1", 0)) as free, socket.create_server(("127.0.0.1", 0)) as taken:
        first, second = free.getsockname()[1], taken.getsockname()[1]
        free.close()

        with pytest.raises(ListenError):
            open_listeners([TcpAddress("127.0.0.1", first), TcpAddress("127.0.0.1", second)])
        open_listeners([TcpAddress("127.0.0.1", first)])[0].close()


@pytest.mark.parametrize(
    ("host", "why"), [("192.0.2.1", "no such address"), ("no-such-host.invalid", "no address here")]
)
def test_a_host_that_is_not_here_is_one_clear_sentence(host: str, why: str) -> None:
    with pytest.raises(ListenError, match=why):
        open_listeners([TcpAddress(host, 0)])


def test_a_port_that_is_taken_says_what_to_do_and_no_number() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]

        assert refused(TcpAddress("127.0.0.1", port)) == (
            f"Cannot listen on 127.0.0.1:{port}: another process already listens there; stop it or choose another port."
        )


def test_a_unix_socket_says_what_to_do(tmp_path: Path) -> None:
    long = tmp_path / ("x" * 108)
    file = tmp_path / "notes.txt"
    file.write_text("precious")

    size = len(os.fsencode(long))
    assert refused(UnixAddress(long)).endswith(
        f": its path has {size} bytes, and a Unix socket's has at most 107; choose a shorter one."
    )
    assert refused(UnixAddress(tmp_path / "nowhere" / "edge.sock")).endswith(
        "/edge.sock: its directory does not exist; make it or choose another path."
    )
    assert refused(UnixAddress(file)).endswith(": it exists and is not a socket; remove it or choose another path.")
    assert refused(UnixAddress(file / "edge.sock")).endswith(": Not a directory; choose another path.")


def test_a_unix_socket_may_have_the_longest_path(tmp_path: Path) -> None:
    path = tmp_path / ("x" * (107 - len(os.fsencode(tmp_path)) - 1))

    listener = open_listeners([UnixAddress(path)])[0]

    assert path.is_socket()
    listener.close()


def test_a_descriptor_that_is_not_there_says_what_to_do() -> None:
    assert refused(InheritedSocket(10**6)).endswith(
        ": Bad file descriptor; hand over a stream socket that listens, as systemd does."
    )


def refused(address: Any) -> str:
    with pytest.raises(ListenError) as caught:
        open_listeners([address])
    return str(caught.value)


async def test_every_interface_is_ipv4_as_well(serve: Any) -> None:
    async def who(scope: Any, _receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": f"{scope['client'][0]} {scope['server'][0]}".encode()})

    server = await serve(who, addresses=[TcpAddress("::", 0)])

    assert (await server.ask(CLOSING)).endswith(b"\r\n\r\n127.0.0.1 127.0.0.1")


def test_every_interface_of_both_is_two_sockets() -> None:
    listeners = open_listeners([TcpAddress("*", 0)])

    assert {listener.sock.family for listener in listeners} == {socket.AF_INET, socket.AF_INET6}
    for listener in listeners:
        listener.close()


def test_one_address_of_ipv6_is_not_ipv4() -> None:
    listener = open_listeners([TcpAddress("::1", 0)])[0]

    assert listener.sock.getsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY) == 1
    listener.close()


async def test_it_serves_a_unix_socket_that_others_cannot_open(serve: Any, tmp_path: Path) -> None:
    path = tmp_path / "edge.sock"
    server = await serve(addresses=[UnixAddress(path)])
    async with await trio.open_unix_socket(path) as stream:
        await stream.send_all(CLOSING)
        data = await stream.receive_some()

    assert data.startswith(b"HTTP/1.1 200")
    assert stat.S_IMODE(path.stat().st_mode) == 0o660
    server.begin_drain()
    await server.stopped.wait()
    assert not path.exists()


def test_a_unix_socket_that_a_crash_left_is_taken_over(tmp_path: Path) -> None:
    path = tmp_path / "edge.sock"
    with socket.socket(socket.AF_UNIX) as left:
        left.bind(str(path))

    listener = open_listeners([UnixAddress(path)])[0]

    assert listener.address == UnixAddress(path)
    listener.close()


def test_a_unix_socket_that_lives_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "edge.sock"
    with socket.socket(socket.AF_UNIX) as alive:
        alive.bind(str(path))
        alive.listen()

        with pytest.raises(ListenError, match="another process already listens"):
            open_listeners([UnixAddress(path)])
    assert path.exists()


def test_a_file_is_not_mistaken_for_a_socket(tmp_path: Path) -> None:
    path = tmp_path / "notes.txt"
    path.write_text("precious")

    with pytest.raises(ListenError, match="not a socket"):
        open_listeners([UnixAddress(path)])
    assert path.read_text() == "precious"


async def test_it_serves_a_socket_that_systemd_opened_and_leaves_it_open(serve: Any) -> None:
    with socket.create_server(("127.0.0.1", 0)) as inherited:
        server = await serve(addresses=[InheritedSocket(inherited.fileno())])
        data = await server.ask(CLOSING)
        server.begin_drain()
        await server.stopped.wait()

        assert data.startswith(b"HTTP/1.1 200")
        assert inherited.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN)


async def test_an_ipv4_client_of_a_dual_stack_socket_has_its_ipv4_address(serve: Any) -> None:
    async def who(scope: Any, _receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": f"{scope['client'][0]} {scope['server'][0]}".encode()})

    with socket.create_server(("::", 0), family=socket.AF_INET6, dualstack_ipv6=True) as inherited:
        server = await serve(who, addresses=[InheritedSocket(inherited.fileno())], connections_per_address=0)

        assert (await server.ask(CLOSING)).endswith(b"\r\n\r\n127.0.0.1 127.0.0.1")


def test_a_descriptor_that_does_not_listen_is_one_clear_sentence() -> None:
    with socket.socket() as idle, pytest.raises(ListenError, match="not a listening stream socket"):
        open_listeners([InheritedSocket(idle.fileno())])


def test_sockets_for_another_process_are_not_ours() -> None:
    environ = {"LISTEN_PID": str(os.getpid()), "LISTEN_FDS": "2"}

    assert inherited_sockets(environ, os.getpid()) == [InheritedSocket(3), InheritedSocket(4)]
    assert inherited_sockets(environ, os.getpid() + 1) == []
    assert inherited_sockets({}, os.getpid()) == []
