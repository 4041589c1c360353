"""Tasks that look around now and then do it at the same instants, and never twice at one."""

from __future__ import annotations

from itertools import pairwise

import pytest
import trio
import trio.testing

from monitoring import pulse


@pytest.mark.parametrize("seconds", [0.1, 0.25, 0.3, 0.7])
async def test_each_beat_is_later_than_the_one_before(autojump_clock: trio.testing.MockClock, seconds: float) -> None:
    times = [trio.current_time()]
    for _ in range(1_000):
        await pulse.beat(seconds)
        times.append(trio.current_time())

    gaps = [later - earlier for earlier, later in pairwise(times)]
    assert gaps == pytest.approx([seconds] * 1_000, abs=1e-6)
    assert autojump_clock.autojump_threshold == 0


async def test_tasks_that_began_at_different_times_wake_together(autojump_clock: trio.testing.MockClock) -> None:
    woken: list[float] = []

    async def look(after: float) -> None:
        await trio.sleep(after)
        await pulse.beat(0.1)
        woken.append(trio.current_time())

    async with trio.open_nursery() as nursery:
        for after in (0.01, 0.05, 0.099):
            nursery.start_soon(look, after)

    assert woken == [pytest.approx(0.1)] * 3
    assert len(set(woken)) == 1
    assert autojump_clock.autojump_threshold == 0
