"""S18 to S25: who is restarted with a child that failed."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
import trio

from supervisors import Event, Restart, Strategy
from supervisors.template import TemplateSupervisor
from tests.unit.supervisors.probes import lives, settle, start, states

if TYPE_CHECKING:
    from tests.unit.supervisors.probes import World


@pytest.mark.accepts("S18")
async def test_one_for_one_restarts_only_the_one(world: World, nursery: trio.Nursery) -> None:
    await start(nursery, world.supervisor(world.specs("abc")))

    world.raise_in("b")
    await settle()

    assert lives(world) == {"a": 1, "b": 2, "c": 1}


@pytest.mark.accepts("S19")
async def test_one_for_all_stops_in_reverse_and_starts_in_order(world: World, nursery: trio.Nursery) -> None:
    running = await start(nursery, world.supervisor(world.specs("abc"), strategy=Strategy.ONE_FOR_ALL))
    world.forget()

    world.raise_in("a")
    await settle()

    assert world.order == [
        "a end", "c end", "b end", "a begin", "a ready", "b begin", "b ready", "c begin", "c ready",
    ]  # fmt: skip
    assert running.supervisor.snapshot().restarts_in_period == 1


@pytest.mark.accepts("S20")
async def test_rest_for_one_restarts_it_and_those_after_it(world: World, nursery: trio.Nursery) -> None:
    await start(nursery, world.supervisor(world.specs("abcd"), strategy=Strategy.REST_FOR_ONE))
    world.forget()

    world.raise_in("b")
    await settle()

    assert world.order == [
        "b end", "d end", "c end", "b begin", "b ready", "c begin", "c ready", "d begin", "d ready",
    ]  # fmt: skip
    assert lives(world) == {"a": 1, "b": 2, "c": 2, "d": 2}


@pytest.mark.accepts("S21")
async def test_a_temporary_sibling_is_stopped_with_the_group_and_forgotten(world: World, nursery: trio.Nursery) -> None:
    specs = [world.spec("a"), world.spec("t", restart=Restart.TEMPORARY), world.spec("b")]
    running = await start(nursery, world.supervisor(specs, strategy=Strategy.ONE_FOR_ALL))

    world.raise_in("a")
    await settle()

    assert states(running.supervisor) == {"a": "running", "b": "running"}
    assert lives(world) == {"a": 2, "t": 1, "b": 2}


@pytest.mark.accepts("S22")
async def test_one_for_all_begins_again_when_one_fails_to_start(world: World, nursery: trio.Nursery) -> None:
    fault = ValueError()
    specs = [world.spec("a"), world.spec("b", init_errors=(None, fault))]
    running = await start(nursery, world.supervisor(specs, strategy=Strategy.ONE_FOR_ALL, intensity=5))
    world.forget()

    world.raise_in("a")
    await settle()

    assert world.order == [
        "a end", "b end",
        "a begin", "a ready", "b begin", "b end",
        "a end", "a begin", "a ready", "b begin", "b ready",
    ]  # fmt: skip
    assert running.supervisor.snapshot().restarts_in_period == 2
    assert not world.unreported()


@pytest.mark.accepts("S23")
async def test_rest_for_one_goes_on_from_the_one_that_fails_to_start(world: World, nursery: trio.Nursery) -> None:
    specs = [world.spec("a"), world.spec("b", init_errors=(None, ValueError()))]
    running = await start(nursery, world.supervisor(specs, strategy=Strategy.REST_FOR_ONE, intensity=5))

    world.raise_in("a")
    await settle()

    assert lives(world) == {"a": 2, "b": 3}
    assert states(running.supervisor) == {"a": "running", "b": "running"}


@pytest.mark.accepts("S25")
async def test_of_a_thousand_instances_only_the_one_that_raised_is_restarted(
    world: World, nursery: trio.Nursery
) -> None:
    supervisor = TemplateSupervisor(
        "sessions", lambda name: world.spec(name, info=name), on_report=world.reports.append
    )
    await start(nursery, supervisor)
    for number in range(1_000):
        await supervisor.start_instance(f"s{number}")
    before = {child.id: (child.incarnation, child.started_at) for child in supervisor.which_children()}

    world.raise_in("s500")
    await trio.sleep(1)

    after = {child.id: (child.incarnation, child.started_at) for child in supervisor.which_children()}
    assert len(after) == 1_000
    assert {child for child in after if after[child] != before[child]} == {_id_of(world, "s500")}
    assert [report.incarnation for report in world.told(Event.RESTARTING)] == [1]


def _id_of(world: World, name: str) -> str:
    return next(report.child for report in world.reports if report.child.startswith(f"{name}-"))


async def test_a_stopped_sibling_stays_stopped_when_the_group_restarts(world: World, nursery: trio.Nursery) -> None:
    running = await start(nursery, world.supervisor(world.specs("abc"), strategy=Strategy.ONE_FOR_ALL))
    await running.supervisor.terminate_child("b")

    world.raise_in("c")
    await settle()

    assert states(running.supervisor) == {"a": "running", "b": "stopped", "c": "running"}


async def test_an_earlier_child_that_fails_meanwhile_widens_the_restart(world: World, nursery: trio.Nursery) -> None:
    specs = [world.spec("a"), world.spec("b"), world.spec("c", cleanup=5)]
    running = await start(nursery, world.supervisor(specs, strategy=Strategy.REST_FOR_ONE, intensity=5))

    world.raise_in("b")
    await trio.sleep(1)  # c takes its time to stop
    world.raise_in("a")
    await trio.sleep(30)

    assert states(running.supervisor) == {"a": "running", "b": "running", "c": "running"}
    assert lives(world)["a"] == 2
    assert not world.unreported()
