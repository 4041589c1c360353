"""What operators may do with the tree: look at a worker, restart it, pause it. Implements ``app.ports.actors``."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final

import orjson
import trio

from app.domain.errors import NotControllableError, NotFoundError
from app.ports.actors import Degraded
from monitoring import logs, metrics
from supervisors import live_tree
from supervisors.errors import SupervisionError
from supervisors.reports import State

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from app.ports.actors import PartName
    from supervisors.last_errors import LastErrors
    from supervisors.live_tree import Node
    from supervisors.supervisor import Supervisor

log = logs.get_logger("ops")

# Stopping an actor takes a second at most unless it is stuck, starting it less: a click sees how it ended.
WAIT_SECONDS: Final = 2.0
# What a supervisor mends by itself in this time nobody needs to hear of.
CALM_SECONDS: Final = 3.0
# Where lines of a worker are found that do not carry its name: what runs below the listener answers requests.
COMPONENTS: Final[Mapping[str, str]] = {"edge/listener": "edge", "database/pool": "postgres"}
# What people rely on, by the workers that do it.
RELIED_ON: Final[Mapping[str, PartName]] = {
    "database/pool": "database",
    "events/sync": "live",
    "events/relay": "live",
    "events/audit": "history",
    "events/clockwork": "reminders",
    "deliveries/email": "email",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Control:
    """The tree below ``root()``, which is put together after this."""

    root: Callable[[], Supervisor]
    errors: LastErrors

    def tree(self) -> bytes:
        """See the port."""
        return live_tree.live_tree(self.root(), self.errors)

    def node(self, path: str) -> bytes:
        """See the port."""
        return live_tree.worker_json(self._node(path), self.errors)

    def log(self, path: str, limit: int) -> bytes:
        """See the port."""
        node = self._node(path)
        lines = logs.ring.recent(f"{node.supervisor}/{node.child.id}", limit)
        if path in COMPONENTS:
            lines += logs.ring.recent(COMPONENTS[path], limit)
            lines.sort(key=lambda line: str(line["at"]))
        return orjson.dumps({"items": lines[-limit:]}, default=str)

    def is_paused(self, path: str) -> bool:
        """See the port."""
        return self._controllable(path).paused

    async def restart(self, path: str) -> None:
        """See the port."""
        node = self._controllable(path)
        metrics.ACTOR_RESTARTS_TOTAL.labels(node.child.id, "operator").inc()
        try:
            with trio.move_on_after(WAIT_SECONDS):
                await self._supervisor(path).renew_child(node.child.id)
        except SupervisionError as refused:
            _tell(node, "restarted", refused)

    async def pause(self, path: str) -> None:
        """See the port."""
        node = self._controllable(path)
        try:
            with trio.move_on_after(WAIT_SECONDS):
                await self._supervisor(path).terminate_child(node.child.id)
        except SupervisionError as refused:
            _tell(node, "paused", refused)

    def degraded(self) -> tuple[Degraded, ...]:
        """See the port."""
        found: dict[PartName, Degraded] = {}
        for node in live_tree.workers(self.root()):
            part = RELIED_ON.get(node.path)
            if part is not None and part not in found and _is_away(node):
                found[part] = Degraded(part=part, since=_since(node))
        return tuple(found.values())

    def _node(self, path: str) -> Node:
        for node in live_tree.workers(self.root()):
            if node.path == path:
                return node
        raise NotFoundError

    def _controllable(self, path: str) -> Node:
        node = self._node(path)
        if not node.inside.controllable:
            raise NotControllableError
        return node

    def _supervisor(self, path: str) -> Supervisor:
        supervisor = self.root()
        for name in path.split("/")[:-1]:
            supervisor = supervisor.below(name)
        return supervisor


def _is_away(node: Node) -> bool:
    """Whether a worker does not do its work, for long enough to be noticed."""
    breaker, child = node.inside.breaker, node.child
    if breaker is not None and breaker.state != "closed":
        return True
    if child.state is State.RUNNING or child.last_exit is None:
        return False
    return trio.current_time() - child.last_exit.at >= CALM_SECONDS


def _since(node: Node) -> datetime | None:
    """Return since when a worker is away, if that is known."""
    breaker, last = node.inside.breaker, node.child.last_exit
    moment = last.at if last is not None and node.child.state is not State.RUNNING else None
    if breaker is not None and breaker.state != "closed":
        moment = breaker.since
    return None if moment is None else datetime.now(UTC) + timedelta(seconds=moment - trio.current_time())


def _tell(node: Node, verb: str, refused: SupervisionError) -> None:
    log.warning(
        "An actor could not be controlled",
        event="ops.actor_refused",
        supervisor=node.supervisor,
        actor=node.child.id,
        verb=verb,
        reason=str(refused),
    )
