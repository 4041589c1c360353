"""Transactions that stand in each other's way."""

import pytest
import trio

from app.adapters.postgres.unit_of_work import PostgresUnitOfWork, PostgresUnitsOfWork
from app.domain.task import TaskChanges
from app.ports.unit_of_work import TransactionConflictError, UnitOfWork
from tests.integration.services.world import World, as_task


@pytest.mark.parametrize("sqlstate", ["40001", "40P01"])
async def test_a_collision_is_told_from_a_fault(world: World, sqlstate: str) -> None:
    raising = f"DO $$ BEGIN RAISE EXCEPTION 'collided' USING ERRCODE = '{sqlstate}'; END $$"

    async def collide() -> None:
        async with PostgresUnitsOfWork(world.database)() as work:
            assert isinstance(work, PostgresUnitOfWork)
            await work.connection.execute(raising)

    with pytest.raises(TransactionConflictError):
        await collide()


async def test_two_who_lock_crosswise_both_get_through(world: World) -> None:
    anna = await world.person()
    first, second = [as_task((await anna.create()).id) for _ in range(2)]
    both_hold_one, holding = trio.Event(), list[int]()

    async def change(own: object, other: object) -> None:
        async def use_case(work: UnitOfWork) -> None:
            await work.tasks.lock(anna.principal.account_id, as_task(own))  # type: ignore[arg-type] # ids are UUIDs
            holding.append(1)
            if len(holding) == 2:
                both_hold_one.set()
            await both_hold_one.wait()
            await work.tasks.touch(as_task(other), world.clock.now())  # type: ignore[arg-type] # likewise

        await world.services.tasks.transactions.run(use_case)

    async with trio.open_nursery() as crosswise:
        crosswise.start_soon(change, first, second)
        crosswise.start_soon(change, second, first)

    assert len(holding) == 3
    assert [(await anna.task(task))["version"] for task in (first, second)] == [2, 2]


async def test_ten_changes_at_once_are_ten_versions(world: World) -> None:
    anna = await world.person()
    task = await anna.create()

    async with trio.open_nursery() as clients:
        for number in range(10):
            changes = TaskChanges(title=f"Title {number}")
            clients.start_soon(world.services.tasks.patch_task, anna.context, as_task(task.id), changes)

    assert (await anna.task(task.id))["version"] == 11
    told = await world.events(task.id)
    assert all(told[number]["after"] == told[number + 1]["before"] for number in range(10))
