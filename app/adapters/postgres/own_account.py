"""The sessions of an account as it sees them, and its end, in SQL."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from app.adapters.postgres.accounts import REGISTRATION_LOCK, TAKE_TURN
from app.adapters.postgres.connection import Connection
from app.adapters.postgres.database import Database
from app.domain.ids import AccountId, SessionId

OF_ACCOUNT: Final = """
    SELECT json_build_object('items', coalesce(
        json_agg(shown.json ORDER BY shown.current DESC, shown.last_seen_at DESC), '[]'::json))::text
    FROM (
        SELECT s.id = $2 AS current, s.last_seen_at, json_build_object(
            'id', s.id,
            'current', s.id = $2,
            'createdAt', instant_text(s.created_at),
            'lastSeenAt', instant_text(s.last_seen_at),
            'client', s.client,
            'address', s.address,
            'expiresAt', instant_text(s.expires_at)) AS json
        FROM sessions s
        WHERE s.account_id = $1 AND s.revoked_at IS NULL AND s.expires_at > $3 AND s.last_seen_at > $4
        ORDER BY s.id = $2 DESC, s.last_seen_at DESC LIMIT $5) AS shown
"""
REVOKE_ONE: Final = """
    UPDATE sessions SET revoked_at = $3 WHERE id = $2 AND account_id = $1 AND revoked_at IS NULL RETURNING id
"""
REVOKE_OTHERS: Final = """
    UPDATE sessions SET revoked_at = $3 WHERE account_id = $1 AND id <> $2 AND revoked_at IS NULL RETURNING id
"""
IS_LAST_OPERATOR: Final = """
    SELECT count(*) > 0 AND NOT bool_or(operator AND disabled_at IS NULL) FROM accounts WHERE id <> $1
"""
FORGET: Final = "SELECT forget_account($1, $2)"


@dataclass(frozen=True, slots=True)
class PostgresOwnSessionReader:
    """Implements `app.ports.own_account.OwnSessionReader`."""

    database: Database

    async def of_account(
        self, account_id: AccountId, current: SessionId, now: datetime, unused_since: datetime, most: int
    ) -> str:
        """See the port."""
        json: str = await self.database.fetchval(OF_ACCOUNT, account_id, current, now, unused_since, most)
        return json


@dataclass(frozen=True, slots=True)
class PostgresOwnSessionStore:
    """Implements `app.ports.own_account.OwnSessionStore`."""

    connection: Connection

    async def revoke_one(self, account_id: AccountId, session_id: SessionId, now: datetime) -> bool:
        """See the port."""
        return await self.connection.fetchval(REVOKE_ONE, account_id, session_id, now) is not None

    async def revoke_others(self, account_id: AccountId, kept: SessionId, now: datetime) -> Sequence[SessionId]:
        """See the port."""
        return [row["id"] for row in await self.connection.fetch(REVOKE_OTHERS, account_id, kept, now)]


@dataclass(frozen=True, slots=True)
class PostgresLeavingStore:
    """Implements `app.ports.own_account.LeavingStore`."""

    connection: Connection

    async def is_last_operator(self, account_id: AccountId) -> bool:
        """See the port."""
        # Two operators who leave at the same moment would each see the other one; and who registers now must know
        # whether there is an operator.
        await self.connection.execute(TAKE_TURN, REGISTRATION_LOCK)
        operator: bool = await self.connection.fetchval(
            "SELECT operator FROM accounts WHERE id = $1 FOR UPDATE", account_id
        )
        is_last: bool = await self.connection.fetchval(IS_LAST_OPERATOR, account_id)
        return bool(operator) and is_last

    async def forget(self, account_id: AccountId, now: datetime) -> None:
        """See the port."""
        await self.connection.execute(FORGET, account_id, now)
