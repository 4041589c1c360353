"""Firing reminders and delivering them: what the reminder and delivery actors need from outside."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, Protocol

if TYPE_CHECKING:
    from datetime import datetime
    from uuid import UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class Firing:
    """What one round of firing did: ids of reminders that fired, and how late the latest was."""

    reminder_ids: tuple[UUID, ...]
    most_late_seconds: float
    deliveries: int


class ReminderSchedule(Protocol):
    """The due reminders of this installation, by the database's clock: one clock for every process."""

    async def fire_due(self, limit: int) -> Firing:
        """Fire up to ``limit`` due reminders in one transaction: state, event and ledger rows together.

        A reminder whose task is completed or deleted, or whose account is disabled, does not fire.
        """
        ...

    async def seconds_to_next(self) -> float | None:
        """Return the seconds until the next reminder is due (0 when one is), None when there is none."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """One claimed delivery: everything a channel needs, and the claim's term for recording the outcome."""

    id: UUID
    term: int
    attempt: int
    channel: str
    address: str
    message_id: str
    account_name: str
    time_zone: str
    task_id: UUID
    task_title: str
    task_due: str | None
    due_at: datetime
    late_seconds: float
    traceparent: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """How an attempt ended, and what the provider said (at most 500 characters are kept)."""

    result: Literal["sent", "retry", "failed"]
    response: str
    reason: Literal["", "refused", "unreachable", "timeout", "rejected", "exhausted", "not_configured"] = ""


class DeliveryLedger(Protocol):
    """The outbox of effects outside the database: at least once, every attempt on record."""

    async def claim(self, channel: str, limit: int, lease_seconds: float) -> tuple[Delivery, ...]:
        """Claim up to ``limit`` deliveries that are due, for a time; record the start of an attempt for each.

        What nobody wants any more (done, acknowledged, put off, deleted) is cancelled instead. A claim and such a
        change never pass each other: what was committed before is not claimed, and what comes then waits for the claim.

        A claim that ran out (its process died or was paused) is claimed again, with a higher term.
        """
        ...

    async def record(self, delivery: Delivery, outcome: Outcome, retry_seconds: float) -> bool:
        """Record an attempt's outcome; return False when the claim has since gone to another (nothing written)."""
        ...

    async def seconds_to_next(self, channel: str) -> float | None:
        """Return the seconds until a delivery wants an attempt (0 when one does), None when none waits."""
        ...


class Backlog(Protocol):
    """What waits to be delivered."""

    async def waiting(self, account_id: UUID, channel: str) -> int:
        """Return how many deliveries to an account are due on a channel and not sent yet."""
        ...


class Channel(Protocol):
    """One way to reach a person. A sender never raises for what the provider does: it says so in the outcome."""

    @property
    def name(self) -> str:
        """Return the channel's name as the API spells it, e.g. ``email``."""
        ...

    async def send(self, delivery: Delivery) -> Outcome:
        """Try once, within the channel's own deadline."""
        ...
