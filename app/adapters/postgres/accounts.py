"""Accounts in SQL."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from app.adapters.postgres.connection import Connection
from app.adapters.postgres.database import Database
from app.domain.account import WEEKDAYS, Profile, QuietHours
from app.domain.errors import NotAuthenticatedError
from app.domain.ids import AccountId
from app.ports.accounts import Credentials, LockedAccount, NewAccount

# Any number will do, as long as nobody else in the database takes an advisory lock on it.
REGISTRATION_LOCK: Final = 0x526F6E646F01

PROFILE: Final = "SELECT account_json(a)::text FROM accounts a WHERE a.id = $1"
CREDENTIALS: Final = """
    SELECT id, email, name, password_hash, disabled_at IS NOT NULL AS is_disabled FROM accounts WHERE email_key = $1
"""
ANY_ACCOUNT: Final = "SELECT EXISTS (SELECT FROM accounts)"
TAKE_TURN: Final = "SELECT pg_advisory_xact_lock($1)"
INSERT: Final = """
    INSERT INTO accounts (id, email, email_key, name, password_hash, time_zone, operator, created_at, updated_at)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $8)
    ON CONFLICT (email_key) DO NOTHING
    RETURNING account_json(accounts)::text
"""
INSERT_INBOX: Final = "INSERT INTO projects (id, name, kind, created_at) VALUES ($1, 'Inbox', 'inbox', $2)"
INSERT_MEMBERSHIP: Final = """
    INSERT INTO memberships (project_id, account_id, role, inbox) VALUES ($1, $2, 'owner', true)
"""
LOCK: Final = """
    SELECT a.id, m.project_id, a.name, a.time_zone, a.week_start, a.quiet_from, a.quiet_to,
           account_json(a)::text AS json
    FROM accounts a JOIN memberships m ON m.account_id = a.id AND m.inbox
    WHERE a.id = $1 FOR NO KEY UPDATE OF a
"""
SAVE: Final = """
    UPDATE accounts SET name = $2, time_zone = $3, week_start = $4, quiet_from = $5, quiet_to = $6,
        version = version + 1, updated_at = $7
    WHERE id = $1
    RETURNING account_json(accounts)::text
"""
STILL_HOLDS: Final = """
    SELECT true FROM accounts a WHERE a.id = $1 AND a.password_hash = $2 AND a.disabled_at IS NULL
    FOR NO KEY UPDATE OF a
"""
REHASH: Final = "UPDATE accounts SET password_hash = $2, updated_at = $3 WHERE id = $1"


@dataclass(frozen=True, slots=True)
class PostgresAccountReader:
    """Implements `app.ports.accounts.AccountReader`."""

    database: Database

    async def profile(self, account_id: AccountId) -> str:
        """See the port."""
        json: str | None = await self.database.fetchval(PROFILE, account_id)
        if json is None:
            raise NotAuthenticatedError
        return json

    async def credentials(self, email_key: str) -> Credentials | None:
        """See the port."""
        row = await self.database.fetchrow(CREDENTIALS, email_key)
        if row is None:
            return None
        return Credentials(
            account_id=row["id"],
            email=row["email"],
            name=row["name"],
            password_hash=row["password_hash"],
            is_disabled=row["is_disabled"],
        )

    async def any_account(self) -> bool:
        """See the port."""
        exists: bool = await self.database.fetchval(ANY_ACCOUNT)
        return exists


@dataclass(frozen=True, slots=True)
class PostgresAccountStore:
    """Implements `app.ports.accounts.AccountStore`."""

    connection: Connection

    async def lock_registration(self) -> bool:
        """See the port."""
        await self.connection.execute(TAKE_TURN, REGISTRATION_LOCK)
        exists: bool = await self.connection.fetchval(ANY_ACCOUNT)
        return exists

    async def insert(self, account: NewAccount, *, operator: bool) -> str | None:
        """See the port."""
        json: str | None = await self.connection.fetchval(
            INSERT,
            account.id,
            account.email,
            account.email_key,
            account.name,
            account.password_hash,
            account.time_zone,
            operator,
            account.created_at,
        )
        if json is not None:
            await self.connection.execute(INSERT_INBOX, account.inbox_id, account.created_at)
            await self.connection.execute(INSERT_MEMBERSHIP, account.inbox_id, account.id)
        return json

    async def lock(self, account_id: AccountId) -> LockedAccount:
        """See the port."""
        row = await self.connection.fetchrow(LOCK, account_id)
        if row is None:
            raise NotAuthenticatedError
        return LockedAccount(id=row["id"], inbox_id=row["project_id"], profile=_profile(row), json=row["json"])

    async def save(self, account_id: AccountId, profile: Profile, now: datetime) -> str:
        """See the port."""
        quiet = profile.quiet_hours
        json: str = await self.connection.fetchval(
            SAVE,
            account_id,
            profile.name,
            profile.time_zone,
            WEEKDAYS.index(profile.week_start) + 1,
            None if quiet is None else quiet.start,
            None if quiet is None else quiet.end,
            now,
        )
        return json

    async def still_holds(self, account_id: AccountId, password_hash: str) -> bool:
        """See the port."""
        return await self.connection.fetchval(STILL_HOLDS, account_id, password_hash) is not None

    async def set_password(self, account_id: AccountId, password_hash: str, now: datetime) -> None:
        """See the port."""
        await self.connection.execute(REHASH, account_id, password_hash, now)


def _profile(row: Any) -> Profile:
    quiet = None if row["quiet_from"] is None else QuietHours(start=row["quiet_from"], end=row["quiet_to"])
    return Profile(
        name=row["name"], time_zone=row["time_zone"], week_start=WEEKDAYS[row["week_start"] - 1], quiet_hours=quiet
    )
