"""A02, A06 to A08, S49: asking, watching, and what happens when the other one is dead."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
import trio

from actors.asking import (
    ActorBusyError,
    ActorCrashedError,
    ActorRestartingError,
    ActorStoppedError,
    DeadlockError,
    NoAnswerError,
    Reply,
    ask,
)
from actors.dead_letters import DeadLetters
from actors.lifetime import Life, Terminated
from actors.mailbox import MISSED, Mailbox, WhenFull
from supervisors import Backoff, ChildSpec, Supervisor
from tests.unit.supervisors.probes import settle

if TYPE_CHECKING:
    from collections.abc import Callable

Question = tuple[str, Reply[str]]


class _Oracle:
    """Answers, crashes or is silent, as the question says."""

    def __init__(self, name: str = "oracle", letters: DeadLetters | None = None) -> None:
        self.mailbox: Mailbox[Any] = Mailbox(name, capacity=3, when_full=WhenFull.WAIT, dead_letters=letters)
        self.other: _Oracle | None = None
        self.errors: list[Exception] = []

    async def run(self, *, task_status: trio.TaskStatus[None]) -> None:
        with self.mailbox:
            task_status.started()
            async for message in self.mailbox:
                assert message is not MISSED
                await self._answer(*message)

    async def _answer(self, question: str, reply: Reply[str]) -> None:
        await trio.lowlevel.checkpoint()
        if question == "crash":
            raise ValueError(question)
        if question == "sleep":
            await trio.sleep(100)
        if question == "ask the other" and self.other is not None:
            try:
                reply.send(await ask(self.other.mailbox, _saying("ask the other"), within_seconds=5))
            except (DeadlockError, ActorStoppedError) as error:
                self.errors.append(error)
                reply.send(type(error).__name__)
        if question != "silence":
            reply.send(f"{question}!")


def _saying(words: str) -> Callable[[Reply[str]], Question]:
    return lambda reply: (words, reply)


async def _run(nursery: trio.Nursery, *oracles: _Oracle, **options: Any) -> Supervisor:
    options = {"intensity": 9, "backoff": Backoff(first=10), **options}
    supervisor = Supervisor("top", [ChildSpec(id=one.mailbox.name, start=one.run) for one in oracles], **options)
    await nursery.start(supervisor.run)
    return supervisor


@pytest.mark.accepts("A02")
async def test_a_question_is_answered(nursery: trio.Nursery) -> None:
    oracle = _Oracle()
    await _run(nursery, oracle)

    assert await ask(oracle.mailbox, _saying("hello"), within_seconds=1) == "hello!"


@pytest.mark.accepts("A02")
async def test_a_question_has_a_limit(nursery: trio.Nursery) -> None:
    oracle = _Oracle()
    await _run(nursery, oracle)
    began = trio.current_time()

    with pytest.raises(NoAnswerError, match="'oracle' did not answer within 3 s"):
        await ask(oracle.mailbox, _saying("silence"), within_seconds=3)

    assert trio.current_time() - began == 3


@pytest.mark.accepts("A02")
async def test_who_asks_learns_of_the_crash_at_once_and_of_the_restart_under_way(nursery: trio.Nursery) -> None:
    oracle = _Oracle()
    await _run(nursery, oracle)
    began = trio.current_time()

    with pytest.raises(ActorCrashedError, match="'oracle' crashed: ValueError") as crashed:
        await ask(oracle.mailbox, _saying("crash"), within_seconds=60)
    with pytest.raises(ActorRestartingError):
        await ask(oracle.mailbox, _saying("hello"), within_seconds=60)
    at_once = trio.current_time()
    await trio.sleep(15)

    assert at_once == began
    assert isinstance(crashed.value.__cause__, ValueError)
    assert await ask(oracle.mailbox, _saying("hello"), within_seconds=1) == "hello!"


@pytest.mark.accepts("A02")
async def test_a_full_mailbox_answers_at_once(nursery: trio.Nursery) -> None:
    oracle = _Oracle()
    await _run(nursery, oracle)
    for _ in range(4):
        oracle.mailbox.tell_nowait(("sleep", Reply[str]()))
        await settle()

    with pytest.raises(ActorBusyError, match="full"):
        await ask(oracle.mailbox, _saying("hello"), within_seconds=60)


@pytest.mark.accepts("S49", "A07")
async def test_who_asks_a_stopped_actor_learns_it_at_once(nursery: trio.Nursery) -> None:
    letters = DeadLetters()
    oracle = _Oracle(letters=letters)
    supervisor = await _run(nursery, oracle)
    await supervisor.stop()
    began = trio.current_time()

    with pytest.raises(ActorStoppedError):
        await ask(oracle.mailbox, _saying("hello"), within_seconds=60)

    assert trio.current_time() == began
    assert letters.counts() == {("oracle", "stopped"): 1}


@pytest.mark.accepts("A07")
async def test_a_child_that_asks_its_draining_parent_does_not_hold_the_shutdown(nursery: trio.Nursery) -> None:
    parent, child = _Oracle("parent"), _Oracle("child")
    child.other = parent
    specs = [
        ChildSpec(id="child", start=child.run, ask=child.mailbox.close),
        ChildSpec(id="parent", start=parent.run, ask=parent.mailbox.close),
    ]
    supervisor = Supervisor("top", specs, stop_together=True)
    await nursery.start(supervisor.run)
    parent.mailbox.tell_nowait(("sleep", Reply[str]()))
    await settle()
    began = trio.current_time()

    supervisor.stop_soon()
    parent.mailbox.close()
    child.mailbox.tell_nowait(("ask the other", Reply[str]()))
    await supervisor.stop()

    assert [type(error) for error in child.errors] == [ActorStoppedError]
    assert trio.current_time() - began <= 5  # the limit of the one that sleeps


@pytest.mark.accepts("A07")
async def test_a_question_that_waits_when_the_actor_stops_is_answered_so(nursery: trio.Nursery) -> None:
    oracle = _Oracle()
    supervisor = await _run(nursery, oracle)
    oracle.mailbox.tell_nowait(("sleep", Reply[str]()))
    await settle()

    async def stop() -> None:
        await trio.sleep(1)
        await supervisor.stop()

    nursery.start_soon(stop)
    with pytest.raises(ActorStoppedError):
        await ask(oracle.mailbox, _saying("hello"), within_seconds=60)


@pytest.mark.accepts("A08")
async def test_two_who_ask_each_other_are_found_and_both_stacks_told(nursery: trio.Nursery) -> None:
    left, right = _Oracle("left"), _Oracle("right")
    left.other, right.other = right, left
    await _run(nursery, left, right)
    began = trio.current_time()

    await ask(left.mailbox, _saying("ask the other"), within_seconds=5)

    (error,) = [*left.errors, *right.errors]
    assert isinstance(error, DeadlockError)
    assert "'right' waits for 'left':" in str(error)
    assert "'left' waits for 'right':" in str(error)
    assert str(error).count("await ask(") == 2
    assert trio.current_time() == began


@pytest.mark.accepts("A08")
async def test_who_asks_itself_is_found(nursery: trio.Nursery) -> None:
    oracle = _Oracle()
    oracle.other = oracle
    await _run(nursery, oracle)

    await ask(oracle.mailbox, _saying("ask the other"), within_seconds=5)

    assert [type(error) for error in oracle.errors] == [DeadlockError]


@pytest.mark.accepts("A08")
async def test_asking_in_a_row_is_no_circle(nursery: trio.Nursery) -> None:
    first, second, third = _Oracle("first"), _Oracle("second"), _Oracle("third")
    first.other, second.other = second, third
    await _run(nursery, first, second, third)

    answer = await ask(first.mailbox, _saying("ask the other"), within_seconds=5)

    assert answer == "ask the other!"
    assert [*first.errors, *second.errors, *third.errors] == []


@pytest.mark.accepts("A06")
async def test_a_watcher_is_told_once(nursery: trio.Nursery) -> None:
    oracle, watcher = _Oracle(), Mailbox[Any]("watcher", capacity=1)
    await _run(nursery, oracle, backoff=None)
    oracle.mailbox.lifetime.watch(watcher.tell_control)

    for _ in range(2):
        oracle.mailbox.tell_nowait(("crash", Reply[str]()))
        await settle()

    told = await watcher.receive()
    assert isinstance(told, Terminated)
    assert (told.actor, told.incarnation, repr(told.reason)) == ("oracle", 1, "ValueError('crash')")
    assert watcher.depth == 0
    with trio.move_on_after(1) as waited:
        await watcher.receive()
    assert waited.cancelled_caught


@pytest.mark.accepts("A06")
async def test_a_watcher_of_the_dead_is_told_at_once(nursery: trio.Nursery) -> None:
    oracle = _Oracle()
    supervisor = await _run(nursery, oracle)
    await supervisor.stop()
    told: list[Terminated] = []

    watch = oracle.mailbox.lifetime.watch(told.append)
    watch.cancel()

    assert told == [Terminated("oracle", 1, None)]
    assert oracle.mailbox.lifetime.state is Life.STOPPED


@pytest.mark.accepts("A06")
async def test_who_no_longer_watches_is_not_told(nursery: trio.Nursery) -> None:
    oracle = _Oracle()
    supervisor = await _run(nursery, oracle)
    told: list[Terminated] = []

    oracle.mailbox.lifetime.watch(told.append).cancel()
    await supervisor.stop()

    assert told == []


def test_an_answer_that_comes_too_late_is_dropped() -> None:
    async def case() -> None:
        reply = Reply[str]()
        await trio.lowlevel.checkpoint()
        reply.send("first")
        reply.send("second")
        reply.fail(NoAnswerError())
        assert reply.result() == "first"

    trio.run(case)
