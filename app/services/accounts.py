"""Use cases around accounts and sessions."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime

from app.domain import events
from app.domain.account import ProfileChanges, RegisterDraft
from app.domain.checks import storable
from app.domain.drafts import checked_profile, checked_registration, email_key
from app.domain.errors import (
    EmailTakenError,
    FieldError,
    InvalidCredentialsError,
    NotFoundError,
    RegistrationClosedError,
    TaskError,
    ValidationFailedError,
)
from app.domain.ids import AccountId, ProjectId, SessionId, new_id
from app.domain.passwords import check_password, normalised
from app.ports.accounts import AccountReader, Credentials, NewAccount, NewSession
from app.ports.clock import Clock
from app.ports.passwords import PasswordHasher
from app.ports.unit_of_work import UnitOfWork
from app.services.context import Context, Principal
from app.services.rate_limits import AttemptLimits, CallLimit
from app.services.recording import Recorder
from app.services.results import SignedIn
from app.services.sessions import Sessions, new_session, new_token
from app.services.transactions import Transactions
from monitoring import logs, tracing

log = logs.get_logger("auth")


@dataclass(frozen=True, slots=True)
class _Newcomer:
    """An account that can be made, and whether it seemed to be the first."""

    account: NewAccount
    is_first: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountService:
    """Registers, signs in and out, knows the profile.

    Attributes:
        is_open: Whether strangers may register. The first account may always be made, and is the operator.
        sessions_revoked: Told of every session, or account all of whose sessions, that ended, so that its sockets can
            be closed. Must not wait.
    """

    accounts: AccountReader
    sessions: Sessions
    transactions: Transactions
    hasher: PasswordHasher
    limits: AttemptLimits
    calls: CallLimit
    clock: Clock
    is_open: bool = True
    sessions_revoked: Callable[[SessionId | AccountId], None] = lambda _: None

    async def register(self, context: Context, draft: RegisterDraft) -> SignedIn:
        """Create an account with its Inbox and sign it in; the first one is the operator.

        Raises:
            ValidationFailedError: With one entry per fault, the password's included.
            EmailTakenError: There is an account with this address.
            RegistrationClosedError: Strangers may not register.
            RateLimitedError: The address registers too often.
        """
        with tracing.span("account.register"):
            try:
                await self.limits.register(context.address)
                signed_in = await self._register(context, draft)
            except TaskError as error:
                _failed("register", error, context, None)
                raise
        _succeeded("register", signed_in, context)
        return signed_in

    async def create_user(self, draft: RegisterDraft) -> AccountId:
        """Create an account from the command line, also when registration is closed.

        Raises:
            ValidationFailedError: With one entry per fault, the password's included.
            EmailTakenError: There is an account with this address.
        """
        newcomer = await self._prepare(draft, is_open=True)
        await self._insert(Context(), newcomer, None, is_open=True)  # nobody has signed in
        return newcomer.account.id

    async def login(self, context: Context, email: str, password: str) -> SignedIn:
        """Start a session. An unknown address takes as long as a wrong password and gets the same answer (X03).

        Raises:
            InvalidCredentialsError: They do not belong together, or the account is disabled.
            RateLimitedError: The address tries too often.
        """
        with tracing.span("account.login"):
            key, found = email_key(email), None
            try:
                await self.limits.sign_in(context.address, key)
                found = await self.accounts.credentials(key) if storable(key) else None
                known = await self._verified(found, password)
                signed_in = await self._sign_in(context, known, password)
            except TaskError as error:
                _failed("password", error, context, found)
                raise
            await self.limits.signed_in(context.address, key)
        _succeeded("password", signed_in, context)
        return signed_in

    async def logout(self, context: Context) -> None:
        """End the caller's session and its sockets."""
        caller, now = context.caller, self.clock.now()

        async def use_case(work: UnitOfWork) -> None:
            await work.sessions.revoke(caller.session_id, now)

        await self.transactions.run(use_case)
        self.ended(caller.session_id)
        log.info("Somebody signed out.", event="auth.logout", userId=str(caller.account_id), audit=True)

    async def authenticate(self, token: str) -> Principal | None:
        """Return whose token this is, None if it is nobody's or has ended."""
        return await self.sessions.find(token)

    async def get_profile(self, context: Context) -> bytes:
        """Return the caller's account."""
        return (await self.accounts.profile(context.caller.account_id)).encode()

    async def patch_profile(self, context: Context, changes: ProfileChanges) -> bytes:
        """Change the named fields. Floating tasks follow a new time zone soon after.

        Raises:
            ValidationFailedError: With one entry per fault.
        """
        checked, account_id, now = checked_profile(changes), context.caller.account_id, self.clock.now()

        async def use_case(work: UnitOfWork) -> str:
            locked = await work.accounts.lock(account_id)
            profile = locked.profile.changed(checked)
            if profile == locked.profile:
                return locked.json
            json = await work.accounts.save(account_id, profile, now)
            recorder = Recorder(work, context, now)
            recorder.record(events.ACCOUNT_UPDATED, locked.inbox_id, before=locked.json, after=json)
            return json

        json = await self.transactions.run(use_case)
        self.sessions.forget(account_id)
        return json.encode()

    async def set_password(self, email: str, password: str) -> AccountId:
        """Replace a password from the command line; every session of the account ends (X05).

        Raises:
            NotFoundError: There is no such account.
            PasswordRefusedError: It is not good enough.
        """
        key, now = email_key(email), self.clock.now()
        found = await self.accounts.credentials(key) if storable(key) else None
        if found is None:
            raise NotFoundError("There is no account with this email address.")
        check_password(password, email=found.email, name=found.name)
        password_hash = await self.hasher.hash(normalised(password))

        async def use_case(work: UnitOfWork) -> None:
            await work.accounts.set_password(found.account_id, password_hash, now)
            await work.sessions.revoke_all(found.account_id, now)

        await self.transactions.run(use_case)
        self.ended(found.account_id)
        log.info("A password was changed.", event="auth.password.changed", userId=str(found.account_id), audit=True)
        return found.account_id

    def check_rate(self, context: Context) -> None:
        """Count one API call of the caller. Not a checkpoint.

        Raises:
            RateLimitedError: More calls than RONDO_API_RATE allows in a minute.
        """
        self.calls.take(context.caller.account_id)

    async def _register(self, context: Context, draft: RegisterDraft) -> SignedIn:
        newcomer, token = await self._prepare(draft, is_open=self.is_open), new_token()
        session = new_session(context, newcomer.account.id, token, newcomer.account.created_at)
        json = await self._insert(context, newcomer, session, is_open=self.is_open)
        return _signed_in(json, token, session)

    async def _prepare(self, draft: RegisterDraft, *, is_open: bool) -> _Newcomer:
        is_first = not await self.accounts.any_account()
        if not (is_open or is_first):
            raise RegistrationClosedError
        checked = _checked(draft)
        password_hash = await self.hasher.hash(normalised(checked.password))
        return _Newcomer(_new_account(checked, password_hash, self.clock.now()), is_first)

    async def _insert(self, context: Context, newcomer: _Newcomer, session: NewSession | None, *, is_open: bool) -> str:
        """Keep the account, signed in if it has a session; return its JSON."""
        account = newcomer.account

        async def use_case(work: UnitOfWork) -> str:
            # Of several who try to be the first, one is; the others are treated as they would be a moment later.
            others = await work.accounts.lock_registration() if newcomer.is_first else True
            if others and not is_open:
                raise RegistrationClosedError
            json = await work.accounts.insert(account, operator=not others)
            if json is None:
                raise EmailTakenError
            by = context
            if session is not None:
                await work.sessions.insert(session)
                by = replace(context, principal=_principal(account, session, operator=not others))
            recorder = Recorder(work, by, account.created_at)
            recorder.record(events.ACCOUNT_REGISTERED, account.inbox_id, after=json)
            return json

        return await self.transactions.run(use_case)

    async def _verified(self, found: Credentials | None, password: str) -> Credentials:
        is_right = await self.hasher.verify(None if found is None else found.password_hash, normalised(password))
        if found is None or not is_right or found.is_disabled:
            raise InvalidCredentialsError
        return found

    async def _sign_in(self, context: Context, known: Credentials, password: str) -> SignedIn:
        """Start the session; the one that the caller had before ends."""
        is_outdated = self.hasher.is_outdated(known.password_hash)
        fresh_hash = await self.hasher.hash(normalised(password)) if is_outdated else None
        now, token, before = self.clock.now(), new_token(), context.principal
        session = new_session(context, known.account_id, token, now)

        async def use_case(work: UnitOfWork) -> None:
            # Checking took a while. A password that was changed meanwhile has ended all sessions, this one too.
            if not await work.accounts.still_holds(known.account_id, known.password_hash):
                raise InvalidCredentialsError
            await work.sessions.insert(session)
            if before is not None:
                await work.sessions.revoke(before.session_id, now)
            if fresh_hash is not None:
                await work.accounts.set_password(known.account_id, fresh_hash, now)

        await self.transactions.run(use_case)
        if before is not None:
            self.ended(before.session_id)
        return _signed_in(await self.accounts.profile(known.account_id), token, session)

    def ended(self, ended: SessionId | AccountId) -> None:
        """Hear that a session, or all of an account, has ended, wherever that happened. Not a checkpoint."""
        self.sessions.forget(ended)
        self.sessions_revoked(ended)


def _checked(draft: RegisterDraft) -> RegisterDraft:
    """Return the draft as it will be kept, or refuse it with the faults of all its fields."""
    faults: list[FieldError] = []
    checked = draft
    try:
        checked = checked_registration(draft)
    except ValidationFailedError as error:
        faults += error.errors
    try:
        check_password(draft.password, email=draft.email, name=draft.name)
    except ValidationFailedError as error:
        if not faults:
            raise
        faults += error.errors
    if faults:
        raise ValidationFailedError(faults)
    return checked


def _new_account(draft: RegisterDraft, password_hash: str, now: datetime) -> NewAccount:
    return NewAccount(
        id=AccountId(new_id(now)),
        inbox_id=ProjectId(new_id(now)),
        email=draft.email,
        email_key=email_key(draft.email),
        name=draft.name,
        password_hash=password_hash,
        time_zone=draft.time_zone,
        created_at=now,
    )


def _principal(account: NewAccount, session: NewSession, *, operator: bool) -> Principal:
    return Principal(
        account_id=account.id,
        session_id=session.id,
        inbox_id=account.inbox_id,
        email=account.email,
        name=account.name,
        time_zone=account.time_zone,
        operator=operator,
    )


def _signed_in(json: str, token: str, session: NewSession) -> SignedIn:
    return SignedIn(
        user_json=json.encode(),
        token=token,
        expires_at=session.expires_at,
        account_id=session.account_id,
        session_id=session.id,
    )


def _succeeded(method: str, signed_in: SignedIn, context: Context) -> None:
    log.info(
        "Somebody signed in.",
        event=f"auth.{method}.succeeded",
        userId=str(signed_in.account_id),
        client=context.address,
        audit=True,
    )


def _failed(method: str, error: TaskError, context: Context, found: Credentials | None) -> None:
    """Say who failed from where, if it is anybody we know; what was typed is not told."""
    log.warning(
        "A sign-in or registration was refused.",
        event=f"auth.{method}.refused",
        userId=None if found is None else str(found.account_id),
        client=context.address,
        audit=True,
        **{"error.type": error.code},
    )
