"""How long to wait for a body that comes in pieces."""

from app.web.server.limits import SLOWEST_BYTES_PER_SECOND


class Patience:
    """A pause of at most so many seconds; each byte earns a little more, up to the same pause again.

    Only waiting is counted, so an application that takes its time costs the client nothing.
    """

    __slots__ = ("_most", "seconds")

    def __init__(self, seconds: float) -> None:
        self._most = seconds
        self.seconds = seconds

    def spend(self, waited_seconds: float, received_bytes: int) -> None:
        """Count a wait and what it brought."""
        left = self.seconds - waited_seconds + received_bytes / SLOWEST_BYTES_PER_SECOND
        self.seconds = min(left, self._most)
