"""Periodic work: sweeping what has expired, and counting what the dashboards show."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import trio

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable


@dataclass(frozen=True, slots=True, kw_only=True)
class Periodic:
    """Does one thing now and then again after each pause, measured from its end."""

    every_seconds: float
    work: Callable[[], Awaitable[object]]

    async def run(self, *, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED) -> None:
        """Run until cancelled."""
        task_status.started()
        while True:
            await self.work()
            await trio.sleep(self.every_seconds)
