"""The driver, the pool, the migrator and the embedded server on real PostgreSQL."""
