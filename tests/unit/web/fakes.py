"""Services that remember how they were asked: small stand-ins at the border of the API."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import trio

from app.domain.errors import NotFoundError
from app.domain.ids import AccountId, ProjectId, SessionId
from app.services.context import Context, Principal
from app.services.results import SignedIn, Stored

NOW = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
TASK_ID = UUID("0192f0c1-2345-7abc-8def-0123456789ab")
USER_TOKEN = "rondo_" + "u" * 43
OPERATOR_TOKEN = "rondo_" + "o" * 43
ENDED_TOKEN = "rondo_" + "e" * 43


def principal(number: int, *, operator: bool = False) -> Principal:
    return Principal(
        account_id=AccountId(UUID(int=number)),
        session_id=SessionId(UUID(int=number + 100)),
        inbox_id=ProjectId(UUID(int=number + 200)),
        email=f"person{number}@example.org",
        operator=operator,
    )


USER = principal(1)
OPERATOR = principal(2, operator=True)


class FixedClock:
    def now(self) -> datetime:
        return NOW


@dataclass
class FakeServices:
    """Every service at once: each use case notes its arguments, raises what it is told to, or answers."""

    calls: list[tuple[str, tuple[Any, ...]]] = field(default_factory=list)
    error: Exception | None = None
    version: int = 7
    replayed: bool = False
    rate_error: Exception | None = None

    def reset(self) -> None:
        """Be as new."""
        self.__init__()  # type: ignore[misc] # a dataclass begins again

    @property
    def tasks(self) -> "FakeServices":
        return self

    reminders = accounts = own_sessions = exports = leaving = audit = recurrence = housekeeping = tasks

    @property
    def last(self) -> tuple[Any, ...]:
        return self.calls[-1][1]

    @property
    def context(self) -> Context:
        context: Context = self.last[0]
        return context

    async def _note(self, name: str, *arguments: Any) -> None:
        self.calls.append((name, arguments))
        await trio.lowlevel.checkpoint()
        if self.error is not None:
            raise self.error

    async def authenticate(self, token: str) -> Principal | None:
        await trio.lowlevel.checkpoint()
        return {USER_TOKEN: USER, OPERATOR_TOKEN: OPERATOR}.get(token)

    def check_rate(self, context: Context) -> None:
        assert context.principal is not None
        if self.rate_error is not None:
            raise self.rate_error

    def _stored(self) -> Stored:
        return Stored(json=b'{"id":"x"}', version=self.version, id=TASK_ID, replayed=self.replayed)

    async def _store(self, name: str, *arguments: Any) -> Stored:
        await self._note(name, *arguments)
        return self._stored()

    async def _list(self, name: str, *arguments: Any) -> bytes:
        await self._note(name, *arguments)
        return b'{"items":[],"nextCursor":null}'

    async def create_task(self, *arguments: Any) -> Stored:
        return await self._store("create_task", *arguments)

    async def get_task(self, *arguments: Any) -> Stored:
        return await self._store("get_task", *arguments)

    async def list_tasks(self, *arguments: Any) -> bytes:
        return await self._list("list_tasks", *arguments)

    async def patch_task(self, *arguments: Any) -> Stored:
        return await self._store("patch_task", *arguments)

    async def replace_task(self, *arguments: Any) -> Stored:
        return await self._store("replace_task", *arguments)

    async def delete_task(self, *arguments: Any) -> None:
        await self._note("delete_task", *arguments)

    async def complete_task(self, *arguments: Any) -> Stored:
        return await self._store("complete_task", *arguments)

    async def reopen_task(self, *arguments: Any) -> Stored:
        return await self._store("reopen_task", *arguments)

    async def add_reminder(self, *arguments: Any) -> Stored:
        return await self._store("add_reminder", *arguments)

    async def list_reminders(self, *arguments: Any) -> bytes:
        return await self._list("list_reminders", *arguments)

    async def delete_reminder(self, *arguments: Any) -> None:
        await self._note("delete_reminder", *arguments)

    async def acknowledge(self, *arguments: Any) -> Stored:
        return await self._store("acknowledge", *arguments)

    async def snooze(self, *arguments: Any) -> Stored:
        return await self._store("snooze", *arguments)

    async def list_deliveries(self, *arguments: Any) -> bytes:
        return await self._list("list_deliveries", *arguments)

    async def preview(self, *arguments: Any) -> bytes:
        return await self._list("preview", *arguments)

    async def list_audit(self, *arguments: Any) -> bytes:
        return await self._list("list_audit", *arguments)

    async def verify(self, *arguments: Any) -> bytes:
        return await self._list("verify", *arguments)

    async def register(self, *arguments: Any) -> SignedIn:
        await self._note("register", *arguments)
        return self._signed_in()

    async def login(self, *arguments: Any) -> SignedIn:
        await self._note("login", *arguments)
        return self._signed_in()

    async def logout(self, *arguments: Any) -> None:
        await self._note("logout", *arguments)

    async def get_profile(self, *arguments: Any) -> bytes:
        return await self._list("get_profile", *arguments)

    async def patch_profile(self, *arguments: Any) -> bytes:
        return await self._list("patch_profile", *arguments)

    async def list_sessions(self, *arguments: Any) -> bytes:
        return await self._list("list_sessions", *arguments)

    async def end_session(self, *arguments: Any) -> None:
        await self._note("end_session", *arguments)

    async def end_other_sessions(self, *arguments: Any) -> None:
        await self._note("end_other_sessions", *arguments)

    async def change_password(self, *arguments: Any) -> SignedIn:
        await self._note("change_password", *arguments)
        return self._signed_in()

    async def begin(self, *arguments: Any) -> "FakeServices":
        await self._note("begin", *arguments)
        return self

    async def write_to(self, write: Callable[[bytes], Awaitable[None]]) -> None:
        for piece in (b'{"tasks":', b"[]}"):
            await write(piece)

    async def delete_account(self, *arguments: Any) -> None:
        await self._note("delete_account", *arguments)

    @property
    def operating(self) -> "FakeOperating":
        return FakeOperating(self)

    def _signed_in(self) -> SignedIn:
        return SignedIn(
            user_json=b'{"id":"u"}',
            token=USER_TOKEN,
            expires_at=datetime.now(UTC) + timedelta(days=30),
            account_id=USER.account_id,
            session_id=USER.session_id,
        )


@dataclass
class FakeOperating:
    """What operators do: noted by the services it belongs to."""

    services: FakeServices

    def tree(self) -> bytes:
        return b'{"id":"root"}'

    def log(self, path: str, limit: int) -> bytes:
        self.services.calls.append(("log", (path, limit)))
        return b'{"items":[]}'

    async def restart(self, *arguments: Any) -> bytes:
        return await self.services._list("restart", *arguments)

    async def pause(self, *arguments: Any) -> bytes:
        return await self.services._list("pause", *arguments)

    async def resume(self, *arguments: Any) -> bytes:
        return await self.services._list("resume", *arguments)

    async def list_dead_letters(self, *arguments: Any) -> bytes:
        return await self.services._list("list_dead_letters", *arguments)

    async def requeue(self, *arguments: Any) -> bytes:
        return await self.services._list("requeue", *arguments)

    async def status(self, *arguments: Any) -> bytes:
        return await self.services._list("status", *arguments)


def not_found() -> Exception:
    return NotFoundError()
