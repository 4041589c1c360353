"""Use cases: one public method is one transaction. They await ports and import no framework."""

from dataclasses import dataclass

from app.services.accounts import AccountService
from app.services.audit import AuditService
from app.services.housekeeping import HousekeepingService
from app.services.recurrence import RecurrenceService
from app.services.reminders import ReminderService
from app.services.tasks import TaskService

__all__ = [
    "AccountService",
    "AuditService",
    "HousekeepingService",
    "RecurrenceService",
    "ReminderService",
    "Services",
    "TaskService",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Services:
    """Everything that can be asked of Rondo."""

    tasks: TaskService
    reminders: ReminderService
    accounts: AccountService
    audit: AuditService
    recurrence: RecurrenceService
    housekeeping: HousekeepingService
