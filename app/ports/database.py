"""What the inside is told when PostgreSQL cannot help. Every other database error stays in the adapter."""


class DatabaseUnavailableError(Exception):
    """PostgreSQL cannot be used now; nothing was written. The web answers 503 and the client tries again.

    Attributes:
        reason: One sentence without secrets, fit for readiness pages and log lines.
    """

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class OutcomeUnknownError(DatabaseUnavailableError):
    """The connection was lost while a write was being committed: it happened, or it did not.

    Never acknowledge such a write, and never repeat it blindly. A client that repeats the request with the same
    Idempotency-Key gets the truth.
    """
