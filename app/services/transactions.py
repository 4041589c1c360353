"""Runs use cases as transactions, again when two stood in each other's way, and rings when there is news."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from random import SystemRandom
from typing import Final, TypeVar

import trio

from app.ports.unit_of_work import TransactionConflictError, UnitOfWork, UnitOfWorkFactory
from monitoring import metrics

_T = TypeVar("_T")

# A second conflict is rare, a third is a sign that waiting would not help.
MOST_RETRIES: Final = 2
# Long enough for the other one to commit; spread, so that the same two do not meet again.
SHORTEST_PAUSE_SECONDS, LONGEST_PAUSE_SECONDS = 0.005, 0.05
# Each statement has a shorter limit of its own; this one bounds them all together.
LONGEST_SECONDS: Final = 30.0

_random = SystemRandom()
_retried = metrics.DATABASE_TRANSACTIONS_TOTAL.labels("retry")


@dataclass(frozen=True, slots=True)
class Transactions:
    """Runs use cases.

    Attributes:
        begin: Begins a unit of work.
        bell: Called after a commit that left events behind, and perhaps reminders. Must not wait.
    """

    begin: UnitOfWorkFactory
    bell: Callable[[], None]

    async def run(self, use_case: Callable[[UnitOfWork], Awaitable[_T]]) -> _T:
        """Run a use case in a transaction of its own, up to three times if transactions collide.

        Raises:
            TransactionConflictError: They collided every time.
            trio.TooSlowError: It took longer than `LONGEST_SECONDS`, and may or may not have been done.
        """
        with trio.fail_after(LONGEST_SECONDS):
            return await self._until_it_does_not_collide(use_case)

    async def _until_it_does_not_collide(self, use_case: Callable[[UnitOfWork], Awaitable[_T]]) -> _T:
        for _ in range(MOST_RETRIES):
            try:
                return await self._once(use_case)
            except TransactionConflictError:
                _retried.inc()
            await trio.sleep(_random.uniform(SHORTEST_PAUSE_SECONDS, LONGEST_PAUSE_SECONDS))
        return await self._once(use_case)

    async def _once(self, use_case: Callable[[UnitOfWork], Awaitable[_T]]) -> _T:
        async with self.begin() as work:
            result = await use_case(work)
        if work.recorded:
            self.bell()
        return result
