"""The password once more, before what cannot be taken back (X06): limited and told like a sign-in."""

from dataclasses import dataclass
from typing import Final

from app.domain.drafts import email_key
from app.domain.errors import NotAuthenticatedError, RateLimitedError, TaskError, WrongPasswordError
from app.domain.passwords import normalised
from app.ports.accounts import AccountReader, Credentials
from app.ports.passwords import PasswordHasher
from app.services.context import Context
from app.services.rate_limits import AttemptLimits
from monitoring import logs, metrics

log = logs.get_logger("auth")

_attempts: Final = {
    outcome: metrics.AUTH_ATTEMPTS_TOTAL.labels("reauthentication", outcome)
    for outcome in ("success", "failure", "limited")
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Reauthentication:
    """Asks somebody who is signed in whether it is really they."""

    accounts: AccountReader
    hasher: PasswordHasher
    limits: AttemptLimits

    async def confirm(self, context: Context, password: str) -> Credentials:
        """Return what is known of the caller, whose password this is.

        Raises:
            WrongPasswordError: It is not.
            RateLimitedError: The address tries too often; sign-ins count too.
        """
        try:
            known = await self._confirm(context, password)
        except TaskError as error:
            _attempts["limited" if isinstance(error, RateLimitedError) else "failure"].inc()
            log.warning(
                "Somebody who is signed in did not prove who they are.",
                event="auth.reauthentication.refused",
                userId=str(context.caller.account_id),
                client=context.address,
                audit=True,
                **{"error.type": error.code},
            )
            raise
        _attempts["success"].inc()
        return known

    async def _confirm(self, context: Context, password: str) -> Credentials:
        key = email_key(context.caller.email)
        await self.limits.sign_in(context.address, key)
        known = await self.accounts.credentials(key)
        if known is None or known.account_id != context.caller.account_id or known.is_disabled:
            raise NotAuthenticatedError
        if not await self.hasher.verify(known.password_hash, normalised(password)):
            raise WrongPasswordError
        await self.limits.signed_in(context.address, key)
        return known
