"""Network addresses as texts: which are the same, and which belong to one household.

What is no address stays as it is: a Unix socket has none.
"""

import ipaddress
from typing import Final

# A household or a host owns a /64; counting single IPv6 addresses would count nothing.
IPV6_PREFIX: Final = 64


def unmapped(host: str) -> str:
    """Return `192.0.2.1` for `::ffff:192.0.2.1`, as a dual-stack socket calls its IPv4 peers; others unchanged."""
    address = _parse(host)
    if isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped is not None:
        return str(address.ipv4_mapped)
    return host


def place(host: str) -> str:
    """Return what limits count: the IPv4 address, or the /64 network of an IPv6 address."""
    host = unmapped(host)
    address = _parse(host)
    if isinstance(address, ipaddress.IPv6Address):
        return str(ipaddress.IPv6Network((int(address), IPV6_PREFIX), strict=False))
    return host


def _parse(host: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        return ipaddress.ip_address(host.partition("%")[0])
    except ValueError:
        return None
