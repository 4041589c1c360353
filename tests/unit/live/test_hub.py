"""The hub: who is connected, and what becomes of those who do not read."""

# flake8: noqa: ASYNC124
# The hub never waits, but it reads trio's clock.

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING
from uuid import UUID, uuid4

import pytest
import trio

from app.domain.events import ACCOUNT_REGISTERED
from app.domain.ids import AccountId
from app.web.live import hub as hub_module
from app.web.live.hub import (
    AT_ONCE,
    CONNECTIONS_PER_ACCOUNT,
    GOING_AWAY,
    QUEUE_BYTES,
    QUEUE_FRAMES,
    SIGNED_OUT,
    TOO_SLOW,
    Hub,
    HubFullError,
)
from tests.unit.actors.fakes import ACCOUNT, event

if TYPE_CHECKING:
    from app.web.live.hub import Connection

OTHER = AccountId(UUID(int=2))


def positions(connection: Connection) -> list[int]:
    """Return the positions that wait for a connection."""
    found = []
    while (waiting := connection.take()) is not None:
        found.append(waiting[0])
    return found


async def test_every_connection_of_the_audience_gets_every_event_and_nobody_else() -> None:
    hub = Hub()
    first, second, foreign = (hub.connect(account, uuid4()) for account in (ACCOUNT, ACCOUNT, OTHER))

    listeners = [await hub.deliver(event(position)) for position in (1, 2)]

    assert listeners == [2, 2]
    assert (positions(first), positions(second), positions(foreign)) == ([1, 2], [1, 2], [])
    assert hub.position == 2


async def test_who_was_connected_before_the_hub_knew_where_the_log_is_resumes() -> None:
    """Found by the simulation, seed 1012: what was published until then would never have come."""
    hub = Hub()
    early = hub.connect(ACCOUNT, uuid4())

    hub.begin(7)
    late = hub.connect(ACCOUNT, uuid4())
    hub.begin(7)

    assert early.closing is not None
    assert early.closing.code == TOO_SLOW
    assert late.closing is None
    assert hub.position == 7


@pytest.mark.accepts("C10")
async def test_a_connection_that_does_not_read_is_let_go_and_the_others_get_everything() -> None:
    hub = Hub()
    slow, quick = hub.connect(ACCOUNT, uuid4()), hub.connect(ACCOUNT, uuid4())
    got: list[int] = []

    for position in range(1, QUEUE_FRAMES + 3):
        await hub.deliver(event(position))
        got += positions(quick)

    assert slow.closing is not None
    assert (slow.closing.code, slow.scope.cancel_called, quick.closing) == (TOO_SLOW, True, None)
    assert got == list(range(1, QUEUE_FRAMES + 3))


@pytest.mark.accepts("C10")
async def test_few_long_frames_fill_a_queue_as_well_and_what_was_taken_makes_room() -> None:
    hub = Hub()
    slow, quick = hub.connect(ACCOUNT, uuid4()), hub.connect(ACCOUNT, uuid4())
    long = replace(event(1), after=f'"{"x" * (QUEUE_BYTES // 4)}"')

    for position in range(1, 5):
        await hub.deliver(replace(long, position=position))
        assert positions(quick) == [position]

    assert slow.closing is not None
    assert (slow.closing.code, quick.closing, quick.waiting_bytes) == (TOO_SLOW, None, 0)


class Instant:
    """A writer whose socket takes everything, or nothing."""

    def __init__(self, *, takes: bool = True) -> None:
        self.takes = takes
        self.sent: list[int] = []
        self.woken = 0

    def send_at_once(self, position: int, kind_of_event: str, frame: bytes) -> bool:
        assert (kind_of_event, len(frame) > 0) == ("task.updated", True)
        self.sent += [position] if self.takes else []
        return self.takes

    def wake(self) -> None:
        self.woken += 1


async def test_what_a_socket_takes_at_once_is_not_queued_and_the_rest_keeps_its_order() -> None:
    hub, writer = Hub(), Instant()
    connection = hub.connect(ACCOUNT, uuid4())
    connection.writer = writer

    await hub.deliver(event(1))
    writer.takes = False
    await hub.deliver(event(2))
    writer.takes = True
    await hub.deliver(event(3))  # behind the one that waits
    waiting = positions(connection)
    await hub.deliver(event(4))

    assert (writer.sent, waiting, writer.woken) == ([1, 4], [2, 3], 2)


async def test_a_large_audience_does_not_hold_up_everybody_else(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hub_module, "CONNECTIONS_PER_ACCOUNT", 4 * AT_ONCE)
    hub = Hub()
    connections = [hub.connect(ACCOUNT, uuid4()) for _ in range(4 * AT_ONCE)]
    told: list[int] = []

    async def live_meanwhile() -> None:
        for _ in range(3):
            told.append(sum(bool(connection.queue) for connection in connections))
            await trio.lowlevel.checkpoint()

    async with trio.open_nursery() as nursery:
        nursery.start_soon(hub.deliver, event(1))
        nursery.start_soon(live_meanwhile)

    assert [positions(connection) for connection in connections] == [[1]] * 4 * AT_ONCE
    assert any(0 < seen < 4 * AT_ONCE for seen in told)


async def test_a_delivery_that_was_cut_short_comes_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hub_module, "CONNECTIONS_PER_ACCOUNT", 2 * AT_ONCE)
    hub = Hub()
    connections = [hub.connect(ACCOUNT, uuid4()) for _ in range(2 * AT_ONCE)]

    with trio.CancelScope() as scope:
        scope.cancel()
        await hub.deliver(event(1))
    position_of_the_cut_one = hub.position
    await hub.deliver(event(1))

    assert (scope.cancelled_caught, position_of_the_cut_one, hub.position) == (True, 0, 1)
    assert {tuple(positions(connection)) for connection in connections} == {
        (1,),
        (1, 1),
    }  # known: left out


async def test_who_registers_is_nobodys_news() -> None:
    hub = Hub()
    connection = hub.connect(ACCOUNT, uuid4())

    assert await hub.deliver(event(1, kind=ACCOUNT_REGISTERED)) == 0
    assert (hub.position, positions(connection)) == (1, [])


@pytest.mark.accepts("X20")
async def test_one_account_has_a_bounded_number_of_connections() -> None:
    hub = Hub()
    mine = [hub.connect(ACCOUNT, uuid4()) for _ in range(CONNECTIONS_PER_ACCOUNT)]

    with pytest.raises(HubFullError):
        hub.connect(ACCOUNT, uuid4())
    hub.connect(OTHER, uuid4())
    hub.disconnect(mine[0])
    hub.connect(ACCOUNT, uuid4())


@pytest.mark.accepts("X20")
async def test_all_accounts_together_have_a_bounded_number_of_connections(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hub_module, "CONNECTIONS", 1)
    hub = Hub()
    only = hub.connect(ACCOUNT, uuid4())

    with pytest.raises(HubFullError):
        hub.connect(OTHER, uuid4())
    hub.disconnect(only)
    hub.connect(OTHER, uuid4())


async def test_a_session_or_a_whole_account_is_signed_out() -> None:
    hub = Hub()
    session, other_session = uuid4(), uuid4()
    one, two, foreign = hub.connect(ACCOUNT, session), hub.connect(ACCOUNT, other_session), hub.connect(OTHER, uuid4())

    hub.revoke(session)
    after_the_session = [one.closing is not None, two.closing is not None]
    hub.revoke(ACCOUNT)

    assert one.closing is not None
    assert two.closing is not None
    assert (after_the_session, one.closing.code, two.closing.code) == ([True, False], SIGNED_OUT, SIGNED_OUT)
    assert foreign.closing is None


async def test_the_first_reason_to_close_stays() -> None:
    hub = Hub()
    connection = hub.connect(ACCOUNT, uuid4())

    connection.close(TOO_SLOW, "slow")
    hub.close_all()

    assert connection.closing is not None
    assert connection.closing.reason == "slow"


async def test_a_stopping_hub_says_goodbye_takes_nobody_and_waits(nursery: trio.Nursery) -> None:
    hub = Hub()
    runs = trio.CancelScope()

    async def run_until_cancelled() -> None:
        with runs:
            await hub.run()

    nursery.start_soon(run_until_cancelled)
    await trio.testing.wait_all_tasks_blocked()
    connection = hub.connect(ACCOUNT, uuid4())

    runs.cancel()
    await trio.testing.wait_all_tasks_blocked()
    with pytest.raises(HubFullError):
        hub.connect(ACCOUNT, uuid4())
    hub.disconnect(connection)
    await hub.wait_empty()

    assert connection.closing is not None
    assert connection.closing.code == GOING_AWAY


async def test_a_hub_that_comes_back_takes_connections_again(nursery: trio.Nursery) -> None:
    hub = Hub()
    hub.close_all()

    await nursery.start(hub.run)
    connection = hub.connect(ACCOUNT, uuid4())
    hub.disconnect(connection)

    assert connection.closing is None
