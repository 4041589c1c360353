"""Says in the log why requests are answered 503: people are told that, but not the reason."""

import time
from collections.abc import Callable
from typing import Final

from monitoring import logs

# One line in this time, not one per request: an outage must not fill the disk as well.
LOG_SECONDS: Final = 60.0

log = logs.get_logger("http")


class Outages:
    """Logs the first of a row, and how it goes on once a minute."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._times = 0
        self._logged_at = self._noted_at = float("-inf")

    def note(self, reason: str) -> None:
        """Count an answer, and log if it is time to. Not a checkpoint."""
        now = self._clock()
        if now - self._noted_at >= LOG_SECONDS:
            self._times = 0  # another row: what was not told of the last one is over
        self._times += 1
        self._noted_at = now
        if now - self._logged_at >= LOG_SECONDS:
            log.warning(
                "Requests are answered with 503: the database does not help",
                event="http.database.unavailable",
                reason=reason,
                times=self._times,
            )
            self._logged_at = now
            self._times = 0
