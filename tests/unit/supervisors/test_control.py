"""What operators see of the tree and do with it; and `renew_child`, which they do it with."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pytest
import trio

from actors.circuit_breaker import BreakerSettings, CircuitBreaker
from actors.mailbox import Mailbox
from app.domain.errors import NotControllableError, NotFoundError
from monitoring import logs, tracing
from supervisors import Backoff, Restart, Supervisor
from supervisors.control import CALM_SECONDS, Control
from supervisors.errors import ChildNotFoundError, StartFailedError
from supervisors.last_errors import LastErrors
from supervisors.tree import Part, tree
from tests.unit.supervisors.probes import lives, settle, start, states

if TYPE_CHECKING:
    from tests.unit.monitoring.conftest import Lines
    from tests.unit.supervisors.probes import World

# --- renew_child ------------------------------------------------------------------------------------------


async def test_a_renewed_child_has_a_new_life_and_cost_nothing(world: World, nursery: trio.Nursery) -> None:
    supervisor = world.supervisor(world.specs("ab"), intensity=0)
    await start(nursery, supervisor)

    await supervisor.renew_child("a")
    await supervisor.terminate_child("a")
    await supervisor.renew_child("a")

    assert (states(supervisor), lives(world)) == ({"a": "running", "b": "running"}, {"a": 3, "b": 1})
    assert [child.restarts for child in supervisor.which_children()] == [0, 2]


async def test_a_renewed_child_that_cannot_start_comes_back_as_after_a_crash(
    world: World, nursery: trio.Nursery
) -> None:
    backoff = Backoff(first=1, jitter=0)
    supervisor = world.supervisor([world.spec("a")], intensity=9, backoff=backoff)
    await start(nursery, supervisor)
    world.probes["a"].init_errors.extend([OSError("not yet"), OSError("not yet")])

    await supervisor.renew_child("a")
    waiting = states(supervisor)
    await trio.sleep(1 + 2 + 0.1)

    assert (waiting, states(supervisor)) == ({"a": "restarting"}, {"a": "running"})


async def test_a_renewal_does_not_need_whoever_asked_for_it(world: World, nursery: trio.Nursery) -> None:
    supervisor = world.supervisor([world.spec("a", init=1, stop=1)])
    await start(nursery, supervisor)

    with trio.move_on_after(0.1):
        await supervisor.renew_child("a")
    await trio.sleep(5)

    assert (states(supervisor), lives(world)) == ({"a": "running"}, {"a": 2})


async def test_a_child_in_backoff_is_renewed_at_once(world: World, nursery: trio.Nursery) -> None:
    supervisor = world.supervisor([world.spec("a")], intensity=9, backoff=Backoff(first=30))
    await start(nursery, supervisor)
    world.raise_in("a")
    await settle()

    await supervisor.renew_child("a")
    await trio.sleep(60)

    assert (states(supervisor), lives(world)) == ({"a": "running"}, {"a": 2})


async def test_what_cannot_be_renewed_is_told(world: World, nursery: trio.Nursery) -> None:
    supervisor = world.supervisor([world.spec("a"), world.spec("t", restart=Restart.TEMPORARY)])
    await start(nursery, supervisor)

    for child in "xt":
        with pytest.raises(ChildNotFoundError):
            await supervisor.renew_child(child)

    assert states(supervisor) == {"a": "running"}


async def test_a_stuck_child_is_renewed_when_it_ends_after_all(world: World, nursery: trio.Nursery) -> None:
    supervisor = world.supervisor([world.spec("s", shutdown=1, kill_after=1, cleanup=60)])
    await start(nursery, supervisor)

    with trio.move_on_after(10):
        await supervisor.renew_child("s")
    stuck = states(supervisor)
    await trio.sleep(60)

    assert (stuck, states(supervisor), lives(world)) == ({"s": "stuck"}, {"s": "running"}, {"s": 2})


async def test_two_renewals_at_once_leave_one_that_runs(world: World, nursery: trio.Nursery) -> None:
    supervisor = world.supervisor([world.spec("a", init=1)])
    await start(nursery, supervisor)
    refused: list[StartFailedError] = []

    async def renew() -> None:
        try:
            await supervisor.renew_child("a")
        except StartFailedError as error:
            refused.append(error)

    async with trio.open_nursery() as both:
        both.start_soon(renew)
        both.start_soon(renew)

    assert states(supervisor) == {"a": "running"}
    assert len(refused) <= 1


# --- the house in small -----------------------------------------------------------------------------------


@dataclass
class House:
    """A tree like Rondo's, of probes."""

    world: World
    breaker: CircuitBreaker = field(
        default_factory=lambda: CircuitBreaker("email", BreakerSettings(failures=1, first_seconds=30, jitter=0))
    )
    mailbox: Mailbox[str] = field(default_factory=lambda: Mailbox("audit", capacity=2))
    errors: LastErrors = field(default_factory=LastErrors)
    root: Supervisor = field(init=False)

    def __post_init__(self) -> None:
        audit = Part(id="audit", start=self.audit, mailbox=self.mailbox.snapshot, controllable=True)
        self.root = tree(
            database=[self.part("pool")],
            events=[self.part("sync", controllable=True), audit],
            deliveries=[self.part("email", controllable=True, breaker=self.breaker.snapshot)],
            edge=[self.part("listener")],
            on_report=self.errors,
        )

    def part(self, name: str, **options: Any) -> Part:
        return Part(id=name, start=self.world.probe(name).run, **options)

    async def audit(self, *, task_status: trio.TaskStatus[None]) -> None:
        """Be wedged over the first message."""
        with self.mailbox:
            task_status.started()
            logs.get_logger("audit").info("Begun.", event="audit.begun")
            await self.mailbox.receive()
            with tracing.span("audit.write"):
                await trio.sleep(5)
                raise RuntimeError("the trail is full")

    @property
    def control(self) -> Control:
        return Control(root=lambda: self.root, errors=self.errors)

    def shown(self) -> dict[str, Any]:
        """Return the workers of the tree by path."""
        shown: dict[str, Any] = json.loads(self.control.tree())
        return {worker["path"]: worker for branch in shown["children"] for worker in branch["children"]}


@pytest.fixture
async def house(world: World, nursery: trio.Nursery) -> House:
    made = House(world)
    await nursery.start(made.root.run)
    return made


@pytest.mark.accepts("S57")
async def test_the_tree_says_all_there_is_to_say_of_a_wedged_actor_and_of_its_crash(house: House) -> None:
    for message in ("in hand", "one", "two", "too many"):
        house.mailbox.tell_nowait(message)
        await settle()
    await trio.sleep(3)

    wedged = house.shown()["events/audit"]
    await trio.sleep(2.01)
    crashed = json.loads(house.control.node("events/audit"))

    assert (wedged["state"], wedged["inHandSeconds"], wedged["handled"], wedged["lastError"]) == ("running", 3, 0, None)
    assert wedged["mailbox"] == {
        "name": "audit",
        "life": "alive",
        "length": 2,
        "capacity": 2,
        "policy": "drop_and_mark_missed",
        "oldestSeconds": 3,
        "full": 1,
        "missed": 1,
        "dead": 0,
    }
    assert (crashed["state"], crashed["attempt"], crashed["paused"]) == ("restarting", 1, False)
    assert 0 < crashed["backoffSeconds"] <= 0.12
    assert crashed["nextAttemptAt"] is not None
    assert (crashed["lastExit"]["reason"], crashed["lastExit"]["error"]) == (
        "crashed",
        "RuntimeError: the trail is full",
    )
    assert crashed["lastError"]["message"] == "RuntimeError: the trail is full"
    assert len(crashed["lastError"]["traceId"]) == 32
    assert 'raise RuntimeError("the trail is full")' in crashed["lastError"]["stack"]


async def test_the_root_and_its_branches_are_supervisors_with_a_life(house: House) -> None:
    shown = json.loads(house.control.tree())

    assert (shown["path"], shown["kind"], shown["strategy"]) == ("root", "supervisor", "rest_for_one")
    events = shown["children"][1]
    assert (events["path"], events["state"], events["intensity"], events["incarnation"]) == (
        "events",
        "running",
        None,
        1,
    )
    assert (events["controllable"], events["lastError"]) == (False, None)


async def test_a_paused_actor_stays_paused_until_somebody_restarts_it(house: House) -> None:
    control = house.control

    await control.pause("events/audit")
    await trio.sleep(60)
    paused, was_paused = house.shown()["events/audit"], control.is_paused("events/audit")
    await control.restart("events/audit")
    resumed = house.shown()["events/audit"]

    assert (paused["state"], paused["paused"], paused["lastExit"]["reason"]) == ("stopped", True, "shutdown")
    assert was_paused
    assert (resumed["state"], resumed["paused"], resumed["incarnation"], resumed["restarts"]) == (
        "running",
        False,
        2,
        1,
    )


async def test_what_is_unknown_or_holds_the_house_cannot_be_controlled(house: House) -> None:
    control = house.control

    for path in ("events", "events/nobody", "nowhere/audit", "", "events/audit/x"):
        with pytest.raises(NotFoundError):
            control.node(path)
        with pytest.raises(NotFoundError):
            await control.restart(path)
    for path in ("database/pool", "edge/listener"):
        with pytest.raises(NotControllableError):
            await control.restart(path)
        with pytest.raises(NotControllableError):
            await control.pause(path)

    assert {worker["state"] for worker in house.shown().values()} == {"running"}


async def test_an_actor_that_does_not_hear_is_shown_as_stuck_and_the_operator_gets_an_answer(
    world: World, house: House
) -> None:
    world.probes["sync"].cleanup = 120

    began = trio.current_time()
    await house.control.pause("events/sync")
    first = trio.current_time() - began
    await trio.sleep(1)
    await house.control.restart("events/sync")
    stuck = house.shown()["events/sync"]
    world.probes["sync"].cleanup = 0
    await trio.sleep(120)

    assert first <= 2
    assert (stuck["state"], house.shown()["events/sync"]["state"]) == ("stuck", "running")


async def test_an_actors_own_lines_and_those_about_it_are_its_log(house: House, lines: Lines) -> None:
    await house.control.restart("events/audit")

    log = json.loads(house.control.log("events/audit", 10))["items"]
    with pytest.raises(NotFoundError):
        house.control.log("events/nobody", 10)

    begun = log[-1]
    assert (begun["event"], begun["component"], begun["level"], begun["message"]) == (
        "audit.begun",
        "audit",
        "info",
        "Begun.",
    )
    assert (lines()[-1]["supervisor"], lines()[-1]["actor"]) == ("events", "audit")


async def test_what_people_rely_on_is_degraded_when_it_is_away_for_a_while(world: World, house: House) -> None:
    control = house.control
    world.probes["sync"].init = 60
    calm = control.degraded()

    world.raise_in("sync")
    await trio.sleep(1)
    at_first = control.degraded()
    await trio.sleep(CALM_SECONDS)
    later = control.degraded()
    with pytest.raises(OSError, match="away"), house.breaker.trial():
        raise OSError("away")
    with_email = control.degraded()
    shown = house.shown()["deliveries/email"]["breaker"]

    assert (calm, at_first) == ((), ())
    assert [one.part for one in later] == ["live"]
    assert [one.part for one in with_email] == ["live", "email"]
    assert all(one.since is not None for one in with_email)
    assert (shown["name"], shown["state"], shown["retryAt"] is not None) == ("email", "open", True)
