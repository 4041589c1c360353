"""Who the client is when proxies stand in between.

Only what configured proxies say is believed, in `X-Forwarded-For` and `X-Forwarded-Proto`. Each proxy appends the
address it saw, so the list is read from the right, and the first address that is not one of our proxies is the client.
What stands to the left of it, anyone could have written. So it is with `Forwarded` (RFC 7239), which is not read: usual
proxies pass on what the client wrote there.

A proxy that was forgotten in the settings would show only as everyone's address being its own, so it is logged.
"""

import ipaddress
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from app.domain.addresses import place
from app.web.server.asgi import ClientAddress, Headers
from monitoring import logs

Network = ipaddress.IPv4Network | ipaddress.IPv6Network

_SCHEMES = frozenset({"http", "https"})
_FORWARDING: Final = frozenset({b"x-forwarded-for", b"x-forwarded-proto"})
# Anyone can send such a header: the log must not fill with it.
MOST_TOLD: Final = 10

log = logs.get_logger("edge")


@dataclass(frozen=True, slots=True)
class Hop:
    """One element of the list: the peer that a proxy saw, and the scheme it was asked with."""

    node: str
    scheme: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class TrustedProxies:
    """The networks whose word is believed, and whether peers of a Unix socket are proxies too."""

    networks: tuple[Network, ...] = ()
    unix_peers: bool = False

    def trusts(self, host: str | None) -> bool:
        """Tell whether this peer (None: of a Unix socket) is one of the proxies."""
        if host is None:
            return self.unix_peers
        address = _parse(host)
        return address is not None and any(address in network for network in self.networks)

    def client(self, peer: ClientAddress | None, scheme: str, headers: Headers) -> tuple[ClientAddress | None, str]:
        """Return the client's address and scheme as seen by the outermost trusted proxy.

        `peer` must be trusted. Port 0 means that the proxy did not say. What cannot be parsed ends the walk at the
        last hop that could: better a proxy's address in the log than a forged one.
        """
        for hop in reversed(_hops(headers)):
            address = _node(hop.node)
            if address is None:
                return peer, hop.scheme or scheme
            peer, scheme = address, hop.scheme or scheme
            if not self.trusts(address[0]):
                break
        return peer, scheme


class UnbelievedProxies:
    """Says once for each place that what it forwards is not believed; for a few of them, then no more."""

    def __init__(self) -> None:
        self._told: set[str] = set()

    def look(self, peer: ClientAddress | None, headers: Headers) -> None:
        """Look at a request of a peer that is not trusted. Not a checkpoint."""
        if peer is None or len(self._told) >= MOST_TOLD or not any(name in _FORWARDING for name, _ in headers):
            return
        where = place(peer[0])
        if where not in self._told:
            self._told.add(where)
            log.warning(
                "X-Forwarded-For and X-Forwarded-Proto are ignored: they came from an address that is not in "
                "RONDO_TRUSTED_PROXIES. If it is your proxy, add it there.",
                event="edge.proxy.untrusted",
                address=peer[0],
            )


def _hops(headers: Headers) -> list[Hop]:
    """Return what the proxies said, nearest last."""
    nodes = _split(_joined(headers, b"x-forwarded-for"))
    schemes = _split(_joined(headers, b"x-forwarded-proto"))
    if len(schemes) != len(nodes):
        # Most proxies overwrite the scheme instead of appending it: then one value speaks for all hops.
        schemes = [schemes[-1] if schemes else ""] * len(nodes)
    return [Hop(node, _scheme(scheme)) for node, scheme in zip(nodes, schemes, strict=True)]


def _joined(headers: Headers, wanted: bytes) -> str:
    return ",".join(value.decode("latin-1") for name, value in headers if name == wanted)


def _split(values: str) -> list[str]:
    return [value.strip() for value in values.split(",") if value.strip()]


def _scheme(text: str) -> str | None:
    return text.lower() if text.lower() in _SCHEMES else None


def _node(text: str) -> ClientAddress | None:
    """Read `192.0.2.1`, `192.0.2.1:80`, `2001:db8::1`, `[2001:db8::1]:80`; anything else is None."""
    host, port = text, ""
    if text.startswith("["):
        host, _, port = text[1:].partition("]")
        port = port.removeprefix(":")
    elif text.count(":") == 1:
        host, _, port = text.partition(":")
    address = _parse(host)
    if address is None:
        return None
    return str(address), int(port) if port.isascii() and port.isdigit() and len(port) <= 5 else 0


def _parse(host: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        address = ipaddress.ip_address(host.partition("%")[0])
    except ValueError:
        return None
    if isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped is not None:
        return address.ipv4_mapped
    return address


def networks(texts: Iterable[str]) -> tuple[Network, ...]:
    """Return the networks these texts name, e.g. `10.0.0.0/8` or `::1`."""
    return tuple(ipaddress.ip_network(text) for text in texts)
