"""The audit trail as it is read."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from app.domain.ids import AccountId, TaskId


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditLine:
    """A row as the API shows it, and its place."""

    position: int
    json: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What a walk along the chains found.

    Attributes:
        first_break: Position of the first row that is not what it says it is.
        reason: `changed`, `missing`, `unlinked`, `head` or `foreign`.
    """

    checked: int
    first_break: int | None = None
    reason: str | None = None


class AuditReader(Protocol):
    """Reads and checks chains; changes nothing."""

    async def page(self, account_id: AccountId, before: int | None, limit: int) -> Sequence[AuditLine]:
        """Return up to `limit` + 1 rows of the account's projects, newest first, older than `before`."""
        ...

    async def page_of_task(
        self, account_id: AccountId, task_id: TaskId, before: int | None, limit: int
    ) -> Sequence[AuditLine] | None:
        """Return likewise the rows of one task, None if the account may not see it. Deleted tasks have a history."""
        ...

    async def verify(self, account_id: AccountId | None) -> Verdict:
        """Walk the chains of the account's projects, of all projects for None."""
        ...
