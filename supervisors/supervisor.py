"""Starts children in order, restarts what fails, stops them in reverse. Knows nothing of what they do.

Erlang/OTP's supervisor on trio; docs/supervision.md tells its behaviour sentence by sentence.
"""

import math
import random
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

import trio

from supervisors import errors
from supervisors.child_spec import INFINITY, ChildSpec
from supervisors.family import Child, Family, Settings
from supervisors.incarnation import Incarnation
from supervisors.limbo import Limbo, limbo
from supervisors.reports import ChildSnapshot, Counts, Identity, Report, State, SupervisorSnapshot
from supervisors.restarts import AT_ONCE, AutoShutdown, Backoff, Strategy


class Supervisor:
    """A supervisor. `run` is itself the start function of a child, so supervisors nest.

    Args:
        name: Its id.
        children: Started in this order; they come back when the supervisor itself is restarted.
        strategy: Who is restarted with a child that failed.
        intensity: How many restarts it pays for in a period; `math.inf` (with a backoff): any number.
        period: Seconds.
        backoff: The waits before restarts; None: restart at once.
        auto_shutdown: Whether the end of significant children ends it.
        on_report: Told every fact once. Must not wait.
        dice: Random numbers in [0, 1) for the jitter.
        stop_together: All children are told to stop at the same time, not one after the other.

    Raises:
        InvalidSpecError: Some value can never work; the message names it.
    """

    def __init__(  # noqa: PLR0913 # OTP's choices, each with OTP's default
        self,
        name: str,
        children: Sequence[ChildSpec] = (),
        *,
        strategy: Strategy = Strategy.ONE_FOR_ONE,
        intensity: float = 1,
        period: float = 5.0,
        backoff: Backoff | None = None,
        auto_shutdown: AutoShutdown = AutoShutdown.NEVER,
        on_report: Callable[[Report], None] = lambda _report: None,
        dice: Callable[[], float] = random.random,
        stop_together: bool = False,
    ) -> None:
        self.id = name
        self._require("strategy", isinstance(strategy, Strategy), "must be a Strategy")
        self._require("auto_shutdown", isinstance(auto_shutdown, AutoShutdown), "must be an AutoShutdown")
        self._require("intensity", intensity >= 0, "must be 0 or more")
        self._require("intensity", intensity < math.inf or backoff, "without limit needs a backoff")
        self._require("period", period > 0, "must be over 0 s")
        self._settings = Settings(
            id=name,
            strategy=strategy,
            intensity=intensity,
            period=period,
            backoff=backoff or AT_ONCE,
            auto_shutdown=auto_shutdown,
            on_report=on_report,
            dice=dice,
            stop_together=stop_together,
        )
        self._static: dict[str, ChildSpec] = {}
        for spec in children:
            self._require("id", spec.id not in self._static, f"{spec.id!r} is there twice")
            self._static[spec.id] = self._checked(spec)
        self._family: Family | None = None
        self._limbo: Limbo | None = None
        self._runs = False
        self._begun = trio.Event()

    # --- Running -----------------------------------------------------------------------------------

    async def run(  # noqa: ASYNC128 # the family says it, when all children are ready
        self, *, task_status: trio.TaskStatus["Supervisor"] = trio.TASK_STATUS_IGNORED
    ) -> None:
        """Run until stopped or cancelled; ready when all children are. When it ends they are gone.

        Raises:
            StartFailedError: A child could not be started.
            MaxRestartsError: Too many restarts in the period.
            ChildStuckError: A child outlived its cancellation. (The outermost supervisor cannot leave it behind:
                it returns when the child ends after all, or never, see `supervisors.watchdog`.)
        """
        if self._runs:
            raise RuntimeError(f"supervisor {self.id!r} runs already")
        self._runs = True
        try:
            async with limbo() as self._limbo:
                family = self._family = self._new_family(partial(task_status.started, self))
                self._begun.set()
                await _run(family, self._limbo)
        finally:
            self._runs = False
            outcome, family.outcome = family.outcome, None
            if outcome is not None:
                raise outcome

    async def stop(self) -> tuple[Report, ...]:
        """Stop all children in reverse, wait for it, and return what went wrong with it."""
        await trio.lowlevel.checkpoint()
        if self._family is None:
            return ()
        self.stop_soon()
        await self._family.over.wait()
        return tuple(self._family.complaints)

    def stop_soon(self) -> None:
        """Begin to stop; may be called when it does not run."""
        if self._family is not None:
            self._family.stop_requested.set()

    async def wait_stopping(self) -> None:
        """Wait until it begins to stop, for whatever reason."""
        await self._begun.wait()
        if self._family is not None:
            await self._family.stop_requested.wait()

    def hurry(self) -> None:
        """Stop at once, in the whole tree: cancel without asking, all at the same time."""
        if self._limbo is not None:
            self._limbo.hurry()

    def as_child(self, **changes: Any) -> ChildSpec:
        """Return the specification of this supervisor as a child of another; `changes` are its fields."""
        spec = ChildSpec(id=self.id, start=self.run, shutdown=INFINITY, start_timeout=None, below=self)
        return replace(spec, **changes)

    # --- Managing children while it runs -----------------------------------------------------------

    async def start_child(self, spec: ChildSpec) -> Identity:
        """Start one more child and wait until it is ready. If it cannot be started it is not listed, and not retried.

        A caller who is cancelled while waiting does not stop the start.

        Raises:
            StartFailedError: The child raised, was not ready in time, or was stopped meanwhile.
            ChildAlreadyStartedError: A child of this id runs.
            ChildAlreadyPresentError: A child of this id is known and does not run.
            InvalidSpecError: It cannot be a child of this supervisor.
            SupervisorStoppedError: The supervisor stops, or does not run.
        """
        family = self._running()
        if (known := family.children.get(spec.id)) is not None:
            if known.state in (State.STARTING, State.RUNNING, State.STOPPING):
                raise errors.ChildAlreadyStartedError(spec.id, _identity(known))
            raise errors.ChildAlreadyPresentError(f"child {spec.id!r} is already present: {known.state.value}")
        child = family.add(self._checked(spec))
        return await self._start(family, child, is_new=True)

    async def restart_child(self, child_id: str) -> Identity:
        """Start a child that is stopped. If that fails it stays stopped.

        Raises:
            ChildNotFoundError, ChildRunningError, ChildRestartingError: It is not a stopped child.
            StartFailedError, SupervisorStoppedError: As for `start_child`.
        """
        family = self._running()
        child = _stopped(family, child_id)
        return await self._start(family, child, is_new=False)

    async def terminate_child(self, child_id: str) -> None:
        """Stop a child and keep it stopped; whatever restart it waits for is off. A temporary one is forgotten.

        Raises:
            ChildNotFoundError: There is no such child.
            ChildStuckError: It outlived its cancellation.
        """
        await trio.lowlevel.checkpoint()
        family = self._running()
        if not await family.stop(_child(family, child_id)):
            raise errors.ChildStuckError(child_id)

    async def renew_child(self, child_id: str) -> None:
        """Stop a child if it runs, and start it again, as one operation that costs no budget.

        A caller who is cancelled does not keep it from coming back; what cannot start comes back as after a crash. One
        that is stuck is started when it ends after all: two lives at once are worse than none.

        Raises:
            ChildNotFoundError: There is no such child, or it was temporary.
            StartFailedError: It was stopped meanwhile.
            SupervisorStoppedError: The supervisor stops, or does not run.
        """
        family = self._running()
        await family.perform(partial(family.renew, _child(family, child_id)))

    def delete_child(self, child_id: str) -> None:
        """Forget a stopped child, so that its id can be used again.

        Raises:
            ChildNotFoundError, ChildRunningError, ChildRestartingError: It is not a stopped child.
        """
        family = self._running()
        family.forget(_stopped(family, child_id))

    def update_spec(self, child_id: str, **changes: Any) -> None:
        """Change a child's specification without touching the child; what it says holds from the next use on.

        Raises:
            ChildNotFoundError: There is no such child.
            InvalidSpecError: It can never work so; nothing has changed.
        """
        child = _child(self._running(), child_id)
        if unknown := changes.keys() - set(ChildSpec.__slots__) or changes.keys() & {"id"}:
            raise errors.InvalidSpecError(f"child {child_id!r}: {', '.join(sorted(unknown))} cannot be changed")
        child.spec = self._checked(replace(child.spec, **changes))

    # --- Looking, without waiting ------------------------------------------------------------------

    @property
    def state(self) -> State:
        """Where it is in its life."""
        family = self._family
        if family is None or family.over.is_set():
            return State.STOPPED
        if family.stop_requested.is_set():
            return State.STOPPING
        return State.RUNNING if family.started.is_set() else State.STARTING

    def below(self, child_id: str) -> "Supervisor":
        """Return the supervisor that a child is.

        Raises:
            ChildNotFoundError: There is no such child, or it is none.
        """
        child = None if self._family is None else self._family.children.get(child_id)
        if child is None or not isinstance(child.spec.below, Supervisor):
            raise errors.ChildNotFoundError(f"supervisor {child_id!r} is not found")
        return child.spec.below

    def which_children(self) -> tuple[ChildSnapshot, ...]:
        """Return the children as they are now, newest first."""
        return tuple(_snapshot(child) for child in reversed(self._listed()))

    def count_children(self) -> Counts:
        """Count the children."""
        children = self._listed()
        return Counts(
            specs=len(children),
            active=sum(child.run is not None for child in children),
            supervisors=sum(child.spec.kind == "supervisor" for child in children),
            workers=sum(child.spec.kind == "worker" for child in children),
        )

    def snapshot(self) -> SupervisorSnapshot:
        """Return it and all below it as they are now, children in the order they start."""
        now = trio.current_time()
        return SupervisorSnapshot(
            id=self.id,
            at=now,
            state=self.state,
            strategy=self._settings.strategy.value,
            intensity=self._settings.intensity,
            period=self._settings.period,
            restarts_in_period=0 if self._family is None else self._family.budget.spent(now),
            children=tuple(_snapshot(child) for child in self._listed()),
        )

    # --- Inside ------------------------------------------------------------------------------------

    def _new_family(self, ready: Callable[[], None]) -> Family:
        family = Family(self._settings, self._static.values(), ready)
        if self._family is not None:
            for child_id, child in family.children.items():
                if (before := self._family.children.get(child_id)) is not None:
                    child.incarnation, child.restarts = before.incarnation, before.restarts
                    child.last_exit = before.last_exit
        return family

    async def _start(self, family: Family, child: Child, *, is_new: bool) -> Identity:
        child.waiting = True
        run: Incarnation = await family.perform(partial(_start, family, child, is_new=is_new))
        return Identity(id=child.spec.id, incarnation=run.number, started_at=run.started_at, info=run.info)

    def _running(self) -> Family:
        if self._family is None or not self._family.is_open:
            raise errors.SupervisorStoppedError(f"supervisor {self.id!r} does not run")
        return self._family

    def _listed(self) -> list[Child]:
        return [] if self._family is None else list(self._family.children.values())

    def _checked(self, spec: ChildSpec) -> ChildSpec:
        if spec.significant and self._settings.auto_shutdown is AutoShutdown.NEVER:
            raise errors.InvalidSpecError(f"child {spec.id!r}: significant: supervisor {self.id!r} never shuts down so")
        return spec

    def _require(self, field: str, holds: object, rule: str) -> None:
        if not holds:
            raise errors.InvalidSpecError(f"supervisor {self.id!r}: {field} {rule}")


async def _run(family: Family, home: Limbo) -> None:
    home.adopt(family.live, family.hurry)
    try:
        await family.over.wait()
    except KeyboardInterrupt as interrupt:
        family.end(interrupt)
    finally:
        family.stop_requested.set()
        # Without a deadline of its own: the limits of the children bound it.
        with trio.CancelScope(shield=True):
            await family.over.wait()


async def _start(family: Family, child: Child, *, is_new: bool) -> Incarnation:
    run = await family.start_in_turn(child)
    if run.ready or run.ignored:
        return run
    if is_new and run.failed and not run.stuck:
        family.forget(child)
    raise errors.StartFailedError.of(child.spec.id, run.error)


def _child(family: Family, child_id: str) -> Child:
    if (child := family.children.get(child_id)) is None:
        raise errors.ChildNotFoundError(f"child {child_id!r} is not found")
    return child


def _stopped(family: Family, child_id: str) -> Child:
    child = _child(family, child_id)
    if child.state is State.RESTARTING:
        raise errors.ChildRestartingError(f"child {child_id!r} is restarting")
    if child.state is not State.STOPPED:
        raise errors.ChildRunningError(f"child {child_id!r} is {child.state.value}")
    return child


def _identity(child: Child) -> Identity | None:
    if (run := child.run) is None:
        return None
    return Identity(id=child.spec.id, incarnation=run.number, started_at=run.started_at, info=run.info)


def _snapshot(child: Child) -> ChildSnapshot:
    spec = child.spec
    return ChildSnapshot(
        id=spec.id,
        kind=spec.kind,
        restart=spec.restart.value,
        significant=spec.significant,
        state=child.state,
        incarnation=child.incarnation,
        started_at=None if child.run is None else child.run.started_at,
        restarts=child.restarts,
        last_exit=child.last_exit,
        attempt=child.repair.attempts.count if child.pending else 0,
        next_attempt_at=child.repair.next_attempt_at if child.pending else None,
        details=None if spec.details is None else spec.details(),
        below=None if spec.below is None else spec.below.snapshot(),
    )
