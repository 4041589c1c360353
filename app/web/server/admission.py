"""Who may connect: a limit for all, and one for each address.

Proxies and this machine itself are exempt from the second: behind them are many.
"""

import ipaddress
from collections import Counter
from collections.abc import Callable

from app.domain.addresses import place


class Admission:
    """Counts open connections."""

    def __init__(self, *, total: int, per_address: int, exempt: Callable[[str], bool] = lambda _: False) -> None:
        self._total = total
        self._per_address = per_address
        self._exempt = exempt
        self._open: Counter[str | None] = Counter()
        self._count = 0

    @property
    def count(self) -> int:
        """Return how many connections are open."""
        return self._count

    def enter(self, host: str | None) -> bool:
        """Count a new connection (None: of a Unix socket), unless a limit is reached. IPv4 is not written as IPv6."""
        place = self._place(host)
        if self._count >= self._total or (place is not None and self._open[place] >= self._per_address):
            return False
        self._count += 1
        if place is not None:
            self._open[place] += 1
        return True

    def leave(self, host: str | None) -> None:
        """Forget one that `enter` counted."""
        self._count -= 1
        place = self._place(host)
        if place is not None:
            self._open[place] -= 1
            if not self._open[place]:
                del self._open[place]

    def _place(self, host: str | None) -> str | None:
        if host is None:
            return None
        address = ipaddress.ip_address(host.partition("%")[0])
        if address.is_loopback or self._exempt(host):
            return None
        return place(host)
