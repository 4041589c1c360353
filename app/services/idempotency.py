"""A request with an `Idempotency-Key` is done once and answered as often as it is asked.

The key is taken in the transaction that does the work: a twin at the same time waits for it and gets its answer, and
when it fails the key is free again, so refusals are not remembered.
"""

from collections.abc import Awaitable, Callable
from datetime import datetime

from app.domain.errors import IdempotencyMismatchError
from app.ports.idempotency import KeptAnswer
from app.ports.unit_of_work import UnitOfWork
from app.services.context import Context
from app.services.results import Stored


async def once(work: UnitOfWork, context: Context, now: datetime, use_case: Callable[[], Awaitable[Stored]]) -> Stored:
    """Return the answer of the use case, or the one that an earlier request of the same key got.

    Raises:
        IdempotencyMismatchError: The key was used for a different request.
    """
    promise = context.idempotency
    if promise is None:
        return await use_case()
    account_id = context.caller.account_id
    kept = await work.idempotency.claim(account_id, promise.key, promise.request_hash, now)
    if kept is None:
        answer = await use_case()
        kept = KeptAnswer(
            request_hash=promise.request_hash, json=answer.json.decode(), version=answer.version, id=answer.id
        )
        await work.idempotency.keep(account_id, promise.key, kept)
        return answer
    if kept.request_hash != promise.request_hash:
        raise IdempotencyMismatchError
    return Stored(json=kept.json.encode(), version=kept.version, id=kept.id, replayed=True)
