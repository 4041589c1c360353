"""Notices a PostgreSQL that is silent instead of gone: a black hole in the network, a stopped machine.

Statements carry no timer of their own; one task looks at all of them ten times a second. A statement that takes long
raises the question whether PostgreSQL still answers anyone. If not, every connection is cut at once, so that the
callers hear within a second and not when TCP gives up.

The answer is waited for in turns of our own event loop, not in seconds alone: when this process has no time, the answer
may have come and not been read yet, and that is no fault of PostgreSQL's.
"""

from __future__ import annotations

import contextlib
import math
from time import perf_counter
from typing import TYPE_CHECKING

import trio

from app.adapters.postgres.pool import NO_CONNECTION_SECONDS
from app.ports.database import DatabaseUnavailableError
from monitoring import logs, pulse

if TYPE_CHECKING:
    from app.adapters.postgres.opening import Opener
    from app.adapters.postgres.pool import Pool

log = logs.get_logger("postgres")

LOOK_SECONDS = 0.1
# Statements of ours take milliseconds.
SUSPICIOUS_SECONDS = 0.25
# Even a busy PostgreSQL answers an empty statement in five turns of this length. With the two above: 0.85 s.
ANSWER_TURNS = 5
TURN_SECONDS = 0.1
# After an answer PostgreSQL is trusted for so long, also while a statement goes on being slow.
TRUST_SECONDS = 0.25
# PostgreSQL ends a statement at `statement_timeout`. One that takes so much longer has lost its connection.
SLACK_SECONDS = 2.0
# An idle connection may have been forgotten by a firewall on the way.
IDLE_SECONDS = 30.0
IDLE_ANSWER_SECONDS = 1.0

SILENT = "PostgreSQL cannot be used: it does not answer"


async def watch(pool: Pool, opener: Opener, statement_seconds: float) -> None:
    """Look at the pool's connections until cancelled."""
    empty_since: float | None = None
    while True:
        await pulse.beat(LOOK_SECONDS)
        pool.refuse_late()
        if pool.open:
            empty_since = None
            _cut_overdue(pool, perf_counter() - statement_seconds - SLACK_SECONDS)
            await _check_suspicion(pool, opener)
            await _check_idle(pool)
        elif pool.problem is None:
            empty_since = empty_since or perf_counter()
            if perf_counter() - empty_since >= NO_CONNECTION_SECONDS:
                pool.refuse(SILENT)


def _cut_overdue(pool: Pool, deadline: float) -> None:
    for connection in tuple(pool.lent):
        if connection.busy_since is not None and connection.busy_since < deadline:
            log.warning("A statement outlived its time limit; its connection is cut", event="database.statement.cut")
            connection.terminate()


async def _check_suspicion(pool: Pool, opener: Opener) -> None:
    """If a statement takes long, ask PostgreSQL for a sign of life."""
    suspicious = perf_counter() - SUSPICIOUS_SECONDS
    if not any(connection.busy_since is not None and connection.busy_since < suspicious for connection in pool.lent):
        return
    async with trio.open_nursery() as nursery:
        nursery.start_soon(_ask, pool, opener, nursery.cancel_scope)
        for _ in range(ANSWER_TURNS):
            await trio.sleep(TURN_SECONDS)
        if not nursery.cancel_scope.cancel_called:
            log.warning("PostgreSQL does not answer; all connections are cut", event="database.silent")
            pool.refuse(SILENT)
            pool.cut_all()
            nursery.cancel_scope.cancel()
    await trio.sleep(TRUST_SECONDS)


async def _ask(pool: Pool, opener: Opener, answered: trio.CancelScope) -> None:
    """Ask on an idle connection, else on a new one, and cancel ``answered`` when there is an answer."""
    connection = pool.take() if pool.problem is None else None
    if connection is not None:
        try:
            if await connection.is_alive(math.inf):
                answered.cancel()
                return
        finally:
            pool.give_back(connection)
    # To be refused is an answer too: the server has no room for one more, or its statements will fail by themselves.
    with contextlib.suppress(DatabaseUnavailableError):
        connection = await opener.open(lambda _: None)
        connection.terminate()
    answered.cancel()


async def _check_idle(pool: Pool) -> None:
    """Ask one connection that was idle for long; if it is dead, it is replaced."""
    if pool.problem is None and pool.idle and trio.current_time() - pool.idle[0].idle_since > IDLE_SECONDS:
        connection = pool.idle.pop(0)
        pool.lent.add(connection)
        try:
            await connection.is_alive(IDLE_ANSWER_SECONDS)
        finally:
            pool.give_back(connection)
