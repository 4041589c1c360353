"""A13: messages nobody handled can be listed, counted, sent again, and are bounded."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
import trio

from actors.dead_letters import DeadLetter, DeadLetters, UnknownLetterError
from actors.envelope import Envelope
from actors.mailbox import Mailbox, WhenFull
from supervisors import ChildSpec, Supervisor
from tests.unit.supervisors.probes import settle

if TYPE_CHECKING:
    from collections.abc import Sequence


def _letter(actor: str = "mail", reason: str = "stopped", message: object = "x") -> DeadLetter:
    return DeadLetter.of(actor, message, reason)


@pytest.mark.accepts("A13")
def test_letters_are_listed_newest_first_and_counted_by_actor_and_reason() -> None:
    told: list[DeadLetter] = []
    letters = DeadLetters(on_letter=told.append)
    first, second, third = _letter(), _letter("push"), _letter(reason="crashed")

    for letter in (first, second, third):
        letters.add(letter)

    assert letters.list() == (third, second, first)
    assert letters.list(actor="mail", limit=1) == (third,)
    assert letters.counts() == {("mail", "stopped"): 1, ("push", "stopped"): 1, ("mail", "crashed"): 1}
    assert told == [first, second, third]


@pytest.mark.accepts("A13")
def test_what_is_kept_is_bounded() -> None:
    letters = DeadLetters(kept=3)
    added = [_letter(message=number) for number in range(5)]

    for letter in added:
        letters.add(letter)

    assert letters.list() == tuple(reversed(added[2:]))
    assert letters.counts() == {("mail", "stopped"): 5}
    assert len(_letter(message="long" * 9_999).payload) == 4_096


@pytest.mark.accepts("A13")
async def test_a_letter_sent_again_keeps_its_trace_and_dies_with_a_new_id() -> None:
    letters = DeadLetters()
    mailbox: Mailbox[Envelope[str]] = Mailbox("mail", capacity=2, when_full=WhenFull.REJECT, dead_letters=letters)
    mailbox.close()
    mailbox.tell_nowait(Envelope(message="hello", traceparent="00-1-2-01"))
    (dead,) = letters.list()

    letters.requeue(dead.id, mailbox.tell_nowait)

    (again,) = letters.list()
    assert again.id != dead.id
    assert (again.payload, again.traceparent) == ("'hello'", "00-1-2-01")
    with pytest.raises(UnknownLetterError):
        letters.requeue(dead.id, mailbox.tell_nowait)


class _Store:
    """Keeps letters, and is away at first."""

    def __init__(self) -> None:
        self.saved: dict[object, DeadLetter] = {}
        self.is_away = True

    async def save(self, letters: Sequence[DeadLetter]) -> None:
        await trio.sleep(1)
        if self.is_away:
            raise OSError("away")
        self.saved.update({letter.id: letter for letter in letters})


@pytest.mark.accepts("A13")
async def test_a_storage_gets_every_letter_even_if_it_was_away(nursery: trio.Nursery) -> None:
    store = _Store()
    letters = DeadLetters(store=store)
    supervisor = Supervisor("top", [ChildSpec(id="letters", start=letters.run)], intensity=9)
    await nursery.start(supervisor.run)

    added = [_letter(message=number) for number in range(3)]
    letters.add(added[0])
    await trio.sleep(0.5)
    letters.add(added[1])
    await trio.sleep(1)
    store.is_away = False
    await trio.sleep(0.2)
    letters.add(added[2])
    await trio.sleep(10)
    await settle()

    assert list(store.saved.values()) == added
