"""Answers kept so that a repeated request is answered once more and not done once more."""

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol
from uuid import UUID

from app.domain.ids import AccountId


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptAnswer:
    """What was answered, byte for byte, and to which request."""

    request_hash: bytes
    json: str
    version: int
    id: UUID


class IdempotencyStore(Protocol):
    """Keys and answers, inside the transaction that does the work."""

    async def claim(self, account_id: AccountId, key: str, request_hash: bytes, now: datetime) -> KeptAnswer | None:
        """Take a key, and return None. If it was taken, return what was answered then.

        Waits for a transaction that has taken the same key; when that one fails the key is free.
        """
        ...

    async def keep(self, account_id: AccountId, key: str, answer: KeptAnswer) -> None:
        """Keep the answer of a key that this transaction has taken."""
        ...
