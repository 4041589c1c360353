"""What is put together from what: adapters behind services, services behind the web, actors behind mailboxes."""

from __future__ import annotations

import os
import shutil
import signal
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final
from uuid import UUID

import trio

from actors.circuit_breaker import BreakerSnapshot, Circuit, CircuitBreaker
from actors.dead_letters import DeadLetters, count_letter
from actors.deliveries import PROVIDER, DeliveryWorker
from actors.doorbell import Doorbell
from actors.durable import DurableActor
from actors.housekeeping import Periodic
from actors.mailbox import Mailbox
from actors.relay import Relay
from actors.reminders import ReminderClockwork
from actors.sync import SyncActor
from app.adapters.clock import SystemClock
from app.adapters.notify.email import EmailChannel, SmtpServer
from app.adapters.passwords import ArgonHasher
from app.adapters.postgres.census import Census
from app.adapters.postgres.dead_letters import PostgresDeadLetters
from app.adapters.postgres.delivering import PostgresDeliveryLedger
from app.adapters.postgres.firing import PostgresReminderSchedule
from app.adapters.postgres.followers import AuditFollower, EventFollower, record_occurrences
from app.adapters.postgres.listen import Ear, Listener
from app.adapters.postgres.relay import CHANNEL, PostgresEventReader, PostgresPublisher
from app.adapters.postgres.rezoning import Rezoning
from app.adapters.postgres.services import create_services
from app.adapters.postgres.sessions import REVOKED_CHANNEL
from app.adapters.postgres.unit_of_work import PostgresUnitsOfWork
from app.domain.ids import SessionId
from app.ports.database import DatabaseUnavailableError
from app.services.operating import OperatingService
from app.services.transactions import Transactions
from app.web.api import create_api
from app.web.errors import edge_problem
from app.web.live.gateway import gateway
from app.web.live.session import Live
from app.web.pages import create_pages
from app.web.server import (
    Address,
    HttpServer,
    Limits,
    TcpAddress,
    TlsFiles,
    TrustedProxies,
    UnixAddress,
    inherited_sockets,
)
from monitoring import metrics
from monitoring.runtime import LoopProbe
from supervisors.control import Control
from supervisors.live_tree import not_running
from supervisors.stall_detector import StallDetector
from supervisors.telling import StallTeller
from supervisors.tree import Part

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from actors.envelope import Envelope
    from app.adapters.postgres import Database
    from app.config import Settings
    from app.domain.events import RecordedEvent
    from app.services import Services
    from app.services.accounts import AccountService
    from app.web.api import Api
    from app.web.live.hub import Hub
    from supervisors.child_spec import StartFunction
    from supervisors.last_errors import LastErrors
    from supervisors.supervisor import Supervisor

# News that waits for one actor. Who pays when it is full: its owner, who then asks the database.
MAILBOX_CAPACITY: Final = 1024
# With RONDO_LOOP_WATCH=on: two such steps in one request are what people notice.
WATCHED_STALL_SECONDS: Final = 0.05
# No host to put into a link.
EVERYWHERE: Final = frozenset({"0.0.0.0", "::", "127.0.0.1", "::1"})  # noqa: S104 - compared, not bound
# Under the listener's time to stop, see `supervisors.tree`.
DRAIN_SECONDS: Final = 8.0
SWEEP_SECONDS: Final = 3600.0
CENSUS_SECONDS: Final = 30.0
# Less than this and PostgreSQL may soon not be able to write.
LEAST_FREE_BYTES: Final = 200 * 1024 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Bells:
    """The doorbells between requests, actors and PostgreSQL."""

    relay: Doorbell
    reminders: Doorbell
    deliveries: Doorbell

    @classmethod
    def hang(cls) -> Bells:
        """Return new ones."""
        return cls(relay=Doorbell(), reminders=Doorbell(), deliveries=Doorbell())

    def written(self) -> None:
        """Say that a use case has committed."""
        self.relay.ring()
        self.reminders.ring()


def services(
    settings: Settings, database: Database, *, bell: Callable[[], None], revoked: Callable[[UUID], None]
) -> Services:
    """Return the use cases; ``bell`` is rung after commits, ``revoked`` told of sessions and accounts signed out."""
    return create_services(
        database,
        clock=SystemClock(),
        hasher=ArgonHasher(),
        bell=bell,
        sessions_revoked=revoked,
        registration_is_open=settings.registration == "open",
        auth_rate=settings.auth_rate,
        api_rate=settings.api_rate,
    )


def event_parts(
    database: Database, services: Services, bells: Bells, hub: Hub, holder: UUID, letters: DeadLetters
) -> Sequence[Part]:
    """Return the actors around the event log, those that are told before the one that tells."""
    reader = PostgresEventReader(database=database)
    boxes = {name: _mailbox(name, letters) for name in ("sync", "audit", "recurring", "reminder")}
    rezoning = Rezoning(tasks=services.tasks, clock=SystemClock())
    occurrences = EventFollower(database=database, consumer="recurring", handle=record_occurrences)
    zones = EventFollower(database=database, consumer="reminder", handle=rezoning.handle)
    audit, recurring, reminder = (boxes[name] for name in ("audit", "recurring", "reminder"))
    actors = (
        DurableActor(name="audit", span="audit.write", follower=AuditFollower(database=database), mailbox=audit),
        DurableActor(name="recurring", span="recurring.generate", follower=occurrences, mailbox=recurring),
        DurableActor(name="reminder", span="reminder.schedule", follower=zones, mailbox=reminder, after=bells.written),
    )
    sync = SyncActor(reader=reader, mailbox=boxes["sync"], audience=hub)
    parts = [_part("sync", sync.run, boxes["sync"])]
    parts += [_part(actor.name, actor.run, actor.mailbox) for actor in actors]
    publisher = PostgresPublisher(database=database, holder=holder)
    relay = Relay(publisher=publisher, reader=reader, bell=bells.relay, subscribers=tuple(boxes.values()))
    clockwork = ReminderClockwork(
        schedule=PostgresReminderSchedule(database=database, clock=SystemClock()),
        bell=bells.reminders,
        fired=bells.relay,
        deliver=bells.deliveries,
    )
    listener = Listener(
        database, {CHANNEL: Ear.bell(bells.relay.ring), REVOKED_CHANNEL: _revocations(services.accounts, hub)}
    )
    return [
        *parts,
        _part("relay", relay.run),
        _part("clockwork", clockwork.run),
        _part("notifications", listener.run),
    ]


def _revocations(accounts: AccountService, hub: Hub) -> Ear:
    """Return who is told of sign-outs elsewhere: by the command line, another process, an administrator in psql."""

    def missed() -> None:
        accounts.sessions.forget_all()
        hub.recheck_all()

    def heard(ended: str) -> None:
        try:
            accounts.ended(SessionId(UUID(ended)))
        except ValueError:  # anyone on the database can notify
            missed()

    return Ear(heard=heard, missed=missed)


def dead_letters(database: Database) -> DeadLetters:
    """Return where messages go that nobody will handle."""
    return DeadLetters(store=PostgresDeadLetters(database=database), on_letter=count_letter)


def stall_detector(settings: Settings) -> StallDetector:
    """Return what finds the task that holds the loop."""
    if settings.loop_watch == "on":
        return StallDetector(StallTeller(), threshold_seconds=WATCHED_STALL_SECONDS)
    return StallDetector(StallTeller())


def upkeep_parts(database: Database, services: Services, stalls: StallDetector, letters: DeadLetters) -> Sequence[Part]:
    """Return what looks after the house: sweeping, counting, feeling the loop's pulse, keeping dead letters."""
    return [
        _part("housekeeping", Periodic(every_seconds=SWEEP_SECONDS, work=services.housekeeping.sweep).run),
        _part("census", Periodic(every_seconds=CENSUS_SECONDS, work=Census(database=database).count).run),
        _part("letters", letters.run),
        Part(id="pulse", start=LoopProbe().run, controllable=True),
        Part(id="stalls", start=stalls.run, controllable=True),
    ]


def delivery_parts(settings: Settings, database: Database, bells: Bells) -> Sequence[Part]:
    """Return one worker per channel."""
    server = SmtpServer.from_url(settings.smtp_url) if settings.smtp_url else None
    email = EmailChannel(server=server, sender=settings.mail_from, public_url=public_url(settings))
    gauge = metrics.CIRCUIT_BREAKER_STATE.labels(email.name)
    breaker = CircuitBreaker(email.name, PROVIDER, on_change=lambda state: gauge.set(state.value))
    ledger = PostgresDeliveryLedger(database=database)
    worker = DeliveryWorker(ledger=ledger, channel=email, bell=bells.deliveries, breaker=breaker)
    return [replace(_part(email.name, worker.run), breaker=breaker.snapshot)]


def database_breaker(database: Database) -> Callable[[], BreakerSnapshot]:
    """Return what shows the pool as the circuit breaker that it is: while PostgreSQL is away it refuses at once."""

    def state() -> Circuit:
        return Circuit.CLOSED if database.problem is None else Circuit.OPEN

    def snapshot() -> BreakerSnapshot:
        return BreakerSnapshot(name="postgresql", state=state().name.lower())

    metrics.CIRCUIT_BREAKER_STATE.labels("postgresql").set_function(lambda: state().value)
    return snapshot


@dataclass(frozen=True, slots=True, kw_only=True)
class Face:
    """What the outside meets, and what it is told about the inside."""

    settings: Settings
    database: Database
    services: Services
    hub: Hub
    directory: Path
    root: Callable[[], Supervisor]
    errors: LastErrors
    stalls: StallDetector
    bell: Callable[[], None]

    def parts(self, listening: Callable[[list[Address]], None]) -> Sequence[Part]:
        """Return the hub and the listener; ``listening`` is told the addresses when they are open."""
        server = self._server()

        async def listen(*, task_status: trio.TaskStatus[None]) -> None:
            async with trio.open_nursery() as nursery:
                listening(await nursery.start(server.run))
                task_status.started()

        def drain() -> None:
            self.hub.close_all()
            server.begin_drain()

        async def reload(*, task_status: trio.TaskStatus[None]) -> None:
            with trio.open_signal_receiver(signal.SIGHUP) as hangups:
                task_status.started()
                async for _ in hangups:  # what certbot's hook sends
                    server.reload_tls()

        return [
            Part(id="hub", start=self.hub.run),
            Part(id="reload", start=reload),
            Part(id="listener", start=listen, ask=drain, many_tasks=True),
        ]

    def _server(self) -> HttpServer:
        settings = self.settings
        tls = None
        if settings.tls_cert is not None and settings.tls_key is not None:
            tls = TlsFiles(certificate=settings.tls_cert, key=settings.tls_key)
        live = Live(
            hub=self.hub,
            reader=PostgresEventReader(database=self.database),
            authenticate=self.services.accounts.authenticate,
        )
        return HttpServer(
            api=self._api(),
            pages=create_pages(),
            websocket=gateway(live, settings.public_url),
            addresses=_addresses(settings),
            tls=tls,
            trusted_proxies=TrustedProxies(networks=settings.trusted_proxies, unix_peers=True),
            limits=Limits(drain_seconds=DRAIN_SECONDS),
            error_response=edge_problem,
        )

    def _api(self) -> Api:
        checks = {
            "database": lambda: _database_reason(self.database),
            "actors": lambda: _actors_reason(self.root()),
            "disk": lambda: _disk_reason(self.directory),
            "loop": lambda: loop_reason(self.stalls),
        }
        return create_api(
            self.services,
            clock=SystemClock(),
            checks=checks,
            operating=self._operating(),
            public_url=self.settings.public_url,
            metrics_for=self.settings.metrics,
        )

    def _operating(self) -> OperatingService:
        """Return what operators do, with the tree that the listener itself hangs in."""
        return OperatingService(
            actors=Control(root=self.root, errors=self.errors),
            letters=PostgresDeadLetters(database=self.database),
            backlog=PostgresDeliveryLedger(database=self.database),
            transactions=Transactions(PostgresUnitsOfWork(self.database), self.bell),
            clock=SystemClock(),
        )


def _addresses(settings: Settings) -> list[Address]:
    """Return where to listen: what systemd handed over, else the host and port; and the Unix socket."""
    inherited = inherited_sockets(os.environ, os.getpid())
    addresses: list[Address] = [*inherited] or [TcpAddress(settings.host, settings.port)]
    return addresses if settings.unix_socket is None else [*addresses, UnixAddress(settings.unix_socket)]


def public_url(settings: Settings) -> str:
    """Return the address people use, for links in mail."""
    if settings.public_url:
        return settings.public_url.rstrip("/")
    scheme = "https" if settings.tls_cert else "http"
    host = "localhost" if settings.host in EVERYWHERE else settings.host
    return f"{scheme}://{host}:{settings.port}"


@dataclass(slots=True)
class _FirstReport:
    """Passes on that something has started, once."""

    task_status: trio.TaskStatus[None]
    is_made: bool = False

    def started(self, value: None = None) -> None:
        """Report it, unless it has been."""
        if not self.is_made:
            self.is_made = True
            self.task_status.started(value)


def patient(start: StartFunction) -> StartFunction:
    """Let an actor count as started when PostgreSQL is away: it crashes then and comes back, as at any other time.

    Without this a Rondo that boots before its PostgreSQL would give up instead of answering 503 and waiting.
    """

    async def run(*, task_status: trio.TaskStatus[None]) -> None:
        task_status = _FirstReport(task_status)
        try:
            await start(task_status=task_status)
        except DatabaseUnavailableError:
            task_status.started()
            raise

    return run


def _part(name: str, start: StartFunction, mailbox: Mailbox[Envelope[RecordedEvent]] | None = None) -> Part:
    return Part(id=name, start=patient(start), mailbox=mailbox.snapshot if mailbox else None, controllable=True)


def _mailbox(name: str, letters: DeadLetters) -> Mailbox[Envelope[RecordedEvent]]:
    return Mailbox(name, capacity=MAILBOX_CAPACITY, dead_letters=letters)


async def _database_reason(database: Database) -> str | None:
    try:
        await database.fetchval("SELECT 1")
    except DatabaseUnavailableError as away:
        return away.reason
    return None


async def _actors_reason(root: Supervisor) -> str | None:
    await trio.lowlevel.checkpoint()
    missing = not_running(root)
    return f"Not running: {', '.join(missing)}." if missing else None


async def loop_reason(stalls: StallDetector) -> str | None:
    """Return why the event loop is not as quick as it should be, in words for strangers; None: it is."""
    await trio.lowlevel.checkpoint()
    seconds = stalls.degraded_seconds
    return None if seconds is None else f"The event loop was held for {seconds:.1f} s just now."


async def _disk_reason(directory: Path) -> str | None:
    await trio.lowlevel.checkpoint()
    free = shutil.disk_usage(directory).free
    return None if free >= LEAST_FREE_BYTES else f"Only {free // 2**20} MiB are free where Rondo keeps its data."
