"""What every response tells the browser to refuse: one list for API, pages, static files and errors.

Sources: OWASP ASVS 5.0, chapter 3; Content Security Policy Level 3; Trusted Types.
"""

from typing import Final

# No inline script or style anywhere, nothing from elsewhere, no framing, no plugins. `manifest-src` and `worker-src`
# are what an installable page needs on top; `connect-src 'self'` covers the WebSocket of the same origin.
CONTENT_SECURITY_POLICY: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
    "manifest-src 'self'; worker-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'; "
    "object-src 'none'; require-trusted-types-for 'script'"
)

_ONE_YEAR_SECONDS: Final = 365 * 24 * 3600

SECURITY_HEADERS: Final[tuple[tuple[bytes, bytes], ...]] = (
    (b"content-security-policy", CONTENT_SECURITY_POLICY.encode()),
    # Browsers ignore this one over plain HTTP, so it is safe to say always.
    (b"strict-transport-security", f"max-age={_ONE_YEAR_SECONDS}; includeSubDomains".encode()),
    (b"x-content-type-options", b"nosniff"),
    # `no-referrer` would also blank the Origin of form posts, which the same-origin check reads.
    (b"referrer-policy", b"same-origin"),
    (b"cross-origin-opener-policy", b"same-origin"),
    (b"cross-origin-resource-policy", b"same-origin"),
    (b"permissions-policy", b"camera=(), geolocation=(), microphone=(), payment=(), usb=()"),
    (b"x-frame-options", b"DENY"),
)
