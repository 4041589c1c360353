"""Children that do what a test tells them and write down when."""

from __future__ import annotations

from collections import Counter, deque
from typing import TYPE_CHECKING, Any

import trio
import trio.testing

from supervisors import ChildSpec, Event, Report, Supervisor
from supervisors.errors import SupervisionError

if TYPE_CHECKING:
    from collections.abc import Callable


class World:
    """The log of all probes and the reports of all supervisors of one test."""

    def __init__(self) -> None:
        self.began_at = trio.current_time()
        self.log: list[tuple[float, str]] = []
        self.reports: list[Report] = []
        self.raised: list[BaseException] = []
        self.probes: dict[str, Probe] = {}
        self.violations: list[str] = []
        self.on_begin: Callable[[str], None] = lambda _child_id: None

    @property
    def now(self) -> float:
        """Seconds since the test began."""
        return round(trio.current_time() - self.began_at, 6)

    def note(self, what: str) -> None:
        self.log.append((self.now, what))

    def forget(self) -> None:
        """Begin a new log."""
        self.log.clear()
        self.reports.clear()

    @property
    def order(self) -> list[str]:
        """What happened, without times."""
        return [what for _, what in self.log]

    def probe(self, child_id: str, **options: Any) -> Probe:
        """Return a new probe."""
        self.probes[child_id] = Probe(self, child_id, **options)
        return self.probes[child_id]

    def spec(self, child_id: str, **options: Any) -> ChildSpec:
        """Return the specification of a new probe."""
        probe_options = {key: options.pop(key) for key in Probe.OPTIONS & options.keys()}
        return self.probe(child_id, **probe_options).spec(**options)

    def specs(self, ids: str, **options: Any) -> list[ChildSpec]:
        return [self.spec(child_id, **options) for child_id in ids]

    def supervisor(self, children: Any = (), name: str = "top", **options: Any) -> Supervisor:
        return Supervisor(name, children, on_report=self.reports.append, **options)

    def told(self, *events: Event) -> list[Report]:
        """Return the reports of these kinds."""
        return [report for report in self.reports if report.event in events]

    def raise_in(self, child_id: str, error: BaseException | None = None) -> BaseException:
        """Let a probe raise."""
        error = error or ValueError(child_id)
        self.probes[child_id].crash(error)
        return error

    def unreported(self) -> Counter[int]:
        """Return what was raised and not reported, or reported and not raised, by identity."""
        raised = Counter(id(error) for error in self.raised)
        told = Counter(id(r.error) for r in self.reports if r.error is not None and not _is_own(r.error))
        raised.subtract(told)
        return Counter({error: count for error, count in raised.items() if count})


class Probe:
    """A child. One at a time: a second life while the first lasts fails the test."""

    OPTIONS = frozenset({"init", "init_errors", "stop", "cleanup", "deaf", "info"})

    def __init__(
        self,
        world: World,
        child_id: str,
        *,
        init: float = 0.0,
        init_errors: tuple[BaseException | None, ...] = (),
        stop: float = 0.0,
        cleanup: float = 0.0,
        deaf: bool = False,
        info: object = None,
    ) -> None:
        self.world, self.id = world, child_id
        self.init, self.init_errors = init, deque(init_errors)
        self.stop_seconds, self.cleanup, self.deaf, self.info = stop, cleanup, deaf, info
        self.lives = 0
        self.alive = 0
        self._order = trio.Event()
        self._asked = False
        self._error: BaseException | None = None

    def spec(self, **options: Any) -> ChildSpec:
        return ChildSpec(id=self.id, start=self.run, **options)

    def crash(self, error: BaseException) -> None:
        self._error = error
        self._order.set()

    def finish(self) -> None:
        self._order.set()

    def ask(self) -> None:
        self.world.note(f"{self.id} asked")
        if not self.deaf:
            self._asked = True
            self._order.set()

    async def run(self, *, task_status: trio.TaskStatus[Any]) -> None:
        if self.alive:
            self.world.violations.append(f"{self.id} runs twice")
        self.world.on_begin(self.id)
        self.lives += 1
        self.alive += 1
        self._order, self._error, self._asked = trio.Event(), None, False
        self.world.note(f"{self.id} begin")
        try:
            await self._init()
            task_status.started(self.info)
            self.world.note(f"{self.id} ready")
            await self._work()
        finally:
            if self.cleanup:
                with trio.CancelScope(shield=True):
                    await trio.sleep(self.cleanup)
            self.alive -= 1
            self.world.note(f"{self.id} end")

    async def _init(self) -> None:
        await trio.sleep(self.init)
        error = self.init_errors.popleft() if self.init_errors else None
        self._raise(error)

    async def _work(self) -> None:
        await self._order.wait()
        if self._asked:
            await trio.sleep(self.stop_seconds)
        self._raise(self._error)

    def _raise(self, error: BaseException | None) -> None:
        if error is not None:
            self.world.raised.append(error)
            raise error


class Running:
    """A supervisor that runs in a nursery, and how it ended."""

    def __init__(self, supervisor: Supervisor) -> None:
        self.supervisor = supervisor
        self.outcome: BaseException | None = None
        self.over = trio.Event()

    async def run(self, *, task_status: trio.TaskStatus[Supervisor] = trio.TASK_STATUS_IGNORED) -> None:
        try:
            await self.supervisor.run(task_status=task_status)
        except (SupervisionError, SystemExit, KeyboardInterrupt) as error:
            self.outcome = error
        finally:
            self.over.set()

    async def wait(self) -> BaseException | None:
        await self.over.wait()
        return self.outcome


async def start(nursery: trio.Nursery, supervisor: Supervisor) -> Running:
    """Run a supervisor; return when its children are ready."""
    running = Running(supervisor)
    await nursery.start(running.run)
    return running


async def settle() -> None:
    """Let everything happen that happens now."""
    await trio.testing.wait_all_tasks_blocked()


def states(supervisor: Supervisor) -> dict[str, str]:
    """Return the state of each child, oldest first."""
    return {child.id: child.state.value for child in reversed(supervisor.which_children())}


def lives(world: World) -> dict[str, int]:
    """Return how often each probe was started."""
    return {child_id: probe.lives for child_id, probe in world.probes.items()}


def supervisor_tasks() -> list[str]:
    """Return the names of all tasks of supervisors, and of whatever they run, that are alive."""
    return [task.name for task in _below(trio.lowlevel.current_root_task()) if task.name.startswith("supervisors.")]


def _below(task: trio.lowlevel.Task | None) -> list[trio.lowlevel.Task]:
    if task is None:
        return []
    children = [child for nursery in task.child_nurseries for child in nursery.child_tasks]
    return [*children, *(task for child in children for task in _below(child))]


def _is_own(error: BaseException) -> bool:
    return isinstance(error, SupervisionError)
