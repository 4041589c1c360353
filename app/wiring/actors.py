"""The parts that work behind the requests: the actors around the event log, deliveries, upkeep."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Final
from uuid import UUID, uuid4

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
from app.adapters.postgres.census import Census
from app.adapters.postgres.dead_letters import PostgresDeadLetters
from app.adapters.postgres.delivering import PostgresDeliveryLedger
from app.adapters.postgres.firing import PostgresReminderSchedule
from app.adapters.postgres.followers import AuditFollower, EventFollower, is_of_a_series, record_occurrences
from app.adapters.postgres.listen import Ear, Listener
from app.adapters.postgres.relay import CHANNEL, PostgresEventReader, PostgresPublisher
from app.adapters.postgres.rezoning import Rezoning, is_of_an_account
from app.adapters.postgres.sessions import REVOKED_CHANNEL
from app.adapters.postgres.texts import TextFollower
from app.domain.ids import SessionId
from app.wiring.addresses import public_url
from app.wiring.patience import patient
from monitoring import metrics
from monitoring.runtime import LoopProbe
from supervisors.stall_detector import StallDetector
from supervisors.telling import StallTeller
from supervisors.tree import Part

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from actors.envelope import Envelope
    from app.adapters.postgres import Database
    from app.config import Settings
    from app.domain.events import RecordedEvent
    from app.services import Services
    from app.services.accounts import AccountService
    from app.web.live.hub import Hub
    from supervisors.child_spec import StartFunction

# News that waits for one actor. Who pays when it is full: its owner, who then asks the database.
MAILBOX_CAPACITY: Final = 1024
# Words are merged into their index many at a time: of a thousand events one costs half of what one of a hundred does.
# A search sees what is not in it yet.
INDEX_BATCH: Final = 1000
INDEX_SECONDS: Final = 0.25
LONGEST_INDEX_SECONDS: Final = 1.0
# With RONDO_LOOP_WATCH=on: two such steps in one request are what people notice.
WATCHED_STALL_SECONDS: Final = 0.05
SWEEP_SECONDS: Final = 3600.0
CENSUS_SECONDS: Final = 30.0


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


def event_parts(
    database: Database, services: Services, bells: Bells, hub: Hub, holder: UUID, letters: DeadLetters
) -> Sequence[Part]:
    """Return the actors around the event log, those that are told before the one that tells."""
    reader = PostgresEventReader(database=database)
    boxes = {name: _mailbox(name, letters) for name in ("sync", "audit", "recurring", "reminder", "search")}
    rezoning = Rezoning(tasks=services.tasks, clock=SystemClock())
    occurrences = EventFollower(
        database=database, consumer="recurring", handle=record_occurrences, concerns=is_of_a_series
    )
    zones = EventFollower(
        database=database, consumer="reminder", handle=rezoning.handle, concerns=is_of_an_account, news=bells.written
    )
    audit, texts = AuditFollower(database=database), TextFollower(database=database)
    durable = partial(DurableActor, lane=trio.Lock())
    actors = (
        durable(name="audit", span="audit.write", follower=audit, mailbox=boxes["audit"]),
        durable(
            name="recurring",
            span="recurring.generate",
            follower=occurrences,
            passing=occurrences,
            mailbox=boxes["recurring"],
        ),
        durable(name="reminder", span="reminder.schedule", follower=zones, passing=zones, mailbox=boxes["reminder"]),
        durable(
            name="search",
            span="search.index",
            follower=texts,
            mailbox=boxes["search"],
            batch=INDEX_BATCH,
            pace_seconds=INDEX_SECONDS,
            longest_pace_seconds=LONGEST_INDEX_SECONDS,
        ),
    )
    sync = SyncActor(reader=reader, mailbox=boxes["sync"], audience=hub)
    parts = [_part("sync", sync.run, database, boxes["sync"])]
    parts += [_part(actor.name, actor.run, database, actor.mailbox) for actor in actors]
    teller = uuid4().hex
    publisher = PostgresPublisher(database=database, holder=holder, teller=teller)
    relay = Relay(publisher=publisher, reader=reader, bell=bells.relay, subscribers=tuple(boxes.values()))
    clockwork = ReminderClockwork(
        schedule=PostgresReminderSchedule(database=database, clock=SystemClock()),
        bell=bells.reminders,
        fired=bells.relay,
        deliver=bells.deliveries,
    )
    listener = Listener(
        database,
        {CHANNEL: Ear.bell(bells.relay.ring, own=teller), REVOKED_CHANNEL: _revocations(services.accounts, hub)},
    )
    return [
        *parts,
        _part("relay", relay.run, database),
        _part("clockwork", clockwork.run, database),
        _part("notifications", listener.run, database),
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
        _part("housekeeping", Periodic(every_seconds=SWEEP_SECONDS, work=services.housekeeping.sweep).run, database),
        _part("census", Periodic(every_seconds=CENSUS_SECONDS, work=Census(database=database).count).run, database),
        _part("letters", letters.run, database),
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
    return [replace(_part(email.name, worker.run, database), breaker=breaker.snapshot)]


def database_breaker(database: Database) -> Callable[[], BreakerSnapshot]:
    """Return what shows the pool as the circuit breaker that it is: while PostgreSQL is away it refuses at once."""

    def state() -> Circuit:
        return Circuit.CLOSED if database.problem is None else Circuit.OPEN

    def snapshot() -> BreakerSnapshot:
        return BreakerSnapshot(name="postgresql", state=state().name.lower())

    metrics.CIRCUIT_BREAKER_STATE.labels("postgresql").set_function(lambda: state().value)
    return snapshot


def _part(
    name: str, start: StartFunction, database: Database, mailbox: Mailbox[Envelope[RecordedEvent]] | None = None
) -> Part:
    shown = mailbox.snapshot if mailbox else None
    return Part(id=name, start=patient(start, database), mailbox=shown, controllable=True)


def _mailbox(name: str, letters: DeadLetters) -> Mailbox[Envelope[RecordedEvent]]:
    return Mailbox(name, capacity=MAILBOX_CAPACITY, dead_letters=letters)
