"""S01 to S10: starting, and specifications that are refused."""

from __future__ import annotations

import itertools
import math
from typing import TYPE_CHECKING, Any

import pytest
import trio

from supervisors import BRUTAL, IGNORE, INFINITY, AutoShutdown, Backoff, ChildSpec, Event, Restart, Strategy, Supervisor
from supervisors.errors import InvalidSpecError, NotReadyError, StartFailedError, StartTimeoutError
from tests.unit.supervisors.probes import Running, settle, start, states, supervisor_tasks

if TYPE_CHECKING:
    from tests.unit.supervisors.probes import World


async def _nothing(*, task_status: trio.TaskStatus[None]) -> None:
    task_status.started()


@pytest.mark.accepts("S01")
async def test_children_start_one_after_the_other_in_the_order_listed(world: World, nursery: trio.Nursery) -> None:
    supervisor = world.supervisor(world.specs("abc", init=1))

    await start(nursery, supervisor)

    assert world.log == [
        (0, "a begin"), (1, "a ready"), (1, "b begin"), (2, "b ready"), (2, "c begin"), (3, "c ready"),
    ]  # fmt: skip
    assert world.now == 3


@pytest.mark.accepts("S02")
async def test_a_child_that_cannot_start_fails_the_supervisor_with_the_original_as_cause(world: World) -> None:
    fault = ValueError("no port")
    supervisor = world.supervisor([world.spec("a"), world.spec("b", init_errors=(fault,)), world.spec("c")])

    with pytest.raises(StartFailedError, match="'b'") as failed:
        await supervisor.run()

    assert failed.value.__cause__ is fault
    assert world.order == ["a begin", "a ready", "b begin", "b end", "a end"]
    assert not world.unreported()


@pytest.mark.accepts("S02")
async def test_a_start_through_nursery_start_fails_there(world: World, nursery: trio.Nursery) -> None:
    supervisor = world.supervisor([world.spec("b", init_errors=(ValueError(),))])

    with pytest.raises(StartFailedError):
        await nursery.start(supervisor.run)


@pytest.mark.accepts("S03")
async def test_a_child_that_is_not_ready_in_time_fails_the_start(world: World) -> None:
    supervisor = world.supervisor([world.spec("a"), world.spec("b", init=math.inf, start_timeout=2)])

    with pytest.raises(StartFailedError, match=r"'b'.*init timeout") as failed:
        await supervisor.run()

    assert isinstance(failed.value.__cause__, StartTimeoutError)
    assert world.now == 2
    assert world.order[-2:] == ["b end", "a end"]
    assert supervisor_tasks() == []


@pytest.mark.accepts("S04")
async def test_a_child_that_returns_without_being_ready_fails_the_start(world: World) -> None:
    async def forgetful(*, task_status: object) -> None:
        await trio.lowlevel.checkpoint()

    supervisor = world.supervisor([ChildSpec(id="b", start=forgetful)])

    with pytest.raises(StartFailedError, match=r"b.*exited before ready") as failed:
        await supervisor.run()

    assert isinstance(failed.value.__cause__, NotReadyError)
    assert [report.event for report in world.reports] == [Event.START_FAILED]


@pytest.mark.accepts("S05")
async def test_a_permanent_child_may_answer_ignore_and_be_started_later(world: World, nursery: trio.Nursery) -> None:
    probe = world.probe("a", info=IGNORE)
    supervisor = world.supervisor([probe.spec()])

    await start(nursery, supervisor)
    counts = supervisor.count_children()
    ignored = states(supervisor)
    probe.info = "now"
    identity = await supervisor.restart_child("a")

    assert (counts.specs, counts.active) == (1, 0)
    assert ignored == {"a": "stopped"}
    assert (identity.incarnation, identity.info) == (2, "now")
    assert supervisor.count_children().active == 1


@pytest.mark.accepts("S06")
async def test_a_temporary_child_that_answers_ignore_is_forgotten(world: World, nursery: trio.Nursery) -> None:
    supervisor = world.supervisor([world.spec("a", info=IGNORE, restart=Restart.TEMPORARY)])

    await start(nursery, supervisor)

    assert supervisor.which_children() == ()


@pytest.mark.accepts("S07")
async def test_a_dynamic_child_that_cannot_start_is_not_listed_and_not_retried(
    world: World, nursery: trio.Nursery
) -> None:
    supervisor = world.supervisor(world.specs("a"), intensity=3)
    await start(nursery, supervisor)
    fault = ValueError()

    with pytest.raises(StartFailedError) as failed:
        await supervisor.start_child(world.spec("b", init_errors=(fault,)))
    await trio.sleep(60)

    assert failed.value.__cause__ is fault
    assert states(supervisor) == {"a": "running"}
    assert world.probes["b"].lives == 1
    assert supervisor.snapshot().restarts_in_period == 0


@pytest.mark.accepts("S09")
@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("id", ""),
        ("start", None),
        ("restart", "permanent"),
        ("shutdown", -1),
        ("shutdown", math.nan),
        ("shutdown", "brutal"),
        ("kill_after", -0.1),
        ("kill_after", True),
        ("start_timeout", 0),
        ("start_timeout", -5),
        ("significant", True),
    ],
)
def test_a_child_that_can_never_work_is_refused_by_name_and_field(field: str, value: object) -> None:
    fields: dict[str, Any] = {"id": "odd", "start": _nothing, field: value}

    with pytest.raises(InvalidSpecError, match=f"child {fields['id']!r}: {field}"):
        ChildSpec(**fields)


@pytest.mark.accepts("S09")
@pytest.mark.parametrize(
    ("field", "options"),
    [
        ("strategy", {"strategy": "one_for_one"}),
        ("auto_shutdown", {"auto_shutdown": "never"}),
        ("intensity", {"intensity": -1}),
        ("intensity", {"intensity": math.inf}),
        ("period", {"period": 0}),
    ],
)
def test_a_supervisor_that_can_never_work_is_refused_by_name_and_field(field: str, options: dict[str, Any]) -> None:
    with pytest.raises(InvalidSpecError, match=f"supervisor 'top': {field}"):
        Supervisor("top", **options)


@pytest.mark.accepts("S09")
async def test_two_children_of_one_id_are_refused(world: World) -> None:
    with pytest.raises(InvalidSpecError, match="id 'a' is there twice"):
        world.supervisor([*world.specs("ab"), world.spec("a")])

    assert world.log == []


@pytest.mark.accepts("S09")
@pytest.mark.parametrize("auto_shutdown", AutoShutdown)
@pytest.mark.parametrize(("restart", "significant"), list(itertools.product(Restart, [True, False])))
@pytest.mark.parametrize("shutdown", [0, 5.0, BRUTAL, INFINITY])
def test_what_may_be_significant_is_decided_before_anything_starts(
    restart: Restart,
    significant: bool,  # noqa: FBT001 # a parameter of the test
    shutdown: Any,
    auto_shutdown: AutoShutdown,
) -> None:
    def build() -> Supervisor:
        spec = ChildSpec(id="a", start=_nothing, restart=restart, significant=significant, shutdown=shutdown)
        return Supervisor("top", [spec], auto_shutdown=auto_shutdown)

    if significant and (restart is Restart.PERMANENT or auto_shutdown is AutoShutdown.NEVER):
        with pytest.raises(InvalidSpecError, match="child 'a': significant"):
            build()
    else:
        assert build().which_children() == ()


@pytest.mark.accepts("S09")
@pytest.mark.parametrize("options", [{"first": -1}, {"factor": 0.5}, {"first": 9, "maximum": 3}, {"jitter": -0.1}])
def test_a_backoff_that_can_never_work_is_refused(options: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="can never work"):
        Backoff(**options)


@pytest.mark.accepts("S10")
async def test_the_defaults_are_those_documented(world: World, nursery: trio.Nursery) -> None:
    spec = ChildSpec(id="a", start=_nothing)
    supervisor = world.supervisor(world.specs("a"))
    await start(nursery, supervisor)
    snapshot = supervisor.snapshot()

    assert (spec.restart, spec.shutdown, spec.kill_after) == (Restart.PERMANENT, 5.0, 5.0)
    assert (spec.start_timeout, spec.significant, spec.ask, spec.kind) == (30.0, False, None, "worker")
    assert (snapshot.strategy, snapshot.intensity, snapshot.period) == (Strategy.ONE_FOR_ONE.value, 1, 5.0)


async def test_saying_ready_twice_is_an_error_of_the_child(world: World, nursery: trio.Nursery) -> None:
    async def eager(*, task_status: trio.TaskStatus[None]) -> None:
        task_status.started()
        await trio.sleep(1)
        task_status.started()

    running = await start(nursery, world.supervisor([ChildSpec(id="a", start=eager)], intensity=0))
    await running.wait()

    assert [str(report.error) for report in world.told(Event.EXITED)] == [
        "called 'started' twice on the same task status"
    ]


async def test_a_crash_during_the_start_of_others_is_handled_after_it(world: World, nursery: trio.Nursery) -> None:
    running = Running(world.supervisor([world.spec("a"), world.spec("b", init=5)]))
    nursery.start_soon(running.run)
    await trio.sleep(1)

    world.raise_in("a")
    await trio.sleep(1)
    early = states(running.supervisor)
    await trio.sleep(4)

    assert early == {"a": "restarting", "b": "starting"}
    assert world.log[-2:] == [(5, "a begin"), (5, "a ready")]


async def test_a_supervisor_runs_once_at_a_time(world: World, nursery: trio.Nursery) -> None:
    running = await start(nursery, world.supervisor(world.specs("a")))

    with pytest.raises(RuntimeError, match="runs already"):
        await running.supervisor.run()

    await settle()
    assert states(running.supervisor) == {"a": "running"}
