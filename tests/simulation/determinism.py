"""Makes a run the same every time: seeded scheduling, ids and jitter, virtual time, and no way out of it."""

from __future__ import annotations

import os
import random
import threading
import time
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING, Any
from unittest.mock import patch

import trio
from loguru import logger
from trio._core import _run as scheduler

from app.adapters import clock as real_clock
from app.domain import ids
from supervisors.supervisor import Supervisor

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


class NotSimulatedError(AssertionError):
    """The code under test reached for the real world."""


@contextmanager
def determinism(seed: str) -> Iterator[None]:
    """Let this thread's runs of trio depend on the seed alone.

    Other threads (the tests' own PostgreSQL lives in one) keep real time and real randomness.
    """
    dice, mine = random.Random(f"{seed}/scheduler"), threading.get_ident()
    noise, jitter = random.Random(f"{seed}/noise"), random.Random(f"{seed}/jitter")
    # `random.random` itself cannot be replaced where it is a default already; nothing but jitter and trace ids uses it.
    patches = (
        patch.object(scheduler, "_ALLOW_DETERMINISTIC_SCHEDULING", new=True),
        patch.object(scheduler, "_r", _ThreadsOwn(mine, dice, scheduler._r)),
        patch.object(os, "urandom", _choose(mine, noise.randbytes, os.urandom)),
        patch.object(random, "_urandom", _choose(mine, noise.randbytes, random._urandom)),  # type: ignore[attr-defined] # what SystemRandom and secrets draw from
        patch.object(time, "time", _choose(mine, _virtual_time, time.time)),
        patch.object(time, "time_ns", _choose(mine, lambda: int(_virtual_time() * 1e9), time.time_ns)),
        patch.object(trio.to_thread, "run_sync", _forbidden("a thread", mine, trio.to_thread.run_sync)),
        patch.object(trio, "open_tcp_stream", _forbidden("the network", mine, trio.open_tcp_stream)),
        patch.object(real_clock.SystemClock, "now", _forbidden("the wall clock", mine, real_clock.SystemClock.now)),
        patch.dict(Supervisor.__init__.__kwdefaults__, {"dice": jitter.random}),
        fresh_ids(seed),
    )
    with ExitStack() as stack:
        for each in patches:
            stack.enter_context(each)
        logger.disable("")
        stack.callback(logger.enable, "")
        yield


class _ThreadsOwn:
    """Random numbers: seeded in one thread, as they were in the others."""

    def __init__(self, thread: int, ours: random.Random, theirs: random.Random) -> None:
        self._thread, self._ours, self._theirs = thread, ours, theirs

    def __getattr__(self, name: str) -> Any:
        return getattr(self._ours if threading.get_ident() == self._thread else self._theirs, name)


def _choose(thread: int, ours: Callable[..., Any], theirs: Callable[..., Any]) -> Callable[..., Any]:
    def chosen(*arguments: Any, **named: Any) -> Any:
        return (ours if threading.get_ident() == thread else theirs)(*arguments, **named)

    return chosen


def _forbidden(what: str, thread: int, real: Callable[..., Any]) -> Callable[..., Any]:
    def refuse(*_arguments: Any, **_named: Any) -> Any:
        raise NotSimulatedError(f"the simulation reached for {what}")

    return _choose(thread, refuse, real)


def _virtual_time() -> float:
    """Return seconds since an epoch of its own; only metrics and spans ask."""
    return 1.8e9 + trio.current_time()


@contextmanager
def fresh_ids(seed: str) -> Iterator[None]:
    """Let ids begin anew, with a seeded random part."""
    source = ids.new_id.__self__  # type: ignore[attr-defined] # a bound method
    before = dict(vars(source))
    vars(source).update({**vars(ids.IdSource()), "_random": random.Random(f"{seed}/ids")})
    try:
        yield
    finally:
        vars(source).update(before)
