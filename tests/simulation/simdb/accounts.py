"""Accounts, sessions and kept answers in the simulated database: as much of their ports as the simulated people use."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from app.ports.accounts import LockedAccount, SessionRow
from app.ports.idempotency import KeptAnswer
from tests.simulation.simdb.rows import AccountRow, SessionRecord, account_json

if TYPE_CHECKING:
    from datetime import datetime

    from app.domain.account import Profile
    from app.domain.ids import AccountId, SessionId
    from tests.simulation.simdb.client import Client
    from tests.simulation.simdb.transaction import Transaction


@dataclass(frozen=True, slots=True)
class SimAccountStore:
    """Changes profiles (`app.ports.accounts.AccountStore`). Nobody registers or changes a password in a simulation."""

    work: Transaction

    async def lock(self, account_id: AccountId) -> LockedAccount:
        """See the port."""
        await self.work.statement("lock account")
        await self.work.lock("accounts", account_id)
        row: AccountRow = self.work.newest("accounts", account_id)
        return LockedAccount(id=row.id, inbox_id=row.inbox_id, profile=row.profile, json=account_json(row))

    async def save(self, account_id: AccountId, profile: Profile, now: datetime) -> str:  # noqa: ARG002 - the port's
        """See the port."""
        await self.work.statement("save account")
        row: AccountRow = replace(self.work.get("accounts", account_id), profile=profile)
        self.work.put("accounts", account_id, row)
        return account_json(row)


@dataclass(frozen=True, slots=True)
class SimSessionReader:
    """Implements `app.ports.accounts.SessionReader`."""

    client: Client

    async def find(self, token_hash: bytes) -> SessionRow | None:
        """See the port."""
        async with self.client.transaction() as work:
            await work.statement("find session")
            session: SessionRecord | None = work.get("sessions", token_hash)
            if session is None:
                return None
            account: AccountRow = work.get("accounts", session.account_id)
            return SessionRow(
                id=session.id,
                account_id=account.id,
                inbox_id=account.inbox_id,
                email=account.email,
                name=account.profile.name,
                time_zone=account.profile.time_zone,
                operator=False,
                last_seen_at=session.last_seen_at,
                expires_at=session.expires_at,
            )

    async def seen(self, session_id: SessionId, now: datetime) -> None:
        """See the port."""
        async with self.client.transaction("session seen") as work:
            await work.statement("session seen")
            for key in self.client.db.store.keys("sessions"):
                session: SessionRecord = work.get("sessions", key)
                if session.id == session_id and session.last_seen_at < now:
                    await work.lock("sessions", key)
                    work.put("sessions", key, replace(session, last_seen_at=now))


@dataclass(frozen=True, slots=True)
class SimIdempotencyStore:
    """Implements `app.ports.idempotency.IdempotencyStore`. An answer that is not kept yet is an empty text."""

    work: Transaction

    async def claim(self, account_id: AccountId, key: str, request_hash: bytes, now: datetime) -> KeptAnswer | None:  # noqa: ARG002 - the port's
        """See the port: the insert waits for a twin, then a second statement reads what the twin left."""
        await self.work.statement("claim key")
        place = (account_id, key)
        await self.work.lock("idempotency_keys", place)
        if self.work.newest("idempotency_keys", place) is None:
            made = KeptAnswer(request_hash=request_hash, json="", version=0, id=account_id)
            self.work.put("idempotency_keys", place, made)
            return None
        await self.work.statement("find key")
        kept: KeptAnswer = self.work.get("idempotency_keys", place)
        return kept

    async def keep(self, account_id: AccountId, key: str, answer: KeptAnswer) -> None:
        """See the port."""
        await self.work.statement("keep answer")
        self.work.put("idempotency_keys", (account_id, key), answer)
