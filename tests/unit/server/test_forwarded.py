"""Who the client is behind proxies, and who only says so."""

from collections.abc import Iterator
from typing import Any

import pytest

from app.web.server.edge import Peer
from app.web.server.forwarded import MOST_TOLD, TrustedProxies, UnbelievedProxies, networks
from tests.fixtures.told import Told, logged

PROXIES = TrustedProxies(networks=networks(["10.0.0.0/8", "fd00::/8"]))
PEER = ("10.0.0.1", 5000)

CASES = {
    "nothing was said": ([], ("10.0.0.1", "http")),
    "one hop": ([("x-forwarded-for", "203.0.113.9"), ("x-forwarded-proto", "https")], ("203.0.113.9", "https")),
    "two trusted hops": ([("x-forwarded-for", "203.0.113.9, 10.1.1.1")], ("203.0.113.9", "http")),
    "a forged first entry": ([("x-forwarded-for", "127.0.0.1, 203.0.113.9")], ("203.0.113.9", "http")),
    "a forged header before the proxy's": (
        [("x-forwarded-for", "10.9.9.9"), ("x-forwarded-for", "203.0.113.9")],
        ("203.0.113.9", "http"),
    ),
    "only proxies": ([("x-forwarded-for", "10.2.2.2, 10.1.1.1")], ("10.2.2.2", "http")),
    "nonsense ends the walk": ([("x-forwarded-for", "203.0.113.9, unknown")], ("10.0.0.1", "http")),
    "nonsense behind a proxy": ([("x-forwarded-for", "evil, 10.1.1.1")], ("10.1.1.1", "http")),
    "an address with a port": ([("x-forwarded-for", "203.0.113.9:80")], ("203.0.113.9", "http")),
    "IPv6": ([("x-forwarded-for", "2001:db8::7")], ("2001:db8::7", "http")),
    "IPv6 with a port": ([("x-forwarded-for", "[2001:db8::7]:443")], ("2001:db8::7", "http")),
    "IPv4 in IPv6": ([("x-forwarded-for", "::ffff:203.0.113.9")], ("203.0.113.9", "http")),
    "a scheme per hop": (
        [("x-forwarded-for", "203.0.113.9, 10.1.1.1"), ("x-forwarded-proto", "https, http")],
        ("203.0.113.9", "https"),
    ),
    "a forged scheme before the proxy's": (
        [("x-forwarded-for", "203.0.113.9"), ("x-forwarded-proto", "http, https")],
        ("203.0.113.9", "https"),
    ),
    "a scheme that is none": (
        [("x-forwarded-for", "203.0.113.9"), ("x-forwarded-proto", "javascript")],
        ("203.0.113.9", "http"),
    ),
    "Forwarded is not read": ([("forwarded", "for=198.51.100.1;proto=https")], ("10.0.0.1", "http")),
    "Forwarded beside the proxy's word": (
        [("forwarded", "for=198.51.100.1;proto=https"), ("x-forwarded-for", "203.0.113.9")],
        ("203.0.113.9", "http"),
    ),
}


@pytest.mark.accepts("X21")
@pytest.mark.parametrize(("headers", "expected"), CASES.values(), ids=CASES)
def test_the_client_is_the_last_address_that_is_not_a_proxy(
    headers: list[tuple[str, str]], expected: tuple[str, str]
) -> None:
    raw = [(name.encode(), value.encode()) for name, value in headers]

    client, scheme = PROXIES.client(PEER, "http", raw)

    assert client is not None
    assert (client[0], scheme) == expected


@pytest.mark.parametrize(
    ("host", "trusted"),
    [("10.1.2.3", True), ("::ffff:10.1.2.3", True), ("fd00::1", True), ("192.0.2.1", False), ("not an address", False)],
)
def test_only_configured_networks_are_trusted(host: str, trusted: bool) -> None:  # noqa: FBT001 # a column of the table
    assert PROXIES.trusts(host) is trusted


def test_peers_of_a_unix_socket_are_trusted_only_when_configured() -> None:
    assert not PROXIES.trusts(None)
    assert TrustedProxies(unix_peers=True).trusts(None)


def test_a_client_behind_a_unix_socket_can_be_named() -> None:
    client, scheme = TrustedProxies(unix_peers=True).client(None, "http", [(b"x-forwarded-for", b"203.0.113.9")])

    assert (client, scheme) == (("203.0.113.9", 0), "http")


# --- what is not believed is said ----------------------------------------------------------------------------

FORWARDED = [(b"host", b"a"), (b"x-forwarded-for", b"203.0.113.9")]


@pytest.fixture
def told() -> Iterator[Told]:
    """Call it for the warnings of proxies so far."""
    with logged("edge.proxy.untrusted") as read:
        yield read


def test_what_a_peer_forwards_that_is_not_trusted_is_said_once_for_its_place(told: Told) -> None:
    proxies = UnbelievedProxies()

    for host in ("172.17.0.1", "172.17.0.1", "2001:db8::1", "2001:db8::2"):
        proxies.look((host, 4711), FORWARDED)

    lines = told()
    assert [line["address"] for line in lines] == ["172.17.0.1", "2001:db8::1"]
    assert {line["level"].lower() for line in lines} == {"warning"}
    assert "RONDO_TRUSTED_PROXIES" in lines[0]["message"]


def test_who_forwards_nothing_is_not_mentioned(told: Told) -> None:
    UnbelievedProxies().look(("172.17.0.1", 4711), [(b"host", b"a"), (b"forwarded", b"for=203.0.113.9")])
    UnbelievedProxies().look(None, FORWARDED)

    assert told() == []


def test_many_who_forward_do_not_fill_the_log(told: Told) -> None:
    proxies = UnbelievedProxies()

    for number in range(2 * MOST_TOLD):
        proxies.look((f"192.0.2.{number}", 4711), FORWARDED)

    assert len(told()) == MOST_TOLD


@pytest.mark.parametrize(("trusted", "lines"), [(True, 0), (False, 1)])
async def test_a_connection_looks_at_its_first_request(wire: Any, told: Told, trusted: bool, lines: int) -> None:  # noqa: FBT001 # a column of the table
    connection = wire(peer=Peer(("192.0.2.7", 4711), ("127.0.0.1", 8000), "http", trusted))

    await connection.ask(b"GET / HTTP/1.1\r\nHost: a\r\nX-Forwarded-Proto: https\r\n\r\n" * 2)

    assert len(told()) == lines
