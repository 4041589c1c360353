"""Finds out who asks: `Authorization: Bearer`, else the session cookie. And gives and takes the cookie.

The cookie's name says whether TLS guards it: `__Host-` makes browsers insist on Secure, on Path=/ and on no Domain, so
that neither a neighbour nor plain HTTP can plant one. Who comes by the public address, and that is https, has come by
TLS whether it shows or not: it may end before us, at a proxy that does not say so or is not believed. Who comes by
another address of the same Rondo, such as one at home, may have come without.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Final
from urllib.parse import urlsplit

from app.domain.errors import NotAuthenticatedError
from app.services.accounts import AccountService
from app.services.context import Principal
from app.web.answer import Header
from app.web.api.request import Request
from app.web.api.same_origin import SAFE_METHODS, SameOrigin
from monitoring import metrics

SECURE_COOKIE: Final = "__Host-rondo"
PLAIN_COOKIE: Final = "rondo_session"
# Ours have 49 characters. Longer ones are not worth a hash.
MAX_TOKEN_CHARACTERS: Final = 256

_ATTEMPTS: Final = {
    (method, success): metrics.AUTH_ATTEMPTS_TOTAL.labels(method, "success" if success else "failure")
    for method in ("bearer", "cookie")
    for success in (True, False)
}


@dataclass(frozen=True, slots=True)
class Credentials:
    """A token, and how it came: `bearer` or `cookie`."""

    token: str
    method: str


@dataclass(frozen=True, slots=True)
class SessionCookies:
    """Knows which cookie carries a session.

    Attributes:
        secure_hosts: What `Host` says where people come by TLS, whether that shows on a request or not.
    """

    secure_hosts: frozenset[bytes] = frozenset()

    @classmethod
    def at(cls, public_url: str | None) -> "SessionCookies":
        """Return what holds where people come by this address."""
        address = urlsplit((public_url or "").lower())
        if address.scheme != "https":
            return cls()
        host = address.netloc.encode().removesuffix(b":443")
        return cls(frozenset({host, host + b":443"} if address.port in {None, 443} else {host}))

    def token(self, request: Request) -> str:
        """Return the token in the cookie, empty without one."""
        return _cookies(request).get(self._name(request), "")

    def give(self, request: Request, token: str, expires_at: datetime, now: datetime) -> Header:
        """Return the header that gives the browser a session."""
        return self._header(request, token, max(0, int((expires_at - now).total_seconds())))

    def take(self, request: Request) -> Header:
        """Return the header that takes the session from the browser."""
        return self._header(request, "", 0)

    def _header(self, request: Request, token: str, seconds: int) -> Header:
        text = f"{self._name(request)}={token}; Path=/; Max-Age={seconds}; HttpOnly; SameSite=Lax"
        return b"set-cookie", (text + "; Secure" if self._is_secure(request) else text).encode()

    def _name(self, request: Request) -> str:
        return SECURE_COOKIE if self._is_secure(request) else PLAIN_COOKIE

    def _is_secure(self, request: Request) -> bool:
        return request.secure or request.headers.get(b"host", b"").lower() in self.secure_hosts


def find_credentials(request: Request, cookies: SessionCookies) -> Credentials | None:
    """Return the token of a request. A bearer token wins; other schemes belong to proxies and are not ours."""
    scheme, _, token = (request.header(b"authorization") or "").partition(" ")
    if scheme.lower() == "bearer":
        return Credentials(token.strip(), "bearer")
    token = cookies.token(request)
    return Credentials(token, "cookie") if token else None


async def authenticate(
    request: Request, accounts: AccountService, same_origin: SameOrigin, cookies: SessionCookies
) -> Principal:
    """Return who asks.

    Raises:
        NotAuthenticatedError: Nobody we know.
        RequestRefusedError: The cookie came along with a request that another site may have made.
    """
    credentials = find_credentials(request, cookies)
    if credentials is None:
        raise NotAuthenticatedError
    if credentials.method == "cookie" and request.method not in SAFE_METHODS:
        same_origin.check(request)
    usable = 0 < len(credentials.token) <= MAX_TOKEN_CHARACTERS and credentials.token.isascii()
    principal = await accounts.authenticate(credentials.token) if usable else None
    _ATTEMPTS[credentials.method, principal is not None].value += 1
    if principal is None:
        raise NotAuthenticatedError("The session has ended. Sign in again.")
    return principal


def _cookies(request: Request) -> dict[str, str]:
    pairs = (part.strip().partition("=") for part in (request.header(b"cookie") or "").split(";"))
    return {name: value for name, _, value in pairs}
