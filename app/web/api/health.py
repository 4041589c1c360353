"""Whether Rondo is alive, and whether it can do its work, with reasons.

Alive means that the loop turns. Ready means that every named check passes; a check returns the reason why it does not,
fit for strangers' eyes. Checks run at once, each with a limit, and their result serves everybody for a second, so that
nobody can load the database by asking.
"""

import time
from collections.abc import Awaitable, Callable, Mapping
from typing import Final

import trio

from app.ports.database import DatabaseUnavailableError
from monitoring import metrics

Check = Callable[[], Awaitable[str | None]]
"""Returns None when all is well, else one sentence that says what is not."""

CHECK_SECONDS: Final = 1.0
KEEP_SECONDS: Final = 1.0


class Health:
    """Runs the checks."""

    def __init__(self, checks: Mapping[str, Check], version: str) -> None:
        self.version = version
        self._checks = dict(checks)
        self._gauges = {name: metrics.SERVICE_HEALTH_CHECK_STATUS.labels(name) for name in checks}
        self._started = time.monotonic()
        self._found: dict[str, str | None] = {}
        self._found_at = float("-inf")
        self._turn = trio.Lock()

    @property
    def uptime_seconds(self) -> float:
        """How long this process has been serving."""
        return time.monotonic() - self._started

    async def reasons(self) -> Mapping[str, str | None]:
        """Return, for each check in its order, None or why it fails. A bug in a check comes out as a group."""
        async with self._turn:
            if trio.current_time() - self._found_at >= KEEP_SECONDS:
                self._found = await self._run_all()
                self._found_at = trio.current_time()
        return self._found

    async def _run_all(self) -> dict[str, str | None]:
        found: dict[str, str | None] = {}

        async def run(name: str, check: Check) -> None:
            found[name] = await _reason(check)
            self._gauges[name].set(found[name] is None)

        async with trio.open_nursery() as nursery:
            for name, check in self._checks.items():
                nursery.start_soon(run, name, check)
        return {name: found[name] for name in self._checks}


async def _reason(check: Check) -> str | None:
    with trio.move_on_after(CHECK_SECONDS):
        try:
            return await check()
        except DatabaseUnavailableError as error:
            return error.reason
    return f"Did not answer within {CHECK_SECONDS:g} s."
