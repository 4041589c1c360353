"""Who uses the simulated Rondo: their accounts, put into the database before anything runs."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Final
from uuid import UUID

from app.domain.account import Profile
from app.domain.ids import AccountId, ProjectId, SessionId
from app.services.context import Principal
from app.services.sessions import TOKEN_PREFIX, token_hash
from tests.simulation.clocks import BEGINNING
from tests.simulation.simdb.rows import AccountRow, SessionRecord

if TYPE_CHECKING:
    from tests.simulation.simdb.mvcc import Place, Store

ZONES: Final = ("UTC", "Europe/Berlin", "America/New_York", "Asia/Kolkata")


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody who is signed in.

    Attributes:
        projects: What they may change: their Inbox, and perhaps somebody else's.
    """

    number: int
    projects: tuple[ProjectId, ...]

    @property
    def account_id(self) -> AccountId:
        """Their account."""
        return AccountId(UUID(int=1000 + self.number))

    @property
    def inbox_id(self) -> ProjectId:
        """Their own project."""
        return inbox_of(self.number)

    @property
    def token(self) -> str:
        """Their session's token."""
        return f"{TOKEN_PREFIX}{self.number}"

    @property
    def principal(self) -> Principal:
        """Them, as use cases see them."""
        return Principal(
            account_id=self.account_id,
            session_id=SessionId(UUID(int=3000 + self.number)),
            inbox_id=self.inbox_id,
            email=f"{self.number}@example.org",
        )


def inbox_of(number: int) -> ProjectId:
    """Return the Inbox of a person."""
    return ProjectId(UUID(int=2000 + number))


def settle(store: Store, count: int) -> list[Person]:
    """Let people move in. The second may also work in the first one's Inbox, so that they meet."""
    people = [Person(number, (inbox_of(number),)) for number in range(count)]
    if count > 1:
        people[1] = Person(1, (inbox_of(1), inbox_of(0)))
    writes: dict[Place, object] = {}
    for person in people:
        account = AccountRow(
            id=person.account_id,
            inbox_id=person.inbox_id,
            email=person.principal.email,
            profile=Profile(time_zone=ZONES[person.number % len(ZONES)]),
            created_at=BEGINNING,
        )
        session = SessionRecord(
            id=person.principal.session_id,
            account_id=person.account_id,
            last_seen_at=BEGINNING,
            expires_at=BEGINNING + timedelta(days=30),
        )
        writes["accounts", person.account_id] = account
        writes["sessions", token_hash(person.token)] = session
        for project_id in person.projects:
            role = "owner" if project_id == person.inbox_id else "editor"
            writes["memberships", (project_id, person.account_id)] = role
    store.apply(writes)
    return people
