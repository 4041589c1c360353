"""One Rondo process: everything real but its database, its sockets, its mail provider and its clock.

What it keeps in memory goes with it: a process that comes back is a new `Process`.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from random import Random
from typing import TYPE_CHECKING, Any, Final, cast

import trio

from actors import durable
from actors.circuit_breaker import CircuitBreaker
from actors.deliveries import PROVIDER, DeliveryWorker
from actors.mailbox import Mailbox
from actors.relay import Relay
from actors.reminders import ReminderClockwork
from actors.sync import SyncActor
from app.services.accounts import AccountService
from app.services.rate_limits import CallLimit
from app.services.reminders import ReminderService
from app.services.sessions import Sessions
from app.services.tasks import TaskService
from app.services.transactions import Transactions
from app.web.live.hub import Hub
from app.web.live.session import Live
from app.wiring import Bells, patient
from supervisors.live_tree import not_running
from supervisors.tree import Part, tree
from tests.simulation.bells import SimBell
from tests.simulation.network import Wire
from tests.simulation.post import SimChannel
from tests.simulation.simdb.accounts import SimSessionReader
from tests.simulation.simdb.client import Client
from tests.simulation.simdb.delivering import SimDeliveryLedger, SimReminderSchedule
from tests.simulation.simdb.errors import CrashError
from tests.simulation.simdb.events import SimEventReader, SimPublisher
from tests.simulation.simdb.followers import Audit, Effect, Occurrences, Rezoning, SimFollower
from tests.simulation.simdb.reminders import SimReminderReader
from tests.simulation.simdb.tasks import SimTaskReader
from tests.simulation.simdb.unit_of_work import SimUnitsOfWork

if TYPE_CHECKING:
    from uuid import UUID

    from actors.envelope import Envelope
    from app.domain.events import RecordedEvent
    from app.ports.following import Follower, Publisher
    from supervisors.child_spec import StartFunction
    from supervisors.reports import Report
    from supervisors.supervisor import Supervisor
    from tests.simulation.surroundings import Surroundings

FOLLOWERS: Final = ("audit", "recurring", "reminder")


@dataclass(eq=False, slots=True)
class Process:
    """One life of a process. `run` it; `kill` it.

    Attributes:
        around: What it shares with other processes, and what outlives it.
        holder: The installation that it is.
        mailbox_capacity: Small, so that mailboxes overflow.
    """

    around: Surroundings
    name: str
    holder: UUID
    mailbox_capacity: int
    client: Client = field(init=False)
    hub: Hub = field(init=False)
    bells: Bells = field(init=False)
    tasks: TaskService = field(init=False)
    reminders: ReminderService = field(init=False)
    accounts: AccountService = field(init=False)
    root: Supervisor = field(init=False)
    _actors: dict[str, trio.CancelScope] = field(default_factory=dict, init=False)
    _wires: dict[Wire, None] = field(default_factory=dict, init=False)
    _sessions: trio.Nursery | None = field(default=None, init=False)
    _live: Live = field(init=False)
    _lane: trio.Lock = field(default_factory=trio.Lock, init=False)

    def __post_init__(self) -> None:
        around = self.around
        self.client = Client(around.db)
        self.hub = Hub()
        self.bells = Bells(
            **{name: SimBell(around.bells, around.dice) for name in ("relay", "reminders", "deliveries")}
        )
        transactions = Transactions(SimUnitsOfWork(self.client), self.bells.written)
        self.tasks = TaskService(tasks=SimTaskReader(self.client), transactions=transactions, clock=around.clock)
        self.reminders = ReminderService(
            reminders=SimReminderReader(self.client), transactions=transactions, clock=around.clock
        )
        self.accounts = self._accounts(transactions)
        reader = SimEventReader(self.client)
        self._live = Live(hub=self.hub, reader=reader, authenticate=self.accounts.authenticate)
        self.root = tree(
            database=[Part(id="pool", start=_stand_by)],
            events=self._events(reader),
            deliveries=[self._deliveries()],
            edge=[Part(id="hub", start=self.hub.run), Part(id="listener", start=self._listen)],
            on_report=self._tell,
        )

    async def run(self) -> None:
        """Run until killed, or until the root gives up."""
        await self.root.run()

    def kill(self) -> None:
        """End it as `kill -9` does: nothing of it reaches the database or a client any more."""
        self.client.kill()
        for wire in list(self._wires):
            wire.cut()
        self.root.hurry()
        self.root.stop_soon()

    def crash_actor(self, name: str) -> bool:
        """Let an actor end where it is, as if by a bug; return whether it ran."""
        scope = self._actors.get(name)
        if scope is not None:
            scope.cancel()
        return scope is not None

    def dial(self, token: str, since: int | None = None) -> Wire | None:
        """Open a WebSocket, perhaps with a position in its address; None if nobody listens."""
        if self._sessions is None or self.client.is_killed:
            return None
        wire = Wire()
        self._sessions.start_soon(self._serve, wire, token, since)
        return wire

    @property
    def is_well(self) -> bool:
        """Whether every child of every supervisor runs."""
        return self._sessions is not None and not not_running(self.root)

    # --- Inside -------------------------------------------------------------------------------------

    def _accounts(self, transactions: Transactions) -> AccountService:
        nothing = cast("Any", None)  # signing in is not simulated
        return AccountService(
            accounts=nothing,
            sessions=Sessions(SimSessionReader(self.client), self.around.clock),
            transactions=transactions,
            hasher=nothing,
            limits=nothing,
            calls=CallLimit(clock=self.around.clock, per_minute=None),
            clock=self.around.clock,
        )

    def _events(self, reader: SimEventReader) -> list[Part]:
        boxes = {name: self._mailbox(name) for name in ("sync", *FOLLOWERS)}
        sync = SyncActor(reader=reader, mailbox=boxes["sync"], audience=self.hub)
        actors = [self._durable(name, boxes[name]) for name in FOLLOWERS]
        relay = Relay(
            publisher=self._publisher(), reader=reader, bell=self.bells.relay, subscribers=tuple(boxes.values())
        )
        clockwork = ReminderClockwork(
            schedule=self.around.mutants.schedule(SimReminderSchedule(self.client, self.around.clock)),
            bell=self.bells.reminders,
            fired=self.bells.relay,
            deliver=self.bells.deliveries,
        )
        return [
            self._part("sync", sync.run),
            *(self._part(actor.name, actor.run) for actor in actors),
            self._part("relay", relay.run),
            self._part("clockwork", clockwork.run),
            self._part("notifications", self._hear),
        ]

    def _publisher(self) -> Publisher:
        return self.around.mutants.publisher(SimPublisher(self.client, self.holder))

    def _durable(self, name: str, mailbox: Mailbox[Envelope[RecordedEvent]]) -> durable.DurableActor:
        follower = self._follower(name)
        return durable.DurableActor(
            name=name,
            span=name,
            follower=follower,
            passing=follower if isinstance(follower, SimFollower) and name != "audit" else None,
            mailbox=mailbox,
            batch=durable.BATCH,
            lane=self._lane,
        )

    def _follower(self, name: str) -> Follower:
        effects: dict[str, Effect] = {
            "audit": Audit(),
            "recurring": Occurrences(),
            "reminder": Rezoning(self.tasks, clock=self.around.clock),
        }
        news = self.bells.written if name == "reminder" else _nothing
        return self.around.mutants.follower(SimFollower(self.client, name, effects[name], news))

    def _deliveries(self) -> Part:
        worker = DeliveryWorker(
            ledger=SimDeliveryLedger(self.client),
            channel=SimChannel(self.around.office),
            bell=self.bells.deliveries,
            chance=Random(self.name),
            breaker=CircuitBreaker("email", PROVIDER, dice=self.around.dice.random.random),
        )
        return self._part("email", worker.run)

    def _mailbox(self, name: str) -> Mailbox[Envelope[RecordedEvent]]:
        return Mailbox(name, capacity=self.mailbox_capacity)

    def _part(self, name: str, start: StartFunction) -> Part:
        """Return an actor as the production tree has it, and that a fault can end at any await."""

        async def run(*, task_status: trio.TaskStatus[Any]) -> None:
            with trio.CancelScope() as scope:
                self._actors[name] = scope
                try:
                    await start(task_status=task_status)
                finally:
                    del self._actors[name]
            if scope.cancelled_caught:
                raise CrashError(name)

        return Part(id=name, start=patient(run))

    async def _hear(self, *, task_status: trio.TaskStatus[None]) -> None:
        """What `app.adapters.postgres.listen` does, without a connection to lose: rings when others have written."""
        deafen = self.around.db.listen(self.bells.relay.ring)
        task_status.started()
        try:
            await trio.sleep_forever()
        finally:
            deafen()

    async def _listen(self, *, task_status: trio.TaskStatus[None]) -> None:
        async with trio.open_nursery() as sessions:
            self._sessions = sessions
            task_status.started()
            try:
                await trio.sleep_forever()
            finally:
                self._sessions = None

    async def _serve(self, wire: Wire, token: str, since: int | None) -> None:
        self._wires[wire] = None
        try:
            await self._live.serve(wire, token, since)
        except* CrashError:
            self.around.trace.note(self.name, "session crashed")
        finally:
            del self._wires[wire]
            wire.cut()

    def _tell(self, report: Report) -> None:
        error = type(report.error).__name__ if report.error else ""
        self.around.trace.note(self.name, report.supervisor, report.child, report.event.value, error)
        if report.error is not None:
            self.around.errors.append(report.error)


async def _stand_by(*, task_status: trio.TaskStatus[None]) -> None:
    task_status.started()
    await trio.sleep_forever()


def _nothing() -> None:
    pass
