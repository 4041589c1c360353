"""What use cases give back. JSON is built by PostgreSQL and passed through as bytes."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from app.domain.ids import AccountId, SessionId
from app.domain.value import value


@value
class Stored:
    """A thing as it is stored now.

    Attributes:
        json: What the API answers.
        version: For `ETag`.
        id: For `Location`.
        replayed: The answer comes from the idempotency store.
    """

    json: bytes
    version: int
    id: UUID
    replayed: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class SignedIn:
    """A new session. The token is shown this once; only its hash is kept.

    Attributes:
        user_json: The account as `GET /api/me` shows it.
        expires_at: When the session ends at the latest; unused for 7 days it ends earlier.
    """

    user_json: bytes
    token: str
    expires_at: datetime
    account_id: AccountId
    session_id: SessionId
