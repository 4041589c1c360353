"""Numbered SQL files; `app.adapters.postgres.migrator` applies them."""
