"""Where Rondo listens, and where people find it."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Final

from app.web.server import Address, TcpAddress, UnixAddress, inherited_sockets

if TYPE_CHECKING:
    from app.config import Settings

# No host to put into a link.
EVERYWHERE: Final = frozenset({"0.0.0.0", "::", "127.0.0.1", "::1"})  # noqa: S104 - compared, not bound


def addresses(settings: Settings) -> list[Address]:
    """Return where to listen: what systemd handed over, else the host and port; and the Unix socket."""
    inherited = inherited_sockets(os.environ, os.getpid())
    found: list[Address] = [*inherited] or [TcpAddress(settings.host, settings.port)]
    return found if settings.unix_socket is None else [*found, UnixAddress(settings.unix_socket)]


def public_url(settings: Settings) -> str:
    """Return the address people use, for links in mail."""
    if settings.public_url:
        return settings.public_url.rstrip("/")
    scheme = "https" if settings.tls_cert else "http"
    host = "localhost" if settings.host in EVERYWHERE else settings.host
    return f"{scheme}://{host}:{settings.port}"
