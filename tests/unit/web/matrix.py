"""Calls made from the endpoint table, so that no route can be forgotten by a test."""

from typing import Any

from app.web.api.endpoint import Auth, Endpoint
from app.web.api.same_origin import SAFE_METHODS
from app.web.api.table import ENDPOINTS
from tests.unit.web.fakes import TASK_ID

CHANGES = [endpoint for endpoint in ENDPOINTS if endpoint.method not in SAFE_METHODS]
WITH_COOKIE = [endpoint for endpoint in CHANGES if endpoint.auth is not Auth.PUBLIC]
SIGNING_IN = [endpoint for endpoint in CHANGES if endpoint.auth is Auth.PUBLIC]
GUARDED = [endpoint for endpoint in ENDPOINTS if endpoint.auth is not Auth.PUBLIC]


def name_of(endpoint: Endpoint) -> str:
    return endpoint.operation


def request_of(endpoint: Endpoint) -> dict[str, Any]:
    """Return the arguments of a call that works."""
    path = endpoint.path.replace("{id}", str(TASK_ID)).replace("{path}", "events.audit")
    request: dict[str, Any] = {"method": endpoint.method, "url": path}
    if endpoint.body is not None:
        request["json"] = endpoint.example
    return request
