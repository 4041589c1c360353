"""The use case that ends an account."""

from collections.abc import Callable
from dataclasses import dataclass

from app.domain.errors import LastOperatorError, WrongPasswordError
from app.domain.ids import AccountId, SessionId
from app.ports.clock import Clock
from app.ports.unit_of_work import UnitOfWork
from app.services.context import Context
from app.services.reauthentication import Reauthentication
from app.services.transactions import Transactions
from monitoring import logs, tracing

log = logs.get_logger("auth")


@dataclass(frozen=True, slots=True, kw_only=True)
class LeavingService:
    """Removes accounts, with everything that is nobody else's.

    Attributes:
        ended: Told of the account all of whose sessions ended. Must not wait.
    """

    reauthentication: Reauthentication
    transactions: Transactions
    clock: Clock
    ended: Callable[[SessionId | AccountId], None]

    async def delete_account(self, context: Context, password: str) -> None:
        """Remove the caller's account: profile, tasks, reminders, deliveries, sessions, events, and its audit chain.

        Of the chain stays that it was there (see docs/accounts.md), so that the other chains verify and nobody can
        take one away unseen.

        Raises:
            WrongPasswordError: The password is another one.
            LastOperatorError: There would be accounts and nobody to look after them.
            RateLimitedError: The address tries too often.
        """
        with tracing.span("account.delete"):
            known = await self.reauthentication.confirm(context, password)
            account_id, now = context.caller.account_id, self.clock.now()

            async def use_case(work: UnitOfWork) -> None:
                if await work.leaving.is_last_operator(account_id):
                    raise LastOperatorError
                if not await work.accounts.still_holds(account_id, known.password_hash):
                    raise WrongPasswordError
                await work.leaving.forget(account_id, now)

            await self.transactions.run(use_case)
        self.ended(account_id)
        log.info("An account was deleted.", event="auth.account.deleted", userId=str(account_id), audit=True)
