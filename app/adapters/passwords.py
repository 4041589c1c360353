"""Argon2id: slow on purpose, in threads, two at a time."""

import secrets
from typing import Final

import trio
from argon2 import PasswordHasher, Type
from argon2.exceptions import InvalidHashError, VerificationError

from monitoring import metrics

# OWASP: one of t=1 m=46 MiB, t=2 m=19 MiB, t=3 m=12 MiB at the least. About 20 ms on a small machine.
TIME_COST: Final = 2
MEMORY_KIB: Final = 19 * 1024
PARALLELISM: Final = 1
# Bounds the memory to twice 19 MiB and leaves a core to everything else, however many try to sign in.
AT_ONCE: Final = 2


class ArgonHasher:
    """Implements `app.ports.passwords.PasswordHasher`."""

    def __init__(self, *, time_cost: int = TIME_COST, memory_kib: int = MEMORY_KIB) -> None:
        self._argon = PasswordHasher(time_cost=time_cost, memory_cost=memory_kib, parallelism=PARALLELISM, type=Type.ID)
        self._limiter = trio.CapacityLimiter(AT_ONCE)
        metrics.WORKER_POOL_SIZE_MAX.labels("argon2").set(AT_ONCE)
        metrics.WORKER_POOL_SIZE.labels("argon2").set(AT_ONCE)
        metrics.WORKER_POOL_BUSY.labels("argon2").set_function(lambda: self._limiter.borrowed_tokens)
        # Of a password nobody knows: checking against it takes as long as checking against somebody's.
        self._nobody = self._argon.hash(secrets.token_bytes(16))

    async def hash(self, password: str) -> str:
        """See the port."""
        return await trio.to_thread.run_sync(self._argon.hash, _bytes(password), limiter=self._limiter)

    async def verify(self, password_hash: str | None, password: str) -> bool:
        """See the port."""
        known = self._nobody if password_hash is None else password_hash
        is_right = await trio.to_thread.run_sync(self._verify, known, _bytes(password), limiter=self._limiter)
        return is_right and password_hash is not None

    def is_outdated(self, password_hash: str) -> bool:
        """See the port."""
        return self._argon.check_needs_rehash(password_hash)

    def _verify(self, password_hash: str, password: bytes) -> bool:
        try:
            return self._argon.verify(password_hash, password)
        except (VerificationError, InvalidHashError):
            return False


def _bytes(password: str) -> bytes:
    """Encode any text, halves of surrogate pairs included: they make a wrong password, not an error."""
    return password.encode("utf-8", "surrogatepass")
