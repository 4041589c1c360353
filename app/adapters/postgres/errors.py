"""Which of asyncpg's errors mean that PostgreSQL cannot be used now, and how to say so without secrets."""

from __future__ import annotations

import asyncpg

from app.ports.database import DatabaseUnavailableError, OutcomeUnknownError

# The connection is gone, or was never made.
LOST = (
    OSError,
    asyncpg.ConnectionDoesNotExistError,
    asyncpg.PostgresConnectionError,
    asyncpg.AdminShutdownError,
    asyncpg.CrashShutdownError,
    asyncpg.DatabaseDroppedError,
    asyncpg.IdleInTransactionSessionTimeoutError,
    asyncpg.InternalClientError,
)
# The connection is fine; PostgreSQL or its machine is not, or took too long. The statement was undone.
BUSY = (
    asyncpg.CannotConnectNowError,
    asyncpg.InsufficientResourcesError,
    asyncpg.LockNotAvailableError,
    asyncpg.QueryCanceledError,
    asyncpg.ReadOnlySQLTransactionError,
)
# PostgreSQL, or asyncpg before it asked, refuses to let us in: settings, not weather.
REFUSED = (
    asyncpg.InvalidAuthorizationSpecificationError,
    asyncpg.InvalidCatalogNameError,
    asyncpg.InsufficientPrivilegeError,
    asyncpg.InterfaceError,
    asyncpg.InvalidParameterValueError,
    asyncpg.UndefinedObjectError,
)


def unavailable(error: BaseException) -> DatabaseUnavailableError:
    """Return the error for a loss after which nothing was written."""
    return DatabaseUnavailableError(f"PostgreSQL cannot be used: {_sentence(error)}")


def outcome_unknown(error: BaseException) -> OutcomeUnknownError:
    """Return the error for a loss after which a write may or may not have happened."""
    return OutcomeUnknownError(f"PostgreSQL was lost while it committed: {_sentence(error)}")


def _sentence(error: BaseException) -> str:
    if isinstance(error, asyncpg.InternalClientError):  # it speaks of asyncpg's own state, which helps nobody
        return "the connection broke"
    text = str(error).strip().splitlines()
    return text[0] if text else type(error).__name__


def sqlstate_class(error: asyncpg.PostgresError) -> str:
    """Return the first two characters of the SQLSTATE."""
    return (error.sqlstate or "XX")[:2]
