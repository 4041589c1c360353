"""TLS between a socket and asyncpg, in memory: bytes in, bytes out. The context decides which certificates count."""

from __future__ import annotations

import ssl
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import asyncio

# The largest TLS record.
RECORD_BYTES = 16_384


class TlsLayer:
    """One TLS session on the client's side.

    Attributes:
        ready: Done when the handshake is: with None, or with the error that ended it.
        ssl_object: Python's view of the session.
    """

    def __init__(self, context: ssl.SSLContext, server_hostname: str, ready: asyncio.Future[None]) -> None:
        self.ready = ready
        self._incoming, self._outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        self.ssl_object = context.wrap_bio(self._incoming, self._outgoing, server_hostname=server_hostname)

    def begin(self) -> bytes:
        """Return the first bytes to send."""
        self._shake_hands()
        return self._outgoing.read()

    def encrypt(self, data: bytes | bytearray | memoryview) -> bytes:
        """Return the records that carry the data. PostgreSQL never renegotiates, so this never has to wait."""
        rest = memoryview(data)
        while rest:
            rest = rest[self.ssl_object.write(rest) :]
        return self._outgoing.read()

    def decrypt(self, data: bytes) -> tuple[bytes, bytes]:
        """Return the clear text in the received bytes, and what TLS itself has to answer.

        Raises:
            ssl.SSLError: The peer broke the protocol or is not who it should be. A handshake's error goes to `ready`.
        """
        self._incoming.write(data)
        if not self.ready.done():
            self._shake_hands()
        clear = b"".join(iter(self._read, b"")) if self.ready.done() and self.ready.exception() is None else b""
        return clear, self._outgoing.read()

    def _shake_hands(self) -> None:
        try:
            self.ssl_object.do_handshake()
        except ssl.SSLWantReadError:
            return
        except ssl.SSLError as error:
            self.ready.set_exception(error)
        else:
            self.ready.set_result(None)

    def _read(self) -> bytes:
        """Return one record's clear text; nothing if it is not complete, or if the peer said goodbye."""
        try:
            return self.ssl_object.read(RECORD_BYTES)
        except (ssl.SSLWantReadError, ssl.SSLZeroReturnError):
            return b""
