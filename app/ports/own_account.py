"""What an account can see and end of its own: its sessions, everything it has, itself."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from app.domain.ids import AccountId, SessionId


class OwnSessionReader(Protocol):
    """Looks at the sessions of an account."""

    async def of_account(
        self, account_id: AccountId, current: SessionId, now: datetime, unused_since: datetime, most: int
    ) -> str:
        """Return the JSON of the sessions that have not ended: the current one first, then the latest used."""
        ...


class OwnSessionStore(Protocol):
    """Ends sessions of an account inside a transaction."""

    async def revoke_one(self, account_id: AccountId, session_id: SessionId, now: datetime) -> bool:
        """End a session; return whether it is one of this account that had not ended."""
        ...

    async def revoke_others(self, account_id: AccountId, kept: SessionId, now: datetime) -> Sequence[SessionId]:
        """End every session but one; return those that ended now."""
        ...


class LeavingStore(Protocol):
    """Removes accounts inside a transaction."""

    async def is_last_operator(self, account_id: AccountId) -> bool:
        """Return whether there are other accounts and none of them is an operator. Registrations wait meanwhile."""
        ...

    async def forget(self, account_id: AccountId, now: datetime) -> None:
        """Remove the account and everything that is nobody else's."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class ExportPage:
    """Some entries of a section, and after which key the next ones come; None: there are no more."""

    entries: Sequence[str]
    after: object | None


class Exporter(Protocol):
    """Reads everything of an account, a page at a time; each call is a transaction of its own."""

    @property
    def sections(self) -> Sequence[str]:
        """The names of the sections, in the order in which they are exported."""
        ...

    async def page(self, section: str, account_id: AccountId, after: object | None) -> ExportPage:
        """Return the JSON of the next entries of a section."""
        ...
