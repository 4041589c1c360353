"""The simulated database is compared with a real PostgreSQL."""

from tests.fixtures.postgres import database, postgres_server, postgres_url

__all__ = ["database", "postgres_server", "postgres_url"]
