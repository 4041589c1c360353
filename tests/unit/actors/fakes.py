"""Small stand-ins at the ports, checkpoints included. The SQL behind the real ones is tested on PostgreSQL."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from uuid import UUID, uuid4

import trio

from app.domain.events import RecordedEvent
from app.domain.ids import AccountId, EventId, ProjectId, TaskId
from app.ports.database import DatabaseUnavailableError
from app.ports.delivering import Delivery, Firing, Outcome

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)
ACCOUNT = AccountId(UUID(int=1))


def event(position: int, *, kind: str = "task.updated", audience: tuple[AccountId, ...] = (ACCOUNT,)) -> RecordedEvent:
    """Return a published event."""
    return RecordedEvent(
        position=position,
        id=EventId(UUID(int=position)),
        type=kind,
        project_id=ProjectId(UUID(int=9)),
        task_id=TaskId(UUID(int=8)),
        reminder_id=None,
        account_id=ACCOUNT,
        session_id=None,
        request_id=f"request-{position}",
        traceparent=None,
        occurred_at=NOON,
        before=None,
        after='{"title": "x"}',
        detail="{}",
        audience=audience,
    )


@dataclass
class Log:
    """An event log in memory: a publisher, a reader and a follower in one."""

    waiting: int = 0
    published: list[RecordedEvent] = field(default_factory=list)
    leader: bool = True
    away: bool = False
    cursor: int = 0
    advances: list[int] = field(default_factory=list)

    async def _checkpoint(self) -> None:
        await trio.lowlevel.checkpoint()
        if self.away:
            raise DatabaseUnavailableError("away")

    async def hold_lease(self, lease_seconds: float) -> bool:
        assert lease_seconds > 0
        await self._checkpoint()
        return self.leader

    async def publish(self, limit: int) -> int:
        await self._checkpoint()
        count = min(self.waiting, limit)
        self.waiting -= count
        for _ in range(count):
            self.published.append(event(len(self.published) + 1))
        return count

    async def last_position(self) -> int:
        await self._checkpoint()
        return len(self.published)

    async def after(self, position: int, limit: int) -> tuple[RecordedEvent, ...]:
        await self._checkpoint()
        return tuple(self.published[position : position + limit])

    async def after_for(self, account_id: UUID, position: int, limit: int) -> tuple[RecordedEvent, ...]:
        await self._checkpoint()
        visible = [one for one in self.published if account_id in one.audience and one.position > position]
        return tuple(visible[:limit])

    async def count_after_for(self, account_id: UUID, position: int, limit: int) -> int:
        return len(await self.after_for(account_id, position, limit))

    async def advance(self, limit: int) -> tuple[int, int]:
        await self._checkpoint()
        handled = self.published[self.cursor : self.cursor + limit]
        self.cursor += len(handled)
        self.advances.append(len(handled))
        return len(handled), self.cursor


@dataclass
class Schedule:
    """Reminders by the second on trio's clock."""

    due_at: list[float] = field(default_factory=list)
    fired_at: list[float] = field(default_factory=list)

    async def fire_due(self, limit: int) -> Firing:
        await trio.lowlevel.checkpoint()
        now = trio.current_time()
        due = sorted(moment for moment in self.due_at if moment <= now)[:limit]
        self.due_at = [moment for moment in self.due_at if moment not in due]
        self.fired_at += [now] * len(due)
        late = max((now - moment for moment in due), default=0.0)
        return Firing(reminder_ids=tuple(uuid4() for _ in due), most_late_seconds=late, deliveries=len(due))

    async def seconds_to_next(self) -> float | None:
        await trio.lowlevel.checkpoint()
        return max(0.0, min(self.due_at) - trio.current_time()) if self.due_at else None


def delivery(*, attempt: int = 1, late_seconds: float = 0.2, title: str = "Call mother") -> Delivery:
    """Return a claimed delivery."""
    return Delivery(
        id=UUID(int=5),
        term=1,
        attempt=attempt,
        channel="email",
        address="ada@example.org",
        message_id="5.1.email",
        account_name="Ada",
        time_zone="Europe/Berlin",
        task_id=UUID(int=8),
        task_title=title,
        task_due="2026-11-23T12:00:00Z",
        due_at=NOON,
        late_seconds=late_seconds,
        traceparent=None,
    )


@dataclass
class Ledger:
    """Deliveries that want an attempt at a second of trio's clock."""

    wanted_at: list[tuple[float, int]] = field(default_factory=list)
    recorded: list[tuple[str, float, float]] = field(default_factory=list)

    async def claim(self, channel: str, limit: int, lease_seconds: float) -> tuple[Delivery, ...]:
        assert (channel, lease_seconds > 0) == ("email", True)
        await trio.lowlevel.checkpoint()
        now = trio.current_time()
        due = [item for item in self.wanted_at if item[0] <= now][:limit]
        self.wanted_at = [item for item in self.wanted_at if item not in due]
        return tuple(delivery(attempt=attempt) for _, attempt in due)

    async def record(self, done: Delivery, outcome: Outcome, retry_seconds: float) -> bool:
        await trio.lowlevel.checkpoint()
        self.recorded.append((outcome.result, trio.current_time(), retry_seconds))
        if outcome.result == "retry":
            self.wanted_at.append((trio.current_time() + retry_seconds, done.attempt + 1))
        return True

    async def seconds_to_next(self, channel: str) -> float | None:
        assert channel == "email"
        await trio.lowlevel.checkpoint()
        return max(0.0, min(self.wanted_at)[0] - trio.current_time()) if self.wanted_at else None


@dataclass
class Provider:
    """A channel that answers what it is told to, the last answer for ever."""

    answers: list[Outcome]
    name: str = "email"
    sent: int = 0

    async def send(self, _delivery: Delivery) -> Outcome:
        await trio.lowlevel.checkpoint()
        self.sent += 1
        return self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
