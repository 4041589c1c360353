"""For those who watch over Rondo: health, metrics, and the contract itself."""

from typing import Final, TypeAlias

import orjson
import trio

from app.web.answer import Answer
from app.web.api import documents
from app.web.api.bodies import NoQuery
from app.web.api.endpoint import Auth, Backend, Call, Endpoint, Limit

Bare: TypeAlias = Call[None, NoQuery]


async def live(_backend: Backend, _call: Bare) -> Answer:
    """Say that the loop turns. Asks nobody else."""
    await trio.lowlevel.checkpoint()
    return Answer(200, b'{"status":"live"}')


async def ready(backend: Backend, _call: Bare) -> Answer:
    """Say whether every check passes, and which do not."""
    reasons = {name: reason for name, reason in (await backend.health.reasons()).items() if reason is not None}
    body = {"status": "not ready" if reasons else "ready", "reasons": reasons}
    return Answer(503 if reasons else 200, orjson.dumps(body))


async def health(backend: Backend, _call: Bare) -> Answer:
    """Summarise: which build, for how long, and every check."""
    found = await backend.health.reasons()
    failing = any(reason is not None for reason in found.values())
    body = {
        "status": "degraded" if failing else "ok",
        "version": backend.health.version,
        "uptimeSeconds": round(backend.health.uptime_seconds, 3),
        "checks": {name: {"ok": reason is None, "reason": reason} for name, reason in found.items()},
    }
    return Answer(503 if failing else 200, orjson.dumps(body))


async def metrics(backend: Backend, call: Bare) -> Answer:
    """Render the metrics for whoever scrapes them."""
    await trio.lowlevel.checkpoint()
    page, content_type = backend.metrics(call.request.header(b"accept"))
    return Answer(200, page, content_type.encode())


async def openapi(backend: Backend, _call: Bare) -> Answer:
    """Return the contract."""
    await trio.lowlevel.checkpoint()
    return Answer(200, backend.contract)


ENDPOINTS: Final = (
    Endpoint(
        method="GET",
        path="/health",
        handler=health,
        operation="health",
        summary="Everything about the state of the service",
        tag="Operations",
        auth=Auth.PUBLIC,
        limit=Limit.NONE,
        answer=documents.HealthSummary,
        unhealthy=True,
    ),
    Endpoint(
        method="GET",
        path="/health/live",
        handler=live,
        operation="healthLive",
        summary="Whether the process is alive",
        tag="Operations",
        auth=Auth.PUBLIC,
        limit=Limit.NONE,
        answer=documents.Liveness,
    ),
    Endpoint(
        method="GET",
        path="/health/ready",
        handler=ready,
        operation="healthReady",
        summary="Whether the service can do its work, with reasons",
        tag="Operations",
        auth=Auth.PUBLIC,
        limit=Limit.NONE,
        answer=documents.Readiness,
        unhealthy=True,
    ),
    Endpoint(
        method="GET",
        path="/metrics",
        handler=metrics,
        operation="metrics",
        summary="Metrics for Prometheus",
        description="Text, or OpenMetrics where `Accept` asks for it.",
        tag="Operations",
        auth=Auth.PUBLIC,
        limit=Limit.NONE,
        media_type="text/plain",
    ),
    Endpoint(
        method="GET",
        path="/api/openapi.json",
        handler=openapi,
        operation="openapi",
        summary="This contract",
        tag="Operations",
        auth=Auth.PUBLIC,
        limit=Limit.NONE,
        answer=documents.Contract,
    ),
)
