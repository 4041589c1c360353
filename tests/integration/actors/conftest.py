"""Services and their people on a database of the test's own, so that positions begin at 1."""

import pytest

from app.adapters.postgres import Database
from tests.integration.services.world import World


@pytest.fixture
def house(database: Database) -> World:
    """All services on the test's database."""
    return World(database=database)
