"""One database for the tests of a module; each test brings people of its own."""

import pytest
import trio

from app.adapters.postgres import Database
from tests.integration.services.world import World


@pytest.fixture
async def world(module_postgres_url: str, nursery: trio.Nursery) -> World:
    pool = Database(module_postgres_url, size=5, name="test")
    await nursery.start(pool.run)
    return World(database=pool)
