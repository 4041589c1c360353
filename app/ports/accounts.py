"""Accounts and sessions as they are kept."""

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from app.domain.account import Profile
from app.domain.ids import AccountId, ProjectId, SessionId


@dataclass(frozen=True, slots=True, kw_only=True)
class NewAccount:
    """An account to be made, with its Inbox."""

    id: AccountId
    inbox_id: ProjectId
    email: str
    email_key: str
    name: str
    password_hash: str
    time_zone: str
    created_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class LockedAccount:
    """An account that nobody else can change until the transaction ends.

    Attributes:
        json: The account as the API shows it now.
    """

    id: AccountId
    inbox_id: ProjectId
    profile: Profile
    json: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Credentials:
    """What is needed to check a password."""

    account_id: AccountId
    email: str
    name: str
    password_hash: str
    is_disabled: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class NewSession:
    """A session to be started."""

    id: SessionId
    account_id: AccountId
    token_hash: bytes
    created_at: datetime
    expires_at: datetime
    client: str
    address: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionRow:
    """A session that has not been revoked, of an account that is not disabled."""

    id: SessionId
    account_id: AccountId
    inbox_id: ProjectId
    email: str
    name: str
    time_zone: str
    operator: bool
    last_seen_at: datetime
    expires_at: datetime


class AccountReader(Protocol):
    """Looks at accounts; changes nothing."""

    async def profile(self, account_id: AccountId) -> str:
        """Return the JSON of an account.

        Raises:
            NotAuthenticatedError: It was deleted a moment ago.
        """
        ...

    async def credentials(self, email_key: str) -> Credentials | None:
        """Return what is needed to check a password."""
        ...

    async def any_account(self) -> bool:
        """Return whether anybody is registered."""
        ...


class AccountStore(Protocol):
    """Changes accounts inside a transaction."""

    async def lock_registration(self) -> bool:
        """Make registrations wait for one another; return whether anybody is registered."""
        ...

    async def insert(self, account: NewAccount, *, operator: bool) -> str | None:
        """Add an account, its Inbox and its membership; return its JSON, None if the address is taken."""
        ...

    async def lock(self, account_id: AccountId) -> LockedAccount:
        """Lock an account.

        Raises:
            NotAuthenticatedError: It was deleted a moment ago.
        """
        ...

    async def save(self, account_id: AccountId, profile: Profile, now: datetime) -> str:
        """Write the profile of a locked account and return its JSON."""
        ...

    async def still_holds(self, account_id: AccountId, password_hash: str) -> bool:
        """Lock an account; return whether it is not disabled and its password is still the one that was checked."""
        ...

    async def set_password(self, account_id: AccountId, password_hash: str, now: datetime) -> None:
        """Replace the hash of a password."""
        ...


class SessionReader(Protocol):
    """Finds sessions; each call is a transaction of its own."""

    async def find(self, token_hash: bytes) -> SessionRow | None:
        """Return a session that is not revoked; whether it has run out is the caller's to say."""
        ...

    async def seen(self, session_id: SessionId, now: datetime) -> None:
        """Note that the session was used."""
        ...


class SessionStore(Protocol):
    """Starts and ends sessions inside a transaction."""

    async def insert(self, session: NewSession) -> None:
        """Start a session."""
        ...

    async def revoke(self, session_id: SessionId, now: datetime) -> None:
        """End a session."""
        ...

    async def revoke_all(self, account_id: AccountId, now: datetime) -> None:
        """End every session of an account."""
        ...
