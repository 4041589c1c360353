"""Alive, ready, or why not."""

from typing import TYPE_CHECKING, Any, cast

import httpx2
import pytest
import trio

from app.ports.database import DatabaseUnavailableError
from app.web.api import Check, create_api
from app.web.api.creating import METRICS_KEEP_SECONDS, MetricsPages
from app.web.api.health import CHECK_SECONDS, KEEP_SECONDS, Health
from monitoring import metrics
from tests.unit.web.fakes import OPERATOR_TOKEN, USER_TOKEN, FakeOperating, FakeServices, FixedClock

if TYPE_CHECKING:
    from app.services import Services
    from app.services.operating import OperatingService


async def fine() -> str | None:
    await trio.lowlevel.checkpoint()
    return None


async def full() -> str | None:
    await trio.lowlevel.checkpoint()
    return "Less than 100 MB are free."


async def away() -> str | None:
    await trio.lowlevel.checkpoint()
    raise DatabaseUnavailableError("PostgreSQL does not answer.")


async def hangs() -> str | None:
    await trio.sleep_forever()
    raise AssertionError


async def get(path: str, checks: dict[str, Check], token: str | None = None, **options: Any) -> httpx2.Response:
    api = create_api(
        cast("Services", FakeServices()),
        clock=FixedClock(),
        checks=checks,
        operating=cast("OperatingService", FakeOperating(FakeServices())),
        **options,
    )
    headers = {"authorization": f"Bearer {token}"} if token else {}
    transport = httpx2.ASGITransport(app=cast("Any", api))
    async with httpx2.AsyncClient(transport=transport, base_url="http://rondo.test", trust_env=False) as client:
        return await client.get(path, headers=headers)


async def test_alive_asks_nobody() -> None:
    response = await get("/health/live", {"database": hangs})

    assert (response.status_code, response.json()) == (200, {"status": "live"})


async def test_ready_when_every_check_passes() -> None:
    response = await get("/health/ready", {"database": fine, "disk": fine})

    assert (response.status_code, response.json()) == (200, {"status": "ready", "reasons": {}})


async def test_not_ready_says_why() -> None:
    response = await get("/health/ready", {"database": away, "disk": full, "actors": fine})

    assert response.status_code == 503
    assert response.json()["reasons"] == {
        "database": "PostgreSQL does not answer.",
        "disk": "Less than 100 MB are free.",
    }


async def test_the_summary_shows_every_check() -> None:
    response = await get("/health", {"database": fine, "disk": full})

    assert response.status_code == 503
    document = response.json()
    assert document["status"] == "degraded"
    assert document["checks"]["database"] == {"ok": True, "reason": None}
    assert document["checks"]["disk"]["ok"] is False
    assert document["uptimeSeconds"] >= 0


async def test_a_check_that_hangs_fails_in_time(autojump_clock: trio.testing.MockClock) -> None:
    health = Health({"database": hangs, "disk": fine}, "1")

    with trio.fail_after(CHECK_SECONDS + 0.1):
        reasons = await health.reasons()

    assert reasons == {"database": "Did not answer within 1 s.", "disk": None}
    assert autojump_clock.autojump_threshold == 0


async def test_the_checks_are_a_metric() -> None:
    await Health({"disk": full, "actors": fine}, "1").reasons()

    assert metrics.SERVICE_HEALTH_CHECK_STATUS.labels("disk").value == 0
    assert metrics.SERVICE_HEALTH_CHECK_STATUS.labels("actors").value == 1


async def test_many_who_ask_are_served_by_one_look(autojump_clock: trio.testing.MockClock) -> None:
    looks = []

    async def look() -> str | None:
        looks.append(trio.current_time())
        await trio.sleep(0.1)
        return None

    health = Health({"database": look}, "1")
    async with trio.open_nursery() as nursery:
        for _ in range(50):
            nursery.start_soon(health.reasons)
    assert len(looks) == 1

    await trio.sleep(KEEP_SECONDS)
    await health.reasons()
    assert len(looks) == 2
    assert autojump_clock.autojump_threshold == 0


async def test_a_check_with_a_bug_is_an_error_and_not_a_reason() -> None:
    async def broken() -> str | None:
        await trio.lowlevel.checkpoint()
        raise ZeroDivisionError

    assert (await get("/health/ready", {"database": broken})).status_code == 500


@pytest.mark.parametrize(("token", "status"), [(None, 401), (USER_TOKEN, 403), (OPERATOR_TOKEN, 200)])
async def test_metrics_can_be_kept_for_operators(token: str | None, status: int) -> None:
    response = await get("/metrics", {}, token, metrics_for="operator")

    assert response.status_code == status


async def test_metrics_are_open_where_nothing_else_is_said() -> None:
    response = await get("/metrics?name=x", {})

    assert response.headers["content-type"].startswith("text/plain")
    assert b"http_requests_total" in response.content


async def test_metrics_are_rendered_once_a_second(autojump_clock: trio.testing.MockClock) -> None:
    rendered: list[str | None] = []

    def render(accept: str | None) -> tuple[bytes, str]:
        rendered.append(accept)
        return b"page", "text/plain"

    pages = MetricsPages(render)

    assert pages(None) == pages("text/html") == (b"page", "text/plain")
    pages("application/openmetrics-text; version=1.0.0")
    assert rendered == [None, "application/openmetrics-text; version=1.0.0"]

    await trio.sleep(METRICS_KEEP_SECONDS)
    pages(None)
    assert len(rendered) == 3
    assert autojump_clock.autojump_threshold == 0
