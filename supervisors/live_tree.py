"""The live supervision tree as JSON: what ``GET /api/ops/actors`` shows. Never waits, whoever is wedged."""

from __future__ import annotations

import time
from dataclasses import asdict, is_dataclass
from typing import TYPE_CHECKING, Any

import orjson
import trio

from monitoring import metrics
from supervisors.reports import State

if TYPE_CHECKING:
    from collections.abc import Iterator

    from supervisors.reports import ChildSnapshot, SupervisorSnapshot
    from supervisors.supervisor import Supervisor


def live_tree(root: Supervisor) -> bytes:
    """Return the tree below and with ``root``; instants are RFC 3339 UTC."""
    return orjson.dumps(_supervisor(root.snapshot()), default=str)


def not_running(root: Supervisor) -> list[str]:
    """Return the ids of workers that should run and do not: crashed, waiting for a restart, or stuck."""
    workers = list(_workers(root.snapshot()))
    missing = [child.id for child in workers if child.state is not State.RUNNING]
    metrics.SUPERVISOR_CHILDREN_EXPECTED.set(len(workers))
    metrics.SUPERVISOR_CHILDREN_RUNNING.set(len(workers) - len(missing))
    return missing


def _workers(supervisor: SupervisorSnapshot) -> Iterator[ChildSnapshot]:
    for child in supervisor.children:
        if child.below is None:
            yield child
        else:
            yield from _workers(child.below)


def _supervisor(snapshot: SupervisorSnapshot) -> dict[str, Any]:
    return {
        "id": snapshot.id,
        "kind": "supervisor",
        "state": snapshot.state.value,
        "strategy": snapshot.strategy,
        "intensity": snapshot.intensity if snapshot.intensity != float("inf") else None,
        "periodSeconds": snapshot.period,
        "restartsInPeriod": snapshot.restarts_in_period,
        "children": [_child(child) for child in snapshot.children],
    }


def _child(snapshot: ChildSnapshot) -> dict[str, Any]:
    shown = _supervisor(snapshot.below) if snapshot.below is not None else {"id": snapshot.id, "kind": snapshot.kind}
    last = snapshot.last_exit
    details = snapshot.details
    return {
        **shown,
        "state": snapshot.state.value,
        "restart": snapshot.restart,
        "incarnation": snapshot.incarnation,
        "startedAt": _instant(snapshot.started_at),
        "restarts": snapshot.restarts,
        "lastExit": last and {"reason": last.reason.value, "at": _instant(last.at), "error": last.error},
        "attempt": snapshot.attempt,
        "nextAttemptAt": _instant(snapshot.next_attempt_at),
        "mailbox": asdict(details) if is_dataclass(details) and not isinstance(details, type) else details,
    }


def _instant(moment: float | None) -> str | None:
    """Turn seconds of trio's clock into wall time."""
    if moment is None:
        return None
    wall = time.time() + (moment - trio.current_time())
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(wall)) + f".{int(wall % 1 * 1000):03}Z"
