"""The same ports and services twice: on the simulated database and on PostgreSQL, to be asked the same questions."""

from __future__ import annotations

from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Protocol, cast
from uuid import UUID

from app.adapters.postgres.delivering import PostgresDeliveryLedger
from app.adapters.postgres.firing import PostgresReminderSchedule
from app.adapters.postgres.followers import AuditFollower, EventFollower, record_occurrences
from app.adapters.postgres.relay import PostgresEventReader, PostgresPublisher
from app.adapters.postgres.reminders import PostgresReminderReader
from app.adapters.postgres.rezoning import Rezoning as PostgresRezoning
from app.adapters.postgres.tasks import PostgresTaskReader
from app.adapters.postgres.unit_of_work import PostgresUnitOfWork, PostgresUnitsOfWork
from app.services.accounts import AccountService
from app.services.reminders import ReminderService
from app.services.sessions import Sessions
from app.services.tasks import TaskService
from app.services.transactions import Transactions
from tests.simulation.simdb.client import Client
from tests.simulation.simdb.delivering import SimDeliveryLedger, SimReminderSchedule
from tests.simulation.simdb.events import SimEventReader, SimPublisher
from tests.simulation.simdb.followers import Audit, Occurrences, Rezoning, SimFollower
from tests.simulation.simdb.reminders import SimReminderReader
from tests.simulation.simdb.tasks import SimTaskReader
from tests.simulation.simdb.unit_of_work import SimUnitOfWork, SimUnitsOfWork

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Mapping

    from app.adapters.postgres import Database
    from app.ports.clock import Clock
    from app.ports.delivering import DeliveryLedger, ReminderSchedule
    from app.ports.following import EventReader, Follower, Publisher
    from app.ports.reminders import ReminderReader
    from app.ports.tasks import TaskReader
    from app.ports.unit_of_work import UnitOfWork, UnitOfWorkFactory
    from tests.simulation.people import Person
    from tests.simulation.simdb.database import SimDb

HOLDERS: Final = (UUID(int=1), UUID(int=2))
WAITING: Final = """
    SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'
"""


class OpenWork(Protocol):
    """A unit of work whose events can be written before the commit."""

    async def flush(self) -> None:
        """Write the recorded events."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class House:
    """One of the twins.

    Attributes:
        open: Begins a transaction whose events are written by `flush`.
        waiting: Returns how many transactions wait for a lock.
        dump: Returns what is in the tables that only followers write.
    """

    tasks: TaskService
    reminders: ReminderService
    accounts: AccountService
    units: UnitOfWorkFactory
    open: Callable[[], Any]
    publishers: tuple[Publisher, ...]
    reader: EventReader
    followers: Mapping[str, Follower]
    schedule: ReminderSchedule
    ledger: DeliveryLedger
    waiting: Callable[[], Awaitable[int]]
    dump: Callable[[], Awaitable[dict[str, list[tuple[Any, ...]]]]]


def simulated(db: SimDb, clock: Clock) -> House:
    """Return the house on the simulated database."""
    client = Client(db)
    units = SimUnitsOfWork(client)
    tasks, reminders, accounts = _services(units, SimTaskReader(client), SimReminderReader(client), clock)

    @asynccontextmanager
    async def open_work() -> AsyncIterator[SimUnitOfWork]:
        async with client.transaction("write") as transaction:
            yield SimUnitOfWork(transaction)

    async def waiting() -> int:
        return db.locks.waiting

    async def dump() -> dict[str, list[tuple[Any, ...]]]:
        audit = [(row.position, row.project_id, row.seq, row.action, row.changes) for row in db.store.rows("audit_log")]
        occurrences = [
            (row.series_id, row.occurrence, row.state, row.due, row.task_id, row.account_id, row.position)
            for row in db.store.rows("occurrences")
        ]
        return {"audit": sorted(audit), "occurrences": sorted(occurrences)}

    return House(
        tasks=tasks,
        reminders=reminders,
        accounts=accounts,
        units=units,
        open=open_work,
        publishers=tuple(SimPublisher(client, holder) for holder in HOLDERS),
        reader=SimEventReader(client),
        followers={
            "audit": SimFollower(client, "audit", Audit()),
            "recurring": SimFollower(client, "recurring", Occurrences()),
            "reminder": SimFollower(client, "reminder", Rezoning(tasks, clock=clock)),
        },
        schedule=SimReminderSchedule(client, clock),
        ledger=SimDeliveryLedger(client),
        waiting=waiting,
        dump=dump,
    )


def real(database: Database, clock: Clock) -> House:
    """Return the house on PostgreSQL."""
    units = PostgresUnitsOfWork(database)
    tasks, reminders, accounts = _services(units, PostgresTaskReader(database), PostgresReminderReader(database), clock)

    @asynccontextmanager
    async def open_work() -> AsyncIterator[PostgresUnitOfWork]:
        async with database.transaction() as connection:
            yield PostgresUnitOfWork(connection)

    async def waiting() -> int:
        count: int = await database.fetchval(WAITING)
        return count

    async def dump() -> dict[str, list[tuple[Any, ...]]]:
        audit = await database.fetch(
            "SELECT position, project_id, seq, action, changes::text FROM audit_log ORDER BY position"
        )
        occurrences = await database.fetch(
            "SELECT series_id, occurrence, state, due, task_id, account_id, position FROM occurrences"
        )
        return {"audit": [tuple(row) for row in audit], "occurrences": sorted(tuple(row) for row in occurrences)}

    rezoning = PostgresRezoning(tasks=tasks, clock=clock)
    return House(
        tasks=tasks,
        reminders=reminders,
        accounts=accounts,
        units=units,
        open=open_work,
        publishers=tuple(PostgresPublisher(database=database, holder=holder) for holder in HOLDERS),
        reader=PostgresEventReader(database=database),
        followers={
            "audit": AuditFollower(database=database),
            "recurring": EventFollower(database=database, consumer="recurring", handle=record_occurrences),
            "reminder": EventFollower(database=database, consumer="reminder", handle=rezoning.handle),
        },
        schedule=PostgresReminderSchedule(database=database, clock=clock),
        ledger=PostgresDeliveryLedger(database=database),
        waiting=waiting,
        dump=dump,
    )


async def settle_in(database: Database, people: list[Person], zones: Mapping[UUID, str], created_at: Any) -> None:
    """Put people into PostgreSQL as `tests.simulation.people.settle` puts them into the simulated database."""
    async with database.transaction() as connection:
        for person in people:
            await connection.execute(
                "INSERT INTO accounts (id, email, email_key, password_hash, time_zone, created_at, updated_at)"
                " VALUES ($1, $2, $2, '', $3, $4, $4)",
                person.account_id,
                person.principal.email,
                zones[person.account_id],
                created_at,
            )
            await connection.execute(
                "INSERT INTO projects (id, name, kind, created_at) VALUES ($1, 'Inbox', 'inbox', $2)",
                person.inbox_id,
                created_at,
            )
        for person in people:
            for project_id in person.projects:
                own = project_id == person.inbox_id
                await connection.execute(
                    "INSERT INTO memberships (project_id, account_id, role, inbox) VALUES ($1, $2, $3, $4)",
                    project_id,
                    person.account_id,
                    "owner" if own else "editor",
                    own,
                )


def _services(
    units: UnitOfWorkFactory, tasks: TaskReader, reminders: ReminderReader, clock: Clock
) -> tuple[TaskService, ReminderService, AccountService]:
    transactions = Transactions(units, lambda: None)
    nothing = cast("Any", None)  # nobody signs in
    accounts = AccountService(
        accounts=nothing,
        sessions=Sessions(nothing, clock),
        transactions=transactions,
        hasher=nothing,
        limits=nothing,
        calls=nothing,
        clock=clock,
    )
    return (
        TaskService(tasks=tasks, transactions=transactions, clock=clock),
        ReminderService(reminders=reminders, transactions=transactions, clock=clock),
        accounts,
    )


# What casts a unit of work of either house to the port's type, for scenarios that only need the port.
def as_unit(work: object) -> UnitOfWork:
    """Return an open unit of work as the port."""
    return cast("UnitOfWork", work)
