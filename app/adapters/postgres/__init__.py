"""PostgreSQL: asyncpg driven by trio, a pool, migrations and an embedded server. See docs/postgres.md."""

from app.adapters.postgres.connection import Connection, Savepoint, Transaction
from app.adapters.postgres.database import Database
from app.adapters.postgres.migrator import MigrationError, migrate

__all__ = ["Connection", "Database", "MigrationError", "Savepoint", "Transaction", "migrate"]
