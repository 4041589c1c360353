"""A01, A03 to A05, A14: what becomes of messages."""

from __future__ import annotations

import os
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
import trio

from actors.dead_letters import DeadLetters
from actors.envelope import Envelope
from actors.mailbox import MISSED, Delivery, Mailbox, WhenFull
from monitoring import metrics, tracing
from supervisors import ChildSpec, Supervisor
from tests.unit.supervisors.probes import settle

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator


# Of each of two senders.
MESSAGES = 50_000 if os.environ.get("CI") else 3_000


def _box(capacity: int = 2, when_full: WhenFull = WhenFull.WAIT, **options: Any) -> Mailbox[Any]:
    return Mailbox("audit", capacity=capacity, when_full=when_full, **options)


async def _take(mailbox: Mailbox[Any], count: int) -> list[Any]:
    return [await mailbox.receive() for _ in range(count)]


def _full(policy: str) -> float:
    return metrics.ACTOR_MAILBOX_FULL_TOTAL.labels("audit", policy).value


@pytest.mark.accepts("A01")
async def test_a_sender_waits_for_room_up_to_its_limit(nursery: trio.Nursery) -> None:
    mailbox = _box()
    before = _full("wait")

    first = [mailbox.tell_nowait(number) for number in range(2)]
    no_room = await mailbox.tell(2, within_seconds=5)
    waited = trio.current_time()
    nursery.start_soon(_take, mailbox, 1)
    room = await mailbox.tell(3, within_seconds=5)

    assert first == [Delivery.DELIVERED, Delivery.DELIVERED]
    assert (no_room, room) == (Delivery.REJECTED, Delivery.DELIVERED)
    assert waited == pytest.approx(trio.current_time())
    assert (mailbox.snapshot().full, _full("wait") - before) == (1, 1)
    assert await _take(mailbox, 2) == [1, 3]


@pytest.mark.accepts("A01")
@pytest.mark.parametrize("when_full", [WhenFull.WAIT, WhenFull.REJECT])
async def test_a_sender_who_cannot_wait_is_answered_at_once(when_full: WhenFull) -> None:
    mailbox = _box(1, when_full)
    mailbox.tell_nowait(1)

    answer = mailbox.tell_nowait(2)

    assert answer is Delivery.REJECTED
    assert mailbox.depth == 1


@pytest.mark.accepts("A01")
async def test_rejecting_does_not_wait_even_if_the_sender_could() -> None:
    mailbox = _box(1, WhenFull.REJECT)
    mailbox.tell_nowait(1)
    began = trio.current_time()

    answer = await mailbox.tell(2, within_seconds=5)

    assert answer is Delivery.REJECTED
    assert trio.current_time() == began


@pytest.mark.accepts("A01")
async def test_the_owner_of_a_full_mailbox_of_news_is_told_once_that_it_missed_some() -> None:
    mailbox = _box(2, WhenFull.DROP_AND_MARK_MISSED)

    answers = [mailbox.tell_nowait(number) for number in range(5)]
    first = await mailbox.receive()
    while_missing = mailbox.tell_nowait(5)  # there is room, but the owner will look anyway
    rest = await _take(mailbox, 2)
    after = mailbox.tell_nowait(6)

    assert answers == [Delivery.DELIVERED] * 2 + [Delivery.MISSED] * 3
    assert while_missing is Delivery.MISSED
    assert (first, rest) == (0, [1, MISSED])
    assert (after, await mailbox.receive()) == (Delivery.DELIVERED, 6)
    assert mailbox.snapshot().missed == 4


@pytest.mark.parametrize("options", [{"capacity": 0}, {"capacity": 1, "max_tries": 0}])
def test_a_mailbox_that_can_never_work_is_refused(options: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"'audit'.*1 or more"):
        _box(**options)


class _Fragile:
    """An actor that crashes over poison and notes the rest."""

    def __init__(self, mailbox: Mailbox[Any]) -> None:
        self.mailbox, self.tries = mailbox, 0
        self.handled: list[Any] = []

    async def run(self, *, task_status: trio.TaskStatus[None]) -> None:
        with self.mailbox:
            task_status.started()
            async for message in self.mailbox:
                if "poison" in str(message):
                    self.tries += 1
                    raise ValueError(message)
                self.handled.append(message)


async def _supervised(nursery: trio.Nursery, actor: _Fragile) -> None:
    supervisor = Supervisor("top", [ChildSpec(id="audit", start=actor.run)], intensity=9)
    await nursery.start(supervisor.run)


@pytest.mark.accepts("A03")
async def test_a_message_in_hand_at_a_crash_is_not_handled_twice(nursery: trio.Nursery) -> None:
    letters = DeadLetters()
    actor = _Fragile(_box(10, dead_letters=letters))
    await _supervised(nursery, actor)

    for message in ["one", "poison", "two"]:
        actor.mailbox.tell_nowait(message)
    await settle()

    assert (actor.handled, actor.tries) == (["one", "two"], 1)
    assert [letter.reason for letter in letters.list()] == ["crashed"]


@pytest.mark.accepts("A03")
async def test_poison_is_tried_a_number_of_times_and_then_a_dead_letter(nursery: trio.Nursery) -> None:
    letters = DeadLetters()
    actor = _Fragile(_box(10, dead_letters=letters, max_tries=3))
    await _supervised(nursery, actor)
    parent = "00-" + "a" * 32 + "-" + "b" * 16 + "-01"

    for message in ["one", Envelope(message="poison", traceparent=parent), "two"]:
        actor.mailbox.tell_nowait(message)
    await settle()

    assert (actor.handled, actor.tries) == (["one", "two"], 3)
    (letter,) = letters.list()
    assert (letter.actor, letter.payload, letter.traceparent) == ("audit", "'poison'", parent)
    assert letter.error is not None
    assert letter.error.startswith("ValueError")
    assert letter.stack is not None
    assert "raise ValueError(message)" in letter.stack


@pytest.mark.uncovered
@pytest.mark.accepts("A04")
async def test_messages_of_a_sender_keep_their_order_over_a_restart(nursery: trio.Nursery) -> None:
    actor = _Fragile(_box(100))
    await _supervised(nursery, actor)

    async def send(sender: str) -> None:
        for number in range(MESSAGES):
            await actor.mailbox.tell((sender, number), within_seconds=60)
            if number == MESSAGES // 2:
                await actor.mailbox.tell("poison", within_seconds=60)

    async with trio.open_nursery() as senders:
        for sender in ("a", "b"):
            senders.start_soon(send, sender)
    await settle()

    assert actor.tries == 2
    for sender in ("a", "b"):
        assert [number for name, number in actor.handled if name == sender] == list(range(MESSAGES))


@pytest.mark.accepts("A05")
async def test_control_messages_overtake_what_waits() -> None:
    mailbox = _box(1_000)
    for number in range(1_000):
        mailbox.tell_nowait(number)

    answers = [mailbox.tell_control(word) for word in ("ping", "stop")]

    assert answers == [Delivery.DELIVERED] * 2
    assert await _take(mailbox, 3) == ["ping", "stop", 0]
    assert mailbox.depth == 999


class _Kept:
    """Keeps spans."""

    def __init__(self) -> None:
        self.spans: list[tracing.Span] = []

    def export(self, spans: Iterable[tracing.Span]) -> None:
        self.spans.extend(spans)

    def shutdown(self, seconds: float) -> None:
        """Nothing waits."""


@pytest.fixture
def kept_spans() -> Iterator[_Kept]:
    yield _Kept()
    tracing.use(None)


@pytest.mark.accepts("A14")
async def test_the_trace_of_the_sender_reaches_the_owner(nursery: trio.Nursery, kept_spans: _Kept) -> None:
    mailbox: Mailbox[Envelope[str]] = Mailbox("audit", capacity=5)
    seen: list[tuple[str | None, str | None]] = []
    tracing.use(kept_spans)

    async def owner() -> None:
        envelope = await mailbox.receive()
        assert envelope is not MISSED
        without = tracing.current_traceparent()
        with tracing.span("actor.audit task.created", parent=envelope.traceparent):
            seen.append((without, tracing.current_traceparent()))

    nursery.start_soon(owner)
    with tracing.span("POST /api/tasks"):
        sender = tracing.current_traceparent()
        mailbox.tell_nowait(Envelope(message="task.created", traceparent=sender, sender="api"))
        await settle()

    ((without, within),) = seen
    assert sender is not None
    assert within is not None
    assert without is None  # a channel carries no context …
    assert within.split("-")[1] == sender.split("-")[1]  # … the envelope does
    below = next(span for span in kept_spans.spans if span.name == "actor.audit task.created")
    assert below.parent is not None
    assert below.parent.traceparent == sender


async def test_a_cancelled_receive_loses_nothing() -> None:
    mailbox = _box()
    mailbox.tell_nowait(1)

    with trio.CancelScope() as scope:
        scope.cancel()
        await mailbox.receive()

    assert scope.cancelled_caught
    assert await mailbox.receive() == 1


async def test_what_waits_is_received_after_the_close_and_then_the_end() -> None:
    mailbox = _box()
    mailbox.tell_nowait(1)
    mailbox.close()

    late = [mailbox.tell_nowait(2), mailbox.tell_control(3), await mailbox.tell(4, within_seconds=1)]

    assert late == [Delivery.DEAD] * 3
    assert [message async for message in mailbox] == [1]
    with pytest.raises(trio.EndOfChannel):
        await mailbox.receive()


async def test_closing_releases_who_waits(nursery: trio.Nursery) -> None:
    mailbox = _box(1)
    mailbox.tell_nowait(1)
    answers: list[Delivery] = []

    async def send() -> None:
        answers.append(await mailbox.tell(2, within_seconds=60))

    async def receive_all() -> None:
        assert [message async for message in empty] == []

    empty: Mailbox[int] = Mailbox("empty", capacity=1)
    nursery.start_soon(send)
    nursery.start_soon(receive_all)
    await settle()
    mailbox.close()
    empty.close()
    await settle()

    assert answers == [Delivery.DEAD]


async def test_closing_without_drain_buries_what_waits_but_not_news() -> None:
    letters = DeadLetters()
    work, news = _box(9, dead_letters=letters), _box(1, WhenFull.DROP_AND_MARK_MISSED, dead_letters=letters)
    for mailbox in (work, news):
        mailbox.tell_nowait(1)
        mailbox.tell_nowait(2)
    work.tell_control("stop")

    work.close(drain=False)
    news.close(drain=False)
    late = news.tell_nowait(3)

    assert letters.counts() == {("audit", "stopped"): 3}
    assert late is Delivery.MISSED  # the database has it, and an owner that starts looks there
    assert (work.depth, news.depth) == (0, 0)


async def test_a_stop_over_a_message_in_hand_leaves_a_dead_letter(nursery: trio.Nursery) -> None:
    letters = DeadLetters()
    mailbox = _box(9, dead_letters=letters)

    async def owner() -> None:
        with mailbox:
            await mailbox.receive()
            await trio.sleep_forever()

    mailbox.tell_nowait("in hand")
    async with trio.open_nursery() as inner:
        inner.start_soon(owner)
        await settle()
        inner.cancel_scope.cancel()

    assert [(letter.message, letter.reason) for letter in letters.list()] == [("in hand", "stopped")]


async def test_a_mailbox_shows_what_it_does() -> None:
    mailbox = _box(5)
    for number in range(4):
        mailbox.tell_nowait(number)
    await trio.sleep(1)
    await _take(mailbox, 3)
    await trio.sleep(2)

    shown = mailbox.snapshot()
    gauge = metrics.ACTOR_MAILBOX_DEPTH.labels("audit")

    assert (shown.depth, shown.capacity, shown.processed, shown.in_hand_seconds) == (1, 5, 2, 2.0)
    assert shown.life == "expected"
    assert shown.per_second == pytest.approx(0.2)
    assert gauge.value == 1.0


async def test_the_rate_forgets_what_was_long_ago() -> None:
    mailbox = _box(50)
    for number in range(20):
        mailbox.tell_nowait(number)
    await _take(mailbox, 20)
    at_once = mailbox.snapshot().per_second
    await trio.sleep(15)
    half = mailbox.snapshot().per_second
    await trio.sleep(60)

    assert at_once == pytest.approx(1.9)
    assert 0 < half < at_once
    assert mailbox.snapshot().per_second == 0


def test_an_envelope_is_a_value() -> None:
    envelope = Envelope(message="x", sender="api", sent_at=1.0)

    assert replace(envelope, sender="relay") != envelope


async def test_what_is_done_already_is_skipped_up_to_what_is_not() -> None:
    mailbox = _box(3, WhenFull.DROP_AND_MARK_MISSED)
    for number in (1, 2, 7):
        mailbox.tell_nowait(number)

    mailbox.skip(lambda number: number < 5)

    assert mailbox.snapshot().processed == 2
    assert await _take(mailbox, 1) == [7]


async def test_what_waits_is_received_without_waiting_until_nothing_does() -> None:
    mailbox = _box(3, WhenFull.DROP_AND_MARK_MISSED)
    for number in (1, 2):
        mailbox.tell_nowait(number)

    received = [mailbox.receive_nowait() for _ in range(3)]

    assert received == [1, 2, None]
    assert (mailbox.snapshot().processed, mailbox.is_busy) == (2, False)


async def test_a_missed_one_is_never_skipped() -> None:
    mailbox = _box(1, WhenFull.DROP_AND_MARK_MISSED)
    for number in (1, 2):
        mailbox.tell_nowait(number)

    mailbox.skip(lambda _: True)

    assert await _take(mailbox, 1) == [MISSED]


async def test_skipping_makes_room_for_those_who_wait(nursery: trio.Nursery) -> None:
    mailbox, answers = _box(1), list[Delivery]()
    mailbox.tell_nowait(1)

    async def tell() -> None:
        answers.append(await mailbox.tell(2, within_seconds=5))

    nursery.start_soon(tell)
    await settle()
    mailbox.skip(lambda number: number == 1)
    await settle()

    assert answers == [Delivery.DELIVERED]
