"""Puts the API together from what it calls and what is configured."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Final, Literal

import trio

from app.ports.clock import Clock
from app.services import Services
from app.services.operating import OperatingService
from app.version import VERSION
from app.web.api import openapi
from app.web.api.application import Api
from app.web.api.credentials import SessionCookies
from app.web.api.endpoint import Auth, Backend
from app.web.api.health import Check, Health
from app.web.api.table import ENDPOINTS
from monitoring import metrics

Page = tuple[bytes, str]

# However many scrape, the page is rendered once a second.
METRICS_KEEP_SECONDS: Final = 1.0


def create_api(
    services: Services,
    *,
    clock: Clock,
    checks: Mapping[str, Check],
    operating: OperatingService,
    public_url: str | None = None,
    metrics_for: Literal["public", "operator"] = "public",
) -> Api:
    """Return the ASGI application for `/api/*`, `/health*` and `/metrics`.

    Args:
        services: The use cases.
        clock: For the time in request ids.
        checks: What must hold to be ready; each returns None, or a sentence that says what is wrong.
        operating: What operators do.
        public_url: The address people use, if it is not the one requests name.
        metrics_for: Who may read `/metrics`.
    """
    auth = Auth.OPERATOR if metrics_for == "operator" else Auth.PUBLIC
    table = tuple(replace(row, auth=auth) if row.path == "/metrics" else row for row in ENDPOINTS)
    contract, cookies = openapi.document(table), SessionCookies.at(public_url)
    backend = Backend(services, Health(checks, VERSION), operating, MetricsPages(), contract, cookies)
    return Api(table, backend, clock, public_url)


class MetricsPages:
    """Renders the metrics, and keeps each format for a second."""

    def __init__(self, render: Callable[[str | None], Page] = metrics.render) -> None:
        self._render = render
        self._pages: dict[bool, tuple[float, Page]] = {}

    def __call__(self, accept: str | None) -> Page:
        """Return the page in the format that `accept` asks for, and its content type. Not a checkpoint."""
        is_open = "application/openmetrics-text" in (accept or "")
        rendered_at, page = self._pages.get(is_open, (float("-inf"), (b"", "")))
        if trio.current_time() - rendered_at >= METRICS_KEEP_SECONDS:
            page = self._render(accept)
            self._pages[is_open] = (trio.current_time(), page)
        return page
