"""Hashing passwords slowly, as a port."""

from typing import Protocol


class PasswordHasher(Protocol):
    """Argon2id in threads, so few at a time that memory stays bounded."""

    async def hash(self, password: str) -> str:
        """Return the hash with its parameters, in PHC form."""
        ...

    async def verify(self, password_hash: str | None, password: str) -> bool:
        """Return whether the password belongs to the hash. For None it takes as long, and is False."""
        ...

    def is_outdated(self, password_hash: str) -> bool:
        """Return whether a hash was made with weaker parameters than today's. Not a checkpoint."""
        ...
