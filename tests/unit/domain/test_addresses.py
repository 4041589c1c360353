"""Which addresses are one address, and which belong to one household."""

import pytest

from app.domain.addresses import place, unmapped


@pytest.mark.parametrize(
    ("host", "expected"),
    [
        ("192.0.2.1", "192.0.2.1"),
        ("::ffff:192.0.2.1", "192.0.2.1"),
        ("2001:db8::1", "2001:db8::/64"),
        ("2001:db8:0:0:ffff::2", "2001:db8::/64"),
        ("fe80::1%eth0", "fe80::/64"),
        ("", ""),
        ("not an address", "not an address"),
    ],
)
def test_the_addresses_of_one_household_are_one_place(host: str, expected: str) -> None:
    assert place(host) == expected


@pytest.mark.parametrize(
    ("host", "expected"),
    [
        ("::ffff:127.0.0.1", "127.0.0.1"),
        ("192.0.2.1", "192.0.2.1"),
        ("2001:db8::1", "2001:db8::1"),
        ("fe80::1%2", "fe80::1%2"),
    ],
)
def test_ipv4_in_ipv6_is_ipv4(host: str, expected: str) -> None:
    assert unmapped(host) == expected
