"""What one client, and all clients together, may take from the edge.

Every number has a default that suits a small VM on the open internet; tests and operators hand in their own.
"""

import resource
from dataclasses import dataclass
from typing import Final

# Files that are not sockets of clients: PostgreSQL's connections, logs, listeners, the epoll instance, static files.
RESERVED_FILES: Final = 64
# However small the limit on open files, a handful of clients is served.
FEWEST_CONNECTIONS: Final = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """Bytes, seconds and counts that bound every connection.

    The two short ones are half a second under the promised 10 s and 15 s, so that the promise holds as the client
    measures it. `body_seconds` and `write_seconds` allow for a pause of that length; every byte that does move earns
    more time (`slowest_bytes_per_second`), so a slow line is served and a stuck one is not.
    """

    head_bytes: int = 32 * 1024
    target_bytes: int = 8 * 1024
    header_count: int = 100
    body_bytes: int = 1024 * 1024
    header_seconds: float = 9.5
    body_seconds: float = 14.5
    idle_seconds: float = 75.0
    write_seconds: float = 15.0
    # Below this pace a line is not slow but stuck: a poor mobile one (EDGE) gives twice as much.
    slowest_bytes_per_second: int = 8192
    # How long a connection is read and ignored after it was refused, so that the client can read why.
    linger_seconds: float = 2.0
    # A client that closed its sending side may still read: the application learns that it left only after this.
    half_close_seconds: float = 5.0
    connections: int = 10_000
    connections_per_address: int = 1_000
    drain_seconds: float = 10.0
    websocket_message_bytes: int = 64 * 1024
    ping_seconds: float = 20.0
    pong_seconds: float = 20.0
    streams_per_connection: int = 100

    def send_seconds(self, size: int) -> float:
        """Return how long it may take a client to take this many bytes."""
        return self.write_seconds + size / self.slowest_bytes_per_second


def connections_that_fit(wanted: int) -> int:
    """Return `wanted` connections, or as many as the limit on open files leaves room for."""
    files, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    if files == resource.RLIM_INFINITY:
        return wanted
    return min(wanted, max(FEWEST_CONNECTIONS, files - RESERVED_FILES))
