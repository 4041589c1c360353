"""A09: failing at once while what is outside does not answer."""

from __future__ import annotations

import random
import time

import pytest
import trio

from actors.circuit_breaker import BreakerSettings, Circuit, CircuitBreaker, CircuitOpenError


class _AwayError(Exception):
    pass


def _breaker(changes: list[Circuit] | None = None, dice: float = 0.0) -> CircuitBreaker:
    return CircuitBreaker(
        "smtp", counts=(_AwayError,), on_change=(changes if changes is not None else []).append, dice=lambda: dice
    )


def _fail(breaker: CircuitBreaker, times: int = 1) -> None:
    for _ in range(times):
        with pytest.raises(_AwayError), breaker.trial():
            raise _AwayError


@pytest.mark.accepts("A09")
async def test_five_failures_in_ten_seconds_open_it() -> None:
    changes: list[Circuit] = []
    breaker = _breaker(changes)

    _fail(breaker, 4)
    still_closed = breaker.state
    _fail(breaker)
    seconds = []
    for _ in range(5):
        began = time.perf_counter()
        with pytest.raises(CircuitOpenError, match=r"smtp is not tried for another 1\.0 s") as refused, breaker.trial():
            pytest.fail("it must not get here")
        seconds.append(time.perf_counter() - began)

    assert still_closed is Circuit.CLOSED
    assert breaker.state is Circuit.OPEN
    assert refused.value.retry_after_seconds == 1
    assert changes == [Circuit.OPEN]
    assert min(seconds) < 0.05  # under 1 ms on an idle machine; one of five is not interrupted by others


@pytest.mark.accepts("A09")
async def test_failures_that_are_rare_enough_do_not_open_it() -> None:
    breaker = _breaker()

    for _ in range(20):
        _fail(breaker)
        await trio.sleep(2.6)

    assert breaker.state is Circuit.CLOSED


@pytest.mark.accepts("A09")
async def test_after_the_wait_one_call_goes_through_and_decides(nursery: trio.Nursery) -> None:
    changes: list[Circuit] = []
    breaker = _breaker(changes)
    _fail(breaker, 5)
    await trio.sleep(1)

    async def succeed_slowly() -> None:
        with breaker.trial():
            await trio.sleep(3)

    nursery.start_soon(succeed_slowly)
    await trio.sleep(1)
    with pytest.raises(CircuitOpenError), breaker.trial():
        pytest.fail("only one at a time")
    await trio.sleep(3)
    with breaker.trial():
        pass

    assert changes == [Circuit.OPEN, Circuit.HALF_OPEN, Circuit.CLOSED]


@pytest.mark.accepts("A09")
async def test_each_trial_that_fails_doubles_the_wait_up_to_a_maximum() -> None:
    breaker = _breaker()
    _fail(breaker, 5)
    waits = []

    for _ in range(9):
        with pytest.raises(CircuitOpenError) as refused, breaker.trial():
            pytest.fail("open")
        waits.append(round(refused.value.retry_after_seconds, 6))
        await trio.sleep(refused.value.retry_after_seconds)
        _fail(breaker)

    assert waits == [1, 2, 4, 8, 16, 32, 60, 60, 60]


@pytest.mark.accepts("A09")
async def test_the_jitter_stays_in_its_bounds_over_seeds() -> None:
    waits = []
    for seed in range(200):
        breaker = CircuitBreaker("kafka", BreakerSettings(failures=1), dice=random.Random(seed).random)
        with pytest.raises(_AwayError), breaker.trial():
            raise _AwayError
        with pytest.raises(CircuitOpenError) as refused, breaker.trial():
            pytest.fail("open")
        waits.append(refused.value.retry_after_seconds)

    assert all(1 <= wait < 1.2 for wait in waits)
    assert max(waits) - min(waits) > 0.15


@pytest.mark.accepts("A09")
async def test_a_refusal_by_what_is_outside_proves_that_it_is_there() -> None:
    breaker = _breaker()
    _fail(breaker, 5)
    await trio.sleep(1)

    with pytest.raises(ValueError, match="no such address"), breaker.trial():
        raise ValueError("no such address")

    assert breaker.state is Circuit.CLOSED


@pytest.mark.accepts("A09")
async def test_a_cancelled_trial_teaches_nothing_and_lets_the_next_one_try() -> None:
    breaker = _breaker()
    _fail(breaker, 5)
    await trio.sleep(1)

    with trio.move_on_after(1), breaker.trial():
        await trio.sleep_forever()
    half_open = breaker.state
    with breaker.trial():
        pass

    assert (half_open, breaker.state) == (Circuit.HALF_OPEN, Circuit.CLOSED)


@pytest.mark.accepts("A09")
async def test_a_call_from_before_it_opened_does_not_close_it(nursery: trio.Nursery) -> None:
    breaker = _breaker()

    async def old_call() -> None:
        with breaker.trial():
            await trio.sleep(0.5)

    nursery.start_soon(old_call)
    await trio.sleep(0.1)
    _fail(breaker, 5)
    await trio.sleep(0.5)

    assert breaker.state is Circuit.OPEN
