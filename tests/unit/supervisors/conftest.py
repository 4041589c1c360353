"""A world for every test, under virtual time."""

from __future__ import annotations

import pytest

from tests.fixtures.virtual_time import pytest_itemcollected
from tests.unit.supervisors.probes import World

__all__ = ["pytest_itemcollected", "world"]


@pytest.fixture
async def world() -> World:
    return World()
