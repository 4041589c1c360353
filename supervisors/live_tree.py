"""The live supervision tree as JSON: what ``GET /api/ops/actors`` shows. Never waits, whoever is wedged.

The path of a child is its id behind those of the supervisors above it, the root left out: ``events/audit``.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import orjson
import trio

from monitoring import metrics
from supervisors.reports import Exit, State

if TYPE_CHECKING:
    from collections.abc import Iterator

    from actors.circuit_breaker import BreakerSnapshot
    from actors.mailbox import MailboxSnapshot
    from supervisors.last_errors import LastErrors
    from supervisors.reports import ChildSnapshot, SupervisorSnapshot
    from supervisors.supervisor import Supervisor


@dataclass(frozen=True, slots=True, kw_only=True)
class Inside:
    """What the tree shows of a worker besides its life; the ``details`` of its specification.

    Attributes:
        controllable: Operators may restart and pause it.
    """

    controllable: bool = False
    mailbox: MailboxSnapshot | None = None
    breaker: BreakerSnapshot | None = None


NOTHING = Inside()


@dataclass(frozen=True, slots=True)
class Node:
    """A worker of the tree, where it hangs and what it is like now."""

    path: str
    supervisor: str
    child: ChildSnapshot

    @property
    def inside(self) -> Inside:
        """What its specification tells besides."""
        return self.child.details if isinstance(self.child.details, Inside) else NOTHING

    @property
    def paused(self) -> bool:
        """Whether somebody stopped it by hand: nothing else leaves a permanent child stopped that has run."""
        child = self.child
        ended = child.last_exit is not None and child.last_exit.reason is not Exit.IGNORED
        return child.state is State.STOPPED and child.restart == "permanent" and ended


def live_tree(root: Supervisor, errors: LastErrors) -> bytes:
    """Return the tree below and with ``root``; instants are RFC 3339 UTC."""
    return orjson.dumps(_supervisor(root.snapshot(), root.id, "", errors))


def worker_json(node: Node, errors: LastErrors) -> bytes:
    """Return one worker as the tree shows it."""
    return orjson.dumps(_worker(node, errors))


def workers(root: Supervisor) -> Iterator[Node]:
    """Yield every worker of the tree, in the order they start."""
    yield from _workers(root.snapshot(), "")


def not_running(root: Supervisor) -> list[str]:
    """Return the ids of workers that should run and do not: crashed, waiting for a restart, paused, or stuck."""
    found = list(workers(root))
    missing = [node.child.id for node in found if node.child.state is not State.RUNNING]
    metrics.SUPERVISOR_CHILDREN_EXPECTED.set(len(found))
    metrics.SUPERVISOR_CHILDREN_RUNNING.set(len(found) - len(missing))
    return missing


def _workers(supervisor: SupervisorSnapshot, prefix: str) -> Iterator[Node]:
    for child in supervisor.children:
        if child.below is None:
            yield Node(prefix + child.id, supervisor.id, child)
        else:
            yield from _workers(child.below, f"{prefix}{child.id}/")


def _supervisor(snapshot: SupervisorSnapshot, path: str, prefix: str, errors: LastErrors) -> dict[str, Any]:
    return {
        "id": snapshot.id,
        "path": path,
        "kind": "supervisor",
        "state": snapshot.state.value,
        "strategy": snapshot.strategy,
        "intensity": snapshot.intensity if snapshot.intensity != float("inf") else None,
        "periodSeconds": snapshot.period,
        "restartsInPeriod": snapshot.restarts_in_period,
        "children": [_child(child, snapshot.id, prefix, errors) for child in snapshot.children],
    }


def _child(child: ChildSnapshot, supervisor: str, prefix: str, errors: LastErrors) -> dict[str, Any]:
    path = prefix + child.id
    if child.below is None:
        return _worker(Node(path, supervisor, child), errors)
    below = _supervisor(child.below, path, f"{path}/", errors)
    return {**below, **_life(Node(path, supervisor, child), errors)}


def _worker(node: Node, errors: LastErrors) -> dict[str, Any]:
    inside = node.inside
    mailbox = inside.mailbox
    return {
        "id": node.child.id,
        "path": node.path,
        "kind": node.child.kind,
        **_life(node, errors),
        "mailbox": None if mailbox is None else _mailbox(mailbox),
        "inHandSeconds": None if mailbox is None else _rounded(mailbox.in_hand_seconds),
        "messagesPerSecond": None if mailbox is None else _rounded(mailbox.per_second),
        "handled": None if mailbox is None else mailbox.processed,
        "breaker": None if inside.breaker is None else _breaker(inside.breaker),
    }


def _life(node: Node, errors: LastErrors) -> dict[str, Any]:
    child, last = node.child, node.child.last_exit
    error = errors.of(node.supervisor, child.id)
    return {
        "state": child.state.value,
        "restart": child.restart,
        "incarnation": child.incarnation,
        "startedAt": _instant(child.started_at),
        "restarts": child.restarts,
        "lastExit": last and {"reason": last.reason.value, "at": _instant(last.at), "error": last.error},
        "attempt": child.attempt,
        "backoffSeconds": _until(child.next_attempt_at),
        "nextAttemptAt": _instant(child.next_attempt_at),
        "lastError": error
        and {"message": error.message, "at": _instant(error.at), "traceId": error.trace_id, "stack": error.stack},
        "paused": node.paused,
        "controllable": node.inside.controllable,
    }


def _mailbox(mailbox: MailboxSnapshot) -> dict[str, Any]:
    return {
        "name": mailbox.name,
        "life": mailbox.life,
        "length": mailbox.depth,
        "capacity": mailbox.capacity,
        "policy": mailbox.when_full,
        "oldestSeconds": _rounded(mailbox.oldest_seconds),
        "full": mailbox.full,
        "missed": mailbox.missed,
        "dead": mailbox.dead,
    }


def _breaker(breaker: BreakerSnapshot) -> dict[str, Any]:
    return {"name": breaker.name, "state": breaker.state, "retryAt": _instant(breaker.retry_at)}


def _rounded(seconds: float | None) -> float | None:
    return None if seconds is None else round(seconds, 3)


def _until(moment: float | None) -> float | None:
    """Return how many seconds are left until a moment of trio's clock."""
    return None if moment is None else round(max(moment - trio.current_time(), 0.0), 3)


def _instant(moment: float | None) -> str | None:
    """Turn seconds of trio's clock into wall time."""
    if moment is None:
        return None
    wall = time.time() + (moment - trio.current_time())
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(wall)) + f".{int(wall % 1 * 1000):03}Z"
