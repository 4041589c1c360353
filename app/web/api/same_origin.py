"""Refuses state changes that another site made the browser send.

A cookie goes along with every request to its site, whoever caused it; so where a cookie speaks, the browser must say
that the page was ours. `Sec-Fetch-Site` says it best. Browsers send it to secure origins only, so a home server on
plain HTTP is judged by `Origin`. Whoever says neither is refused. A bearer token cannot be sent by another site at
all and needs none of this.
"""

from typing import Final
from urllib.parse import urlsplit

from app.web.api.request import Request
from app.web.errors import RequestRefusedError

SAFE_METHODS: Final = frozenset({"GET", "HEAD", "OPTIONS"})
_OWN_SITES: Final = frozenset({"same-origin", "none"})
# What a form can send without asking first (Fetch standard, CORS-safelisted request header).
_FORM_TYPES: Final = ("application/x-www-form-urlencoded", "multipart/form-data", "text/plain")
_DEFAULT_PORTS: Final = {"http": 80, "https": 443}


class SameOrigin:
    """Knows which origins are ours."""

    def __init__(self, public_url: str | None = None) -> None:
        self._public = _origin(public_url) if public_url else None

    def check(self, request: Request) -> None:
        """Let a request with a cookie pass if a page of ours sent it.

        Raises:
            RequestRefusedError: It did not, or does not say.
        """
        if self._says(request) is not True:
            raise _refused("A page of another site cannot do this. Programs use a bearer token instead of the cookie.")
        if (request.header(b"content-type") or "").lower().startswith(_FORM_TYPES):
            raise _refused("A form cannot do this; send JSON.")

    def check_not_foreign(self, request: Request) -> None:
        """Let a sign-in pass unless another site sent it: it would sign people in as somebody else.

        Raises:
            RequestRefusedError: Another site did.
        """
        if self._says(request) is False:
            raise _refused("Another site cannot sign people in here.")

    def _says(self, request: Request) -> bool | None:
        """Return whether a page of ours sent this; None: the request does not say."""
        site = request.header(b"sec-fetch-site")
        if site is not None:
            return site.lower() in _OWN_SITES
        origin = request.header(b"origin")
        return None if origin is None else self._is_ours(origin, request)

    def _is_ours(self, origin: str, request: Request) -> bool:
        given = _origin(origin)
        if given is None:
            return False
        if given == self._public:
            return True
        # A proxy may take the TLS off before us, so https is ours even where we see http; never the other way round.
        if request.secure and given[0] != "https":
            return False
        return given == _origin(f"{given[0]}://{request.header(b'host') or ''}")


def _origin(url: str) -> tuple[str, str, int] | None:
    """Return scheme, host and port; None for `null` and everything else that is not an origin of the web."""
    try:
        parts = urlsplit(url)
        port = parts.port or _DEFAULT_PORTS.get(parts.scheme)
    except ValueError:
        return None
    return (parts.scheme, parts.hostname, port) if parts.hostname and port else None


def _refused(detail: str) -> RequestRefusedError:
    return RequestRefusedError("cross_site_request", detail)
