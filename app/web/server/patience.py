"""How long to wait for a body that comes in pieces."""

from app.web.server.limits import Limits


class Patience:
    """A pause of at most so many seconds; each byte earns a little more, up to the same pause again.

    Only waiting is counted, so an application that takes its time costs the client nothing.
    """

    __slots__ = ("_limits", "seconds")

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self.seconds = limits.body_seconds

    def spend(self, waited_seconds: float, received_bytes: int) -> None:
        """Count a wait and what it brought."""
        left = self.seconds - waited_seconds + received_bytes / self._limits.slowest_bytes_per_second
        self.seconds = min(left, self._limits.body_seconds)
