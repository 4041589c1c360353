"""Hub clients: what a browser does to stay equal to the server (app/web/static/js/data/sync.js), in Python."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

import orjson
import trio

from app.domain.queries import TaskQuery
from app.services.context import Context
from tests.simulation.users import UNANSWERED

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.simulation.dice import Dice
    from tests.simulation.network import Wire
    from tests.simulation.people import Person
    from tests.simulation.process import Process
    from tests.simulation.trace import Trace

PAGE: Final = 7


@dataclass(eq=False, slots=True, kw_only=True)
class HubClient:
    """A browser tab: loads once, then follows, over any number of connections.

    Attributes:
        tasks: What it shows, by id.
        position: The newest event that it has seen.
        faults: What must never happen and did.
        pace: Seconds that it takes for a frame now.
        by_address: It says in the address where it goes on, as the browser does; others say so after hello.
        latency: Seconds until it answers hello. Who resumes by message has to be quick, see `RESUME_GRACE_SECONDS`.
    """

    person: Person
    dice: Dice
    trace: Trace
    process: Callable[[], Process | None]
    resumes: bool = True
    by_address: bool = True
    tasks: dict[str, dict[str, Any]] = field(default_factory=dict)
    position: int = 0
    is_loaded: bool = False
    pace: float = 0.0
    latency: float = 0.0
    faults: list[str] = field(default_factory=list)
    _wire: Wire | None = None
    _gone: set[str] = field(default_factory=set)
    _newest: int = 0
    _last_on_line: int = 0

    async def run(self) -> None:
        """Stay connected until cancelled."""
        while True:
            process = self.process()
            since = self.position if self.is_loaded and self.resumes and self.by_address else None
            self._wire = None if process is None else process.dial(self.person.token, since)
            if self._wire is not None and process is not None:
                await self._follow(process, self._wire)
            await trio.sleep(self.dice.between(0.1, 1.0))

    def disconnect(self) -> None:
        """Lose the line."""
        if self._wire is not None:
            self._wire.cut()

    async def _follow(self, process: Process, wire: Wire) -> None:
        self._last_on_line = 0
        while (raw := await wire.receive()) is not None:
            frame = orjson.loads(raw)
            if frame["type"] == "hello":
                await self._hello(process, wire, frame["position"])
            elif frame["type"] == "reset":
                self._last_on_line = 0
                await self._load(process, wire, self._newest)
            elif frame["type"] != "pong":
                self._apply(frame)
            if self.pace:
                await trio.sleep(self.pace)
        self.trace.note("client", self.person.number, "lost", wire.code, "at", self.position)

    async def _hello(self, process: Process, wire: Wire, position: int) -> None:
        self._newest = position
        await trio.sleep(self.latency)
        if not self.is_loaded:
            await self._load(process, wire, position)
        elif self.resumes and not self.by_address:
            await wire.say(orjson.dumps({"type": "resume", "since": self.position}).decode())

    async def _load(self, process: Process, wire: Wire, position: int) -> None:
        """Read everything; frames wait on the line meanwhile, and are applied behind it."""
        context, cursor, found = Context(principal=self.person.principal), None, {}
        try:
            while True:
                page = orjson.loads(await process.tasks.list_tasks(context, TaskQuery(limit=PAGE, cursor=cursor)))
                found.update({task["id"]: task for task in page["items"]})
                if (cursor := page["nextCursor"]) is None:
                    break
        except UNANSWERED:
            wire.cut()
            return
        self.tasks, self.position, self.is_loaded = found, position, True

    def _apply(self, frame: dict[str, Any]) -> None:
        position, task_id = frame["position"], frame["taskId"]
        if position <= self._last_on_line:
            self.faults.append(f"position {position} came after {self._last_on_line} on one connection")
        self._last_on_line = position
        self.position = max(self.position, position)
        if task_id is None:
            return
        if frame["type"] == "task.deleted":
            self.tasks.pop(task_id, None)
            self._gone.add(task_id)
        elif frame["task"] is not None and task_id not in self._gone:
            known = self.tasks.get(task_id)
            if known is None or known["version"] <= frame["task"]["version"]:
                self.tasks[task_id] = frame["task"]
