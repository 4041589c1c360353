"""The accept loop: takes what the kernel has, and survives running out of files."""

import errno
import socket
from collections.abc import Callable
from typing import Any, Final

import trio

from app.web.server.edge import log

# A connection more than these cannot be accepted now; accept(2) says so with one of them.
_EXHAUSTED: Final = frozenset({errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM})
# Long enough that a full process does not spin, short enough that nobody notices once there is room.
EXHAUSTED_SECONDS: Final = 0.1
# One line in this time, not one per attempt: a full process must not fill the disk as well.
LOG_SECONDS: Final = 10.0
# After so many without a pause, the connections that are open get their turn.
_BURST: Final = 64

Admit = Callable[[socket.socket, Any], None]


class Acceptor:
    """Hands every new connection of one listening socket to `admit`, which must not raise."""

    def __init__(self, listener: socket.socket, admit: Admit) -> None:
        self._listener = listener
        self._admit = admit
        self._refused = 0
        self._logged_at = -LOG_SECONDS

    async def run(self) -> None:
        """Run until cancelled."""
        while True:
            await trio.lowlevel.wait_readable(self._listener)
            if not self.accept_waiting():
                self._log_exhausted()
                await trio.sleep(EXHAUSTED_SECONDS)

    def accept_waiting(self) -> bool:
        """Take what waits now; false when the process has no file left for it. Not a checkpoint."""
        for _ in range(_BURST):
            try:
                self._admit(*self._listener.accept())
            except BlockingIOError:
                return True
            except OSError as error:
                if error.errno in _EXHAUSTED:
                    return False
                # The client left while it waited (ECONNABORTED and the network's errors): the next one.
        return True

    def _log_exhausted(self) -> None:
        self._refused += 1
        now = trio.current_time()
        if now - self._logged_at >= LOG_SECONDS:
            log.error(
                "Cannot accept connections: too many files are open.",
                event="edge.accept.exhausted",
                times=self._refused,
            )
            self._logged_at = now
            self._refused = 0
