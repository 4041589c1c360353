"""What the inside is told when PostgreSQL cannot help. Every other database error stays in the adapter."""


class DatabaseUnavailableError(Exception):
    """PostgreSQL cannot be used now; nothing was written. The web answers 503 and the client tries again.

    Attributes:
        reason: One sentence without secrets and addresses, fit for readiness pages, which anyone may read.

    ``str()`` also says which server it is about, for whoever set it up.
    """

    def __init__(self, reason: str, server: str = "") -> None:
        super().__init__(f"{reason} (server: {server})" if server else reason)
        self.reason = reason


class OutcomeUnknownError(DatabaseUnavailableError):
    """The connection was lost while a write was being committed: it happened, or it did not.

    Never acknowledge such a write, and never repeat it blindly. A client that repeats the request with the same
    Idempotency-Key gets the truth.
    """
