"""TLS at the edge: one context per loaded certificate, HTTP/2 offered by ALPN."""

import ssl
from dataclasses import dataclass
from pathlib import Path

PROTOCOLS = ["h2", "http/1.1"]


class TlsError(OSError):
    """The certificate or the key cannot be used; the message says which and why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TlsFiles:
    """PEM files: the certificate with its chain, and its unencrypted key."""

    certificate: Path
    key: Path


def load_context(files: TlsFiles) -> ssl.SSLContext:
    """Return a server context for TLS 1.2 and later.

    Raises:
        TlsError: the files cannot be read or do not belong together.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    # The client could make us renegotiate for ever, and a compressed secret can be guessed (CRIME).
    context.options |= ssl.OP_NO_RENEGOTIATION | ssl.OP_NO_COMPRESSION
    context.set_alpn_protocols(PROTOCOLS)
    try:
        # A password callback, so that an encrypted key is an error and not a question on the terminal.
        context.load_cert_chain(files.certificate, files.key, password=_no_password)
    except OSError as error:  # ssl.SSLError is one
        reason = error.strerror or "the key does not belong to the certificate, or one of them is not PEM"
        raise TlsError(f"Cannot use the certificate {files.certificate} with the key {files.key}: {reason}.") from error
    return context


def _no_password() -> str:
    raise PermissionError(1, "the key is encrypted; give one without a password")
