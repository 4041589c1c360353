"""The API over fake services, called in the process."""

from collections.abc import AsyncIterator, Awaitable, Callable
from typing import TYPE_CHECKING, Any, cast

import httpx
import pytest
import trio

from app.web.api import Api, create_api
from tests.unit.web.fakes import USER_TOKEN, FakeServices, FixedClock

if TYPE_CHECKING:
    from app.services import Services

Call = Callable[..., Awaitable[httpx.Response]]


async def _well() -> str | None:
    await trio.lowlevel.checkpoint()
    return None


@pytest.fixture
def services() -> FakeServices:
    return FakeServices()


@pytest.fixture
def api(services: FakeServices) -> Api:
    return create_api(
        cast("Services", services), clock=FixedClock(), checks={"database": _well}, actors=lambda: b'{"id":"root"}'
    )


@pytest.fixture
async def http(api: Api) -> AsyncIterator[httpx.AsyncClient]:
    transport = httpx.ASGITransport(app=cast("Any", api))
    async with httpx.AsyncClient(transport=transport, base_url="http://rondo.test") as client:
        yield client


@pytest.fixture
def call(http: httpx.AsyncClient) -> Call:
    """Call as a signed-in program; header names are given with underscores."""

    async def call(method: str, path: str, **options: Any) -> httpx.Response:
        headers = {"authorization": f"Bearer {USER_TOKEN}", **options.pop("headers", {})}
        return await http.request(method, path, headers=headers, **options)

    return call
