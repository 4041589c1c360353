"""Use cases: one public method is one transaction. They await ports and import no framework."""

from dataclasses import dataclass

from app.services.accounts import AccountService
from app.services.audit import AuditService
from app.services.exporting import ExportService
from app.services.housekeeping import HousekeepingService
from app.services.leaving import LeavingService
from app.services.own_sessions import OwnSessionService
from app.services.recurrence import RecurrenceService
from app.services.reminders import ReminderService
from app.services.tasks import TaskService

__all__ = [
    "AccountService",
    "AuditService",
    "ExportService",
    "HousekeepingService",
    "LeavingService",
    "OwnSessionService",
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
    own_sessions: OwnSessionService
    exports: ExportService
    leaving: LeavingService
    audit: AuditService
    recurrence: RecurrenceService
    housekeeping: HousekeepingService
