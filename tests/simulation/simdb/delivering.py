"""Firing and delivering on the simulated database, by its clock: the ports of `app.ports.delivering`."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import timedelta
from itertools import islice
from typing import TYPE_CHECKING, Any

from app.domain.events import REMINDER_FIRED, NewEvent
from app.domain.ids import EventId, new_id
from app.domain.reminder import Reminder, ReminderState
from app.ports.delivering import Delivery, Firing, Outcome
from monitoring import tracing
from tests.simulation.simdb.locks import Mode
from tests.simulation.simdb.rows import DeliveryRow, ReminderRow, TaskRow, due_text, reminder_json
from tests.simulation.simdb.tasks import shown
from tests.simulation.simdb.unit_of_work import insert_event

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable
    from datetime import datetime

    from app.ports.clock import Clock
    from tests.simulation.simdb.client import Client
    from tests.simulation.simdb.transaction import Transaction


@dataclass(frozen=True, slots=True)
class SimReminderSchedule:
    """Implements `app.ports.delivering.ReminderSchedule`."""

    client: Client
    clock: Clock

    async def fire_due(self, limit: int) -> Firing:
        """See the port: claim with SKIP LOCKED, fire, and record, in one transaction."""
        async with self.client.transaction("clockwork") as work:
            await work.statement("clockwork claim due")
            due = self._claim(work, limit)
            if not due:
                return Firing(reminder_ids=(), most_late_seconds=0.0, deliveries=0)
            await work.statement("fire")
            fired = {reminder.id: self._fire(work, reminder) for reminder in due}
            for reminder in due:
                await work.statement("record fired")
                self._record(work, reminder, fired[reminder.id])
            late = max(work.now - reminder.fire_at for reminder in due if reminder.fire_at is not None)
            deliveries = sum(len(reminder.channels) for reminder in due)
            return Firing(reminder_ids=tuple(fired), most_late_seconds=late.total_seconds(), deliveries=deliveries)

    async def seconds_to_next(self) -> float | None:
        """See the port."""
        async with self.client.transaction() as work:
            await work.statement("seconds to next")
            moments = [
                row.reminder.fire_at
                for row in work.rows("reminders", _is_scheduled)
                if _is_open(work.get("tasks", row.reminder.task_id))
            ]
            return _seconds_until(min(moments), work.now) if moments else None

    def _claim(self, work: Transaction, limit: int) -> list[Reminder]:
        rows = work.rows("reminders", lambda row: _is_scheduled(row) and row.reminder.fire_at <= work.now)
        claimed: list[Reminder] = []
        for row in sorted(rows, key=lambda row: (row.reminder.fire_at, row.reminder.id)):
            reminder: Reminder = row.reminder
            if len(claimed) == limit:
                break
            if not _is_open(work.get("tasks", reminder.task_id)):
                continue
            if not work.try_lock("reminders", reminder.id) or not work.try_lock("tasks", reminder.task_id, Mode.SHARE):
                continue
            newest: ReminderRow = work.newest("reminders", reminder.id)
            if _is_due(newest, work.now) and _is_open(work.newest("tasks", reminder.task_id)):
                claimed.append(newest.reminder)
        return claimed

    def _fire(self, work: Transaction, reminder: Reminder) -> Reminder:
        fired = replace(reminder, state=ReminderState.FIRED, fired_at=work.now, updated_at=work.now)
        work.put("reminders", reminder.id, ReminderRow(reminder=fired))
        return fired

    def _record(self, work: Transaction, before: Reminder, after: Reminder) -> None:
        task: TaskRow = work.get("tasks", before.task_id)
        event = NewEvent(
            id=EventId(new_id(self.clock.now())),
            type=REMINDER_FIRED,
            project_id=before.project_id,
            task_id=before.task_id,
            reminder_id=before.id,
            traceparent=tracing.current_traceparent(),
            occurred_at=work.now,
            before=reminder_json(before),
            after=reminder_json(after),
            detail='{"task":' + shown(work, task.task) + "}",
        )
        insert_event(work, event)
        for channel in before.channels:
            self._open_delivery(work, before, channel, event)

    def _open_delivery(self, work: Transaction, reminder: Reminder, channel: str, event: NewEvent) -> None:
        key = (reminder.id, reminder.occurrence, channel)
        # Nobody else can be inserting it: the reminder is locked. DO NOTHING when it is there.
        if work.newest("deliveries", key) is not None or reminder.fire_at is None:
            return
        row = DeliveryRow(
            id=new_id(self.clock.now()),
            reminder_id=reminder.id,
            occurrence=reminder.occurrence,
            channel=channel,
            address=work.get("accounts", reminder.account_id).email,
            message_id=".".join(map(str, key)),
            due_at=reminder.fire_at,
            next_attempt_at=work.now,
            traceparent=event.traceparent,
        )
        work.put("deliveries", key, row)


@dataclass(frozen=True, slots=True)
class SimDeliveryLedger:
    """Implements `app.ports.delivering.DeliveryLedger`."""

    client: Client

    async def claim(self, channel: str, limit: int, lease_seconds: float) -> tuple[Delivery, ...]:
        """See the port: what nobody wants any more is cancelled first, in a transaction of its own, and not claimed."""
        await self._cancel_done(channel)
        async with self.client.transaction("claim") as work:
            await work.statement("claim deliveries")
            rows = sorted(work.rows("deliveries", lambda row: _wants(row, channel, work.now)), key=_by_attempt)
            wanted = (row for row in rows if _is_wanted(work.get, row) and self._hold(work, row))
            claimed = list(islice(wanted, limit))
            lease = work.now + timedelta(seconds=lease_seconds)
            return tuple(self._begun(work, row, lease) for row in claimed)

    def _hold(self, work: Transaction, row: DeliveryRow) -> bool:
        """Lock a delivery with what it tells of (`SKIP LOCKED`); return whether it is wanted then, too."""
        task_id = work.get("reminders", row.reminder_id).reminder.task_id
        is_held = (
            work.try_lock("deliveries", _key(row))
            and work.try_lock("reminders", row.reminder_id, Mode.SHARE)
            and work.try_lock("tasks", task_id, Mode.SHARE)
        )
        return is_held and _is_still(work, row) and _is_wanted(work.newest, row)

    async def record(self, delivery: Delivery, outcome: Outcome, retry_seconds: float) -> bool:
        """See the port."""
        async with self.client.transaction("record delivery") as work:
            await work.statement("record delivery")
            found = next((row for row in work.rows("deliveries") if row.id == delivery.id), None)
            if found is None or not found.is_claim_of(delivery):
                return False
            await work.lock("deliveries", _key(found))
            row: DeliveryRow = work.newest("deliveries", _key(found))
            if not row.is_claim_of(delivery):
                return False
            retry_at = work.now + timedelta(seconds=retry_seconds) if outcome.result == "retry" else None
            state = {"sent": "sent", "retry": "pending", "failed": "failed"}[outcome.result]
            attempts = (*row.attempts[:-1], outcome.result)
            work.put("deliveries", _key(row), replace(row, state=state, next_attempt_at=retry_at, attempts=attempts))
            return True

    async def seconds_to_next(self, channel: str) -> float | None:
        """See the port."""
        async with self.client.transaction() as work:
            await work.statement("seconds to next")
            rows = work.rows("deliveries", lambda row: row.state == "pending" and row.channel == channel)
            moments = [row.next_attempt_at for row in rows]
            return _seconds_until(min(moments), work.now) if moments else None

    async def _cancel_done(self, channel: str) -> None:
        async with self.client.transaction("cancel done") as work:
            await work.statement("cancel done")
            for row in list(work.rows("deliveries", lambda row: _wants(row, channel, work.now))):
                if _is_wanted(work.get, row):
                    continue
                await work.lock("deliveries", _key(row))
                newest: DeliveryRow = work.newest("deliveries", _key(row))
                if _wants(newest, channel, work.now):
                    work.put("deliveries", _key(row), replace(newest, state="cancelled", next_attempt_at=None))

    def _begun(self, work: Transaction, row: DeliveryRow, lease: datetime) -> Delivery:
        claimed = replace(row, attempts=(*row.attempts, None), term=row.term + 1, next_attempt_at=lease)
        work.put("deliveries", _key(row), claimed)
        reminder: Reminder = work.get("reminders", row.reminder_id).reminder
        task = work.get("tasks", reminder.task_id).task
        profile = work.get("accounts", reminder.account_id).profile
        return Delivery(
            id=row.id,
            term=claimed.term,
            attempt=len(claimed.attempts),
            channel=row.channel,
            address=row.address,
            message_id=row.message_id,
            account_name=profile.name,
            time_zone=profile.time_zone,
            task_id=task.id,
            task_title=task.title,
            task_due=due_text(task),
            due_at=row.due_at,
            late_seconds=(work.now - row.due_at).total_seconds(),
            traceparent=row.traceparent,
        )


def _is_scheduled(row: ReminderRow) -> bool:
    return row.reminder.state is ReminderState.SCHEDULED and row.deleted_at is None


def _is_due(row: ReminderRow, now: datetime) -> bool:
    return _is_scheduled(row) and row.reminder.fire_at is not None and row.reminder.fire_at <= now


def _is_open(row: TaskRow) -> bool:
    return row.deleted_at is None and row.task.completed_at is None


def _seconds_until(moment: datetime, now: datetime) -> float:
    return max((moment - now).total_seconds(), 0.0)


def _key(row: DeliveryRow) -> tuple[object, ...]:
    return row.reminder_id, row.occurrence, row.channel


def _by_attempt(row: DeliveryRow) -> tuple[Any, ...]:
    return row.next_attempt_at, row.id


def _wants(row: DeliveryRow, channel: str, now: datetime) -> bool:
    is_waiting = row.state == "pending" and row.channel == channel
    return is_waiting and row.next_attempt_at is not None and row.next_attempt_at <= now


def _is_still(work: Transaction, row: DeliveryRow) -> bool:
    """Whether a row is as the statement saw it, now that it is locked; if not it is looked at the next time."""
    return bool(work.newest("deliveries", _key(row)) == row)


def _is_wanted(look: Callable[[str, Hashable], Any], row: DeliveryRow) -> bool:
    """Whether anybody wants it still, by the rows as the statement sees them, or as they are by now."""
    found: ReminderRow = look("reminders", row.reminder_id)
    reminder = found.reminder
    is_still_meant = reminder.occurrence == row.occurrence and reminder.state is not ReminderState.ACKNOWLEDGED
    return is_still_meant and found.deleted_at is None and _is_open(look("tasks", reminder.task_id))
