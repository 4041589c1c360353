"""The use cases, put together on PostgreSQL."""

from collections.abc import Callable, Sequence

from app.adapters.postgres.accounts import PostgresAccountReader
from app.adapters.postgres.audit import PostgresAuditReader
from app.adapters.postgres.database import Database
from app.adapters.postgres.exporting import PostgresExporter
from app.adapters.postgres.housekeeping import PostgresSweeper
from app.adapters.postgres.own_account import PostgresOwnSessionReader
from app.adapters.postgres.rate_limits import PostgresRateLimits
from app.adapters.postgres.reminders import PostgresReminderReader
from app.adapters.postgres.sessions import PostgresSessionReader
from app.adapters.postgres.shortcuts import PostgresTaskShortcuts
from app.adapters.postgres.tasks import PostgresTaskReader
from app.adapters.postgres.unit_of_work import PostgresUnitsOfWork
from app.domain.ids import AccountId, SessionId
from app.ports.clock import Clock
from app.ports.passwords import PasswordHasher
from app.services import (
    AccountService,
    AuditService,
    ExportService,
    HousekeepingService,
    LeavingService,
    OwnSessionService,
    RecurrenceService,
    ReminderService,
    Services,
    TaskService,
)
from app.services.rate_limits import AttemptLimits, CallLimit
from app.services.reauthentication import Reauthentication
from app.services.sessions import Sessions
from app.services.transactions import Transactions


def create_services(  # noqa: PLR0913 # each is a setting or a connection of its own, given by name
    database: Database,
    *,
    clock: Clock,
    hasher: PasswordHasher,
    bell: Callable[[], None] = lambda: None,
    news: Callable[[], None] | None = None,
    sessions_revoked: Callable[[SessionId | AccountId], None] = lambda _: None,
    channels: Sequence[str] = ("email",),
    registration_is_open: bool = True,
    auth_rate: int = 20,
    api_rate: int | None = None,
) -> Services:
    """Return the services.

    Args:
        database: Where everything is.
        clock: What time it is.
        hasher: Hashes passwords.
        bell: Called after each commit that left events behind, and perhaps reminders.
        news: Called instead where there cannot be a change of reminders; `bell` if not given.
        sessions_revoked: Called with each session that ended, or the account all of whose sessions did.
        channels: What reminders can be sent by; the first one is the default.
        registration_is_open: Whether strangers may register.
        auth_rate: Sign-ins per minute and address, and registrations likewise.
        api_rate: Calls per minute and account; None: no limit.
    """
    transactions = Transactions(PostgresUnitsOfWork(database), bell)
    reader = PostgresAccountReader(database)
    limits = AttemptLimits(limits=PostgresRateLimits(database), clock=clock, per_minute=auth_rate)
    reauthentication = Reauthentication(accounts=reader, hasher=hasher, limits=limits)
    accounts = AccountService(
        accounts=reader,
        sessions=Sessions(PostgresSessionReader(database), clock),
        transactions=transactions,
        hasher=hasher,
        limits=limits,
        calls=CallLimit(clock=clock, per_minute=api_rate),
        clock=clock,
        is_open=registration_is_open,
        sessions_revoked=sessions_revoked,
    )
    return Services(
        tasks=TaskService(
            tasks=PostgresTaskReader(database),
            transactions=transactions,
            clock=clock,
            shortcuts=PostgresTaskShortcuts(database),
            news=news or bell,
        ),
        reminders=ReminderService(
            reminders=PostgresReminderReader(database), transactions=transactions, clock=clock, channels=channels
        ),
        accounts=accounts,
        own_sessions=OwnSessionService(
            reader=PostgresOwnSessionReader(database),
            accounts=reader,
            reauthentication=reauthentication,
            hasher=hasher,
            transactions=transactions,
            clock=clock,
            ended=accounts.ended,
        ),
        exports=ExportService(accounts=reader, exporter=PostgresExporter(database), clock=clock),
        leaving=LeavingService(
            reauthentication=reauthentication, transactions=transactions, clock=clock, ended=accounts.ended
        ),
        audit=AuditService(trail=PostgresAuditReader(database)),
        recurrence=RecurrenceService(clock=clock),
        housekeeping=HousekeepingService(sweeper=PostgresSweeper(database), clock=clock),
    )
