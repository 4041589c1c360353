"""Asking an actor and waiting for the answer: always with a limit, never a hang, and no two that wait for each other.

An answer is not the usual way here (facts come from the database); this is for managing actors.
"""

import itertools
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from types import FrameType
from typing import Any, Generic, TypeVar

import trio

from actors.lifetime import Life, Terminated
from actors.mailbox import Delivery, Mailbox, current

T = TypeVar("T")
R = TypeVar("R")


class AskError(Exception):
    """The actor did not answer."""


class ActorCrashedError(AskError):
    """It crashed while the question was with it; the cause is what it raised."""


class ActorRestartingError(AskError):
    """It has crashed and is not back yet."""


class ActorStoppedError(AskError):
    """It has stopped."""


class ActorBusyError(AskError):
    """Its mailbox is full."""


class NoAnswerError(AskError):
    """It did not answer in time."""


class DeadlockError(AskError):
    """It waits, perhaps over others, for the one who asks. The message holds the stacks of all of them."""


class Reply(Generic[R]):
    """Goes with a question; whoever answers it calls `send`, once. What comes later is dropped."""

    def __init__(self) -> None:
        self.settled = trio.Event()
        self._value: R
        self._error: AskError | None = None

    def send(self, value: R) -> None:
        """Answer."""
        if not self.settled.is_set():
            self._value = value
            self.settled.set()

    def fail(self, error: AskError) -> None:
        """Let the asker know that there will be no answer."""
        if not self.settled.is_set():
            self._error = error
            self.settled.set()

    def result(self) -> R:
        """Return the answer, or raise what prevented it."""
        if self._error is not None:
            raise self._error
        return self._value


@dataclass(frozen=True, slots=True, eq=False)
class _Wait:
    asker: Mailbox[Any]
    asked: Mailbox[Any]
    task: trio.lowlevel.Task


# Who waits for whom now, in this run of trio.
_waits: trio.lowlevel.RunVar[list[_Wait]] = trio.lowlevel.RunVar("actors_waits")


async def ask(mailbox: Mailbox[T], question: Callable[[Reply[R]], T], *, within_seconds: float) -> R:
    """Send `question(reply)` and return what the actor answers.

    Raises:
        AskError: One of its kinds; always within the limit, and at once when the actor is dead or dies.
    """
    await trio.lowlevel.checkpoint()
    _refuse_if_dead(mailbox)
    reply: Reply[R] = Reply()
    with _waiting_for(mailbox):
        watch = mailbox.lifetime.watch(lambda end: reply.fail(_how_it_ended(end)))
        try:
            _send(mailbox, question(reply))
            with trio.move_on_after(within_seconds):
                await reply.settled.wait()
        finally:
            watch.cancel()
    reply.fail(NoAnswerError(f"{mailbox.name!r} did not answer within {within_seconds} s"))
    return reply.result()


def _refuse_if_dead(mailbox: Mailbox[Any]) -> None:
    if mailbox.lifetime.state is Life.RESTARTING:
        raise ActorRestartingError(f"{mailbox.name!r} is restarting")


def _send(mailbox: Mailbox[T], message: T) -> None:
    if mailbox.is_closed:
        mailbox.tell_nowait(message)  # becomes a dead letter
        raise ActorStoppedError(f"{mailbox.name!r} has stopped")
    if mailbox.tell_nowait(message) is not Delivery.DELIVERED:
        raise ActorBusyError(f"the mailbox of {mailbox.name!r} is full")


def _how_it_ended(end: Terminated) -> AskError:
    if end.reason is None:
        return ActorStoppedError(f"{end.actor!r} has stopped")
    error = ActorCrashedError(f"{end.actor!r} crashed: {end.reason!r}")
    error.__cause__ = end.reason
    return error


@contextmanager
def _waiting_for(asked: Mailbox[Any]) -> Iterator[None]:
    """Note who waits for whom, unless that closes a circle."""
    asker = current.get()
    if asker is None or not asker.is_busy:  # an owner with nothing in hand can still answer
        yield
        return
    waits = _all_waits()
    wait = _Wait(asker, asked, trio.lowlevel.current_task())
    circle = _path(waits, asked, asker)
    if circle is not None:
        raise DeadlockError("\n".join(_describe(part) for part in (wait, *circle)))
    waits.append(wait)
    try:
        yield
    finally:
        waits.remove(wait)


def _all_waits() -> list[_Wait]:
    try:
        return _waits.get()
    except LookupError:
        _waits.set([])
        return _waits.get()


def _path(waits: list[_Wait], start: Mailbox[Any], goal: Mailbox[Any]) -> list[_Wait] | None:
    """Return the waits that lead from one to the other, if they do."""
    if start is goal:
        return []
    for wait in waits:
        if wait.asker is start:
            # There is no circle in `waits` (we refuse to close one), so this ends.
            rest = _path(waits, wait.asked, goal)
            if rest is not None:
                return [wait, *rest]
    return None


def _describe(wait: _Wait) -> str:
    frames = _running_frames() if wait.task is trio.lowlevel.current_task() else wait.task.iter_await_frames()
    lines = traceback.StackSummary.extract(frames).format()
    return f"{wait.asker.name!r} waits for {wait.asked.name!r}:\n{''.join(lines)}"


def _running_frames() -> list[tuple[FrameType, int]]:
    """Return the frames of the task that runs, outermost first: while it runs it cannot be walked from outside."""
    inner_first = traceback.walk_stack(None)
    ours = itertools.takewhile(lambda frame: frame[0].f_code.co_name != "unrolled_run", inner_first)
    return list(ours)[::-1]
