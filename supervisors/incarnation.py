"""One life of a child: from its start function being called to its task being gone.

Is the `task_status` of its child. trio's own `nursery.start` means the same by init, but waits without
end for an init that cannot be cancelled; this one can be given up.
"""

from collections.abc import Callable
from typing import Any, Protocol

import trio

from supervisors.child_spec import BRUTAL, IGNORE, INFINITY, ChildSpec
from supervisors.errors import ChildStuckError, NotReadyError, StartTimeoutError
from supervisors.reports import Event, Exit
from supervisors.stacks import task_stack


class Tell(Protocol):
    """How a child that is to be stopped reports what becomes of it."""

    def __call__(self, event: Event, *, stack: str = "", error: BaseException | None = None) -> None:
        """Report it."""


class Incarnation(trio.TaskStatus[Any]):
    """Runs the child in a scope that only the supervisor can cancel.

    Attributes:
        settled: The child is ready, or has ended.
        over: Its task has ended.
        gone: It has ended, or is stuck: nobody waits for it any longer.
    """

    def __init__(self, number: int, on_ready: Callable[[], None]) -> None:
        self.number = number
        self.started_at = trio.current_time()
        self.info: object = None
        self.ready = self.stopping = self.stuck = self._too_slow = False
        self.error: BaseException | None = None
        self.settled, self.over, self.gone = trio.Event(), trio.Event(), trio.Event()
        self.task: trio.lowlevel.Task | None = None
        self.scope = trio.CancelScope()
        self._grace = trio.CancelScope()
        self._on_ready = on_ready

    def started(self, value: Any = None) -> None:
        """Say that the child is ready (`trio.TaskStatus`)."""
        if self.ready or self.ignored:
            raise RuntimeError("called 'started' twice on the same task status")
        if self._too_slow:
            return
        self.info = value
        if value is IGNORE:
            self.scope.cancel()
            return
        self.ready = True
        self._on_ready()
        self.settled.set()

    @property
    def ignored(self) -> bool:
        """Whether the child answered that it has nothing to do here."""
        return self.info is IGNORE

    @property
    def failed(self) -> bool:
        """Whether it could not be started. Somebody stopping it meanwhile is not a failure."""
        return self.error is not None and not self.ready and (self._too_slow or not self.stopping)

    def give_up_start(self, spec: ChildSpec) -> None:
        """It was not ready in time."""
        self._too_slow = True
        self.error = StartTimeoutError(f"child {spec.id!r}: init timeout after {spec.start_timeout} s")

    async def live(self, spec: ChildSpec) -> None:
        """Run the child. Raises nothing: what the child raised is in `error`."""
        self.task = trio.lowlevel.current_task()
        try:
            with self.scope:
                await spec.start(task_status=self)
        except BaseException as error:  # noqa: BLE001, ASYNC103 # every end is a fact, which its supervisor acts upon
            self.error = _essence(error) or self.error
        if not (self.ready or self.ignored or self.stopping or self.error):
            self.error = NotReadyError(f"child {spec.id!r} exited before ready")

    def ended(self) -> None:
        """Wake whoever waits; the supervisor has noted the end."""
        self.settled.set()
        self.over.set()
        self.gone.set()

    def exit(self) -> Exit:
        """Return why it ended."""
        if self.ignored:
            return Exit.IGNORED
        if self.failed:
            return Exit.NOT_STARTED
        if self.error is not None:
            return Exit.CRASHED
        return Exit.SHUTDOWN if self.stopping else Exit.NORMAL

    def exit_event(self) -> Event:
        """Return what the end of it is reported as."""
        if self.failed:
            return Event.START_FAILED
        return Event.SHUTDOWN_ERROR if self.stopping and self.error is not None else Event.EXITED

    async def stop(self, spec: ChildSpec, tell: Tell) -> None:
        """Ask, cancel, and give up on it when it outlives that."""
        if spec.shutdown is not BRUTAL:
            await self._stop_politely(spec, spec.shutdown, tell)
        self.scope.cancel()
        limit = INFINITY if spec.shutdown == INFINITY else spec.kill_after
        with trio.move_on_after(limit):
            await self.over.wait()
        if not self.over.is_set():
            self.stuck = True
            tell(Event.STUCK, stack=self.stack())
            self.settled.set()
            self.gone.set()

    def hurry(self) -> None:
        """Cancel it now; whatever politeness is under way ends."""
        self._grace.cancel()
        self.scope.cancel()

    def stack(self) -> str:
        """Return where the child is now."""
        return "" if self.task is None else task_stack(self.task)

    async def _stop_politely(self, spec: ChildSpec, seconds: float, tell: Tell) -> None:
        if spec.ask is None or not self.ready:
            self.scope.cancel()
        else:
            try:
                spec.ask()
            except Exception as error:  # noqa: BLE001 # a child that cannot be asked is cancelled
                tell(Event.SHUTDOWN_ERROR, error=error)
                return
        with self._grace, trio.move_on_after(seconds):
            await self.over.wait()
        if not self.over.is_set() and not self._grace.cancel_called:
            tell(Event.SHUTDOWN_TIMEOUT, stack=self.stack())


def _essence(error: BaseException) -> BaseException | None:
    """Return what is left without `Cancelled`, out of groups that hold nothing else."""
    if isinstance(error, trio.Cancelled):
        return None
    if isinstance(error, BaseExceptionGroup):
        rest = error.split(trio.Cancelled)[1]
        if rest is not None and len(rest.exceptions) == 1:
            return _essence(rest.exceptions[0])
        return rest
    return error


def is_fatal(error: BaseException | None) -> bool:
    """Whether nobody may restart after this: it goes up through the root."""
    if isinstance(error, BaseExceptionGroup):
        return any(is_fatal(part) for part in error.exceptions)
    return isinstance(error, trio.TrioInternalError | ChildStuckError) or not isinstance(error, Exception | None)
