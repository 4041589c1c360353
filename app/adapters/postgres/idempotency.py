"""Kept answers in SQL. The primary key makes twins wait for each other."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from app.adapters.postgres.connection import Connection
from app.domain.ids import AccountId
from app.ports.idempotency import KeptAnswer

# Waits for an open transaction that has inserted the same key, then does nothing if that one was committed.
CLAIM: Final = """
    INSERT INTO idempotency_keys (account_id, key, request_hash, created_at) VALUES ($1, $2, $3, $4)
    ON CONFLICT (account_id, key) DO NOTHING RETURNING true
"""
FIND: Final = """
    SELECT request_hash, response, version, subject_id FROM idempotency_keys WHERE account_id = $1 AND key = $2
"""
KEEP: Final = """
    UPDATE idempotency_keys SET response = $3, version = $4, subject_id = $5 WHERE account_id = $1 AND key = $2
"""


@dataclass(frozen=True, slots=True)
class PostgresIdempotencyStore:
    """Implements `app.ports.idempotency.IdempotencyStore`."""

    connection: Connection

    async def claim(self, account_id: AccountId, key: str, request_hash: bytes, now: datetime) -> KeptAnswer | None:
        """See the port."""
        while not await self.connection.fetchval(CLAIM, account_id, key, request_hash, now):
            row = await self.connection.fetchrow(FIND, account_id, key)
            if row is not None:  # else it was swept away between the two statements
                return KeptAnswer(
                    request_hash=row["request_hash"],
                    json=row["response"],
                    version=row["version"],
                    id=row["subject_id"],
                )
        return None

    async def keep(self, account_id: AccountId, key: str, answer: KeptAnswer) -> None:
        """See the port."""
        await self.connection.execute(KEEP, account_id, key, answer.json, answer.version, answer.id)
