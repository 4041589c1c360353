"""Limits on connections."""

from app.web.server.admission import Admission
from app.web.server.limits import FEWEST_CONNECTIONS, connections_that_fit


def test_no_more_than_the_total_are_admitted() -> None:
    admission = Admission(total=2, per_address=10)

    assert [admission.enter("192.0.2.1"), admission.enter("192.0.2.2"), admission.enter("192.0.2.3")] == [
        True,
        True,
        False,
    ]


def test_one_address_cannot_take_all() -> None:
    admission = Admission(total=10, per_address=2)

    assert [admission.enter("192.0.2.1") for _ in range(3)] == [True, True, False]
    assert admission.enter("192.0.2.2")


def test_who_leaves_makes_room() -> None:
    admission = Admission(total=10, per_address=1)
    admission.enter("192.0.2.1")
    admission.leave("192.0.2.1")

    assert admission.enter("192.0.2.1")
    assert admission.count == 1


def test_the_addresses_of_one_ipv6_network_count_as_one() -> None:
    admission = Admission(total=10, per_address=1)

    assert admission.enter("2001:db8::1")
    assert not admission.enter("2001:db8::2")
    assert admission.enter("2001:db8:0:1::1")


def test_this_machine_proxies_and_unix_sockets_count_only_for_the_total() -> None:
    admission = Admission(total=10, per_address=1, exempt=lambda host: host == "10.0.0.1")

    assert [
        admission.enter(host) for host in ("127.0.0.1", "127.0.0.1", "::1", "10.0.0.1", "10.0.0.1", None, None)
    ] == [True] * 7
    assert admission.count == 7


def test_there_are_never_more_connections_than_files() -> None:
    assert connections_that_fit(1) == 1
    assert connections_that_fit(10**9) < 10**9 or connections_that_fit(10**9) == 10**9
    assert connections_that_fit(10**9) >= FEWEST_CONNECTIONS
