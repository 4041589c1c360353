"""What is mine nobody else sees or touches, for every endpoint there is."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from app.web.api.endpoint import Auth, Endpoint
from app.web.api.table import ENDPOINTS

if TYPE_CHECKING:
    import httpx2

    from tests.fixtures.client import Person

# What operators may do they may do with everything.
WITH_ID = [endpoint for endpoint in ENDPOINTS if "{id}" in endpoint.path and endpoint.auth is Auth.USER]
GUARDED = [endpoint for endpoint in ENDPOINTS if endpoint.auth is not Auth.PUBLIC]
UNKNOWN = "0192f0c1-2345-7abc-8def-0123456789ab"
SAME = {"x_request_id": "same"}


def body_of(endpoint: Endpoint) -> Any:
    return None if endpoint.body is None else dict(endpoint.example or {})


async def thing_of(person: Person, endpoint: Endpoint) -> str:
    """Create what the endpoint's id can name, and return its path."""
    task = await person.create("mine", dueDate="2030-01-01")
    thing = task["id"]
    if endpoint.path.startswith("/api/reminders"):
        response = await person.call("POST", f"/api/tasks/{task['id']}/reminders", {"before": "PT15M"})
        assert response.status_code == 201, response.text
        thing = response.json()["id"]
    return endpoint.path.replace("{id}", thing)


@pytest.mark.accepts("X12")
async def test_what_is_foreign_is_not_there(ada: Person, bob: Person) -> None:
    for endpoint in WITH_ID:
        mine = await thing_of(ada, endpoint)
        before = await ada.get("/api/tasks")
        paths = [mine, *(endpoint.path.replace("{id}", name) for name in (UNKNOWN, "nothing"))]

        answers = [await bob.call(endpoint.method, path, body_of(endpoint), **SAME) for path in paths]

        assert {answer.status_code for answer in answers} == {404}, endpoint.operation
        assert len({answer.content for answer in answers}) == 1, endpoint.operation
        assert await ada.get("/api/tasks") == before


@pytest.mark.accepts("X05", "X12")
async def test_a_token_that_was_signed_out_opens_nothing(http: httpx2.AsyncClient, ada: Person) -> None:
    task = await ada.create("mine")
    signed_out = await ada.call("POST", "/api/auth/logout")
    nobody = {"x-request-id": "same"}

    assert signed_out.status_code == 204
    for endpoint in GUARDED:
        path = endpoint.path.replace("{id}", task["id"])
        revoked = await ada.call(endpoint.method, path, body_of(endpoint), **SAME)
        anonymous = await http.request(endpoint.method, path, json=body_of(endpoint), headers=nobody)

        assert revoked.status_code == anonymous.status_code == 401, endpoint.operation


async def test_lists_and_the_trail_show_what_is_mine(ada: Person, bob: Person) -> None:
    task = await ada.create("mine", tags=["secret"])

    for path in ("/api/tasks", "/api/tasks?search=mine", "/api/tasks?tags=secret", "/api/audit"):
        assert task["id"] not in str(await bob.get(path))


@pytest.mark.accepts("X05", "X09")
async def test_a_browser_is_guarded_from_other_sites(http: httpx2.AsyncClient) -> None:
    person = {"email": "cookie@example.org", "password": "correct horse battery staple 7"}
    assert (await http.post("/api/auth/register", json=person)).status_code == 201

    foreign = await http.post("/api/tasks", json={"title": "x"}, headers={"sec-fetch-site": "cross-site"})
    silent = await http.post("/api/tasks", json={"title": "x"})
    own = await http.post("/api/tasks", json={"title": "x"}, headers={"origin": str(http.base_url).rstrip("/")})

    assert (foreign.status_code, silent.status_code, own.status_code) == (403, 403, 201)
    assert (await http.get("/api/me")).json()["email"] == "cookie@example.org"
    gone = await http.post("/api/auth/logout", headers={"sec-fetch-site": "same-origin"})
    assert gone.status_code == 204
    assert (await http.get("/api/me")).status_code == 401
