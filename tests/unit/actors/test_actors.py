"""The concrete actors under virtual time."""

from __future__ import annotations

import itertools
import random
from typing import TYPE_CHECKING

import pytest
import trio

from actors import relay
from actors.deliveries import MAX_ATTEMPTS, DeliveryCrashedError, DeliveryWorker, retry_seconds
from actors.doorbell import Doorbell
from actors.durable import PACE_SECONDS, TICK_SECONDS, DurableActor
from actors.envelope import Envelope
from actors.housekeeping import Periodic
from actors.mailbox import Mailbox
from actors.relay import Relay
from actors.reminders import MIN_NAP_SECONDS, ReminderClockwork
from actors.sync import SyncActor
from app.domain.events import RecordedEvent
from app.ports.database import DatabaseUnavailableError
from app.ports.delivering import Firing, Outcome
from tests.unit.actors.fakes import Ledger, Log, Provider, Schedule, event

if TYPE_CHECKING:
    from trio.testing import MockClock

Box = Mailbox[Envelope[RecordedEvent]]


def box(capacity: int = 16) -> Box:
    return Mailbox("audit", capacity=capacity)


def tell(mailbox: Box, position: int) -> None:
    mailbox.tell_nowait(Envelope(message=event(position)))


class Ear:
    """An audience that remembers what it was given."""

    def __init__(self, position: int = 0) -> None:
        self.position = position
        self.heard: list[int] = []

    def begin(self, position: int) -> None:
        self.position = position

    async def deliver(self, heard: RecordedEvent) -> int:
        await trio.lowlevel.checkpoint()
        self.position = heard.position
        self.heard.append(heard.position)
        return 1


# --- relay ------------------------------------------------------------------------------------------------


async def test_the_relay_publishes_at_the_ring_and_hands_on_in_order(
    autojump_clock: MockClock, nursery: trio.Nursery
) -> None:
    log, bell, mailbox = Log(), Doorbell(), box()
    await nursery.start(Relay(publisher=log, reader=log, bell=bell, subscribers=(mailbox,)).run)
    log.waiting = 3
    bell.ring()

    envelopes = [await mailbox.receive() for _ in range(3)]

    assert [envelope.message.position for envelope in envelopes if isinstance(envelope, Envelope)] == [1, 2, 3]
    assert trio.current_time() == 0


async def test_under_load_the_relay_gathers_and_after_a_calm_it_does_not(
    autojump_clock: MockClock, nursery: trio.Nursery
) -> None:
    log, bell, mailbox = Log(), Doorbell(), box(capacity=100)
    await nursery.start(Relay(publisher=log, reader=log, bell=bell, subscribers=(mailbox,)).run)
    arrived: list[float] = []

    async def receive() -> None:
        while True:
            await mailbox.receive()
            arrived.append(trio.current_time())

    nursery.start_soon(receive)
    await trio.sleep(0.5)
    for _ in range(40):
        log.waiting += 1
        bell.ring()
        await trio.sleep(0.001)
    await trio.sleep(1)
    nursery.cancel_scope.cancel()

    batches = sorted(set(arrived))
    assert len(arrived) == 40
    assert batches[0] == 0.5
    assert all(later - earlier >= relay.PACE_SECONDS - 1e-9 for earlier, later in itertools.pairwise(batches))
    assert batches[-1] <= 0.54 + relay.PACE_SECONDS


async def test_a_lost_ring_costs_a_second(autojump_clock: MockClock, nursery: trio.Nursery) -> None:
    log, mailbox = Log(), box()
    await nursery.start(Relay(publisher=log, reader=log, bell=Doorbell(), subscribers=(mailbox,)).run)
    await trio.testing.wait_all_tasks_blocked()
    log.waiting = 1

    await mailbox.receive()

    assert 0 < trio.current_time() <= 1


async def test_without_the_lease_the_relay_hands_on_what_others_publish(
    autojump_clock: MockClock, nursery: trio.Nursery
) -> None:
    log, bell, mailbox = Log(leader=False, waiting=5), Doorbell(), box()
    await nursery.start(Relay(publisher=log, reader=log, bell=bell, subscribers=(mailbox,)).run)
    log.published.append(event(1))
    bell.ring()

    envelope = await mailbox.receive()

    assert isinstance(envelope, Envelope)
    assert (envelope.message.position, log.waiting) == (1, 5)


async def test_a_relay_that_crashed_before_handing_on_does_so_when_it_is_back(nursery: trio.Nursery) -> None:
    class Cut(Log):
        is_cut = False

        async def publish(self, limit: int) -> int:
            published = await super().publish(limit)
            if not self.is_cut:
                self.is_cut = True
                raise DatabaseUnavailableError("cut after the commit")
            return published

    log, mailbox = Cut(), box()
    relay = Relay(publisher=log, reader=log, bell=Doorbell(), subscribers=(mailbox,))
    log.waiting = 2
    with pytest.raises(DatabaseUnavailableError):
        await relay.run()

    await nursery.start(relay.run)
    envelopes = [await mailbox.receive() for _ in range(2)]

    assert [envelope.message.position for envelope in envelopes if isinstance(envelope, Envelope)] == [1, 2]


async def test_what_somebody_else_holds_is_not_asked_for_without_a_pause(
    autojump_clock: MockClock, nursery: trio.Nursery
) -> None:
    asked: list[float] = []

    class Held(Schedule):
        async def fire_due(self, limit: int) -> Firing:
            assert limit > 0
            await trio.lowlevel.checkpoint()
            asked.append(trio.current_time())
            return Firing(reminder_ids=(), most_late_seconds=0.0, deliveries=0)

    await nursery.start(clockwork(Held(due_at=[0.0]), Doorbell()).run)
    await trio.sleep(1)

    assert len(asked) <= 1 + 1 / MIN_NAP_SECONDS


# --- durable actors ---------------------------------------------------------------------------------------


def durable(log: Log, mailbox: Box) -> DurableActor:
    return DurableActor(name="audit", span="audit.write", follower=log, mailbox=mailbox)


async def test_a_durable_actor_catches_up_before_it_is_ready(nursery: trio.Nursery) -> None:
    log = Log(published=[event(position) for position in range(1, 501)])

    await nursery.start(durable(log, box()).run)

    assert (log.cursor, log.advances) == (500, [200, 200, 100])


async def test_news_moves_the_cursor_and_old_news_costs_nothing(
    autojump_clock: MockClock, nursery: trio.Nursery
) -> None:
    log, mailbox = Log(), box()
    await nursery.start(durable(log, mailbox).run)
    log.published += [event(1), event(2)]

    tell(mailbox, 2)
    tell(mailbox, 1)
    await trio.testing.wait_all_tasks_blocked()

    assert (log.cursor, log.advances) == (2, [0, 2])


async def test_under_load_a_durable_actor_gathers_and_after_a_calm_it_does_not(
    autojump_clock: MockClock, nursery: trio.Nursery
) -> None:
    log, mailbox = Log(), box()
    await nursery.start(durable(log, mailbox).run)

    for position in range(1, 11):
        log.published.append(event(position))
        tell(mailbox, position)
        await trio.sleep(PACE_SECONDS / 10)
    at_once = log.advances.copy()
    await trio.sleep(PACE_SECONDS)

    assert at_once == [0, 1]
    assert (log.cursor, log.advances) == (10, [0, 1, 9])


@pytest.mark.parametrize(
    ("seconds", "pause"), [(0.001, PACE_SECONDS), (0.05, 0.5), (3, 0)], ids=["short", "long", "longer than any pause"]
)
async def test_batches_that_take_long_follow_each_other_more_slowly(
    autojump_clock: MockClock, nursery: trio.Nursery, seconds: float, pause: float
) -> None:
    log, mailbox, begun = Log(), box(), list[float]()

    class Slow:
        async def advance(self, limit: int) -> tuple[int, int]:
            begun.append(trio.current_time())
            result = await log.advance(limit)
            await trio.sleep(seconds)
            return result

    actor = DurableActor(name="audit", span="audit.write", follower=Slow(), mailbox=mailbox, longest_pace_seconds=1)
    await nursery.start(actor.run)
    log.published.append(event(1))
    tell(mailbox, 1)
    await trio.sleep(seconds / 2)
    log.published.append(event(2))
    tell(mailbox, 2)
    await trio.sleep(20)

    _, first, second = begun[:3]
    assert second - first == pytest.approx(max(pause, seconds))


class Choosy(Log):
    """A follower that some events concern."""

    def __init__(self, concerning: set[int]) -> None:
        super().__init__()
        self.concerning = concerning
        self.passed: list[tuple[int, int]] = []
        self.requeued = False

    def concerns(self, event: RecordedEvent) -> bool:
        return event.position in self.concerning

    async def pass_by(self, since: int, reached: int) -> bool:
        await trio.lowlevel.checkpoint()
        if self.requeued or self.cursor < since:
            return False
        self.cursor = max(self.cursor, reached)
        self.passed.append((since, reached))
        return True


async def follow(nursery: trio.Nursery, log: Choosy, mailbox: Box, told: list[int]) -> None:
    """Let an actor run, publish events 1 to 10, and tell it of some."""
    actor = DurableActor(name="recurring", span="x", follower=log, passing=log, mailbox=mailbox)
    await nursery.start(actor.run)
    log.published += [event(position) for position in range(1, 11)]
    for position in told:
        tell(mailbox, position)
    await trio.sleep(2 * PACE_SECONDS)


async def test_what_does_not_concern_an_actor_is_passed_by_without_being_read(
    autojump_clock: MockClock, nursery: trio.Nursery
) -> None:
    log = Choosy(set())

    await follow(nursery, log, box(), list(range(1, 11)))

    assert (log.advances, log.passed, log.cursor) == ([0], [(0, 10)], 10)


@pytest.mark.parametrize(
    ("concerning", "told"),
    [({1}, range(1, 11)), ({7}, range(1, 11)), (set(), [1, 2, 4, 5, 10]), (set(), [10])],
    ids=["the first", "a later one", "news was lost", "much news was lost"],
)
async def test_what_may_concern_an_actor_is_read_with_all_around_it(
    autojump_clock: MockClock, nursery: trio.Nursery, concerning: set[int], told: list[int]
) -> None:
    log = Choosy(concerning)

    await follow(nursery, log, box(), list(told))

    assert (log.advances, log.passed, log.cursor) == ([0, 10], [], 10)


async def test_an_overflow_is_read(autojump_clock: MockClock, nursery: trio.Nursery) -> None:
    log = Choosy({9})

    await follow(nursery, log, box(capacity=4), list(range(1, 11)))

    assert (log.passed, log.cursor) == ([(0, 4)], 10)
    assert log.advances == [0, 6]


async def test_what_cannot_be_passed_by_is_read(autojump_clock: MockClock, nursery: trio.Nursery) -> None:
    log = Choosy(set())
    log.requeued = True

    await follow(nursery, log, box(), list(range(1, 11)))

    assert (log.advances, log.passed) == ([0, 10], [])


async def test_actors_that_share_a_lane_have_their_batches_one_after_the_other(
    autojump_clock: MockClock, nursery: trio.Nursery
) -> None:
    at_once, most = set[str](), list[int]()

    class Busy(Log):
        async def advance(self, limit: int) -> tuple[int, int]:
            name = str(id(self))
            at_once.add(name)
            most.append(len(at_once))
            await trio.sleep(0.01)
            at_once.remove(name)
            return await super().advance(limit)

    lane, logs, boxes = trio.Lock(), [Busy() for _ in range(3)], [box() for _ in range(3)]
    for log, mailbox in zip(logs, boxes, strict=True):
        await nursery.start(DurableActor(name="x", span="x", follower=log, mailbox=mailbox, lane=lane).run)
    for log, mailbox in zip(logs, boxes, strict=True):
        log.published.append(event(1))
        tell(mailbox, 1)
    await trio.sleep(1)

    assert [log.cursor for log in logs] == [1, 1, 1]
    assert set(most) == {1}


async def test_an_actor_that_crashes_leaves_the_lane(autojump_clock: MockClock, nursery: trio.Nursery) -> None:
    lane, log = trio.Lock(), Log(published=[event(1)])
    broken = DurableActor(name="x", span="x", follower=Log(away=True), mailbox=box(), lane=lane)

    with pytest.raises(DatabaseUnavailableError):
        await broken.run()
    await nursery.start(DurableActor(name="y", span="y", follower=log, mailbox=box(), lane=lane).run)

    assert log.cursor == 1


async def test_a_full_mailbox_costs_a_query_and_never_an_event(
    autojump_clock: MockClock, nursery: trio.Nursery
) -> None:
    log, mailbox = Log(), box(capacity=2)
    await nursery.start(durable(log, mailbox).run)
    log.published += [event(position) for position in range(1, 11)]

    for position in range(1, 11):
        tell(mailbox, position)
    await trio.testing.wait_all_tasks_blocked()

    await trio.sleep(2 * PACE_SECONDS)
    assert log.cursor == 10


async def test_lost_news_is_found_at_the_tick(autojump_clock: MockClock, nursery: trio.Nursery) -> None:
    log = Log()
    await nursery.start(durable(log, box()).run)
    log.published.append(event(1))

    await trio.sleep(TICK_SECONDS + 0.1)

    assert log.cursor == 1


async def test_an_actor_without_its_database_crashes_and_misses_nothing(nursery: trio.Nursery) -> None:
    log, mailbox = Log(published=[event(1)], away=True), box()
    actor = durable(log, mailbox)

    with pytest.raises(DatabaseUnavailableError):
        await actor.run()
    log.away = False
    await nursery.start(actor.run)

    assert log.cursor == 1


# --- sync -------------------------------------------------------------------------------------------------


async def test_sync_delivers_each_event_once_whatever_the_mailbox_says(
    autojump_clock: MockClock, nursery: trio.Nursery
) -> None:
    log, mailbox, ear = Log(published=[event(1)]), box(), Ear()
    await nursery.start(SyncActor(reader=log, mailbox=mailbox, audience=ear).run)
    log.published += [event(position) for position in range(2, 7)]

    for position in (2, 2, 5, 3, 6, 6):
        tell(mailbox, position)
    await trio.testing.wait_all_tasks_blocked()

    assert ear.heard == [2, 3, 4, 5, 6]


async def test_sync_goes_on_where_it_crashed(nursery: trio.Nursery) -> None:
    log, ear = Log(published=[event(position) for position in range(1, 6)]), Ear(position=2)

    await nursery.start(SyncActor(reader=log, mailbox=box(), audience=ear).run)

    assert ear.heard == [3, 4, 5]


# --- reminders --------------------------------------------------------------------------------------------


def clockwork(schedule: Schedule, bell: Doorbell) -> ReminderClockwork:
    return ReminderClockwork(schedule=schedule, bell=bell, fired=Doorbell(), deliver=Doorbell())


@pytest.mark.accepts("R03")
async def test_a_new_earlier_reminder_wakes_the_clockwork(autojump_clock: MockClock, nursery: trio.Nursery) -> None:
    schedule, bell = Schedule(due_at=[3600.0]), Doorbell()
    await nursery.start(clockwork(schedule, bell).run)

    await trio.sleep(1)
    schedule.due_at.append(2.0)
    bell.ring()
    await trio.sleep(5)

    assert schedule.fired_at == [2.0]


@pytest.mark.accepts("R04")
async def test_a_moved_reminder_fires_by_its_new_time_only(autojump_clock: MockClock, nursery: trio.Nursery) -> None:
    schedule, bell = Schedule(due_at=[10.0]), Doorbell()
    await nursery.start(clockwork(schedule, bell).run)

    schedule.due_at = [20.0]
    await trio.sleep(60)

    assert schedule.fired_at == [20.0]


async def test_what_fell_due_while_the_process_was_down_fires_before_it_is_ready(
    autojump_clock: MockClock, nursery: trio.Nursery
) -> None:
    schedule = Schedule(due_at=[-3600.0 + number for number in range(450)])

    await nursery.start(clockwork(schedule, Doorbell()).run)

    assert len(schedule.fired_at) == 450


async def test_a_reminder_set_by_another_process_is_late_by_a_nap_at_most(
    autojump_clock: MockClock, nursery: trio.Nursery
) -> None:
    schedule = Schedule()
    await nursery.start(clockwork(schedule, Doorbell()).run)

    await trio.sleep(1)
    schedule.due_at.append(2.0)
    await trio.sleep(60)

    assert schedule.fired_at == [30.0]


# --- deliveries -------------------------------------------------------------------------------------------


def worker(ledger: Ledger, provider: Provider, bell: Doorbell | None = None) -> DeliveryWorker:
    return DeliveryWorker(ledger=ledger, channel=provider, bell=bell or Doorbell(), chance=random.Random(1))


async def test_a_delivery_is_tried_again_later_and_later_until_it_is_sent(
    autojump_clock: MockClock, nursery: trio.Nursery
) -> None:
    ledger = Ledger(wanted_at=[(0.0, 1)])
    provider = Provider([Outcome(result="retry", response="451")] * 3 + [Outcome(result="sent", response="250")])
    await nursery.start(worker(ledger, provider).run)

    await trio.sleep(300)

    pauses = [pause for result, _, pause in ledger.recorded if result == "retry"]
    assert [result for result, _, _ in ledger.recorded] == ["retry"] * 3 + ["sent"]
    assert [low <= pause <= low * 1.2 for low, pause in zip((15, 30, 60), pauses, strict=True)] == [True] * 3


@pytest.mark.uncovered
async def test_a_provider_that_never_works_is_given_up_with_the_reason(
    autojump_clock: MockClock, nursery: trio.Nursery
) -> None:
    ledger = Ledger(wanted_at=[(0.0, 1)])
    provider = Provider([Outcome(result="retry", response="no route")])
    await nursery.start(worker(ledger, provider).run)

    await trio.sleep(3 * 24 * 3600)

    assert [result for result, _, _ in ledger.recorded] == ["retry"] * (MAX_ATTEMPTS - 1) + ["failed"]
    assert provider.sent == MAX_ATTEMPTS


async def test_the_bell_wakes_the_worker(autojump_clock: MockClock, nursery: trio.Nursery) -> None:
    ledger, provider, bell = Ledger(), Provider([Outcome(result="sent", response="250")]), Doorbell()
    await nursery.start(worker(ledger, provider, bell).run)

    await trio.sleep(1)
    ledger.wanted_at.append((1.0, 1))
    bell.ring()
    await trio.sleep(0.5)

    assert [(result, at) for result, at, _ in ledger.recorded] == [("sent", 1.0)]


async def test_a_bug_in_an_attempt_crashes_the_worker_with_one_error(autojump_clock: MockClock) -> None:
    class Broken(Provider):
        async def send(self, _delivery: object) -> Outcome:
            await trio.lowlevel.checkpoint()
            raise ZeroDivisionError

    with pytest.raises(DeliveryCrashedError) as crash:
        await worker(Ledger(wanted_at=[(0.0, 1), (0.0, 2)]), Broken([])).run()

    assert isinstance(crash.value.__cause__, ExceptionGroup)


@pytest.mark.parametrize(("attempt", "seconds"), [(1, 15), (2, 30), (3, 60), (9, 3600), (1000, 3600)])
def test_retries_double_up_to_an_hour(attempt: int, seconds: float) -> None:
    assert retry_seconds(attempt, 0.0) == seconds
    assert retry_seconds(attempt, 1.0) == pytest.approx(seconds * 1.2)


# --- periodic ---------------------------------------------------------------------------------------------


async def test_periodic_work_is_done_at_once_and_then_after_each_pause(
    autojump_clock: MockClock, nursery: trio.Nursery
) -> None:
    done: list[float] = []

    async def work() -> None:
        await trio.lowlevel.checkpoint()
        done.append(trio.current_time())

    await nursery.start(Periodic(every_seconds=30, work=work).run)
    await trio.sleep(100)

    assert done == [0, 30, 60, 90]
