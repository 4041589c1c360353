"""Whether a certificate is of today: shaken hands over in memory, since ``ssl`` shows no certificate of our own."""

from __future__ import annotations

import ssl
from typing import TYPE_CHECKING, Final

from app.web.server.tls import load_context

if TYPE_CHECKING:
    from app.web.server.tls import TlsFiles

# OpenSSL's X509_V_ERR_…, and our words for them.
TIME_PROBLEMS: Final = {9: "is not valid yet", 10: "has expired"}
# Hellos and keys in TLS 1.3: the client has judged after its second turn.
TURNS: Final = 3


def time_problem(files: TlsFiles) -> str:
    """Return what is wrong with the dates of a certificate or of its chain; empty if nothing is.

    Raises:
        TlsError: The files cannot be used to serve.
    """
    to_server, to_client = ssl.MemoryBIO(), ssl.MemoryBIO()
    server = load_context(files).wrap_bio(to_server, to_client, server_side=True)
    client = _trusting(files).wrap_bio(to_client, to_server)
    for _ in range(TURNS):
        for side in (client, server):
            try:
                side.do_handshake()
            except ssl.SSLWantReadError:
                continue
            except ssl.SSLCertVerificationError as refusal:
                return TIME_PROBLEMS.get(refusal.verify_code, "")  # other reasons are the public's to judge
            except ssl.SSLError:
                return ""
    return ""


def _trusting(files: TlsFiles) -> ssl.SSLContext:
    """Return a client that asks for nothing but the dates: it trusts whatever is in the file."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
    context.load_verify_locations(files.certificate)
    return context
