"""Sessions in SQL. A token is found by its SHA-256; the token itself is nowhere."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from app.adapters.postgres.connection import Connection
from app.adapters.postgres.database import Database
from app.domain.ids import AccountId, SessionId
from app.ports.accounts import NewSession, SessionRow

FIND: Final = """
    SELECT s.id, s.account_id, s.last_seen_at, s.expires_at, m.project_id AS inbox_id,
           a.email, a.name, a.time_zone, a.operator
    FROM sessions s JOIN accounts a ON a.id = s.account_id JOIN memberships m ON m.account_id = a.id AND m.inbox
    WHERE s.token_hash = $1 AND s.revoked_at IS NULL AND a.disabled_at IS NULL
"""
SEEN: Final = "UPDATE sessions SET last_seen_at = $2 WHERE id = $1 AND last_seen_at < $2"
INSERT: Final = """
    INSERT INTO sessions (id, account_id, token_hash, created_at, last_seen_at, expires_at, client, address)
    VALUES ($1, $2, $3, $4, $4, $5, $6, $7)
"""
# The id of every session that ends, and of every account that is disabled, see migrations/0007_revocation.sql.
REVOKED_CHANNEL: Final = "rondo_revoked"
REVOKE: Final = "UPDATE sessions SET revoked_at = $2 WHERE id = $1 AND revoked_at IS NULL"
REVOKE_ALL: Final = "UPDATE sessions SET revoked_at = $2 WHERE account_id = $1 AND revoked_at IS NULL"


@dataclass(frozen=True, slots=True)
class PostgresSessionReader:
    """Implements `app.ports.accounts.SessionReader`."""

    database: Database

    async def find(self, token_hash: bytes) -> SessionRow | None:
        """See the port."""
        row = await self.database.fetchrow(FIND, token_hash)
        return None if row is None else SessionRow(**dict(row))

    async def seen(self, session_id: SessionId, now: datetime) -> None:
        """See the port."""
        await self.database.execute(SEEN, session_id, now)


@dataclass(frozen=True, slots=True)
class PostgresSessionStore:
    """Implements `app.ports.accounts.SessionStore`."""

    connection: Connection

    async def insert(self, session: NewSession) -> None:
        """See the port."""
        await self.connection.execute(
            INSERT,
            session.id,
            session.account_id,
            session.token_hash,
            session.created_at,
            session.expires_at,
            session.client,
            session.address,
        )

    async def revoke(self, session_id: SessionId, now: datetime) -> None:
        """See the port."""
        await self.connection.execute(REVOKE, session_id, now)

    async def revoke_all(self, account_id: AccountId, now: datetime) -> None:
        """See the port."""
        await self.connection.execute(REVOKE_ALL, account_id, now)
