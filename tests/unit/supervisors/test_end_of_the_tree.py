"""How the whole tree ends: from the door to the database, and in time also when one of all the parts hangs."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
import trio

from app.adapters.postgres.embedded import STOP_SECONDS as POSTGRES_STOP_SECONDS
from app.main import STOP_SECONDS
from supervisors.errors import ChildStuckError
from supervisors.signals import LAST_SECONDS
from supervisors.tree import Part, tree

if TYPE_CHECKING:
    from trio.testing import MockClock

    from supervisors.child_spec import StartFunction
    from supervisors.supervisor import Supervisor

PARTS = {
    "database": ("postgres", "pool", "schema"),
    "events": ("sync", "audit", "recurring", "reminder", "search", "relay", "clockwork", "notifications"),
    "deliveries": ("email",),
    "edge": ("hub", "reload", "listener"),
}
EVERY_PART = [name for names in PARTS.values() for name in names]
FOREVER = 1_000_000.0


class House:
    """A tree of parts that do nothing but end; one of them does not."""

    def __init__(self, hanging: str | None) -> None:
        self.ended: list[str] = []
        self._hanging = hanging

    def tree(self) -> Supervisor:
        parts = {branch: [self._part(name) for name in names] for branch, names in PARTS.items()}
        return tree(
            database=parts["database"],
            events=parts["events"],
            deliveries=parts["deliveries"],
            edge=parts["edge"],
            on_report=lambda _report: None,
        )

    def _part(self, name: str) -> Part:
        if name == "postgres":
            return Part(id=name, start=self._start(name), stop_seconds=POSTGRES_STOP_SECONDS)
        # As in real life the listener is asked; here it takes no notice.
        return Part(id=name, start=self._start(name), ask=(lambda: None) if name == "listener" else None)

    def _start(self, name: str) -> StartFunction:
        async def run(*, task_status: trio.TaskStatus[None]) -> None:
            task_status.started()
            try:
                await trio.sleep_forever()
            finally:
                self.ended.append(name)
                with trio.CancelScope(shield=name == self._hanging):
                    await trio.sleep(FOREVER)  # noqa: ASYNC102 - not to be stopped is the point

        return run


async def stopped(root: Supervisor) -> float:
    """Start a tree, stop it, and return the seconds that took."""
    took = FOREVER
    try:
        async with trio.open_nursery() as nursery:
            await nursery.start(root.run)
            began = trio.current_time()
            await root.stop()
            took = trio.current_time() - began
    except* ChildStuckError:  # what the process would end with
        assert took < FOREVER
    return took


@pytest.mark.accepts("A10")
async def test_the_tree_ends_from_the_door_to_the_database(autojump_clock: MockClock) -> None:
    house = House(hanging=None)

    await stopped(house.tree())

    assert house.ended == EVERY_PART[::-1]


@pytest.mark.accepts("A10")
@pytest.mark.parametrize("hanging", EVERY_PART)
async def test_with_any_one_part_stuck_the_tree_ends_in_order_and_in_time(
    autojump_clock: MockClock, hanging: str
) -> None:
    house = House(hanging)

    took = await stopped(house.tree())

    assert house.ended == EVERY_PART[::-1]
    assert 0 < took <= STOP_SECONDS
    assert STOP_SECONDS + LAST_SECONDS <= 25
