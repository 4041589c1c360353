from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, field
from typing import cast

import pytest
import trio

from app.ports.unit_of_work import TransactionConflictError, UnitOfWork
from app.services.transactions import LONGEST_SECONDS, Transactions


@dataclass(slots=True)
class Colliding:
    """Units of work of which the first ones collide as they end."""

    collisions: int
    recorded: int = 1
    begun: list[int] = field(default_factory=list)

    def __call__(self) -> AbstractAsyncContextManager[UnitOfWork]:
        return self._begin()

    @asynccontextmanager
    async def _begin(self) -> AsyncIterator[UnitOfWork]:
        self.begun.append(1)
        await trio.lowlevel.checkpoint()
        yield cast("UnitOfWork", self)
        await trio.lowlevel.checkpoint()
        if len(self.begun) <= self.collisions:
            raise TransactionConflictError


async def _use_case(work: UnitOfWork) -> str:
    await trio.lowlevel.checkpoint()
    return f"recorded {work.recorded}"


@pytest.mark.parametrize("collisions", [0, 1, 2])
async def test_a_collision_is_tried_again(autojump_clock: trio.testing.MockClock, collisions: int) -> None:
    units, rings = Colliding(collisions), list[int]()

    result = await Transactions(units, lambda: rings.append(1)).run(_use_case)

    assert (result, len(units.begun), rings) == ("recorded 1", collisions + 1, [1])


async def test_the_third_collision_is_told(autojump_clock: trio.testing.MockClock) -> None:
    units, rings = Colliding(3), list[int]()

    with pytest.raises(TransactionConflictError):
        await Transactions(units, lambda: rings.append(1)).run(_use_case)

    assert (len(units.begun), rings) == (3, [])


async def test_without_news_nobody_is_rung(autojump_clock: trio.testing.MockClock) -> None:
    rings = list[int]()

    await Transactions(Colliding(0, recorded=0), lambda: rings.append(1)).run(_use_case)

    assert rings == []


async def test_what_does_not_end_is_given_up(autojump_clock: trio.testing.MockClock) -> None:
    async def stuck(_work: UnitOfWork) -> None:
        await trio.sleep_forever()

    with pytest.raises(trio.TooSlowError):
        await Transactions(Colliding(0), lambda: None).run(stuck)

    assert trio.current_time() == LONGEST_SECONDS
