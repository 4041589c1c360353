"""Notifications of other processes ring bells, also after the connection was lost."""

from __future__ import annotations

from typing import TYPE_CHECKING

import trio

from app.adapters.postgres import listen
from app.adapters.postgres.listen import Ear, Listener

if TYPE_CHECKING:
    import pytest

    from app.adapters.postgres import Database

BACKENDS = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE query LIKE 'LISTEN%' AND state = 'idle'"


ASKED = "SELECT count(*) FROM pg_stat_activity WHERE query = 'SELECT 1' AND application_name = 'rondo test'"


class Bell:
    def __init__(self) -> None:
        self.rung = trio.Event()

    def ring(self) -> None:
        self.rung.set()

    async def heard(self) -> None:
        with trio.fail_after(5):
            await self.rung.wait()
        self.rung = trio.Event()


async def test_a_notification_rings_the_bell_of_its_channel(database: Database, nursery: trio.Nursery) -> None:
    news, other = Bell(), Bell()
    await nursery.start(Listener(database, {"news": Ear.bell(news.ring), "other": Ear.bell(other.ring)}).run)
    await news.heard()  # the first ring says that it listens
    await other.heard()

    await database.execute("NOTIFY news")

    await news.heard()
    assert not other.rung.is_set()


async def test_ones_own_notification_is_old_news(database: Database, nursery: trio.Nursery) -> None:
    bell, other = Bell(), Bell()
    ears = {"news": Ear.bell(bell.ring, own="us"), "other": Ear.bell(other.ring)}
    await nursery.start(Listener(database, ears).run)
    await bell.heard()
    await other.heard()

    await database.execute("SELECT pg_notify('news', 'us'), pg_notify('other', '')")
    await other.heard()
    assert not bell.rung.is_set()

    await database.execute("SELECT pg_notify('news', 'them')")
    await bell.heard()


async def test_after_a_lost_connection_the_bell_rings_and_listening_goes_on(
    database: Database, nursery: trio.Nursery, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(listen, "RETRY_SECONDS", 0.01)
    bell = Bell()
    await nursery.start(Listener(database, {"news": Ear.bell(bell.ring)}).run)
    await bell.heard()

    await database.execute(BACKENDS)

    await bell.heard()
    await database.execute("NOTIFY news")
    await bell.heard()


async def test_what_a_notification_says_is_told(database: Database, nursery: trio.Nursery) -> None:
    said, word = trio.open_memory_channel[str](10)
    bell = Bell()
    await nursery.start(Listener(database, {"news": Ear(heard=said.send_nowait, missed=bell.ring)}).run)
    await bell.heard()

    await database.execute("NOTIFY news, 'first'")
    await database.execute("NOTIFY news, 'second'")

    with trio.fail_after(5):
        assert [await word.receive(), await word.receive()] == ["first", "second"]


async def test_a_listening_connection_is_asked_for_a_sign_of_life(
    database: Database, nursery: trio.Nursery, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(listen, "HEARTBEAT_SECONDS", 0.01)
    bell = Bell()
    await nursery.start(Listener(database, {"news": Ear.bell(bell.ring)}).run)
    await bell.heard()

    with trio.fail_after(5):
        while not await database.fetchval(ASKED):  # noqa: ASYNC110 # PostgreSQL decides when
            await trio.lowlevel.checkpoint()
    await database.execute("NOTIFY news")

    await bell.heard()
