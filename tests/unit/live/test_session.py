"""One WebSocket under virtual time: hello, order, resume, limits, and every way to part."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
import trio
import trio.testing

from app.domain.events import ACCOUNT_REGISTERED
from app.domain.ids import AccountId
from app.web.live import session as session_module
from app.web.live.hub import QUEUE_FRAMES
from app.web.live.session import (
    AUTHENTICATE_SECONDS,
    MESSAGES_PER_SECOND,
    RECHECK_AGAIN_SECONDS,
    RECHECK_SECONDS,
    RESUME_GRACE_SECONDS,
)
from tests.unit.actors.fakes import ACCOUNT
from tests.unit.live.sockets import CUT_OFF, FakeSocket, House

if TYPE_CHECKING:
    from trio.testing import MockClock

settle = trio.testing.wait_all_tasks_blocked


# --- who it is --------------------------------------------------------------------------------------------


async def test_the_first_frame_says_where_and_who(autojump_clock: MockClock, nursery: trio.Nursery) -> None:
    house = House()
    await house.publish(3)

    socket = await house.enter(nursery)

    assert socket.sent == [{"type": "hello", "position": 3, "userId": str(ACCOUNT)}]


async def test_a_first_message_may_bring_the_token(autojump_clock: MockClock, nursery: trio.Nursery) -> None:
    house, socket = House(), FakeSocket()
    socket.say({"type": "authenticate", "token": house.door.admit()})

    nursery.start_soon(house.live.serve, socket, None)
    await settle()

    assert socket.types == ["hello"]


@pytest.mark.parametrize("first", [{"type": "authenticate", "token": "wrong"}, {"type": "ping"}, "{", b"\0"])
async def test_a_first_message_that_brings_no_good_token_ends_it(autojump_clock: MockClock, first: object) -> None:
    house, socket = House(), FakeSocket()
    socket.say(first)

    await house.live.serve(socket, None)

    assert (socket.closed, socket.sent) == ((4401, "Authentication required"), [])


async def test_who_says_nothing_has_five_seconds(autojump_clock: MockClock) -> None:
    house, socket = House(), FakeSocket()

    await house.live.serve(socket, None)

    assert socket.closed is not None
    assert (socket.closed[0], trio.current_time()) == (4401, AUTHENTICATE_SECONDS)


async def test_a_session_that_ended_elsewhere_is_noticed_within_a_minute(
    autojump_clock: MockClock, nursery: trio.Nursery
) -> None:
    house = House()
    socket = await house.enter(nursery)
    await trio.sleep(RECHECK_SECONDS)
    still_open = socket.closed
    house.door.people.clear()

    await socket.gone.wait()

    assert still_open is None
    assert (socket.closed, trio.current_time()) == ((4401, "Signed out"), 2 * RECHECK_SECONDS)


async def test_when_sign_outs_may_have_been_missed_every_socket_asks_at_once(
    autojump_clock: MockClock, nursery: trio.Nursery
) -> None:
    house = House()
    socket = await house.enter(nursery)
    house.door.people.clear()
    asked = trio.current_time()
    house.hub.recheck_all()

    await socket.gone.wait()

    assert (socket.closed, trio.current_time()) == ((4401, "Signed out"), asked)


async def test_who_asks_while_the_database_is_away_stays_and_asks_again(
    autojump_clock: MockClock, nursery: trio.Nursery
) -> None:
    house = House()
    socket = await house.enter(nursery)
    house.door.away = True
    asked = trio.current_time()
    house.hub.recheck_all()
    await trio.sleep(5 * RECHECK_AGAIN_SECONDS + 0.5)
    still_open = socket.closed
    house.door.away = False
    house.door.people.clear()

    await socket.gone.wait()

    assert still_open is None
    assert (socket.closed, trio.current_time()) == ((4401, "Signed out"), asked + 6 * RECHECK_AGAIN_SECONDS)


async def test_without_the_database_the_client_is_asked_to_come_again(autojump_clock: MockClock) -> None:
    house, socket = House(), FakeSocket()
    house.door.away = True

    await house.live.serve(socket, "token")

    assert socket.closed is not None
    assert socket.closed[0] == 1013


async def test_a_client_that_leaves_is_forgotten(autojump_clock: MockClock, nursery: trio.Nursery) -> None:
    house = House()
    socket = await house.enter(nursery)

    socket.leave()
    await house.hub.wait_empty()

    assert socket.closed is None


# --- what it gets -----------------------------------------------------------------------------------------


async def test_events_come_in_order_and_only_to_their_audience(
    autojump_clock: MockClock, nursery: trio.Nursery
) -> None:
    house = House()
    socket = await house.enter(nursery)

    await house.publish(2)
    await house.publish(1, audience=(AccountId(house.door.people["token-0"].session_id),))
    await house.publish(1)
    await settle()

    assert socket.positions == [1, 2, 4]


async def test_resume_sends_what_was_missed_once_and_then_goes_on(
    autojump_clock: MockClock, nursery: trio.Nursery
) -> None:
    house = House()
    await house.publish(5)
    socket = await house.enter(nursery)

    socket.say({"type": "resume", "since": 2})
    await settle()
    await house.publish(2)
    await settle()

    assert socket.positions == [3, 4, 5, 6, 7]


async def test_who_resumes_by_address_misses_nothing_however_far_away_it_is(
    autojump_clock: MockClock, nursery: trio.Nursery
) -> None:
    house, socket = House(), FakeSocket()
    await house.publish(4)

    nursery.start_soon(house.live.serve, socket, house.door.admit(), 2)
    await settle()
    await house.publish(1)
    await settle()

    assert (socket.positions, trio.current_time()) == ([3, 4, 5], 0.0)


async def test_what_is_written_during_a_resume_comes_once(autojump_clock: MockClock, nursery: trio.Nursery) -> None:
    house = House()
    await house.publish(5)
    socket = await house.enter(nursery)
    written = house.write(3)

    socket.say({"type": "resume", "since": 4})
    await settle()
    for one in written:  # the hub hears of them when the replay has shown them already
        await house.hub.deliver(one)
    await house.publish(1)
    await settle()

    assert socket.positions == [5, 6, 7, 8, 9]


async def test_what_happens_between_hello_and_resume_comes_behind_what_was_missed(
    autojump_clock: MockClock, nursery: trio.Nursery
) -> None:
    house = House()
    await house.publish(3)
    socket = await house.knock(nursery)

    await house.publish(1)
    await settle()
    early = list(socket.positions)
    socket.say({"type": "resume", "since": 1})
    await settle()

    assert (early, socket.positions) == ([], [2, 3, 4])


async def test_who_does_not_resume_has_its_events_a_moment_after_hello(
    autojump_clock: MockClock, nursery: trio.Nursery
) -> None:
    house = House()
    socket = await house.knock(nursery)

    await house.publish(1)
    await trio.sleep(RESUME_GRACE_SECONDS + 0.01)

    assert socket.positions == [1]


async def test_who_saw_more_than_the_hub_may_resume_from_there(
    autojump_clock: MockClock, nursery: trio.Nursery
) -> None:
    house = House()
    await house.publish(2)
    house.write(3)
    socket = await house.enter(nursery)

    socket.say({"type": "resume", "since": 4})
    await settle()

    assert (socket.positions, "reset" in socket.types) == ([5], False)


async def test_a_position_of_the_future_means_start_over(autojump_clock: MockClock, nursery: trio.Nursery) -> None:
    house = House()
    await house.publish(2)
    socket = await house.enter(nursery)

    socket.say({"type": "resume", "since": 3})
    await settle()
    await house.publish(1)
    await settle()

    assert socket.types == ["hello", "reset", "task.updated"]


async def test_too_far_back_means_start_over(
    autojump_clock: MockClock, nursery: trio.Nursery, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(session_module, "RESUME_EVENTS", 3)
    house = House()
    await house.publish(5)
    far, near = await house.enter(nursery), await house.enter(nursery)

    far.say({"type": "resume", "since": 1})
    near.say({"type": "resume", "since": 2})
    await settle()

    assert (far.types, near.positions) == (["hello", "reset"], [3, 4, 5])


async def test_long_gaps_come_page_by_page_without_what_nobody_needs(
    autojump_clock: MockClock, nursery: trio.Nursery
) -> None:
    house = House()
    await house.publish(1, kind=ACCOUNT_REGISTERED)
    await house.publish(450)
    socket = await house.enter(nursery)

    socket.say({"type": "resume", "since": 0})
    await settle()

    assert socket.positions == list(range(2, 452))


# --- what it may say --------------------------------------------------------------------------------------


async def test_ping_is_answered(autojump_clock: MockClock, nursery: trio.Nursery) -> None:
    house = House()
    socket = await house.enter(nursery)

    socket.say({"type": "ping"})
    await settle()

    assert socket.types == ["hello", "pong"]


@pytest.mark.parametrize(
    ("message", "code"),
    [
        ({"type": "dance"}, "invalid_message"),
        ({"type": "resume"}, "invalid_message"),
        ({"type": "resume", "since": -1}, "invalid_message"),
        ({"type": "resume", "since": "1"}, "invalid_message"),
        ({"type": "resume", "since": 2**63}, "invalid_message"),
        ("[" * 60_000, "invalid_message"),
        ("", "invalid_message"),
        (b"\x00\x01", "not_text"),
        ({"type": "authenticate", "token": "again"}, "already_authenticated"),
    ],
)
async def test_what_is_not_understood_is_answered_and_the_connection_stays(
    autojump_clock: MockClock, nursery: trio.Nursery, message: object, code: str
) -> None:
    house = House()
    socket = await house.enter(nursery)

    socket.say(message)
    socket.say({"type": "ping"})
    await settle()

    assert socket.types == ["hello", "error", "pong"]
    assert socket.sent[1]["code"] == code


@pytest.mark.accepts("X20")
async def test_more_than_twenty_messages_a_second_are_too_many(
    autojump_clock: MockClock, nursery: trio.Nursery
) -> None:
    house = House()
    patient, hasty = await house.enter(nursery), await house.enter(nursery)

    for _ in range(2 * MESSAGES_PER_SECOND):
        patient.say({"type": "ping"})
        await trio.sleep(1 / MESSAGES_PER_SECOND)
    for _ in range(MESSAGES_PER_SECOND + 1):
        hasty.say({"type": "ping"})
    await settle()

    assert (patient.closed, len(patient.sent)) == (None, 2 * MESSAGES_PER_SECOND + 1)
    assert hasty.closed == (1008, "Too many messages")


# --- who does not read ------------------------------------------------------------------------------------


@pytest.mark.accepts("C10")
async def test_a_stuck_reader_is_let_go_and_resumes_with_nothing_lost(
    autojump_clock: MockClock, nursery: trio.Nursery
) -> None:
    house = House()
    stuck, quick = await house.enter(nursery), await house.enter(nursery)
    await house.publish(1)
    await settle()
    stuck.stuck = True

    for _ in range(QUEUE_FRAMES + 2):
        await house.publish(1)
        await trio.testing.wait_all_tasks_blocked()
    await stuck.gone.wait()
    again = await house.enter(nursery)
    again.say({"type": "resume", "since": stuck.positions[-1]})
    await settle()

    assert stuck.closed == (CUT_OFF, None)
    assert quick.positions == list(range(1, QUEUE_FRAMES + 4))
    assert stuck.positions + again.positions == quick.positions


async def test_who_falls_behind_catches_up_and_is_served_at_once_again(
    autojump_clock: MockClock, nursery: trio.Nursery
) -> None:
    house = House()
    socket = await house.enter(nursery)
    socket.stuck = True
    await house.publish(3)
    await settle()
    behind = list(socket.positions)

    socket.stuck = False
    socket.unstuck.set()
    await settle()
    caught_up = list(socket.positions)
    await house.publish(1)  # nobody is woken for it

    assert (behind, caught_up, socket.positions) == ([], [1, 2, 3], [1, 2, 3, 4])


async def test_an_event_for_somebody_who_has_just_left_harms_nobody(
    autojump_clock: MockClock, nursery: trio.Nursery
) -> None:
    house = House()
    leaving = await house.enter(nursery)
    (connection,) = house.hub.connections_of(ACCOUNT)
    leaving.leave()
    leaving.stuck = True
    await house.hub.wait_empty()

    connection.put(1, "task.updated", b"frame")

    assert (leaving.positions, len(connection.queue)) == ([], 1)


async def test_a_frame_that_is_not_taken_in_time_ends_it(autojump_clock: MockClock, nursery: trio.Nursery) -> None:
    house = House()
    socket = await house.enter(nursery)
    socket.stuck = True

    await house.publish(1)
    await socket.gone.wait()

    assert socket.closed == (CUT_OFF, None)
    assert trio.current_time() == RESUME_GRACE_SECONDS + session_module.SEND_SECONDS


@pytest.mark.parametrize(("seconds", "closed"), [(1.0, 1013), (3.0, CUT_OFF)])
async def test_a_slow_reader_gets_its_frame_to_the_end_before_it_is_told_1013(
    autojump_clock: MockClock, nursery: trio.Nursery, seconds: float, closed: int
) -> None:
    house = House()
    slow = await house.enter(nursery)
    slow.stuck = True
    await house.publish(1)
    await settle()

    await house.publish(QUEUE_FRAMES + 1)
    await trio.sleep(seconds)
    slow.unstuck.set()
    await slow.gone.wait()

    assert slow.closed is not None
    assert (slow.closed[0], slow.positions) == (closed, [1] if closed == 1013 else [])


async def test_the_twenty_first_connection_of_a_user_is_refused(
    autojump_clock: MockClock, nursery: trio.Nursery
) -> None:
    house = House()
    sockets = [await house.enter(nursery) for _ in range(21)]

    assert [socket.closed for socket in sockets[:20]] == [None] * 20
    assert sockets[20].closed == (1008, "Too many connections")


async def test_a_peer_that_does_not_say_goodbye_is_not_waited_for(
    autojump_clock: MockClock, nursery: trio.Nursery
) -> None:
    class Deaf(FakeSocket):
        async def aclose(self, code: int = 1000, reason: str | None = None) -> None:
            self.closed = (code, reason)
            await trio.sleep_forever()

    house = House()
    socket = await house.enter(nursery, Deaf())

    house.hub.close_all()
    await house.hub.wait_empty()

    assert socket.closed == (1001, "Going away")
    assert trio.current_time() == RESUME_GRACE_SECONDS + session_module.CLOSE_SECONDS
