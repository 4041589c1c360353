"""Finds out who asks: `Authorization: Bearer`, else the session cookie. And gives and takes the cookie.

The cookie's name says whether TLS guards it: `__Host-` makes browsers insist on Secure, on Path=/ and on no Domain, so
that neither a neighbour nor plain HTTP can plant one.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Final

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


def find_credentials(request: Request) -> Credentials | None:
    """Return the token of a request. A bearer token wins; other schemes belong to proxies and are not ours."""
    scheme, _, token = (request.header(b"authorization") or "").partition(" ")
    if scheme.lower() == "bearer":
        return Credentials(token.strip(), "bearer")
    token = _cookies(request).get(cookie_name(secure=request.secure), "")
    return Credentials(token, "cookie") if token else None


async def authenticate(request: Request, accounts: AccountService, same_origin: SameOrigin) -> Principal:
    """Return who asks.

    Raises:
        NotAuthenticatedError: Nobody we know.
        RequestRefusedError: The cookie came along with a request that another site may have made.
    """
    credentials = find_credentials(request)
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


def cookie_name(*, secure: bool) -> str:
    """Return the cookie's name for a connection with or without TLS."""
    return SECURE_COOKIE if secure else PLAIN_COOKIE


def set_cookie(token: str, expires_at: datetime, now: datetime, *, secure: bool) -> Header:
    """Return the header that gives the browser a session."""
    return _cookie(token, max(0, int((expires_at - now).total_seconds())), secure=secure)


def clear_cookie(*, secure: bool) -> Header:
    """Return the header that takes the session from the browser."""
    return _cookie("", 0, secure=secure)


def _cookie(token: str, seconds: int, *, secure: bool) -> Header:
    text = f"{cookie_name(secure=secure)}={token}; Path=/; Max-Age={seconds}; HttpOnly; SameSite=Lax"
    return b"set-cookie", (text + "; Secure" if secure else text).encode()


def _cookies(request: Request) -> dict[str, str]:
    pairs = (part.strip().partition("=") for part in (request.header(b"cookie") or "").split(";"))
    return {name: value for name, _, value in pairs}
