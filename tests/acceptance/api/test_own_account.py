"""Sessions, password, export and the end of an account, over HTTP and the WebSocket."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
import trio
from trio_websocket import ConnectionClosed

from app.web.api import documents
from tests.acceptance.api.test_documents import differences
from tests.fixtures.client import PASSWORD, Listener, Person, listening, register

if TYPE_CHECKING:
    import httpx2

    from tests.fixtures.rondo import RondoProcess

NEW_PASSWORD = "nine stubborn penguins at noon"


@pytest.mark.accepts("X05")
async def test_a_session_that_is_ended_loses_its_socket_and_the_others_keep_theirs(
    http: httpx2.AsyncClient, rondo: RondoProcess, ada: Person
) -> None:
    phone = await _sign_in(http, ada)
    listed = await ada.get("/api/me/sessions")
    async with (
        listening(rondo.websocket_url, ada.token) as here,
        listening(rondo.websocket_url, phone.token) as there,
    ):
        response = await ada.call("DELETE", f"/api/me/sessions/{listed['items'][1]['id']}")

        assert (response.status_code, await _closed_with(there)) == (204, 4401)
        await ada.create("Still live")
        assert (await here.next())["type"] == "task.created"
    assert differences(listed, documents.SessionList) == []
    assert [item["current"] for item in listed["items"]] == [True, False]
    assert (await phone.call("GET", "/api/me")).status_code == 401


async def test_signing_out_everywhere_else_keeps_this_session(http: httpx2.AsyncClient, ada: Person) -> None:
    others = [await _sign_in(http, ada) for _ in range(2)]

    response = await ada.call("DELETE", "/api/me/sessions")

    assert response.status_code == 204
    assert [(await other.call("GET", "/api/me")).status_code for other in others] == [401, 401]
    assert len((await ada.get("/api/me/sessions"))["items"]) == 1


async def test_a_foreign_and_an_unknown_session_are_the_same(ada: Person, bob: Person) -> None:
    [foreign] = (await bob.get("/api/me/sessions"))["items"]
    unknown = "0192f0c1-2345-7abc-8def-0123456789ab"

    answers = [
        await ada.call("DELETE", f"/api/me/sessions/{name}", x_request_id="same")
        for name in (foreign["id"], unknown, "none")
    ]

    assert [answer.status_code for answer in answers] == [404, 404, 404]
    assert len({answer.content for answer in answers}) == 1
    assert (await bob.call("GET", "/api/me")).status_code == 200


async def test_ending_ones_own_session_takes_the_cookie_too(ada: Person) -> None:
    [own] = (await ada.get("/api/me/sessions"))["items"]

    response = await ada.call("DELETE", f"/api/me/sessions/{own['id']}")

    assert response.status_code == 204
    assert response.headers["set-cookie"].startswith("rondo_session=; Path=/; Max-Age=0")


@pytest.mark.accepts("X05")
async def test_a_new_password_brings_a_new_token_and_ends_everything_old(
    http: httpx2.AsyncClient, rondo: RondoProcess, ada: Person
) -> None:
    other = await _sign_in(http, ada)
    async with (
        listening(rondo.websocket_url, ada.token) as own,
        listening(rondo.websocket_url, other.token) as others,
    ):
        body = {"currentPassword": PASSWORD, "newPassword": NEW_PASSWORD}
        response = await ada.call("POST", "/api/me/password", body)

        assert (await _closed_with(own), await _closed_with(others)) == (4401, 4401)
    assert response.status_code == 200
    assert differences(response.json(), documents.Session) == []
    token = response.json()["token"]
    assert response.headers["set-cookie"].startswith(f"rondo_session={token};")
    assert [(await each.call("GET", "/api/me")).status_code for each in (ada, other)] == [401, 401]
    renewed = Person(http=http, email=ada.email, user=ada.user, token=token)
    assert (await renewed.get("/api/me"))["email"] == ada.email
    assert (await _login(http, ada.email, PASSWORD)).status_code == 401
    assert (await _login(http, ada.email, NEW_PASSWORD)).status_code == 200


@pytest.mark.accepts("X06")
@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("POST", "/api/me/password", {"currentPassword": "not it at all", "newPassword": NEW_PASSWORD}),
        ("DELETE", "/api/me", {"password": "not it at all"}),
    ],
)
async def test_what_cannot_be_taken_back_needs_the_password(
    ada: Person, method: str, path: str, body: dict[str, str]
) -> None:
    refused = [(await ada.call(method, path, body)) for _ in range(6)]

    assert [(answer.status_code, answer.json()["code"]) for answer in refused] == [(403, "wrong_password")] * 5 + [
        (429, "rate_limited")
    ]
    assert int(refused[-1].headers["retry-after"]) > 0
    assert (await ada.call("GET", "/api/me")).status_code == 200


async def test_a_new_password_that_is_not_good_enough_is_refused_by_its_name(ada: Person) -> None:
    answer = await ada.call("POST", "/api/me/password", {"currentPassword": PASSWORD, "newPassword": "password1"})

    assert (answer.status_code, answer.json()["code"]) == (422, "password_refused")
    assert [error["field"] for error in answer.json()["errors"]] == ["newPassword"]


@pytest.mark.accepts("X27")
async def test_an_export_is_one_file_with_everything(ada: Person, bob: Person) -> None:
    for number in range(3):
        await ada.create(f"Task {number}", description="Grün ist die Farbe der Hoffnung. ☘" * 200)
    await bob.create("Not hers")

    answer = await ada.call("GET", "/api/me/export")
    head = await ada.call("HEAD", "/api/me/export")

    assert answer.headers["content-disposition"] == 'attachment; filename="rondo-export.json"'
    assert (answer.headers["content-type"], answer.headers["cache-control"]) == ("application/json", "no-store")
    document: dict[str, Any] = answer.json()
    assert differences(document, documents.Export) == []
    assert [task["title"] for task in document["tasks"]] == ["Task 0", "Task 1", "Task 2"]
    assert document["account"]["email"] == ada.email
    assert "Not hers" not in answer.text
    assert (head.status_code, head.content) == (200, b"")


@pytest.mark.accepts("X27")
async def test_a_deleted_account_is_gone_at_once_and_the_address_is_free(
    http: httpx2.AsyncClient, rondo: RondoProcess, ada: Person, bob: Person
) -> None:
    task = await bob.create("To be forgotten")
    async with listening(rondo.websocket_url, bob.token) as socket:
        answer = await bob.call("DELETE", "/api/me", {"password": PASSWORD})

        assert (answer.status_code, await _closed_with(socket)) == (204, 4401)
    assert answer.headers["set-cookie"].startswith("rondo_session=; Path=/; Max-Age=0")
    assert (await bob.call("GET", f"/api/tasks/{task['id']}")).status_code == 401
    assert (await _login(http, bob.email, PASSWORD)).status_code == 401
    assert (await ada.call("POST", "/api/audit/verify")).json()["ok"] is True
    again = await register(http, bob.email)
    assert await again.titles() == []


async def test_a_patch_merges_into_the_quiet_hours(ada: Person) -> None:
    await ada.call("PATCH", "/api/me", {"quietHours": {"from": "22:00", "to": "07:00"}})

    changed = await ada.call("PATCH", "/api/me", {"quietHours": {"to": "06:30"}})
    off = await ada.call("PATCH", "/api/me", {"quietHours": None})
    half = await ada.call("PATCH", "/api/me", {"quietHours": {"to": "06:30"}})

    assert changed.json()["quietHours"] == {"from": "22:00", "to": "06:30"}
    assert off.json()["quietHours"] is None
    assert [error["field"] for error in half.json()["errors"]] == ["quietHours.from"]


async def _sign_in(http: httpx2.AsyncClient, person: Person) -> Person:
    response = await _login(http, person.email, PASSWORD)
    return Person(http=http, email=person.email, user=person.user, token=response.json()["token"])


async def _login(http: httpx2.AsyncClient, email: str, password: str) -> httpx2.Response:
    response = await http.post("/api/auth/login", json={"email": email, "password": password})
    http.cookies.clear()
    return response


async def _closed_with(listener: Listener) -> int:
    with trio.fail_after(5):
        while True:
            try:
                await listener.socket.get_message()
            except ConnectionClosed as closed:
                return int(closed.reason.code) if closed.reason else 1006
