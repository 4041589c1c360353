"""A Rondo without its web: every service on a real PostgreSQL, a clock that stands still, people to use it."""

from __future__ import annotations

import itertools
import json
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

from app.adapters.passwords import ArgonHasher
from app.adapters.postgres.services import create_services
from app.domain.account import RegisterDraft
from app.domain.task import TaskDraft
from app.services.context import Context, Idempotency, Principal

if TYPE_CHECKING:
    from uuid import UUID

    from app.adapters.postgres import Database
    from app.domain.ids import AccountId, SessionId, TaskId
    from app.services import Services
    from app.services.results import Stored

NOON = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
PASSWORD = "a long and honest sentence"
# How many tasks are not written out as what they and their reminders are (migrations 0012 and 0015).
UNTRUE_TASKS: Final = """
    SELECT count(*) FROM tasks t
    WHERE json IS DISTINCT FROM task_json(t, reminders_of(t.id))::text
       OR reminders::text IS DISTINCT FROM reminders_of(t.id)::text
       OR due_sort IS DISTINCT FROM coalesce(due_at, due_on::timestamp AT TIME ZONE 'UTC')
       OR title_sort IS DISTINCT FROM lower(title)
       OR search_text IS DISTINCT FROM folded(title || E'\\n' || description || E'\\n' || array_to_string(tags, E'\\n'))
"""
_numbers = itertools.count(1)


@dataclass(slots=True)
class StoppedClock:
    """A clock that moves when it is told to."""

    instant: datetime = NOON

    def now(self) -> datetime:
        return self.instant

    def advance(self, **by: float) -> None:
        self.instant += timedelta(**by)


@dataclass(kw_only=True)
class Person:
    """Somebody who is signed in."""

    world: World
    context: Context
    token: str
    email: str

    @property
    def principal(self) -> Principal:
        return self.context.caller

    async def create(self, title: str = "Water the plants", **fields: Any) -> Stored:
        """Create a task."""
        return await self.world.services.tasks.create_task(self.context, TaskDraft(title=title, **fields))

    async def task(self, task_id: UUID) -> dict[str, Any]:
        """Return a task as the API shows it."""
        shown: dict[str, Any] = parsed(await self.world.services.tasks.get_task(self.context, as_task(task_id)))
        return shown

    def with_key(self, key: str, body: bytes = b"same") -> Context:
        """Return the context of a request with an Idempotency-Key."""
        return replace(self.context, idempotency=Idempotency(key=key, request_hash=body.ljust(32)))


@dataclass(kw_only=True)
class World:
    """All services on one database."""

    database: Database
    clock: StoppedClock = field(default_factory=StoppedClock)
    rings: list[int] = field(default_factory=list)
    revoked: list[SessionId | AccountId] = field(default_factory=list)
    services: Services = field(init=False)

    def __post_init__(self) -> None:
        self.services = self.built()

    def built(self, **settings: Any) -> Services:
        """Return services with other settings on the same database."""
        return create_services(
            self.database,
            clock=self.clock,
            hasher=ArgonHasher(time_cost=1, memory_kib=8),
            bell=lambda: self.rings.append(1),
            sessions_revoked=self.revoked.append,
            **settings,
        )

    async def person(self, time_zone: str = "UTC") -> Person:
        """Register somebody nobody knew, from an address of their own."""
        number = next(_numbers)
        email, context = f"somebody{number}@example.org", Context(address=f"192.0.2.{number}", request_id="r-1")
        draft = RegisterDraft(email=email, password=PASSWORD, time_zone=time_zone)
        signed_in = await self.services.accounts.register(context, draft)
        principal = await self.services.accounts.authenticate(signed_in.token)
        return Person(world=self, context=replace(context, principal=principal), token=signed_in.token, email=email)

    async def events(self, task_id: UUID) -> list[Any]:
        """Return the events of a task in the order in which they happened."""
        return await self.database.fetch("SELECT * FROM events WHERE task_id = $1 ORDER BY seq", task_id)

    async def event_types(self, task_id: UUID) -> list[str]:
        """Return what happened to a task."""
        return [row["type"] for row in await self.events(task_id)]

    async def somebody_waits(self) -> None:
        """Wait until a transaction waits for another one."""
        while not await self.database.fetchval("SELECT count(*) FROM pg_locks WHERE NOT granted"):
            pass  # each look is a checkpoint

    async def publish(self) -> None:
        """Do the work of relay and audit actor: give every event its position, and append to the chains."""
        await self.database.execute(
            """
            UPDATE events e SET position = n.position FROM (
                SELECT seq, row_number() OVER (ORDER BY seq)
                       + greatest((SELECT max(position) FROM events), (SELECT max(position) FROM cursors), 0)
                       AS position
                FROM events WHERE position IS NULL) n
            WHERE e.seq = n.seq
            """
        )
        await self.database.fetch("SELECT * FROM append_audit(10000)")


def parsed(answer: Stored | bytes) -> Any:
    """Return the JSON of an answer."""
    return json.loads(answer if isinstance(answer, bytes) else answer.json)


def as_task(task_id: UUID) -> TaskId:
    """Return an id as the id of a task."""
    return task_id  # type: ignore[return-value] # ids of answers are plain UUIDs
