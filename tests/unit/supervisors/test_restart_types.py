"""S11 to S17: which ends lead to a restart."""

from __future__ import annotations

from typing import TYPE_CHECKING, NoReturn

import pytest
import trio

from supervisors import ChildSpec, Event, Restart
from supervisors.reports import Exit
from tests.unit.supervisors.probes import lives, settle, start, states

if TYPE_CHECKING:
    from tests.unit.supervisors.probes import World


@pytest.mark.accepts("S11")
async def test_a_permanent_child_that_returns_is_restarted(world: World, nursery: trio.Nursery) -> None:
    running = await start(nursery, world.supervisor(world.specs("a")))
    await trio.sleep(1)

    world.probes["a"].finish()
    await settle()

    (child,) = running.supervisor.which_children()
    assert (child.incarnation, child.restarts, child.started_at) == (2, 1, trio.current_time())
    assert child.last_exit is not None
    assert child.last_exit.reason is Exit.NORMAL
    assert running.supervisor.snapshot().restarts_in_period == 1


@pytest.mark.accepts("S12")
async def test_a_transient_child_that_returns_stays_stopped(world: World, nursery: trio.Nursery) -> None:
    running = await start(nursery, world.supervisor(world.specs("a", restart=Restart.TRANSIENT)))

    world.probes["a"].finish()
    await trio.sleep(60)
    stopped = states(running.supervisor)
    await running.supervisor.restart_child("a")

    assert stopped == {"a": "stopped"}
    assert lives(world) == {"a": 2}


@pytest.mark.accepts("S13")
async def test_a_transient_child_that_raises_is_restarted(world: World, nursery: trio.Nursery) -> None:
    running = await start(nursery, world.supervisor(world.specs("a", restart=Restart.TRANSIENT)))

    world.raise_in("a")
    await settle()

    assert states(running.supervisor) == {"a": "running"}
    assert lives(world) == {"a": 2}


@pytest.mark.accepts("S14")
async def test_a_temporary_child_that_raises_is_forgotten(world: World, nursery: trio.Nursery) -> None:
    running = await start(nursery, world.supervisor(world.specs("a", restart=Restart.TEMPORARY)))

    world.raise_in("a")
    await trio.sleep(60)
    listed = running.supervisor.which_children()
    await running.supervisor.start_child(world.spec("a"))

    assert listed == ()
    assert states(running.supervisor) == {"a": "running"}


@pytest.mark.accepts("S15")
@pytest.mark.parametrize("restart", Restart)
@pytest.mark.parametrize("fatal", [SystemExit(3), KeyboardInterrupt()])
async def test_what_ends_a_process_goes_up_after_all_others_were_stopped(
    world: World, nursery: trio.Nursery, restart: Restart, fatal: BaseException
) -> None:
    inner = world.supervisor([world.spec("c"), world.spec("d", restart=restart)], "inner")
    running = await start(nursery, world.supervisor([*world.specs("ab"), inner.as_child()], intensity=9))
    world.forget()

    world.raise_in("d", fatal)

    assert await running.wait() is fatal
    assert world.order == ["d end", "c end", "b end", "a end"]


@pytest.mark.accepts("S15")
async def test_an_interrupt_that_reaches_the_root_itself_stops_in_order(world: World, nursery: trio.Nursery) -> None:
    running = await start(nursery, world.supervisor(world.specs("abc", cleanup=1)))
    world.forget()
    root_task = next(task for task in nursery.child_tasks if task.name.endswith("Running.run"))

    # What trio does to the main task on Ctrl-C.
    root_task._attempt_abort(_raise_interrupt)

    assert isinstance(await running.wait(), KeyboardInterrupt)
    assert world.order == ["c end", "b end", "a end"]


def _raise_interrupt() -> NoReturn:
    raise KeyboardInterrupt


@pytest.mark.accepts("S16")
async def test_a_group_of_cancelled_and_an_error_is_that_error(world: World, nursery: trio.Nursery) -> None:
    fault = ValueError("inside")

    async def grouping(*, task_status: trio.TaskStatus[None]) -> None:
        task_status.started()
        await trio.sleep(1)
        with trio.CancelScope() as scope:
            scope.cancel()
            try:
                await trio.sleep(1)
            except trio.Cancelled as cancelled:
                stashed = cancelled
                raise
        raise BaseExceptionGroup("two", [stashed, fault])

    running = await start(nursery, world.supervisor([ChildSpec(id="a", start=grouping)]))
    await trio.sleep(1.5)

    (exited,) = world.told(Event.EXITED)
    assert exited.error is fault
    (child,) = running.supervisor.which_children()
    assert (child.restarts, child.last_exit and child.last_exit.error) == (1, "ValueError: inside")


@pytest.mark.accepts("S16")
async def test_several_errors_stay_a_group_without_cancelled(world: World, nursery: trio.Nursery) -> None:
    running = await start(nursery, world.supervisor(world.specs("a")))

    world.raise_in("a", ExceptionGroup("two", [ValueError("x"), KeyError("y")]))
    await settle()

    (exited,) = world.told(Event.EXITED)
    assert isinstance(exited.error, ExceptionGroup)
    assert states(running.supervisor) == {"a": "running"}


@pytest.mark.accepts("S17")
async def test_a_time_out_of_its_own_is_a_normal_end(world: World, nursery: trio.Nursery) -> None:
    async def impatient(*, task_status: trio.TaskStatus[None]) -> None:
        task_status.started()
        with trio.move_on_after(1):
            await trio.sleep_forever()

    spec = ChildSpec(id="a", start=impatient, restart=Restart.TRANSIENT)
    running = await start(nursery, world.supervisor([spec]))
    await trio.sleep(2)

    assert [report.reason for report in world.told(Event.EXITED)] == [Exit.NORMAL]
    assert states(running.supervisor) == {"a": "stopped"}
