"""Delivers what the ledger holds for one channel: claim, send, record, and again later when it did not work.

At least once: the claim runs out if this process dies in the middle, and the stable message id lets the receiver
recognise the second copy. While a provider does not answer its circuit is open: deliveries wait in the ledger, where
they use up no attempts, and one at a time goes out as a probe.
"""

from __future__ import annotations

import random
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

import trio

from actors.circuit_breaker import BreakerSettings, Circuit, Trial
from app.ports.delivering import Outcome
from monitoring import logs, metrics, tracing

if TYPE_CHECKING:
    from actors.circuit_breaker import CircuitBreaker
    from actors.doorbell import Doorbell
    from app.ports.delivering import Channel, Delivery, DeliveryLedger

log = logs.get_logger("deliveries")

# As many conversations at once; the rest waits in the ledger.
WORKERS: Final = 4
# Longer than the slowest attempt, so that a claim never runs out under a worker that is alive.
LEASE_SECONDS: Final = 90.0
MAX_NAP_SECONDS: Final = 30.0
# What waits and could not be claimed is being claimed by another process: asked again after this, not at once.
MIN_NAP_SECONDS: Final = 0.02
# 15 s, 30 s, 1 min … 1 h, with jitter so that a thousand do not come back at once; together about 20 hours.
FIRST_RETRY_SECONDS: Final = 15.0
MAX_RETRY_SECONDS: Final = 3600.0
MAX_ATTEMPTS: Final = 28
JITTER: Final = 0.2
# Two rounds of time-outs (30 s each) open it, and five quick refusals; who is back is noticed within minutes.
PROVIDER: Final = BreakerSettings(failures=5, within_seconds=120.0, first_seconds=15.0, maximum_seconds=300.0)
# What says that nobody answers; a refusal, whatever it says, proves that somebody does.
AWAY: Final = frozenset({"unreachable", "timeout"})
METRIC_OUTCOMES: Final = {"sent": "delivered", "retry": "retry", "failed": "failed"}


def retry_seconds(attempt: int, chance: float) -> float:
    """Return how long to wait after attempt 1, 2, 3 …; ``chance`` in [0, 1) spreads it by up to ``JITTER``."""
    return min(FIRST_RETRY_SECONDS * 2.0 ** min(attempt - 1, 20), MAX_RETRY_SECONDS) * (1 + JITTER * chance)


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliveryWorker:
    """Runs one channel, e.g. email. ``breaker``, if there is one, guards its provider and nothing else."""

    ledger: DeliveryLedger
    channel: Channel
    bell: Doorbell
    chance: random.Random = field(default_factory=random.SystemRandom)
    breaker: CircuitBreaker | None = None

    async def run(self, *, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED) -> None:
        """Run until cancelled. A crash of one attempt ends the worker; its claim runs out and is taken again."""
        task_status.started()
        while True:
            claimed = await self.ledger.claim(self.channel.name, await self._wait_for_room(), LEASE_SECONDS)
            await self._deliver(claimed)
            if not claimed:
                seconds = await self.ledger.seconds_to_next(self.channel.name)
                pause = MAX_NAP_SECONDS if seconds is None else min(max(seconds, MIN_NAP_SECONDS), MAX_NAP_SECONDS)
                with trio.move_on_after(pause):
                    await self.bell.wait()

    async def _wait_for_room(self) -> int:
        """Wait while the circuit is open; return how many may go out: all that fit, or one that decides."""
        if self.breaker is None:
            await trio.lowlevel.checkpoint()
            return WORKERS
        await trio.sleep(self.breaker.wait_seconds)
        return WORKERS if self.breaker.state is Circuit.CLOSED else 1

    async def _deliver(self, claimed: tuple[Delivery, ...]) -> None:
        # All are let through before the first can fail: what is claimed is tried.
        trials = [nullcontext() if self.breaker is None else self.breaker.trial() for _ in claimed]
        try:
            async with trio.open_nursery() as nursery:
                for delivery, trial in zip(claimed, trials, strict=True):
                    nursery.start_soon(self._attempt, delivery, trial)
        except ExceptionGroup as group:
            # One error of our own instead of a group: the supervisor's report names it. (Not by `except*`: what is
            # raised in there comes out in a group of its own in some versions of Python, such as 3.11.2.)
            raise DeliveryCrashedError(self.channel.name) from group

    async def _attempt(self, delivery: Delivery, trial: AbstractContextManager[Trial | None]) -> None:
        name = self.channel.name
        began = trio.current_time()
        attributes: dict[str, str | int] = {"rondo.agent": "reminder", "rondo.attempt": delivery.attempt}
        with tracing.span(f"reminder.deliver {name}", parent=delivery.traceparent, attributes=attributes):
            outcome = _in_the_end(delivery, await self._send(delivery, trial))
            pause = retry_seconds(delivery.attempt, self.chance.random())
            recorded = await self.ledger.record(delivery, outcome, pause)
        metrics.REMINDER_DELIVERY_TOTAL.labels(name, METRIC_OUTCOMES[outcome.result]).inc()
        metrics.REMINDER_DELIVERY_DURATION_SECONDS.labels(name).observe(trio.current_time() - began)
        self._tell(delivery, outcome, recorded)

    async def _send(self, delivery: Delivery, trial: AbstractContextManager[Trial | None]) -> Outcome:
        with trial as tried:
            if delivery.attempt > MAX_ATTEMPTS:  # the attempts before ended with this process: perhaps they ended it
                await trio.lowlevel.checkpoint()
                return Outcome(result="retry", response="No attempt came to an end.")
            outcome = await self.channel.send(delivery)
            if tried is not None and outcome.reason in AWAY:
                tried.failed()
        return outcome

    def _tell(self, delivery: Delivery, outcome: Outcome, recorded: bool) -> None:  # noqa: FBT001 - a fact, not a switch
        fields = {
            "deliveryId": str(delivery.id),
            "channel": delivery.channel,
            "attempt": delivery.attempt,
            "outcome": outcome.result,
            "recorded": recorded,
        }  # fmt: skip - one fact
        if outcome.result == "sent":
            metrics.REMINDER_DELIVERY_LATENESS_SECONDS.observe(max(delivery.late_seconds, 0.0))
            log.info("Reminder delivered", event="reminder.delivered", **fields)
        else:
            if outcome.result == "failed":
                metrics.REMINDER_DELIVERY_FAILED_TOTAL.labels(delivery.channel, outcome.reason or "refused").inc()
            log.warning("Reminder not delivered", event="reminder.undelivered", response=outcome.response, **fields)


def _in_the_end(delivery: Delivery, outcome: Outcome) -> Outcome:
    """Return the outcome, which is final after the last attempt."""
    if outcome.result != "retry" or delivery.attempt < MAX_ATTEMPTS:
        return outcome
    response = f"Given up after {delivery.attempt} attempts: {outcome.response}"
    return Outcome(result="failed", response=response, reason="exhausted")


class DeliveryCrashedError(RuntimeError):
    """An attempt ended in an error that no provider explains: a bug, reported by the supervisor."""
