"""Steps asyncpg's coroutines from trio tasks.

A coroutine of asyncpg yields asyncio futures. The trio task sleeps until the future's callback wakes it. When trio
cancels the task, the future is cancelled instead: asyncpg then asks PostgreSQL to stop the statement and raises
`asyncio.CancelledError`, which leaves here as trio's own `Cancelled`.
"""

from __future__ import annotations

import asyncio
import types
from asyncio.events import _get_running_loop, _set_running_loop
from asyncio.tasks import _enter_task, _leave_task
from typing import TYPE_CHECKING, Any, TypeVar

import trio
from trio.lowlevel import Abort

if TYPE_CHECKING:
    from collections.abc import Coroutine, Generator

    from app.adapters.postgres.loop import TrioLoop

T = TypeVar("T")


class Crossing:
    """One call into asyncpg: what `asyncio.current_task()` returns while it runs, and what may be cancelled."""

    __slots__ = ("must_cancel", "requests", "waits_for")

    def __init__(self) -> None:
        self.requests = 0
        self.must_cancel = False
        self.waits_for: asyncio.Future[Any] | None = None

    def cancel(self, msg: object = None) -> bool:
        """Cancel as `asyncio.Task.cancel` does: at the future waited for, else at the next step."""
        del msg
        self.requests += 1
        if self.waits_for is None or not self.waits_for.cancel():
            self.must_cancel = True
        return True

    def uncancel(self) -> int:
        """Take one request back (`asyncio.timeout` counts them)."""
        self.requests -= 1
        return self.requests

    def cancelling(self) -> int:
        """Return the number of open requests."""
        return self.requests


class Detached(asyncio.Future[Any]):
    """A coroutine of asyncpg that runs in the background: the part of `asyncio.Task` that is used."""

    def __init__(self, loop: TrioLoop, coroutine: Coroutine[Any, Any, Any]) -> None:
        super().__init__(loop=loop)
        self._trio_loop = loop
        self._coroutine = coroutine
        self._crossing = Crossing()

    def cancel(self, msg: object = None) -> bool:
        """Ask the coroutine to end; it may refuse."""
        return not self.done() and self._crossing.cancel(msg)

    def uncancel(self) -> int:
        """See `Crossing.uncancel`."""
        return self._crossing.uncancel()

    def cancelling(self) -> int:
        """See `Crossing.cancelling`."""
        return self._crossing.cancelling()

    async def run(self) -> None:
        """Step the coroutine until it ends. Its cancellation ends here; its errors are asyncpg's bugs and travel."""
        try:
            result = await drive(self._trio_loop, self._coroutine, self._crossing, current=self)
        except ConnectionAbortedError:
            self._trio_loop.enter(asyncio.Future.cancel, self)
        else:
            self._trio_loop.enter(self.set_result, result)


@types.coroutine
def drive(
    loop: TrioLoop, coroutine: Coroutine[Any, Any, T], crossing: Crossing | None = None, *, current: object = None
) -> Generator[Any, Any, T]:
    """Step a coroutine of asyncpg to its end and return its result. A checkpoint if it waits for the network.

    Args:
        loop: The loop it was made for.
        coroutine: What to step.
        crossing: Its cancellation state, if someone else wants to see it.
        current: What `asyncio.current_task()` returns meanwhile; the crossing by default.

    Raises:
        trio.Cancelled: The trio task was cancelled and asyncpg ended the call because of it.
        ConnectionAbortedError: asyncpg itself cancelled the call.
    """
    crossing = crossing or Crossing()
    current = current or crossing
    while True:
        cancelled = None
        outer = _get_running_loop()
        _set_running_loop(loop)
        _enter_task(loop, current)  # type: ignore[arg-type] # anything with Task's cancel methods will do
        try:
            if crossing.must_cancel:
                crossing.must_cancel = False
                trap = coroutine.throw(asyncio.CancelledError())
            else:
                trap = coroutine.send(None)
        except StopIteration as stop:
            result: T = stop.value
            return result
        except asyncio.CancelledError as error:  # noqa: ASYNC103 # raised again below, as trio's own
            cancelled = error
        finally:
            _leave_task(loop, current)  # type: ignore[arg-type] # as above
            loop.drain()
            _set_running_loop(outer)
        if cancelled is not None:
            yield from trio.lowlevel.checkpoint_if_cancelled().__await__()  # noqa: ASYNC105 # awaited
            raise ConnectionAbortedError("the call was cancelled because its connection ended") from cancelled
        if trap is None:  # asyncio.sleep(0). Not a place to cancel: `executemany` cannot end between two messages.
            yield from trio.lowlevel.cancel_shielded_checkpoint().__await__()  # noqa: ASYNC105 # awaited
        else:
            yield from _wait(loop, crossing, trap)


def _wait(loop: TrioLoop, crossing: Crossing, future: asyncio.Future[Any]) -> Generator[Any, Any, None]:
    """Sleep until the future is done. Cancellation is handed to the future, never raised here.

    trio repeats a cancellation at every wait, so a cancelled call cannot rest in its own clean-up either.
    """
    future._asyncio_future_blocking = False  # noqa: SLF001 # the contract between futures and those who step coroutines
    if future.done():
        return
    task = trio.lowlevel.current_task()

    def abort(_: object) -> Abort:
        loop.enter(crossing.cancel)
        return Abort.FAILED

    def wake(_: object) -> None:
        crossing.waits_for = None
        trio.lowlevel.reschedule(task)

    crossing.waits_for = future
    future.add_done_callback(wake)
    yield from trio.lowlevel.wait_task_rescheduled(abort).__await__()  # noqa: ASYNC105 # awaited
