"""Everything that runs, on one page: who restarts whom, with which budget, and in which order it stops.

Children start in the order listed and stop in reverse. What depends on something is listed after it.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from monitoring import logs
from supervisors.child_spec import ChildSpec, StartFunction
from supervisors.live_tree import Inside
from supervisors.restarts import Backoff, Strategy
from supervisors.supervisor import Supervisor

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    import trio

    from actors.circuit_breaker import BreakerSnapshot
    from actors.mailbox import MailboxSnapshot
    from supervisors.reports import Report

# Quick first, since most crashes are over at once; never so slow that a person would notice the recovery.
BACKOFF: Final = Backoff(first=0.1, factor=2.0, maximum=3.0, jitter=0.2, reset_after=30.0)
# A broker or mail server may be away for an hour: its workers wait in the ledger, they do not crash. A worker that
# crashes is a bug, and half a minute between attempts is often enough for a log.
DELIVERY_BACKOFF: Final = Backoff(first=1.0, factor=2.0, maximum=30.0, jitter=0.2, reset_after=60.0)

# With a listener that drains as long as it may and any one part stuck, stopping stays under 24 s; with more of them the
# watchdog ends the process then.
EDGE_SECONDS: Final = 9.0
ACTOR_SECONDS: Final = 1.0
DATABASE_SECONDS: Final = 4.0
# What has not ended so long after its time was over will not.
STUCK_SECONDS: Final = 3.0
# They may wait for a command that uses the data directory and know themselves for how long; and a first PostgreSQL
# takes as long as the disk does.
UNHURRIED: Final = frozenset({"postgres", "lock"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """One thing that runs for ever.

    Attributes:
        ask: Tells it to end politely.
        mailbox: Its mailbox as it is now, for the live tree.
        breaker: Its circuit breaker as it is now, for the live tree.
        controllable: Operators may restart and pause it.
        stop_seconds: How long its end may take, where that is longer than for the others of its branch.
        many_tasks: It runs a task for each of many, whose log lines are not its own: the listener.
    """

    id: str
    start: StartFunction
    ask: Callable[[], object] | None = None
    mailbox: Callable[[], MailboxSnapshot] | None = None
    breaker: Callable[[], BreakerSnapshot] | None = None
    controllable: bool = False
    stop_seconds: float = 0.0
    many_tasks: bool = False

    def inside(self) -> Inside:
        """Return what the live tree shows of it besides its life. Never waits."""
        return Inside(
            controllable=self.controllable,
            mailbox=None if self.mailbox is None else self.mailbox(),
            breaker=None if self.breaker is None else self.breaker(),
        )


def tree(
    *,
    database: Sequence[Part],
    events: Sequence[Part],
    deliveries: Sequence[Part],
    edge: Sequence[Part],
    on_report: Callable[[Report], None],
) -> Supervisor:
    """Return the root supervisor."""
    # PostgreSQL away means 503, not exit: the server is started again for as long as it takes.
    store = _branch("database", database, BACKOFF, DATABASE_SECONDS, on_report)
    # A crashed actor misses nothing, so it may come back as often as it must; readiness says that it is not well.
    actors = _branch("events", events, BACKOFF, ACTOR_SECONDS, on_report)
    outside = _branch("deliveries", deliveries, DELIVERY_BACKOFF, ACTOR_SECONDS, on_report)
    # The edge is the face: when it cannot hold, the process ends and the init system starts a fresh one.
    face = Supervisor(
        "edge",
        [_child("edge", part, EDGE_SECONDS) for part in edge],
        strategy=Strategy.REST_FOR_ONE,
        intensity=3,
        period=30.0,
        backoff=BACKOFF,
        on_report=on_report,
    )
    return Supervisor(
        "root",
        [branch.as_child() for branch in (store, actors, outside, face)],
        strategy=Strategy.REST_FOR_ONE,
        intensity=2,
        period=60.0,
        on_report=on_report,
    )


def _branch(
    name: str, parts: Sequence[Part], backoff: Backoff, seconds: float, on_report: Callable[[Report], None]
) -> Supervisor:
    return Supervisor(
        name,
        [_child(name, part, seconds) for part in parts],
        strategy=Strategy.ONE_FOR_ONE,
        intensity=math.inf,
        period=60.0,
        backoff=backoff,
        on_report=on_report,
    )


def _child(supervisor: str, part: Part, seconds: float) -> ChildSpec:
    return ChildSpec(
        id=part.id,
        start=part.start if part.many_tasks else _named(supervisor, part.id, part.start),
        ask=part.ask,
        details=part.inside,
        shutdown=max(seconds, part.stop_seconds),
        kill_after=min(seconds, STUCK_SECONDS),
        start_timeout=None if part.id in UNHURRIED else 60.0,
    )


def _named(supervisor: str, actor: str, start: StartFunction) -> StartFunction:
    """Return a start function whose log lines, and those of its tasks, say who speaks."""

    async def run(*, task_status: trio.TaskStatus[Any]) -> None:  # noqa: ASYNC128 # `start` says it
        with logs.context(supervisor=supervisor, actor=actor):
            await start(task_status=task_status)

    return run
