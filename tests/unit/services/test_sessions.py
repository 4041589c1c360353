"""What is remembered of sessions, and for how long; also while PostgreSQL is away."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
import trio

from app.domain.ids import AccountId, ProjectId, SessionId
from app.ports.accounts import SessionRow
from app.ports.database import DatabaseUnavailableError
from app.services.sessions import REMEMBERED, WATCHING, Sessions

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)
SECOND = timedelta(seconds=1)
TOKEN = "rondo_somebody"


@dataclass
class House:
    """A database with one session, and a clock."""

    operator: bool = True
    is_away: bool = False
    is_signed_out: bool = False
    asked: int = 0
    instant: datetime = NOON
    sessions: Sessions = field(init=False)

    def __post_init__(self) -> None:
        self.sessions = Sessions(reader=self, clock=self)

    def now(self) -> datetime:
        return self.instant

    async def find(self, token_hash: bytes) -> SessionRow | None:
        await trio.lowlevel.checkpoint()
        self.asked += 1
        if self.is_away:
            raise DatabaseUnavailableError("away")
        return None if self.is_signed_out else self.row(token_hash)

    def row(self, _token_hash: bytes) -> SessionRow:
        return SessionRow(
            id=SessionId(UUID(int=1)),
            account_id=AccountId(UUID(int=2)),
            inbox_id=ProjectId(UUID(int=3)),
            email="ada@example.org",
            name="Ada",
            time_zone="UTC",
            operator=self.operator,
            last_seen_at=self.instant,
            expires_at=NOON + timedelta(days=30),
        )

    async def seen(self, session_id: SessionId, now: datetime) -> None:
        raise AssertionError(f"{session_id} was seen just now, at {now}")

    async def knows(self) -> bool:
        try:
            return await self.sessions.find(TOKEN) is not None
        except DatabaseUnavailableError:
            return False


async def test_an_answer_is_remembered_for_a_few_seconds() -> None:
    house = House()

    found = [await house.knows(), await house.knows()]
    asked_at_once = house.asked
    house.instant += REMEMBERED
    found.append(await house.knows())

    assert (found, asked_at_once, house.asked) == ([True] * 3, 1, 2)


@pytest.mark.parametrize("operator", [True, False])
async def test_while_the_database_is_away_operators_may_look_inside_for_a_while(*, operator: bool) -> None:
    house = House(operator=operator)
    assert await house.knows()
    house.is_away = True

    house.instant += REMEMBERED
    first = await house.knows()
    house.instant += WATCHING - SECOND
    still = await house.knows()
    house.instant += SECOND
    later = await house.knows()

    assert (first, still, later) == (operator, operator, False)


async def test_an_operator_who_is_signed_out_is_not_remembered() -> None:
    house = House()
    assert await house.knows()
    house.is_away = True
    house.sessions.forget(SessionId(UUID(int=1)))

    assert not await house.knows()


async def test_when_the_database_is_back_it_decides() -> None:
    house = House()
    assert await house.knows()
    house.is_away = True
    house.instant += REMEMBERED
    assert await house.knows()

    house.is_away, house.is_signed_out = False, True

    assert not await house.knows()
    house.is_away = True
    assert not await house.knows()


async def test_after_news_that_may_have_been_missed_everybody_is_asked_for_again() -> None:
    house = House()
    assert await house.knows()

    house.sessions.forget_all()

    assert await house.knows()
    assert house.asked == 2


async def test_a_clock_that_is_set_back_prolongs_nothing() -> None:
    house = House()
    assert await house.knows()
    house.instant -= timedelta(hours=1)
    house.is_away = True

    assert not await house.knows()
