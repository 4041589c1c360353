"""The API over fake services, called in the process."""

from collections.abc import AsyncIterator, Awaitable, Callable
from typing import TYPE_CHECKING, Any, cast

import httpx2
import pytest
import trio

from app.web.api import Api, create_api
from tests.unit.web.fakes import USER_TOKEN, FakeServices, FixedClock

if TYPE_CHECKING:
    from app.services import Services
    from app.services.operating import OperatingService

Call = Callable[..., Awaitable[httpx2.Response]]


async def _well() -> str | None:
    await trio.lowlevel.checkpoint()
    return None


@pytest.fixture(scope="session")
def made() -> tuple[Api, FakeServices]:
    """Put the API together once: it keeps nothing from one request to the next."""
    services = FakeServices()
    return make_api(services), services


def make_api(services: FakeServices, public_url: str | None = None) -> Api:
    return create_api(
        cast("Services", services),
        clock=FixedClock(),
        checks={"database": _well},
        operating=cast("OperatingService", services.operating),
        public_url=public_url,
    )


@pytest.fixture
def services(made: tuple[Api, FakeServices]) -> FakeServices:
    made[1].reset()
    return made[1]


@pytest.fixture
def api(made: tuple[Api, FakeServices], services: FakeServices) -> Api:
    assert services.calls == []
    return made[0]


@pytest.fixture
def api_by_tls(services: FakeServices) -> Api:
    """Return the API where people come by TLS that ends before it."""
    return make_api(services, "https://rondo.test")


@pytest.fixture
async def http(api: Api) -> AsyncIterator[httpx2.AsyncClient]:
    transport = httpx2.ASGITransport(app=cast("Any", api))
    async with httpx2.AsyncClient(transport=transport, base_url="http://rondo.test", trust_env=False) as client:
        yield client


@pytest.fixture
def call(http: httpx2.AsyncClient) -> Call:
    """Call as a signed-in program; header names are given with underscores."""

    async def call(method: str, path: str, **options: Any) -> httpx2.Response:
        headers = {"authorization": f"Bearer {USER_TOKEN}", **options.pop("headers", {})}
        return await http.request(method, path, headers=headers, **options)

    return call
