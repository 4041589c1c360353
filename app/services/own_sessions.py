"""Use cases around the sessions and the password of whoever is signed in."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from app.domain import events
from app.domain.errors import NotFoundError, WrongPasswordError
from app.domain.ids import AccountId, SessionId
from app.domain.passwords import check_password, normalised
from app.ports.accounts import AccountReader
from app.ports.clock import Clock
from app.ports.own_account import OwnSessionReader
from app.ports.passwords import PasswordHasher
from app.ports.unit_of_work import UnitOfWork
from app.services.context import Context
from app.services.reauthentication import Reauthentication
from app.services.recording import Recorder
from app.services.results import SignedIn
from app.services.sessions import IDLE, new_session, new_token
from app.services.transactions import Transactions
from monitoring import logs, tracing

log = logs.get_logger("auth")

# More devices than anybody has; "sign out everywhere else" ends those that are not shown too.
MOST_LISTED: Final = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnSessionService:
    """Lists and ends the caller's sessions, and changes the password, which ends all others.

    Attributes:
        ended: Told of every session, or account all of whose sessions, that ended. Must not wait.
    """

    reader: OwnSessionReader
    accounts: AccountReader
    reauthentication: Reauthentication
    hasher: PasswordHasher
    transactions: Transactions
    clock: Clock
    ended: Callable[[SessionId | AccountId], None]

    async def list_sessions(self, context: Context) -> bytes:
        """Return the caller's sessions, at most 200: this one first, then the latest used."""
        caller, now = context.caller, self.clock.now()
        listed = await self.reader.of_account(caller.account_id, caller.session_id, now, now - IDLE, MOST_LISTED)
        return listed.encode()

    async def end_session(self, context: Context, session_id: SessionId) -> None:
        """End one of the caller's sessions, this one too, and its sockets.

        Raises:
            NotFoundError: The caller has no such session.
        """
        caller, now = context.caller, self.clock.now()

        async def use_case(work: UnitOfWork) -> None:
            if not await work.own_sessions.revoke_one(caller.account_id, session_id, now):
                raise NotFoundError

        await self.transactions.run(use_case)
        self.ended(session_id)
        log.info("A session was ended.", event="auth.session.ended", userId=str(caller.account_id), audit=True)

    async def end_other_sessions(self, context: Context) -> None:
        """End every session of the caller but this one, and their sockets."""
        caller, now = context.caller, self.clock.now()

        async def use_case(work: UnitOfWork) -> list[SessionId]:
            return [*await work.own_sessions.revoke_others(caller.account_id, caller.session_id, now)]

        gone = await self.transactions.run(use_case)
        for session_id in gone:
            self.ended(session_id)
        log.info(
            "All other sessions were ended.",
            event="auth.sessions.ended",
            userId=str(caller.account_id),
            sessions=len(gone),
            audit=True,
        )

    async def change_password(self, context: Context, current: str, new: str) -> SignedIn:
        """Replace the caller's password. Every session ends, also this one; a new one begins (X05).

        Raises:
            WrongPasswordError: The current password is another one.
            PasswordRefusedError: The new one is not good enough.
            RateLimitedError: The address tries too often.
        """
        with tracing.span("account.change_password"):
            caller = context.caller
            # Before the proof: a new one that is too short is no attempt to guess the old one.
            check_password(new, email=caller.email, name=caller.name, field="newPassword")
            known = await self.reauthentication.confirm(context, current)
            password_hash = await self.hasher.hash(normalised(new))
            now, token = self.clock.now(), new_token()
            session = new_session(context, caller.account_id, token, now)

            async def use_case(work: UnitOfWork) -> None:
                # Checking took a while; whoever changed the password meanwhile has made the one we checked worthless.
                if not await work.accounts.still_holds(caller.account_id, known.password_hash):
                    raise WrongPasswordError
                await work.accounts.set_password(caller.account_id, password_hash, now)
                await work.sessions.revoke_all(caller.account_id, now)
                await work.sessions.insert(session)
                Recorder(work, context, now).record(events.ACCOUNT_PASSWORD_CHANGED, caller.inbox_id)

            await self.transactions.run(use_case)
        self.ended(caller.account_id)
        log.info("A password was changed.", event="auth.password.changed", userId=str(caller.account_id), audit=True)
        return SignedIn(
            user_json=(await self.accounts.profile(caller.account_id)).encode(),
            token=token,
            expires_at=session.expires_at,
            account_id=caller.account_id,
            session_id=session.id,
        )
