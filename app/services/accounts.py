"""Use cases around accounts and sessions."""

from app.domain.account import ProfileChanges, RegisterDraft
from app.services.context import Context, Principal
from app.services.results import SignedIn


class AccountService:
    """Registers, signs in and out, knows the profile."""

    async def register(self, context: Context, draft: RegisterDraft) -> SignedIn:
        """Create an account with its Inbox and sign it in; the first one is the operator."""
        raise NotImplementedError

    async def login(self, context: Context, email: str, password: str) -> SignedIn:
        """Start a session."""
        raise NotImplementedError

    async def logout(self, context: Context) -> None:
        """End the caller's session and its sockets."""
        raise NotImplementedError

    async def authenticate(self, token: str) -> Principal | None:
        """Return whose token this is, None if it is nobody's or has ended."""
        raise NotImplementedError

    async def get_profile(self, context: Context) -> bytes:
        """Return the caller's account."""
        raise NotImplementedError

    async def patch_profile(self, context: Context, changes: ProfileChanges) -> bytes:
        """Change the named fields."""
        raise NotImplementedError

    def check_rate(self, context: Context) -> None:
        """Count one API call of the caller. Not a checkpoint.

        Raises:
            RateLimitedError: More calls than RONDO_API_RATE allows in a minute.
        """
        raise NotImplementedError
