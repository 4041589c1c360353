"""A provider that does not answer: its circuit opens, deliveries wait in the ledger, one at a time is the probe."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
import trio

from actors.circuit_breaker import Circuit, CircuitBreaker
from actors.deliveries import MAX_ATTEMPTS, PROVIDER, WORKERS, DeliveryWorker
from actors.doorbell import Doorbell
from app.ports.delivering import Delivery, Outcome
from tests.unit.actors.fakes import Ledger, Provider

if TYPE_CHECKING:
    from trio.testing import MockClock

SENT = Outcome(result="sent", response="250 OK")
AWAY = Outcome(result="retry", response="Connection refused", reason="unreachable")


class Claims(Ledger):
    """A ledger that notes when how many were claimed at most, and which attempt each claim was."""

    def __init__(self, count: int) -> None:
        super().__init__(wanted_at=[(0.001 * number, 1) for number in range(-count, 0)])
        self.asked: list[tuple[float, int]] = []
        self.attempts: list[int] = []

    async def claim(self, channel: str, limit: int, lease_seconds: float) -> tuple[Delivery, ...]:
        self.asked.append((trio.current_time(), limit))
        claimed = await super().claim(channel, limit, lease_seconds)
        self.attempts += [delivery.attempt for delivery in claimed]
        return claimed


def breaker() -> CircuitBreaker:
    return CircuitBreaker("email", PROVIDER, dice=lambda: 0.0)


@pytest.mark.accepts("A09")
async def test_while_the_provider_is_away_deliveries_wait_and_use_up_no_attempts(
    autojump_clock: MockClock, nursery: trio.Nursery
) -> None:
    ledger, provider, guard = Claims(40), Provider([AWAY]), breaker()
    await nursery.start(DeliveryWorker(ledger=ledger, channel=provider, bell=Doorbell(), breaker=guard).run)

    await trio.sleep(3600)
    tried_in_an_hour = provider.sent
    provider.answers = [SENT]
    await trio.sleep(PROVIDER.maximum_seconds * 1.2 + 1)

    assert tried_in_an_hour <= 2 * WORKERS + 20  # two rounds open it, then one probe per pause
    assert {limit for moment, limit in ledger.asked[2:] if moment <= 3600} == {1}
    assert max(ledger.attempts[:tried_in_an_hour]) <= 3
    assert guard.state is Circuit.CLOSED
    assert sum(result == "sent" for result, *_ in ledger.recorded) >= 40 - 20  # the others wait for their own retry


@pytest.mark.accepts("A09")
async def test_a_refusal_proves_that_somebody_is_there(autojump_clock: MockClock, nursery: trio.Nursery) -> None:
    refused = Outcome(result="retry", response="451 later", reason="refused")
    ledger, guard = Claims(40), breaker()
    worker = DeliveryWorker(ledger=ledger, channel=Provider([refused]), bell=Doorbell(), breaker=guard)
    await nursery.start(worker.run)

    await trio.sleep(5)

    assert (guard.state, len(ledger.recorded)) == (Circuit.CLOSED, 40)


async def test_a_delivery_whose_attempts_never_end_is_given_up_without_another(
    autojump_clock: MockClock, nursery: trio.Nursery
) -> None:
    provider = Provider([SENT])
    ledger = Ledger(wanted_at=[(0.0, MAX_ATTEMPTS + 1)])
    worker = DeliveryWorker(ledger=ledger, channel=provider, bell=Doorbell(), breaker=breaker())
    await nursery.start(worker.run)

    await trio.sleep(1)

    assert [result for result, *_ in ledger.recorded] == ["failed"]
    assert provider.sent == 0
