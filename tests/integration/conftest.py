"""Integration tests meet a real PostgreSQL."""

from tests.fixtures.postgres import database, empty_postgres_url, module_postgres_url, postgres_server, postgres_url

__all__ = ["database", "empty_postgres_url", "module_postgres_url", "postgres_server", "postgres_url"]
