"""Who may call what, for every endpoint there is."""

import httpx2
import pytest

from app.web.api.endpoint import Auth, Endpoint
from app.web.api.table import ENDPOINTS
from tests.unit.web.fakes import ENDED_TOKEN, OPERATOR_TOKEN, USER_TOKEN, FakeServices
from tests.unit.web.matrix import GUARDED, name_of, request_of

# What each kind of caller gets from an endpoint for each kind of people; 0: what the endpoint itself answers.
EXPECTED = {
    (Auth.PUBLIC, None): 0,
    (Auth.PUBLIC, ENDED_TOKEN): 0,
    (Auth.PUBLIC, USER_TOKEN): 0,
    (Auth.PUBLIC, OPERATOR_TOKEN): 0,
    (Auth.USER, None): 401,
    (Auth.USER, ENDED_TOKEN): 401,
    (Auth.USER, USER_TOKEN): 0,
    (Auth.USER, OPERATOR_TOKEN): 0,
    (Auth.OPERATOR, None): 401,
    (Auth.OPERATOR, ENDED_TOKEN): 401,
    (Auth.OPERATOR, USER_TOKEN): 403,
    (Auth.OPERATOR, OPERATOR_TOKEN): 0,
}


@pytest.mark.accepts("X12")
@pytest.mark.parametrize(
    "token", [None, ENDED_TOKEN, USER_TOKEN, OPERATOR_TOKEN], ids=["nobody", "ended", "user", "operator"]
)
@pytest.mark.parametrize("endpoint", ENDPOINTS, ids=name_of)
async def test_each_caller_gets_what_is_theirs(http: httpx2.AsyncClient, endpoint: Endpoint, token: str | None) -> None:
    headers = {} if token is None else {"authorization": f"Bearer {token}"}

    response = await http.request(**request_of(endpoint), headers=headers)

    assert response.status_code == (EXPECTED[endpoint.auth, token] or endpoint.success), response.text


@pytest.mark.accepts("X12")
@pytest.mark.parametrize("endpoint", GUARDED, ids=name_of)
async def test_nobody_learns_anything_about_bodies_and_ids(
    http: httpx2.AsyncClient, services: FakeServices, endpoint: Endpoint
) -> None:
    request = request_of(endpoint) | {"json": None, "content": b"{"}

    right = await http.request(**request, headers={"x-request-id": "same"})
    wrong = await http.request(**request | {"url": f"{request['url']}?nothing=1"}, headers={"x-request-id": "same"})

    assert right.status_code == wrong.status_code == 401
    assert right.content == wrong.content
    assert services.calls == []


def test_only_these_are_for_everybody() -> None:
    public = {endpoint.path for endpoint in ENDPOINTS if endpoint.auth is Auth.PUBLIC}

    assert public == {
        "/api/auth/register",
        "/api/auth/login",
        "/api/openapi.json",
        "/health",
        "/health/live",
        "/health/ready",
        "/metrics",
    }
