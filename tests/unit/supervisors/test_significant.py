"""S59 to S63: children whose end ends their supervisor."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from supervisors import AutoShutdown, Restart, Strategy
from tests.unit.supervisors.probes import lives, settle, start, states

if TYPE_CHECKING:
    import trio

    from supervisors import ChildSpec
    from tests.unit.supervisors.probes import World

ANY, ALL = AutoShutdown.ANY_SIGNIFICANT, AutoShutdown.ALL_SIGNIFICANT


def _significant(world: World, child_id: str, restart: Restart = Restart.TRANSIENT) -> ChildSpec:
    return world.spec(child_id, restart=restart, significant=True)


@pytest.mark.accepts("S59")
@pytest.mark.parametrize("restart", [Restart.TRANSIENT, Restart.TEMPORARY])
async def test_the_end_of_a_significant_child_ends_the_supervisor(
    world: World, nursery: trio.Nursery, restart: Restart
) -> None:
    specs = [*world.specs("ab"), _significant(world, "s", restart), world.spec("c")]
    running = await start(nursery, world.supervisor(specs, auto_shutdown=ANY))
    world.forget()

    world.probes["s"].finish()

    assert await running.wait() is None
    assert world.order == ["s end", "c end", "b end", "a end"]


@pytest.mark.accepts("S60")
async def test_a_significant_child_that_raises_is_restarted(world: World, nursery: trio.Nursery) -> None:
    running = await start(nursery, world.supervisor([_significant(world, "s")], auto_shutdown=ANY))

    world.raise_in("s")
    await settle()

    assert states(running.supervisor) == {"s": "running"}


@pytest.mark.accepts("S61")
async def test_all_significant_waits_for_the_last(world: World, nursery: trio.Nursery) -> None:
    specs = [_significant(world, "s"), _significant(world, "t"), world.spec("a")]
    running = await start(nursery, world.supervisor(specs, auto_shutdown=ALL))

    world.probes["s"].finish()
    await settle()
    after_one = states(running.supervisor)
    world.probes["t"].finish()

    assert after_one == {"s": "stopped", "t": "running", "a": "running"}
    assert await running.wait() is None


@pytest.mark.accepts("S62")
@pytest.mark.parametrize("auto_shutdown", [ANY, ALL])
async def test_a_significant_child_that_was_stopped_ends_nothing(
    world: World, nursery: trio.Nursery, auto_shutdown: AutoShutdown
) -> None:
    supervisor = world.supervisor([_significant(world, "s"), world.spec("a")], auto_shutdown=auto_shutdown)
    running = await start(nursery, supervisor)

    await supervisor.terminate_child("s")
    await settle()

    assert states(running.supervisor) == {"s": "stopped", "a": "running"}


@pytest.mark.accepts("S62")
@pytest.mark.parametrize("restart", [Restart.TRANSIENT, Restart.TEMPORARY])
async def test_a_significant_child_that_was_stopped_with_its_group_ends_nothing(
    world: World, nursery: trio.Nursery, restart: Restart
) -> None:
    specs = [_significant(world, "s", restart), world.spec("a")]
    running = await start(nursery, world.supervisor(specs, auto_shutdown=ANY, strategy=Strategy.ONE_FOR_ALL))

    world.raise_in("a")
    await settle()

    assert states(running.supervisor)["a"] == "running"
    assert lives(world) == {"s": 2 if restart is Restart.TRANSIENT else 1, "a": 2}


@pytest.mark.accepts("S63")
@pytest.mark.parametrize(("outer_fields", "outer_ends"), [({"significant": True}, True), ({}, False)])
async def test_an_automatic_shutdown_goes_up_only_if_the_supervisor_is_significant(
    world: World,
    nursery: trio.Nursery,
    outer_fields: dict[str, Any],
    outer_ends: bool,  # noqa: FBT001 # a parameter of the test
) -> None:
    inner = world.supervisor([_significant(world, "s")], "inner", auto_shutdown=ANY)
    specs = [world.spec("a"), inner.as_child(restart=Restart.TRANSIENT, **outer_fields)]
    outer = await start(nursery, world.supervisor(specs, "outer", auto_shutdown=ANY))

    world.probes["s"].finish()
    await settle()

    assert inner.state.value == "stopped"
    assert outer.over.is_set() is outer_ends
