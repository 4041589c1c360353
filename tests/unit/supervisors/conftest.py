"""A world for every test, under virtual time."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.fixtures.virtual_time import pytest_itemcollected
from tests.unit.monitoring.conftest import kept, lines, value
from tests.unit.supervisors.probes import World

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

__all__ = ["kept", "lines", "pytest_itemcollected", "value", "world"]


@pytest.fixture
async def world() -> AsyncIterator[World]:
    world = World()
    yield world
    assert world.violations == []
