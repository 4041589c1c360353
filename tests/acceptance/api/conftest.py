"""People who are signed in to the one Rondo of all tests."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.fixtures.client import Person, client, register

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    import httpx2

    from tests.fixtures.rondo import RondoProcess


@pytest.fixture
async def http(rondo: RondoProcess) -> AsyncIterator[httpx2.AsyncClient]:
    async with client(rondo.url) as http:
        yield http


@pytest.fixture
async def ada(http: httpx2.AsyncClient) -> Person:
    return await register(http)


@pytest.fixture
async def bob(http: httpx2.AsyncClient) -> Person:
    return await register(http)
