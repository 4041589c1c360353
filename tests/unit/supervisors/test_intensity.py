"""S26 to S39: how often and how soon, and what can be done meanwhile."""

from __future__ import annotations

import itertools
import math
from typing import TYPE_CHECKING, Any

import pytest
import trio

from supervisors import Backoff, ChildSpec, Event, Strategy
from supervisors.errors import ChildAlreadyPresentError, ChildRestartingError, MaxRestartsError
from supervisors.restarts import Budget
from tests.unit.supervisors.probes import lives, settle, start, states

if TYPE_CHECKING:
    from tests.unit.supervisors.probes import Running, World

SLOW = Backoff(first=1.0, factor=2.0, maximum=30.0, jitter=0.2, reset_after=60.0)


async def _crash_at(world: World, times: list[float], child_id: str = "a") -> None:
    for at in times:
        await trio.sleep(at - world.now)
        world.raise_in(child_id)


@pytest.mark.accepts("S26")
async def test_one_restart_too_many_stops_all_and_ends_the_supervisor(world: World, nursery: trio.Nursery) -> None:
    running = await start(nursery, world.supervisor(world.specs("abc"), intensity=2, period=10))

    await _crash_at(world, [0, 1])
    await settle()
    world.forget()
    await _crash_at(world, [2])

    outcome = await running.wait()
    assert isinstance(outcome, MaxRestartsError)
    assert str(outcome) == "shutdown: max restarts (child 'a')"
    assert world.log == [(2, "a end"), (2, "c end"), (2, "b end")]
    assert [report.child for report in world.told(Event.GAVE_UP)] == ["a"]


@pytest.mark.accepts("S27")
async def test_crashes_that_are_rare_enough_never_escalate(world: World, nursery: trio.Nursery) -> None:
    running = await start(nursery, world.supervisor(world.specs("a"), intensity=1, period=5))

    await _crash_at(world, [6.0 * number for number in range(100)])
    await settle()

    assert lives(world) == {"a": 101}
    assert states(running.supervisor) == {"a": "running"}


@pytest.mark.accepts("S28")
@pytest.mark.parametrize(("second", "escalates"), [(5.0, True), (5.001, False)])
async def test_both_ends_of_the_period_belong_to_it(
    world: World,
    nursery: trio.Nursery,
    second: float,
    escalates: bool,  # noqa: FBT001 # a parameter of the test
) -> None:
    running = await start(nursery, world.supervisor(world.specs("a"), intensity=1, period=5))

    await _crash_at(world, [0, second])
    await settle()

    assert running.over.is_set() is escalates


@pytest.mark.accepts("S29")
async def test_without_budget_the_first_crash_escalates(world: World, nursery: trio.Nursery) -> None:
    running = await start(nursery, world.supervisor(world.specs("a"), intensity=0))

    world.raise_in("a")

    assert isinstance(await running.wait(), MaxRestartsError)
    assert lives(world) == {"a": 1}


@pytest.mark.accepts("S30")
async def test_the_budget_is_charged_before_each_attempt(world: World, nursery: trio.Nursery) -> None:
    errors = [ValueError(str(number)) for number in range(9)]
    running = await start(nursery, world.supervisor([world.spec("a", init_errors=(None, *errors))], intensity=4))

    world.raise_in("a")

    assert isinstance(await running.wait(), MaxRestartsError)
    assert lives(world) == {"a": 1 + 4}
    assert len(world.told(Event.RESTARTING)) == 4
    assert not world.unreported()


@pytest.mark.accepts("S31")
async def test_nested_budgets_multiply(world: World, nursery: trio.Nursery) -> None:
    starts = 0

    async def leaf(*, task_status: trio.TaskStatus[None]) -> None:
        nonlocal starts
        starts += 1
        task_status.started()
        await trio.sleep(0.1)
        raise ValueError

    inner = world.supervisor([ChildSpec(id="leaf", start=leaf)], "inner", intensity=1, period=60)
    outer = world.supervisor([inner.as_child()], "outer", intensity=3, period=60)
    running = await start(nursery, outer)

    outcome = await running.wait()

    assert isinstance(outcome, MaxRestartsError)
    assert starts == (1 + 1) * (3 + 1)


@pytest.mark.accepts("S32")
async def test_a_restarted_supervisor_has_its_static_children_only(world: World, nursery: trio.Nursery) -> None:
    inner = world.supervisor(world.specs("ab"), "inner", intensity=0)
    await start(nursery, world.supervisor([inner.as_child()], "outer"))
    await inner.start_child(world.spec("dynamic"))

    world.raise_in("a")
    await settle()

    assert states(inner) == {"a": "running", "b": "running"}
    assert {child.id: child.incarnation for child in inner.which_children()} == {"a": 2, "b": 2}


@pytest.mark.accepts("S33")
async def test_a_wall_clock_that_jumps_changes_nothing(
    world: World, nursery: trio.Nursery, monkeypatch: pytest.MonkeyPatch
) -> None:
    running = await start(nursery, world.supervisor(world.specs("a"), intensity=1, period=5))

    for at, wall in [(0, 1e9), (6, 1e9 - 3600), (12, 1e9 + 3600), (18, 0.0)]:
        monkeypatch.setattr("time.time", lambda wall=wall: wall)
        await _crash_at(world, [at])
        await settle()
    calm = states(running.supervisor)
    await _crash_at(world, [20])

    assert calm == {"a": "running"}
    assert isinstance(await running.wait(), MaxRestartsError)


@pytest.mark.accepts("S34")
@pytest.mark.parametrize("dice", [0.0, 0.5, 0.999])
async def test_waits_grow_up_to_a_maximum_and_begin_again_after_health(
    world: World, nursery: trio.Nursery, dice: float
) -> None:
    errors = tuple(ValueError(str(number)) for number in range(7))
    supervisor = world.supervisor(
        [world.spec("a", init_errors=(None, *errors))], intensity=math.inf, backoff=SLOW, dice=lambda: dice
    )
    await start(nursery, supervisor)

    world.raise_in("a")
    await trio.sleep(300)  # it is healthy for more than 60 s by now
    world.raise_in("a")
    await trio.sleep(10)  # … and now it is not
    world.raise_in("a")
    await settle()

    delays = [report.delay / (1 + 0.2 * dice) for report in world.told(Event.RESTARTING)]
    assert delays == pytest.approx([1, 2, 4, 8, 16, 30, 30, 30, 1, 2])
    begins = [at for at, what in world.log if what == "a begin"]
    waited = [later - earlier for earlier, later in itertools.pairwise(begins[:9])]
    assert waited == pytest.approx([report.delay for report in world.told(Event.RESTARTING)][:8], abs=1e-5)


async def _in_backoff(world: World, nursery: trio.Nursery, **options: Any) -> Running:
    options = {"intensity": 9, "period": 600, "backoff": SLOW, "dice": lambda: 0.0, **options}
    running = await start(nursery, world.supervisor(world.specs("ab"), **options))
    world.raise_in("a")
    await settle()
    return running


@pytest.mark.accepts("S35")
async def test_a_child_that_waits_for_its_attempt_shows_it(world: World, nursery: trio.Nursery) -> None:
    running = await _in_backoff(world, nursery)

    (_, child) = running.supervisor.which_children()
    counts = running.supervisor.count_children()

    assert (child.state.value, child.attempt, child.next_attempt_at) == ("restarting", 1, world.began_at + 1)
    assert (counts.specs, counts.active) == (2, 1)


@pytest.mark.accepts("S36")
@pytest.mark.parametrize("strategy", Strategy)
async def test_terminating_a_child_that_waits_takes_its_restart_away(
    world: World, nursery: trio.Nursery, strategy: Strategy
) -> None:
    running = await _in_backoff(world, nursery, strategy=strategy)

    await running.supervisor.terminate_child("a")
    at_once = states(running.supervisor)["a"]
    await trio.sleep(600)

    assert at_once == "stopped"
    assert lives(world)["a"] == 1
    assert states(running.supervisor) == {"a": "stopped", "b": "running"}


@pytest.mark.accepts("S36")
async def test_a_restart_by_hand_has_nothing_to_do_with_the_wait_it_ended(world: World, nursery: trio.Nursery) -> None:
    running = await _in_backoff(world, nursery)

    await trio.sleep(0.5)
    await running.supervisor.terminate_child("a")
    await running.supervisor.restart_child("a")
    world.raise_in("a")
    await trio.sleep(5)

    assert [report.delay for report in world.told(Event.RESTARTING)] == [1, 2]
    assert [at for at, what in world.log if what == "a begin"] == [0, 0.5, 2.5]


@pytest.mark.accepts("S37")
@pytest.mark.parametrize("strategy", Strategy)
async def test_stopping_does_not_wait_for_a_backoff(world: World, nursery: trio.Nursery, strategy: Strategy) -> None:
    running = await _in_backoff(world, nursery, strategy=strategy)

    await running.supervisor.stop()

    assert world.now == 0
    assert await running.wait() is None


@pytest.mark.accepts("S38")
async def test_a_child_that_waits_refuses_what_would_start_it_twice(world: World, nursery: trio.Nursery) -> None:
    running = await _in_backoff(world, nursery)

    with pytest.raises(ChildRestartingError, match="'a' is restarting"):
        await running.supervisor.restart_child("a")
    with pytest.raises(ChildRestartingError, match="'a' is restarting"):
        running.supervisor.delete_child("a")
    with pytest.raises(ChildAlreadyPresentError, match="'a' is already present"):
        await running.supervisor.start_child(world.spec("a"))


@pytest.mark.accepts("S39")
@pytest.mark.parametrize("strategy", Strategy)
async def test_others_are_managed_at_once_while_one_waits(
    world: World, nursery: trio.Nursery, strategy: Strategy
) -> None:
    running = await _in_backoff(world, nursery, strategy=strategy)

    await running.supervisor.start_child(world.spec("c"))
    counts = running.supervisor.count_children()

    assert world.now == 0
    assert counts.specs == 3
    assert states(running.supervisor)["c"] == "running"


@pytest.mark.accepts("S39")
async def test_others_are_managed_at_once_while_one_hangs_in_its_init(world: World, nursery: trio.Nursery) -> None:
    running = await start(nursery, world.supervisor(world.specs("ab"), intensity=9))
    world.probes["a"].init = 10
    world.raise_in("a")
    await settle()

    await running.supervisor.start_child(world.spec("c"))

    assert world.now == 0
    assert states(running.supervisor) == {"a": "starting", "b": "running", "c": "running"}
    assert running.supervisor.count_children().active == 3


async def test_terminating_one_of_a_waiting_group_lets_the_others_come_back(
    world: World, nursery: trio.Nursery
) -> None:
    running = await _in_backoff(world, nursery, strategy=Strategy.ONE_FOR_ALL)

    await running.supervisor.terminate_child("a")
    await trio.sleep(2)

    assert states(running.supervisor) == {"a": "stopped", "b": "running"}
    assert lives(world) == {"a": 1, "b": 2}


def test_an_unlimited_budget_keeps_no_list() -> None:
    budget = Budget(math.inf, 5.0)

    assert all(budget.charge(float(second)) for second in range(1_000))
    assert budget.spent(1_000.0) == 0
