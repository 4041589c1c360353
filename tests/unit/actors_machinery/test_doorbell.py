"""Rings merge, ringing never waits, and none is lost."""

from __future__ import annotations

import trio

from actors.doorbell import Doorbell
from tests.unit.supervisors.probes import settle


async def test_rings_before_the_wait_are_one(nursery: trio.Nursery) -> None:
    bell, looked = Doorbell(), []

    async def owner() -> None:
        while True:
            await bell.wait()
            looked.append(trio.current_time())

    for _ in range(3):
        bell.ring()
    nursery.start_soon(owner)
    await settle()
    bell.ring()
    bell.ring()
    await settle()

    assert len(looked) == 2


async def test_a_cancelled_wait_keeps_the_ring() -> None:
    bell = Doorbell()
    bell.ring()

    with trio.CancelScope() as scope:
        scope.cancel()
        await bell.wait()
    with trio.fail_after(1):
        await bell.wait()

    assert scope.cancelled_caught


def test_a_bell_can_be_hung_and_rung_outside_of_trio() -> None:
    bell = Doorbell()

    bell.ring()

    assert trio.run(bell.wait) is None
