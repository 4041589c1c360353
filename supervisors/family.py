"""One life of a supervisor: its children, from the first start to the last stop.

Starts, stops and restarts run in tasks of the family, never in the caller's: questions are answered at once
whatever the children do, and a caller who is cancelled leaves nothing half done. All of it runs in a shielded scope,
each child in a scope that only the family cancels: so the order of stopping holds even when the world around is
cancelled.
"""

import logging
import math
from collections.abc import Awaitable, Callable, Collection, Iterable
from contextvars import copy_context
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Generic, TypeVar

import trio

from supervisors import errors
from supervisors.child_spec import ChildSpec, Restart
from supervisors.incarnation import Incarnation, is_fatal
from supervisors.reports import COMPLAINTS, Event, LastExit, Report, State
from supervisors.restarts import Attempts, AutoShutdown, Backoff, Budget, Strategy

T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """What `Supervisor` was built with."""

    id: str
    strategy: Strategy
    intensity: float
    period: float
    backoff: Backoff
    auto_shutdown: AutoShutdown
    on_report: Callable[[Report], None]
    dice: Callable[[], float]
    stop_together: bool = False


@dataclass(slots=True, eq=False)
class Repair:
    """Brings back children that restart together: one child, or (group strategies) all of them."""

    attempts: Attempts
    members: Collection["Child"] = ()
    # Held while it stops and starts, not while it waits: in a backoff the others stay manageable.
    lock: trio.Lock = field(default_factory=trio.Lock)
    at_work: bool = False
    nap: trio.CancelScope | None = None
    next_attempt_at: float | None = None

    def first_pending(self) -> "Child | None":
        """Return the first child that is to be started again."""
        return next((child for child in self.members if child.pending), None)


@dataclass(slots=True, eq=False)
class Child:
    """A child over all its lives.

    Attributes:
        pending: It is to be started again, by its repair.
        waiting: It is to be started, by whoever called.
    """

    spec: ChildSpec
    repair: Repair
    run: Incarnation | None = None
    pending: bool = False
    waiting: bool = False
    incarnation: int = 0
    restarts: int = 0
    last_exit: LastExit | None = None

    @property
    def state(self) -> State:
        """Where it is in its life."""
        if self.run is None:
            unborn = State.STARTING if self.waiting else State.STOPPED
            return State.RESTARTING if self.pending else unborn
        if self.run.stuck or self.run.stopping:
            return State.STUCK if self.run.stuck else State.STOPPING
        return State.RUNNING if self.run.ready else State.STARTING


class Family:
    """Runs the children of one life of a supervisor."""

    def __init__(self, settings: Settings, specs: Iterable[ChildSpec], ready: Callable[[], None]) -> None:
        self.settings = settings
        self.children: dict[str, Child] = {}
        self.budget = Budget(settings.intensity, settings.period)
        self.outcome: BaseException | None = None
        self.complaints: list[Report] = []
        self.stop_requested, self.started, self.over = trio.Event(), trio.Event(), trio.Event()
        self._ready = ready
        self._jobs: trio.Nursery | None = None
        self._tasks: trio.Nursery
        # What a caller or a child has set in its context must not live on in children started later.
        self._context = copy_context()
        self._together = Repair(Attempts(settings.backoff), self.children.values())
        for spec in specs:
            self.add(spec)

    # --- From the first start to the last stop -----------------------------------------------------

    async def live(self) -> None:
        """Run until stopped. Raises nothing: why it ended is in `outcome`."""
        # Cancellation from above reaches all tasks at once. The shield keeps the order of stopping ours.
        with trio.CancelScope(shield=True):
            async with trio.open_nursery() as self._tasks:
                try:
                    async with trio.open_nursery() as self._jobs:
                        self._spawn(self._jobs, self._start_all)
                        await self.stop_requested.wait()
                        self._jobs.cancel_scope.cancel()
                    await self._stop_all()
                finally:
                    self.over.set()

    @property
    def is_open(self) -> bool:
        """Whether children can be managed."""
        return self._jobs is not None and not self.stop_requested.is_set()

    def end(self, outcome: BaseException) -> None:
        """Stop all children, then end with this. What is fatal goes before what is not."""
        if self.outcome is None or (is_fatal(outcome) and not is_fatal(self.outcome)):
            self.outcome = outcome
        self.stop_requested.set()

    def hurry(self) -> None:
        """Stop all children at the same time, without asking."""
        self.stop_requested.set()
        for child in self.children.values():
            if child.run is not None:
                self._begin_stop(child, child.run)
                child.run.hurry()

    async def perform(self, operation: Callable[[], Awaitable[T]]) -> T:
        """Run an operation in a task of the family; the caller may be cancelled, the operation goes on.

        Raises:
            SupervisorStoppedError: The supervisor stops meanwhile.
        """
        answer = _Answer[T]()
        self._spawn(self._jobs, answer.give, operation)
        await answer.given.wait()
        return answer.unwrap()

    async def _start_all(self) -> None:
        for child in list(self.children.values()):
            run = await self.start(child)
            if run.failed:
                self.end(errors.StartFailedError.of(child.spec.id, run.error))
                return
        self.started.set()
        self._ready()

    async def _stop_all(self) -> None:
        children = [child for child in reversed(self.children.values()) if child.run is not None]
        if self.settings.stop_together:
            for child in children:
                self._begin_stop(child, child.run)
        for child in children:
            await self._stop_or_end(child)

    # --- One child ---------------------------------------------------------------------------------

    def add(self, spec: ChildSpec) -> Child:
        """List a child, as the newest, without starting it."""
        child = self.children[spec.id] = Child(spec, self._together)
        if self.settings.strategy is Strategy.ONE_FOR_ONE:
            child.repair = Repair(Attempts(self.settings.backoff), (child,))
        return child

    def forget(self, child: Child) -> None:
        """Take a child off the list."""
        if self.children.get(child.spec.id) is child:
            del self.children[child.spec.id]

    async def start_in_turn(self, child: Child) -> Incarnation:
        """Start a child on behalf of a caller, when no restart of its group is in the way."""
        await self.started.wait()
        async with child.repair.lock:
            if not child.waiting:
                raise errors.StartFailedError.of(child.spec.id, None)
            return await self.start(child)

    async def start(self, child: Child) -> Incarnation:
        """Start one more life; return it ready, failed, ignored or stopped."""
        if self.stop_requested.is_set():
            await trio.sleep_forever()  # the job this is part of is about to be cancelled
        child.incarnation += 1
        child.pending = child.waiting = False
        run = child.run = Incarnation(child.incarnation, partial(self._tell, child, Event.STARTED, child.incarnation))
        self._spawn(self._tasks, self._live_one, child, run)
        with trio.move_on_after(math.inf if child.spec.start_timeout is None else child.spec.start_timeout):
            await run.settled.wait()
        if not run.settled.is_set():
            run.give_up_start(child.spec)
            await self.stop(child)
        return run

    async def stop(self, child: Child) -> bool:
        """Stop a child if it runs; False: it is stuck. May be called from several tasks."""
        child.pending = child.waiting = False
        if child.repair.nap is not None and child.repair.first_pending() is None:
            child.repair.nap.cancel()
        return await self._stop_run(child)

    async def renew(self, child: Child) -> None:
        """Stop a child if it runs, and start it again; one that is stuck when it ends after all."""
        run = child.run
        if not await self.stop(child) and run is not None:
            await run.over.wait()
        if self.children.get(child.spec.id) is not child:
            raise errors.ChildNotFoundError(f"child {child.spec.id!r} was temporary")
        child.waiting = True
        child.restarts += 1
        run = await self.start_in_turn(child)
        if run.failed:
            self._bring_back_soon(child)

    async def _stop_run(self, child: Child) -> bool:
        if (run := child.run) is None:
            return True
        self._begin_stop(child, run)
        await run.gone.wait()
        return not run.stuck

    def _begin_stop(self, child: Child, run: Incarnation | None) -> None:
        if run is not None and not run.stopping:
            run.stopping = True
            self._spawn(self._tasks, run.stop, child.spec, partial(self._tell, child, number=run.number))

    async def _stop_or_end(self, child: Child) -> bool:
        if await self._stop_run(child):
            return True
        self.end(errors.ChildStuckError(child.spec.id))
        return False

    async def _live_one(self, child: Child, run: Incarnation) -> None:
        await run.live(child.spec)
        child.run = None
        self._note_exit(child, run)
        if child.spec.restart is Restart.TEMPORARY:
            self.forget(child)
        if run.ready and not run.stopping and not self.stop_requested.is_set():
            self._react(child, run)
        run.ended()

    def _note_exit(self, child: Child, run: Incarnation) -> None:
        error = run.error
        text = None if error is None else f"{type(error).__name__}: {error}"
        child.last_exit = LastExit(reason=run.exit(), at=trio.current_time(), error=text)
        self._tell(child, run.exit_event(), run.number, reason=run.exit(), error=error)
        if error is not None and is_fatal(error):
            self.end(error)

    def _react(self, child: Child, run: Incarnation) -> None:
        """Restart a child that ended by itself, or let it be."""
        restart = child.spec.restart
        if restart is Restart.PERMANENT or (restart is Restart.TRANSIENT and run.error is not None):
            self._bring_back_soon(child)
        elif child.spec.significant and self._was_the_one():
            self.stop_requested.set()

    def _was_the_one(self) -> bool:
        if self.settings.auto_shutdown is AutoShutdown.ANY_SIGNIFICANT:
            return True
        return not any(child.spec.significant and (child.run or child.pending) for child in self.children.values())

    # --- Restarts ----------------------------------------------------------------------------------

    def _bring_back_soon(self, child: Child) -> None:
        child.pending = True
        if not child.repair.at_work:
            child.repair.at_work = True
            self._spawn(self._jobs, self._bring_back, child.repair)

    async def _bring_back(self, repair: Repair) -> None:
        """Restart what failed, and what restarts with it, until nothing is left to restart."""
        await self.started.wait()
        repair.attempts.failed(trio.current_time())
        while (failed := repair.first_pending()) is not None and not self.stop_requested.is_set():
            if not self._pay_for(failed):
                return
            self._plan_attempt(repair, failed)
            async with repair.lock:
                if not await self._stop_group(self._affected_by(failed)):
                    return
            with trio.CancelScope() as repair.nap:
                await trio.sleep_until(repair.next_attempt_at or 0)
            async with repair.lock:
                if not await self._attempt(repair):
                    return
        repair.attempts.healthy_since = trio.current_time()
        repair.at_work, repair.next_attempt_at = False, None

    def _pay_for(self, child: Child) -> bool:
        """Charge the budget, before the attempt. Overdrawing it is the end."""
        if self.budget.charge(trio.current_time()):
            return True
        failure = errors.MaxRestartsError(child.spec.id)
        self._tell(child, Event.GAVE_UP, child.incarnation, error=failure)
        self.end(failure)
        return False

    def _plan_attempt(self, repair: Repair, child: Child) -> None:
        delay = repair.attempts.next_delay(self.settings.dice())
        repair.next_attempt_at = trio.current_time() + delay
        self._tell(child, Event.RESTARTING, child.incarnation, attempt=repair.attempts.count, delay=delay)

    def _affected_by(self, failed: Child) -> list[Child]:
        everyone = list(failed.repair.members)
        return everyone[everyone.index(failed) :] if self.settings.strategy is Strategy.REST_FOR_ONE else everyone

    async def _stop_group(self, group: list[Child]) -> bool:
        for child in group:
            # What somebody stopped stays stopped; what is temporary is forgotten when it ends.
            child.pending = child.pending or (child.run is not None and not child.run.stopping)
        for child in reversed(group):
            if not await self._stop_or_end(child):
                return False
        return True

    async def _attempt(self, repair: Repair) -> bool:
        """Start what is pending, in order, up to the first that fails. False: something is stuck."""
        first = repair.first_pending()
        if first is None:
            return True  # somebody terminated it during the wait
        # Children that were started, or failed, during the wait belong to the group as well.
        untried = self._affected_by(first)
        if not await self._stop_group(untried):
            return False
        while (child := repair.first_pending()) in untried:
            untried.remove(child)
            child.restarts += 1
            run = await self.start(child)
            if run.failed:
                child.pending = True
                break
        return True

    # --- Telling and spawning ----------------------------------------------------------------------

    def _tell(self, child: Child, event: Event, number: int, **facts: Any) -> None:
        report = Report(
            event=event,
            supervisor=self.settings.id,
            child=child.spec.id,
            incarnation=number,
            at=trio.current_time(),
            **facts,
        )
        if event in COMPLAINTS:
            self.complaints.append(report)
        try:
            self.settings.on_report(report)
        except Exception:  # a listener's fault must not take the tree down
            logging.getLogger("supervisors").exception("a listener raised on %s", report)

    def _spawn(self, nursery: trio.Nursery | None, function: Callable[..., Awaitable[None]], *arguments: Any) -> None:
        assert nursery is not None  # noqa: S101 # both are open as long as a child runs
        self._context.copy().run(nursery.start_soon, function, *arguments)


class _Answer(Generic[T]):
    """Carries the result of an operation back to its caller."""

    def __init__(self) -> None:
        self.given = trio.Event()
        self._value: T
        self._error: Exception | None = errors.SupervisorStoppedError("the supervisor stops")

    async def give(self, operation: Callable[[], Awaitable[T]]) -> None:
        try:
            self._value = await operation()
            self._error = None
        except errors.SupervisionError as error:
            self._error = error
        finally:
            self.given.set()

    def unwrap(self) -> T:
        if self._error is not None:
            raise self._error
        return self._value
