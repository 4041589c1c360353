"""S08, S24, S47, S54, S67: what must hold whatever happens when, over many seeds."""

from __future__ import annotations

import itertools
import math
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING

import pytest
import trio

from supervisors import Backoff, Event, Restart, Strategy, Supervisor
from supervisors.errors import SupervisionError
from tests.unit.supervisors.probes import Running, World, settle, start, states, supervisor_tasks
from tests.unit.supervisors.seeds import for_each_seed

pytestmark = pytest.mark.uncovered

if TYPE_CHECKING:
    import random
    from collections.abc import Awaitable, Callable


@pytest.mark.accepts("S08")
def test_a_caller_who_is_cancelled_leaves_no_child_running_and_unlisted() -> None:
    async def case(dice: random.Random) -> None:
        world = World()
        fails = (ValueError(),) if dice.random() < 0.3 else ()
        # Now and then the caller is cancelled in the very tick in which the init ends.
        init, patience = dice.choice([(1.0, 1.0), (0.0, 0.0), (1.0, dice.uniform(0, 2))])
        async with trio.open_nursery() as nursery:
            running = await start(nursery, world.supervisor())
            with trio.move_on_after(patience):
                try:
                    await running.supervisor.start_child(world.spec("a", init=init, init_errors=fails))
                except SupervisionError:
                    assert fails
            assert states(running.supervisor).get("a") in (None, "starting", "running") or fails
            assert states(running.supervisor) or not world.probes["a"].alive
            await trio.sleep(3)
            assert states(running.supervisor) == ({} if fails else {"a": "running"})
            assert world.probes["a"].alive == (not fails)
            nursery.cancel_scope.cancel()

    for_each_seed(case)


@pytest.mark.accepts("S24")
def test_two_that_raise_in_one_tick_restart_once_or_twice_and_both_are_reported() -> None:
    async def case(dice: random.Random) -> None:
        world = World()
        strategy = dice.choice([Strategy.ONE_FOR_ALL, Strategy.REST_FOR_ONE])
        async with trio.open_nursery() as nursery:
            supervisor = world.supervisor(world.specs("abc"), strategy=strategy, intensity=9)
            await start(nursery, supervisor)
            for child_id in dice.sample("abc", 2):
                world.raise_in(child_id)
            await trio.sleep(1)
            assert set(states(supervisor).values()) == {"running"}
            assert len(world.told(Event.RESTARTING)) in (1, 2)
            assert not world.unreported()
            nursery.cancel_scope.cancel()

    for_each_seed(case)


@pytest.mark.accepts("S47")
def test_a_crash_in_the_moment_of_stopping_is_reported_and_restarts_nothing() -> None:
    async def case(dice: random.Random) -> None:
        world = World()
        running = Running(
            world.supervisor(world.specs("abc", cleanup=1), intensity=9, strategy=dice.choice([*Strategy]))
        )
        async with trio.open_nursery() as nursery:
            await nursery.start(running.run)
            world.forget()
            deeds: list[Callable[[], object]] = [running.supervisor.stop_soon, lambda: world.raise_in("b")]
            dice.shuffle(deeds)
            deeds[0]()
            for _ in range(dice.randrange(3)):
                await trio.lowlevel.checkpoint()
            stopping_since = len(world.log) if deeds[0] == running.supervisor.stop_soon else None
            deeds[1]()
            await running.wait()
        ends = [what for what in world.order if what.endswith("end")]
        assert sorted(ends[:3]) == ["a end", "b end", "c end"] or world.told(Event.RESTARTING)
        assert [what for what in ends if what[0] != "b"] == ["c end", "a end"]
        assert stopping_since is None or not any("begin" in what for what in world.order)
        assert not world.unreported()
        assert running.outcome is None

    for_each_seed(case)


@pytest.mark.accepts("S47")
def test_a_wait_that_ends_in_the_moment_of_stopping_starts_nothing() -> None:
    async def case(dice: random.Random) -> None:
        world = World()
        strategy = dice.choice([*Strategy])
        backoff = Backoff(first=1.0, jitter=0.0)
        supervisor = world.supervisor(world.specs("ab"), intensity=9, strategy=strategy, backoff=backoff)

        async def stop() -> None:
            await trio.sleep(1)
            world.note("stop begins")
            supervisor.stop_soon()

        async with trio.open_nursery() as nursery:
            await nursery.start(supervisor.run)
            deeds: list[Callable[[], object]] = [lambda: world.raise_in("a"), lambda: nursery.start_soon(stop)]
            dice.shuffle(deeds)
            for deed in deeds:
                deed()
        after = world.order[world.order.index("stop begins") :]
        assert [what for what in after if what.endswith("begin")] == []

    for_each_seed(case)


class _Model:
    """What a one_for_one supervisor should have listed: id → (runs, restart type), oldest first."""

    def __init__(self) -> None:
        self.children: dict[str, tuple[bool, Restart]] = {}

    def listed(self) -> list[tuple[str, bool]]:
        return [(child_id, runs) for child_id, (runs, _) in self.children.items()]

    def end(self, child_id: str, *, by_itself: bool, raised: bool) -> None:
        runs, restart = self.children[child_id]
        if not runs:
            return
        comes_back = restart is Restart.PERMANENT or (raised and restart is Restart.TRANSIENT)
        if restart is Restart.TEMPORARY:
            del self.children[child_id]
        elif not (by_itself and comes_back):
            self.children[child_id] = (False, restart)


class _Operator:
    """Does the same to a supervisor and to the model."""

    IDS = "abcdef"

    def __init__(self, world: World, supervisor: Supervisor, dice: random.Random) -> None:
        self.world, self.supervisor, self.dice, self.model = world, supervisor, dice, _Model()

    async def step(self) -> None:
        deed: Callable[[str], Awaitable[None]] = self.dice.choice(
            [self.start, self.start, self.terminate, self.delete, self.restart, self.crash, self.finish]
        )
        with suppress(SupervisionError):  # refused, which the model knows
            await deed(self.dice.choice(self.IDS))
        await settle()

    async def start(self, child_id: str) -> None:
        restart = self.dice.choice([*Restart])
        if child_id not in self.model.children:
            self.model.children[child_id] = (True, restart)
            await self.supervisor.start_child(self.world.spec(child_id, restart=restart))
        else:
            await self.supervisor.start_child(self.world.probes[child_id].spec())

    async def terminate(self, child_id: str) -> None:
        if child_id in self.model.children:
            self.model.end(child_id, by_itself=False, raised=False)
        await self.supervisor.terminate_child(child_id)

    async def delete(self, child_id: str) -> None:
        if self.model.children.get(child_id, (True, None))[0] is False:
            del self.model.children[child_id]
        self.supervisor.delete_child(child_id)
        await trio.lowlevel.checkpoint()

    async def restart(self, child_id: str) -> None:
        if child_id in self.model.children:
            self.model.children[child_id] = (True, self.model.children[child_id][1])
        await self.supervisor.restart_child(child_id)

    async def crash(self, child_id: str) -> None:
        await self._end(child_id, raised=True)

    async def finish(self, child_id: str) -> None:
        await self._end(child_id, raised=False)

    async def _end(self, child_id: str, *, raised: bool) -> None:
        if child_id not in self.model.children:
            return
        probe = self.world.probes[child_id]
        if raised and probe.alive:
            self.world.raise_in(child_id)
        probe.finish()
        self.model.end(child_id, by_itself=True, raised=raised)
        await settle()


@pytest.mark.accepts("S54")
def test_lists_and_counts_agree_with_a_model_after_any_operations() -> None:
    async def case(dice: random.Random) -> None:
        world = World()
        async with trio.open_nursery() as nursery:
            supervisor = world.supervisor(intensity=math.inf, backoff=Backoff(first=0, maximum=0))
            await start(nursery, supervisor)
            operator = _Operator(world, supervisor, dice)
            for _ in range(200 if dice.random() < 0.02 else dice.randrange(1, 20)):
                await operator.step()
                children = supervisor.which_children()
                counts = supervisor.count_children()
                shown = [(child.id, child.state.value == "running") for child in reversed(children)]
                assert shown == operator.model.listed()
                assert (counts.specs, counts.active) == (len(children), sum(runs for _, runs in shown))
            assert not world.unreported()
            nursery.cancel_scope.cancel()

    for_each_seed(case)


@pytest.mark.accepts("S67")
def test_whatever_happens_when_the_promises_hold() -> None:
    async def case(dice: random.Random) -> None:
        world = World()
        strategy = dice.choice([*Strategy])
        supervisor = world.supervisor(
            world.specs("abc", init=dice.choice([0.0, 0.3]), cleanup=dice.choice([0.0, 0.2])),
            strategy=strategy,
            intensity=dice.choice([1, 1_000]),
            period=dice.choice([1.0, 1_000.0]),
            backoff=dice.choice([None, Backoff(first=0.1, maximum=1.0)]),
            dice=dice.random,
        )
        is_group = strategy is not Strategy.ONE_FOR_ONE
        if is_group:
            world.on_begin = partial(_check_order, world, supervisor)
        running = Running(supervisor)
        async with trio.open_nursery() as nursery:
            await nursery.start(running.run)
            for number in range(dice.randrange(1, 15)):
                deeds = _deeds(world, supervisor, dice, number)
                # Only an operator starts an earlier sibling while later ones are up.
                nursery.start_soon(_try, dice.choice(deeds[:-1] if is_group else deeds))
                await trio.sleep(dice.choice([0.0, 0.0, 0.1, 0.5]))
            if dice.random() < 0.5:
                await trio.sleep(10)
                _check_rest(world, supervisor)
            supervisor.stop_soon()
            await running.wait()
        assert all(probe.alive == 0 for probe in world.probes.values())
        assert world.violations == []
        assert not world.unreported()
        assert supervisor_tasks() == []
        _check_budget(world, supervisor)

    for_each_seed(case)


def _deeds(
    world: World, supervisor: Supervisor, dice: random.Random, number: int
) -> list[Callable[[], Awaitable[object]]]:
    child_id = dice.choice([*world.probes])
    return [
        lambda: _crash(world, dice),
        lambda: _crash(world, dice),
        lambda: supervisor.start_child(world.spec(f"x{number}", restart=dice.choice([*Restart]))),
        lambda: supervisor.terminate_child(child_id),
        lambda: supervisor.restart_child(child_id),
    ]


async def _try(deed: Callable[[], Awaitable[object]]) -> None:
    with suppress(SupervisionError):  # refused, which is as good as done
        await deed()


async def _crash(world: World, dice: random.Random) -> None:
    """Let one or two children raise, some of them in their next init."""
    await trio.lowlevel.checkpoint()
    for child_id in dice.sample([*world.probes], k=min(2, len(world.probes))):
        if dice.random() < 0.3:
            world.probes[child_id].init_errors.append(ValueError(f"init {child_id}"))
        world.raise_in(child_id)


def _check_order(world: World, supervisor: Supervisor, child_id: str) -> None:
    """In a group nobody begins while somebody who was started after it is still up."""
    later = itertools.takewhile(lambda child: child.id != child_id, supervisor.which_children())
    up = [child.id for child in later if world.probes[child.id].alive]
    if up:
        world.violations.append(f"{child_id} begins while {up} are up")


def _check_rest(world: World, supervisor: Supervisor) -> None:
    """After ten quiet seconds everything that should run does."""
    if supervisor.state.value == "running":
        assert set(states(supervisor).values()) <= {"running", "stopped"}
        assert sum(probe.alive for probe in world.probes.values()) == supervisor.count_children().active


def _check_budget(world: World, supervisor: Supervisor) -> None:
    """Each restart was paid for once, and nobody gave up with money left."""
    paid = [report.at for report in world.reports if report.event in (Event.RESTARTING, Event.GAVE_UP)]
    settings = supervisor.snapshot()
    for last, report in enumerate(r for r in world.reports if r.event in (Event.RESTARTING, Event.GAVE_UP)):
        spent = sum(report.at - settings.period <= at for at in paid[: last + 1])
        assert (spent > settings.intensity) is (report.event is Event.GAVE_UP)
