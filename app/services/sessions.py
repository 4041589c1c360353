"""Sessions: opaque tokens, whose they are, and a short memory of the answers.

A token has 256 random bits; only its SHA-256 is kept, here and in the database. A session that is not used for 7 days
has ended, and any after 30 days.
"""

import hashlib
import secrets
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from app.domain.ids import AccountId, SessionId, new_id
from app.ports.accounts import NewSession, SessionReader, SessionRow
from app.ports.clock import Clock
from app.ports.database import DatabaseUnavailableError
from app.services.context import Context, Principal

TOKEN_PREFIX: Final = "rondo_"  # noqa: S105 # what secret scanners look for, not a secret
TOKEN_BYTES: Final = 32
IDLE: Final = timedelta(days=7)
LONGEST: Final = timedelta(days=30)
# A session that another process ends is forgotten when that is heard; this bounds it when nothing is (X05: 5 s).
REMEMBERED: Final = timedelta(seconds=5)
# While PostgreSQL is away an operator is remembered for so long: to look inside is what one wants then, and it is all
# that can be done. Whoever is signed out meanwhile is so when it is back.
WATCHING: Final = timedelta(minutes=10)
# One write per session and minute says well enough when it was last used.
SEEN_EVERY: Final = timedelta(minutes=1)
# About 10 MB. Sessions beyond that cost a query each.
MOST_REMEMBERED: Final = 10_000


def new_token() -> str:
    """Return a token nobody has."""
    return TOKEN_PREFIX + secrets.token_urlsafe(TOKEN_BYTES)


def token_hash(token: str) -> bytes:
    """Return what is kept of a token. It has so much randomness that a slow hash would add nothing."""
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).digest()


def new_session(context: Context, account_id: AccountId, token: str, now: datetime) -> NewSession:
    """Return a session that begins now."""
    return NewSession(
        id=SessionId(new_id(now)),
        account_id=account_id,
        token_hash=token_hash(token),
        created_at=now,
        expires_at=now + LONGEST,
        client=context.client.replace("\0", "")[:200],
        address=context.address,
    )


@dataclass(frozen=True, slots=True)
class _Remembered:
    principal: Principal
    until: datetime

    def holds(self, now: datetime) -> bool:
        return self.until - REMEMBERED <= now < self.until  # clocks may be set back

    def may_watch(self, now: datetime) -> bool:
        return self.principal.operator and self.until - REMEMBERED <= now < self.until + WATCHING


@dataclass(slots=True)
class Sessions:
    """Finds out whose token it is; remembers the answers for a few seconds."""

    reader: SessionReader
    clock: Clock
    _remembered: dict[bytes, _Remembered] = field(default_factory=dict)
    _forgotten: int = 0

    async def find(self, token: str) -> Principal | None:
        """Return whose session this is, None if it is nobody's or has ended. Not a checkpoint if it is remembered.

        Raises:
            DatabaseUnavailableError: It cannot be told now.
        """
        if not token.startswith(TOKEN_PREFIX):
            return None  # noqa: ASYNC910 # every request asks; the answer comes without waiting
        key, now = token_hash(token), self.clock.now()
        known = self._remembered.get(key)
        if known is not None and known.holds(now):
            return known.principal  # noqa: ASYNC910 # likewise
        forgotten = self._forgotten
        try:
            row = await self.reader.find(key)
        except DatabaseUnavailableError:
            if known is None or not known.may_watch(now) or forgotten != self._forgotten:
                raise
            return known.principal
        if row is None or now >= min(row.expires_at, row.last_seen_at + IDLE):
            self._remembered.pop(key, None)
            return None
        if now - row.last_seen_at >= SEEN_EVERY:
            await self.reader.seen(row.id, now)
        principal = _principal(row)
        if forgotten == self._forgotten:  # else the session may have ended while we looked
            self._remember(key, principal, min(now + REMEMBERED, row.expires_at))
        return principal

    def forget(self, ended: SessionId | AccountId) -> None:
        """Forget a session, or all of an account. Not a checkpoint."""
        self._forgotten += 1
        self._remembered = {
            key: known for key, known in self._remembered.items() if not _belongs(known.principal, ended)
        }

    def forget_all(self) -> None:
        """Ask the database again about everyone: something may have been missed. Not a checkpoint."""
        self._forgotten += 1
        self._remembered = {}

    def _remember(self, key: bytes, principal: Principal, until: datetime) -> None:
        self._remembered.pop(key, None)
        if len(self._remembered) >= MOST_REMEMBERED:
            del self._remembered[next(iter(self._remembered))]
        self._remembered[key] = _Remembered(principal, until)


def _belongs(principal: Principal, ended: UUID) -> bool:
    return ended in {principal.session_id, principal.account_id}


def _principal(row: SessionRow) -> Principal:
    return Principal(
        account_id=row.account_id,
        session_id=row.id,
        inbox_id=row.inbox_id,
        email=row.email,
        name=row.name,
        time_zone=row.time_zone,
        operator=row.operator,
    )
