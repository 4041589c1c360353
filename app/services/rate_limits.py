"""How often somebody may try: sign-ins and registrations in the database, API calls in memory.

Nobody can lock anybody else out. Only what an address does itself is refused; when an account is tried from all over
the world, its sign-ins become slow, for everybody the same, and stay possible.
"""

import hashlib
import math
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

import trio

from app.domain.addresses import place
from app.domain.errors import RateLimitedError
from app.domain.ids import AccountId
from app.ports.clock import Clock
from app.ports.rate_limits import Rate, RateLimits

MINUTE, HOUR = 60.0, 3600.0
PER_ACCOUNT_AND_ADDRESS: Final = Rate(count=5, period_seconds=MINUTE)
PER_ACCOUNT: Final = Rate(count=100, period_seconds=HOUR)
# What an account's sign-ins cost when it is tried too often: doubled with every few attempts too many, up to a limit
# that a person still waits for.
FIRST_DELAY_SECONDS, LONGEST_DELAY_SECONDS = 0.25, 8.0
ATTEMPTS_PER_DOUBLING: Final = 5
# Enough for the longest delay; more would only make it last.
MOST_OVERRUN: Final = 40
# Accounts whose calls are counted in memory, before those with nothing to count are let go.
MOST_COUNTED: Final = 10_000


@dataclass(frozen=True, slots=True, kw_only=True)
class AttemptLimits:
    """Limits sign-ins and registrations; survives restarts, holds for all processes together.

    Attributes:
        per_minute: Attempts per minute and address, sign-ins and registrations each.
    """

    limits: RateLimits
    clock: Clock
    per_minute: int = 20

    async def sign_in(self, address: str, email_key: str) -> None:
        """Count a sign-in, and wait if the account is tried too often.

        Raises:
            RateLimitedError: The address tries too often, in all or for this account.
        """
        await self._take(f"sign-in address {place(address)}", self._per_address, "address")
        await self._take(_account_key(address, email_key), PER_ACCOUNT_AND_ADDRESS, "account")
        key = f"sign-in account {_digest(email_key)}"
        excess = await self.limits.overrun(key, PER_ACCOUNT, self.clock.now(), MOST_OVERRUN)
        if excess:
            await trio.sleep(delay_seconds(excess))

    async def signed_in(self, address: str, email_key: str) -> None:
        """Forget the failures of somebody who has proved to be who they are."""
        await self.limits.clear(_account_key(address, email_key))

    async def register(self, address: str) -> None:
        """Count a registration.

        Raises:
            RateLimitedError: The address registers too often.
        """
        await self._take(f"register address {place(address)}", self._per_address, "address")

    @property
    def _per_address(self) -> Rate:
        return Rate(count=self.per_minute, period_seconds=MINUTE)

    async def _take(self, key: str, rate: Rate, scope: str) -> None:
        seconds = await self.limits.take(key, rate, self.clock.now())
        if seconds > 0:
            raise RateLimitedError(max(math.ceil(seconds), 1), scope)


@dataclass(slots=True, kw_only=True)
class CallLimit:
    """Limits API calls per account in this process (GCRA). `per_minute` None: no limit."""

    clock: Clock
    per_minute: int | None = None
    _arrivals: dict[AccountId, datetime] = field(default_factory=dict)

    def take(self, account_id: AccountId) -> None:
        """Count one call. Not a checkpoint.

        Raises:
            RateLimitedError: One more than allowed.
        """
        if self.per_minute is None:
            return
        now = self.clock.now()
        spacing = timedelta(seconds=MINUTE / self.per_minute)
        latest = now + timedelta(seconds=MINUTE)  # there can be a later one when the clock was set back
        arrival = min(max(self._arrivals.get(account_id, now), now), latest) + spacing
        too_early = (arrival - now).total_seconds() - MINUTE
        if too_early > 0:
            raise RateLimitedError(max(math.ceil(too_early), 1), "user")
        self._arrivals[account_id] = arrival
        if len(self._arrivals) > MOST_COUNTED:
            self._arrivals = {account: instant for account, instant in self._arrivals.items() if instant > now}


def delay_seconds(excess: int) -> float:
    """Return how long a sign-in waits when an account was tried so many times too often."""
    delay: float = FIRST_DELAY_SECONDS * 2 ** (excess / ATTEMPTS_PER_DOUBLING)
    return min(delay, LONGEST_DELAY_SECONDS)


def _account_key(address: str, email_key: str) -> str:
    return f"sign-in account {_digest(email_key)} address {place(address)}"


def _digest(email_key: str) -> str:
    """Return a key that does not say whose it is."""
    return hashlib.sha256(email_key.encode("utf-8", "surrogatepass")).hexdigest()
