"""Fires reminders when they come due.

Sleeps until the next one, or until the doorbell says that the schedule changed. Keeps no schedule of its own: after a
restart, an overslept night or a step of the clock it asks the database again.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import trio

from monitoring import logs, metrics, tracing

if TYPE_CHECKING:
    from actors.doorbell import Doorbell
    from app.ports.delivering import ReminderSchedule

log = logs.get_logger("reminder")

BATCH: Final = 200
# Wall clocks jump, and other processes set reminders too: a cap on the nap bounds how late one can be.
MAX_NAP_SECONDS: Final = 30.0
# What is due and was not fired is held by somebody else's transaction: asked again after this, not at once.
MIN_NAP_SECONDS: Final = 0.02


def nap(seconds: float | None) -> float:
    """Return how long to sleep when the next one is due in so many seconds; None: there is none."""
    return MAX_NAP_SECONDS if seconds is None else min(max(seconds, MIN_NAP_SECONDS), MAX_NAP_SECONDS)


@dataclass(frozen=True, slots=True, kw_only=True)
class ReminderClockwork:
    """One loop over ``ReminderSchedule``; ``fired`` and ``deliver`` are rung when something went out."""

    schedule: ReminderSchedule
    bell: Doorbell
    fired: Doorbell
    deliver: Doorbell

    async def run(self, *, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED) -> None:
        """Run until cancelled."""
        await self._fire_all()
        task_status.started()
        while True:
            seconds = await self.schedule.seconds_to_next()
            with trio.move_on_after(nap(seconds)):
                await self.bell.wait()
            await self._fire_all()

    async def _fire_all(self) -> None:
        while await self._fire_batch() == BATCH:
            pass

    async def _fire_batch(self) -> int:
        began = trio.current_time()
        with tracing.span("reminder.schedule", attributes={"rondo.agent": "reminder"}):
            firing = await self.schedule.fire_due(BATCH)
        if firing.reminder_ids:
            metrics.AGENT_OPERATIONS_TOTAL.labels("reminder", "reminder.fire", "success").inc(len(firing.reminder_ids))
            metrics.AGENT_OPERATION_DURATION_SECONDS.labels("reminder", "reminder.fire").observe(
                trio.current_time() - began
            )
            log.info(
                "Reminders fired",
                event="reminder.fired",
                count=len(firing.reminder_ids),
                mostLateSeconds=round(firing.most_late_seconds, 3),
            )  # fmt: skip - one fact, one line
            self.fired.ring()
            self.deliver.ring()
        return len(firing.reminder_ids)
