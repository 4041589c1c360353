"""S40 to S50: stopping, in order and bounded."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import pytest
import trio

from actors.dead_letters import DeadLetters
from actors.mailbox import Delivery, Mailbox, WhenFull
from supervisors import BRUTAL, ChildSpec, Event, Strategy
from supervisors.errors import ChildStuckError, StartFailedError, SupervisorStoppedError
from supervisors.template import TemplateSupervisor
from tests.unit.supervisors.probes import lives, settle, start, states, supervisor_tasks

if TYPE_CHECKING:
    from collections.abc import Iterable

    from supervisors import Report
    from tests.unit.supervisors.probes import World


def _polite(world: World, ids: Iterable[str], **options: object) -> list[ChildSpec]:
    specs = []
    for child_id in ids:
        probe = world.probe(child_id, stop=1)
        specs.append(probe.spec(ask=probe.ask, **options))
    return specs


@pytest.mark.accepts("S40")
async def test_children_stop_in_reverse_one_after_the_other(world: World, nursery: trio.Nursery) -> None:
    running = await start(nursery, world.supervisor(_polite(world, "abc")))
    world.forget()

    complaints = await running.supervisor.stop()

    assert world.log == [
        (0, "c asked"), (1, "c end"), (1, "b asked"), (2, "b end"), (2, "a asked"), (3, "a end"),
    ]  # fmt: skip
    assert complaints == ()
    assert await running.wait() is None
    assert supervisor_tasks() == []


@pytest.mark.accepts("S41")
async def test_a_child_that_does_not_end_when_asked_is_cancelled(world: World, nursery: trio.Nursery) -> None:
    deaf = world.probe("b", deaf=True)
    specs = [*_polite(world, "a"), deaf.spec(ask=deaf.ask, shutdown=2), *_polite(world, "c")]
    running = await start(nursery, world.supervisor(specs))
    world.forget()

    (complaint,) = await running.supervisor.stop()

    assert world.log == [
        (0, "c asked"), (1, "c end"), (1, "b asked"), (3, "b end"), (3, "a asked"), (4, "a end"),
    ]  # fmt: skip
    assert (complaint.event, complaint.child) == (Event.SHUTDOWN_TIMEOUT, "b")
    assert "_order.wait()" in complaint.stack


@pytest.mark.accepts("S42")
async def test_a_brutal_stop_cancels_without_asking(world: World, nursery: trio.Nursery) -> None:
    probe = world.probe("b", stop=1)
    running = await start(nursery, world.supervisor([probe.spec(ask=probe.ask, shutdown=BRUTAL)]))
    world.forget()

    await running.supervisor.stop()

    assert world.log == [(0, "b end")]


@pytest.mark.accepts("S43")
async def test_a_child_that_outlives_its_cancellation_is_stuck_and_holds_nobody_else(
    world: World, nursery: trio.Nursery
) -> None:
    inner = world.supervisor(
        [world.spec("x"), world.spec("b", cleanup=3600, shutdown=2, kill_after=5), world.spec("y")], "inner"
    )
    running = await start(nursery, world.supervisor([world.spec("a"), inner.as_child()]))
    world.forget()

    running.supervisor.stop_soon()
    await trio.sleep(7)
    await settle()

    assert world.log == [(0, "y end"), (7, "x end"), (7, "a end")]
    (stuck,) = world.told(Event.STUCK)
    assert stuck.child == "b"
    assert "await trio.sleep(self.cleanup)" in stuck.stack
    assert states(inner)["b"] == "stuck"
    assert isinstance(await running.wait(), ChildStuckError)
    assert world.now == 3600


@pytest.mark.accepts("S43")
async def test_nobody_restarts_over_a_stuck_child(world: World, nursery: trio.Nursery) -> None:
    inner = world.supervisor([*world.specs("a"), world.spec("b", cleanup=3600, shutdown=1, kill_after=1)], "inner")
    running = await start(nursery, world.supervisor([inner.as_child()], intensity=9))

    world.raise_in("b")  # and lingers: it has not ended, so nothing is restarted
    world.raise_in("a")
    await trio.sleep(1)
    in_between = lives(world)
    with pytest.raises(ChildStuckError):
        await inner.terminate_child("b")
    running.supervisor.stop_soon()

    assert in_between == {"a": 2, "b": 1}
    assert isinstance(await running.wait(), ChildStuckError)
    assert lives(world) == {"a": 2, "b": 1}
    assert not world.unreported()


@pytest.mark.accepts("S43")
async def test_a_group_that_cannot_be_stopped_ends_the_whole_tree(world: World, nursery: trio.Nursery) -> None:
    children = [world.spec("a"), world.spec("b", cleanup=3600, shutdown=1, kill_after=1)]
    inner = world.supervisor(children, "inner", strategy=Strategy.ONE_FOR_ALL, intensity=9)
    running = await start(nursery, world.supervisor([world.spec("z"), inner.as_child()], intensity=9))

    world.raise_in("a")
    await trio.sleep(2.5)

    assert world.order[-1] == "z end"
    assert isinstance(await running.wait(), ChildStuckError)
    assert lives(world) == {"z": 1, "a": 1, "b": 1}


@pytest.mark.accepts("S43")
async def test_an_init_that_cannot_be_cancelled_does_not_hold_who_asked_for_it(
    world: World, nursery: trio.Nursery
) -> None:
    async def shielding(*, task_status: trio.TaskStatus[None]) -> None:
        with trio.CancelScope(shield=True):
            await trio.sleep(100)
        task_status.started()

    running = await start(nursery, world.supervisor(world.specs("a")))
    spec = ChildSpec(id="b", start=shielding, start_timeout=1, shutdown=1, kill_after=1)

    with pytest.raises(StartFailedError, match="init timeout"):
        await running.supervisor.start_child(spec)
    stuck = states(running.supervisor)
    await trio.sleep(200)

    assert stuck == {"a": "running", "b": "stuck"}
    assert states(running.supervisor) == {"a": "running", "b": "stopped"}
    assert [report.child for report in world.told(Event.STARTED)] == ["a"]
    assert [report.child for report in world.told(Event.START_FAILED)] == ["b"]


@pytest.mark.accepts("S44")
async def test_instances_of_a_template_stop_at_the_same_time(world: World, nursery: trio.Nursery) -> None:
    supervisor = TemplateSupervisor("sessions", lambda name: _polite(world, [name])[0])
    running = await start(nursery, supervisor)
    for number in range(100):
        await supervisor.start_instance(f"s{number}")

    await running.supervisor.stop()

    assert world.now == 1
    assert all(probe.alive == 0 for probe in world.probes.values())


@pytest.mark.accepts("S45")
async def test_cancelling_the_world_around_keeps_order_and_grace(world: World) -> None:
    inner = world.supervisor(_polite(world, "bc"), "inner")
    supervisor = world.supervisor([*_polite(world, "a"), inner.as_child(), *_polite(world, "d")])

    async with trio.open_nursery() as outer:
        await outer.start(supervisor.run)
        world.forget()
        outer.cancel_scope.cancel()

    assert world.log == [
        (0, "d asked"), (1, "d end"), (1, "c asked"), (2, "c end"),
        (2, "b asked"), (3, "b end"), (3, "a asked"), (4, "a end"),
    ]  # fmt: skip


@pytest.mark.accepts("S45")
async def test_cancelling_the_world_around_ends_within_the_sum_of_the_limits(world: World) -> None:
    specs = []
    for child_id in "abc":
        probe = world.probe(child_id, deaf=True, cleanup=3)
        specs.append(probe.spec(ask=probe.ask, shutdown=2, kill_after=5))
    supervisor = world.supervisor(specs)

    with trio.move_on_after(1) as scope:
        await supervisor.run()

    assert scope.cancelled_caught
    assert world.now == 1 + 3 * (2 + 3)


@pytest.mark.accepts("S45")
async def test_cancelling_the_world_around_during_the_start_stops_what_was_started(world: World) -> None:
    supervisor = world.supervisor(world.specs("abc", init=2))

    with trio.move_on_after(3):
        await supervisor.run()

    assert world.order == ["a begin", "a ready", "b begin", "b end", "a end"]
    assert world.now == 3


@pytest.mark.accepts("S46")
async def test_what_a_child_raises_while_being_stopped_is_reported_once(world: World, nursery: trio.Nursery) -> None:
    class Spiteful:
        async def run(self, *, task_status: trio.TaskStatus[None]) -> None:
            task_status.started()
            try:
                await trio.sleep_forever()
            finally:
                raise fault

    fault = ValueError("not without a fight")
    specs = [*world.specs("ab"), ChildSpec(id="c", start=Spiteful().run)]
    running = await start(nursery, world.supervisor(specs))
    world.forget()

    (complaint,) = await running.supervisor.stop()

    assert (complaint.event, complaint.child, complaint.error) == (Event.SHUTDOWN_ERROR, "c", fault)
    assert [report.error for report in world.reports if report.error] == [fault]
    assert world.order == ["b end", "a end"]


@pytest.mark.accepts("S46")
async def test_a_child_that_cannot_be_asked_is_cancelled(world: World, nursery: trio.Nursery) -> None:
    fault = RuntimeError("no ears")

    def broken() -> None:
        raise fault

    running = await start(nursery, world.supervisor([world.spec("a", ask=broken)]))

    (complaint,) = await running.supervisor.stop()

    assert (complaint.event, complaint.error) == (Event.SHUTDOWN_ERROR, fault)
    assert world.now == 0


class _Worker:
    """An actor that takes a second for each message."""

    def __init__(self, letters: DeadLetters) -> None:
        self.mailbox: Mailbox[int] = Mailbox("worker", capacity=20, when_full=WhenFull.WAIT, dead_letters=letters)
        self.handled: list[int] = []

    async def run(self, *, task_status: trio.TaskStatus[None]) -> None:
        with self.mailbox:
            task_status.started()
            async for message in self.mailbox:
                await trio.sleep(1)
                assert isinstance(message, int)
                self.handled.append(message)


@pytest.mark.accepts("S48")
async def test_an_actor_that_drains_handles_all_that_waits(world: World, nursery: trio.Nursery) -> None:
    letters = DeadLetters()
    worker = _Worker(letters)
    spec = ChildSpec(id="worker", start=worker.run, ask=worker.mailbox.close, shutdown=60)
    running = await start(nursery, world.supervisor([spec]))
    for number in range(10):
        worker.mailbox.tell_nowait(number)

    await running.supervisor.stop()

    assert worker.handled == list(range(10))
    assert letters.list() == ()
    assert world.now == 10


@pytest.mark.accepts("S48")
async def test_an_actor_that_does_not_drain_leaves_dead_letters(world: World, nursery: trio.Nursery) -> None:
    letters = DeadLetters()
    worker = _Worker(letters)
    running = await start(nursery, world.supervisor([ChildSpec(id="worker", start=worker.run)]))
    for number in range(10):
        worker.mailbox.tell_nowait(number)

    await running.supervisor.stop()

    assert worker.handled == []
    assert letters.counts() == {("worker", "stopped"): 10}


@pytest.mark.accepts("S49")
async def test_a_message_to_a_stopping_actor_is_a_dead_letter(world: World, nursery: trio.Nursery) -> None:
    letters = DeadLetters()
    worker = _Worker(letters)
    spec = ChildSpec(id="worker", start=worker.run, ask=worker.mailbox.close, shutdown=60)
    running = await start(nursery, world.supervisor([spec]))
    worker.mailbox.tell_nowait(1)

    running.supervisor.stop_soon()
    await settle()
    stopping = worker.mailbox.tell_nowait(2)
    await running.wait()
    stopped = worker.mailbox.tell_nowait(3)

    assert (stopping, stopped) == (Delivery.DEAD, Delivery.DEAD)
    assert [(letter.message, letter.reason) for letter in letters.list()] == [(3, "stopped"), (2, "stopped")]


@pytest.mark.accepts("S50")
async def test_stopping_twice_is_one_shutdown(world: World, nursery: trio.Nursery) -> None:
    running = await start(nursery, world.supervisor(_polite(world, "abc")))
    world.forget()
    results: list[tuple[Report, ...]] = []

    async def stop() -> None:
        results.append(await running.supervisor.stop())

    async with trio.open_nursery() as both:
        both.start_soon(stop)
        both.start_soon(stop)

    assert results == [(), ()]
    assert world.order.count("a asked") == 1
    assert world.now == 3


async def test_a_stopped_supervisor_refuses_and_can_run_again(world: World, nursery: trio.Nursery) -> None:
    supervisor = world.supervisor(world.specs("a"))
    before = await supervisor.stop()
    await start(nursery, supervisor)
    await supervisor.stop()

    with pytest.raises(SupervisorStoppedError):
        await supervisor.start_child(world.spec("b"))
    await settle()
    await start(nursery, supervisor)

    assert before == ()
    assert lives(world)["a"] == 2


async def test_a_start_that_is_under_way_when_it_stops_is_refused(world: World, nursery: trio.Nursery) -> None:
    running = await start(nursery, world.supervisor(world.specs("a")))
    failures: list[BaseException] = []

    async def start_slowly() -> None:
        try:
            await running.supervisor.start_child(world.spec("b", init=math.inf, start_timeout=None))
        except SupervisorStoppedError as error:
            failures.append(error)

    nursery.start_soon(start_slowly)
    await trio.sleep(1)
    await running.supervisor.stop()
    await settle()

    assert len(failures) == 1
    assert world.order[-2:] == ["b end", "a end"]


async def test_hurrying_cancels_everything_at_once_in_the_whole_tree(world: World, nursery: trio.Nursery) -> None:
    specs = []
    for child_id in "abc":
        probe = world.probe(child_id, deaf=True, cleanup=1)
        specs.append(probe.spec(ask=probe.ask, shutdown=60))
    inner = world.supervisor(specs, "inner")
    running = await start(nursery, world.supervisor([*world.specs("xy", cleanup=1), inner.as_child()]))

    running.supervisor.stop_soon()
    await trio.sleep(5)
    running.supervisor.hurry()
    await running.wait()

    assert world.now == 5 + 1
    assert world.told(Event.SHUTDOWN_TIMEOUT) == []


async def test_hurrying_does_not_wait_for_who_does_not_hear(world: World, nursery: trio.Nursery) -> None:
    probe = world.probe("a", deaf=True, cleanup=3600)
    running = await start(nursery, world.supervisor([probe.spec(ask=probe.ask, shutdown=60, kill_after=2)]))

    running.supervisor.stop_soon()
    await trio.sleep(5)
    running.supervisor.hurry()
    await trio.sleep(10)

    assert [report.at - world.began_at for report in world.told(Event.STUCK)] == [5 + 2]
