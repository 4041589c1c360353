"""Every endpoint, from the bytes of the request to the arguments of its use case and back."""

from typing import Any

import httpx2
import pytest
import trio
from msgspec import structs

from app.domain.account import ProfileChanges
from app.domain.errors import NotFoundError, RateLimitedError, RegistrationClosedError
from app.domain.reminder import ReminderDraft
from app.domain.task import TaskChanges, TaskDraft
from app.web.api import Api, documents
from monitoring import metrics
from tests.unit.web.conftest import Call, make_api
from tests.unit.web.fakes import ENDED_TOKEN, NOW, OPERATOR_TOKEN, TASK_ID, USER, USER_TOKEN, FakeServices

TASK = f"/api/tasks/{TASK_ID}"
FULL: dict[str, Any] = {
    "title": "a",
    "description": "",
    "priority": "low",
    "tags": [],
    "dueDate": None,
    "timeZone": None,
    "recurrence": None,
}


async def test_creating_a_task_says_where_it_is_and_which_version(call: Call, services: FakeServices) -> None:
    response = await call("POST", "/api/tasks", json={"title": "a"})

    assert response.status_code == 201
    assert response.headers["location"] == TASK
    assert response.headers["etag"] == '"7"'
    assert services.last[1] == TaskDraft(title="a")


async def test_the_context_says_who_asks_and_how(call: Call, services: FakeServices) -> None:
    headers = {"x-request-id": "my-id.1", "user-agent": "curl/8\t☃".encode(), "idempotency-key": "k"}

    await call("POST", "/api/tasks", json={"title": "a"}, headers=headers)

    context = services.context
    assert context.principal == USER
    assert context.request_id == "my-id.1"
    assert context.address == "127.0.0.1"
    assert context.client.startswith("curl/8")
    assert context.traceparent is not None
    assert context.idempotency is not None
    assert context.idempotency.key == "k"


async def test_get_answers_304_when_the_caller_has_it(call: Call) -> None:
    fresh = await call("GET", TASK, headers={"if-none-match": 'W/"7"'})
    stale = await call("GET", TASK, headers={"if-none-match": '"6"'})

    assert (fresh.status_code, fresh.content, fresh.headers["etag"]) == (304, b"", '"7"')
    assert stale.status_code == 200


async def test_head_is_a_get_without_its_body(call: Call) -> None:
    response = await call("HEAD", TASK)

    assert (response.status_code, response.content) == (200, b"")
    assert response.headers["content-length"] == "10"


async def test_lists_take_their_query(call: Call, services: FakeServices) -> None:
    response = await call("GET", "/api/tasks?limit=3&tags=a,b&search=%C3%A9t%C3%A9+x")

    assert response.status_code == 200
    query = services.last[1]
    assert (query.limit, query.tags, query.search) == (3, ("a", "b"), "été x")


async def test_a_tag_with_a_comma_can_be_asked_for(call: Call, services: FakeServices) -> None:
    response = await call("GET", "/api/tasks", params={"tags": r"red\, green,home"})

    assert response.status_code == 200
    assert services.last[1].tags == ("red, green", "home")


@pytest.mark.parametrize(
    ("query", "status", "field"),
    [
        ("limit=1&limit=2", 422, "limit"),
        ("page=2", 422, "page"),
        ("limit=x", 422, "limit"),
        ("search=%FF", 400, None),
        ("search=%00", 400, None),
        ("search=%zz", 400, None),
        ("search=\u00e9", 400, None),
        ("&".join(f"p{number}=1" for number in range(200)), 400, None),
    ],
)
async def test_a_query_string_that_is_wrong_is_refused(api: Api, query: str, status: int, field: str | None) -> None:
    answer = await raw(api, "GET", "/api/tasks", query=query.encode(), token=USER_TOKEN)

    assert answer["status"] == status
    assert field is None or f'"field":"{field}"'.encode() in answer["body"]


async def test_put_replaces(call: Call, services: FakeServices) -> None:
    response = await call("PUT", TASK, json=FULL)

    assert response.status_code == 200
    name, (_, task_id, draft, expected) = services.calls[-1]
    assert (name, task_id, draft.title, expected) == ("replace_task", TASK_ID, "a", None)


async def test_put_with_completed_completes_too(call: Call, services: FakeServices) -> None:
    await call("PUT", TASK, json={**FULL, "completed": True})

    name, (_, _, changes, _) = services.calls[-1]
    assert (name, changes.completed, changes.title) == ("patch_task", True, "a")


@pytest.mark.parametrize(
    "media_type",
    [
        "application/json",
        "application/merge-patch+json",
        "Application/JSON",
        'application/json; charset="UTF-8"',
        "application/json; charset=utf-8; profile=x",
        "application/json ;profile=x;Charset=us-ascii;",
        r'application/json; profile="; charset=latin-1 \" x"; charset="utf\-8"',
        "application/json; charset_of_old=latin-1; draft",
    ],
)
async def test_a_patch_is_a_merge_patch(call: Call, services: FakeServices, media_type: str) -> None:
    response = await call("PATCH", TASK, content=b'{"completed": true}', headers={"content-type": media_type})

    assert response.status_code == 200
    assert services.last[2] == TaskChanges(completed=True)


@pytest.mark.parametrize(
    ("method", "path", "json"),
    [("PUT", TASK, FULL), ("PATCH", TASK, {}), ("DELETE", TASK, None), ("POST", f"{TASK}/complete", None)],
)
async def test_if_match_names_the_versions_to_expect(
    call: Call, services: FakeServices, method: str, path: str, json: Any
) -> None:
    for value, expected in (('"7"', {7}), ("*", None), ('W/"7"', set()), ('"abc"', set()), ('"6", "7"', {6, 7})):
        response = await call(method, path, json=json, headers={"if-match": value})

        assert response.status_code in {200, 204}
        assert services.last[-1] == expected


async def test_versions_are_compared_by_who_knows_whether_it_is_a_repetition(
    call: Call, services: FakeServices
) -> None:
    """A repetition is answered as the first time, when another version was current."""
    services.replayed = True

    response = await call("POST", f"{TASK}/complete", headers={"if-match": '"5", "6"', "idempotency-key": "k"})

    assert response.status_code == 200
    assert [name for name, _ in services.calls] == ["complete_task"]


@pytest.mark.parametrize(("method", "header"), [("DELETE", "if-match"), ("GET", "if-none-match")])
async def test_a_tag_without_quotes_is_malformed(call: Call, method: str, header: str) -> None:
    response = await call(method, TASK, headers={header: "7"})

    assert (response.status_code, response.json()["code"]) == (400, "malformed_header")


@pytest.mark.parametrize("path", ["/api/tasks/abc", "/api/tasks/1/complete", "/api/reminders/x/acknowledge"])
async def test_what_is_no_id_is_not_there(call: Call, services: FakeServices, path: str) -> None:
    method = "GET" if path.count("/") == 3 else "POST"

    response = await call(method, path)

    assert (response.status_code, response.json()["code"]) == (404, "not_found")
    assert services.calls == []


@pytest.mark.accepts("X12")
async def test_no_id_an_unknown_id_and_a_foreign_id_give_the_same_bytes(call: Call, services: FakeServices) -> None:
    services.error = NotFoundError()
    headers = {"x-request-id": "same"}

    answers = [await call("GET", f"/api/tasks/{name}", headers=headers) for name in ("abc", TASK_ID)]

    assert answers[0].content == answers[1].content
    assert answers[0].status_code == answers[1].status_code == 404


async def test_reminders_reach_their_use_cases(call: Call, services: FakeServices) -> None:
    added = await call("POST", f"{TASK}/reminders", json={"before": "PT15M"})
    snoozed = await call("POST", f"/api/reminders/{TASK_ID}/snooze", json={"until": "2026-11-23T10:00:00+01:00"})

    assert (added.status_code, snoozed.status_code) == (201, 200)
    assert services.calls[0][1][2] == ReminderDraft(before="PT15M")
    assert services.calls[1][1][2] == NOW
    for method, path in (
        ("GET", f"{TASK}/reminders"),
        ("POST", f"/api/reminders/{TASK_ID}/acknowledge"),
        ("GET", f"/api/reminders/{TASK_ID}/deliveries"),
    ):
        assert (await call(method, path)).status_code == 200
    assert (await call("DELETE", f"/api/reminders/{TASK_ID}")).status_code == 204


async def test_audit_and_preview_reach_their_use_cases(call: Call, services: FakeServices) -> None:
    await call("GET", "/api/audit?limit=2")
    assert (services.last[1].task_id, services.last[1].limit) == (None, 2)

    await call("GET", f"{TASK}/audit")
    assert services.last[1].task_id == TASK_ID

    assert (await call("POST", "/api/audit/verify")).status_code == 200
    preview = await call("POST", "/api/recurrence/preview", json={"rule": "FREQ=DAILY", "start": "2026-11-23"})
    assert preview.status_code == 200
    assert services.last[1].rule == "FREQ=DAILY"


async def test_signing_in_gives_a_token_and_a_cookie(http: httpx2.AsyncClient) -> None:
    response = await http.post("/api/auth/login", json={"email": "a@example.org", "password": "secret"})

    assert response.status_code == 200
    assert response.json().keys() == {"user", "token", "expiresAt"}
    assert response.json()["expiresAt"].endswith("Z")
    cookie = response.headers["set-cookie"]
    assert cookie.startswith(f"rondo_session={USER_TOKEN}; Path=/; Max-Age=")
    assert {"HttpOnly", "SameSite=Lax"} <= set(cookie.split("; "))
    assert "Secure" not in cookie


async def test_over_tls_the_cookie_is_bound_to_the_host(api: Api) -> None:
    body = b'{"email":"a@example.org","password":"secret"}'

    answer = await raw(api, "POST", "/api/auth/register", body=body, scheme="https")

    assert answer["status"] == 201
    cookie = answer["headers"][b"set-cookie"].decode()
    assert cookie.startswith("__Host-rondo=")
    assert {"Secure", "HttpOnly", "SameSite=Lax", "Path=/"} <= set(cookie.split("; "))


async def test_over_tls_the_plain_cookie_means_nothing(api: Api) -> None:
    for cookie, status in ((f"rondo_session={USER_TOKEN}", 401), (f"a=b; __Host-rondo={USER_TOKEN}", 200)):
        answer = await raw(api, "GET", "/api/me", cookie=cookie, scheme="https")

        assert answer["status"] == status


async def test_where_people_come_by_tls_the_cookie_is_secure_whatever_a_proxy_says(api_by_tls: Api) -> None:
    body = b'{"email":"a@example.org","password":"secret"}'

    given = await raw(api_by_tls, "POST", "/api/auth/login", body=body)
    taken = await raw(api_by_tls, "POST", "/api/auth/logout", token=USER_TOKEN)
    plain = await raw(api_by_tls, "GET", "/api/me", cookie=f"rondo_session={USER_TOKEN}")
    secure = await raw(api_by_tls, "GET", "/api/me", cookie=f"__Host-rondo={USER_TOKEN}")

    for answer in (given, taken):
        cookie = answer["headers"][b"set-cookie"].decode()
        assert cookie.startswith("__Host-rondo=")
        assert {"Secure", "HttpOnly", "SameSite=Lax", "Path=/"} <= set(cookie.split("; "))
    assert (plain["status"], secure["status"]) == (401, 200)


@pytest.mark.parametrize(
    ("public_url", "host", "is_secure"),
    [
        ("https://rondo.test", b"Rondo.test:443", True),
        ("https://rondo.test", b"rondo.test:8000", False),
        ("https://rondo.test", b"192.168.0.7:8000", False),
        ("https://rondo.test:8443", b"rondo.test:8443", True),
        ("https://rondo.test:8443", b"rondo.test", False),
        ("http://rondo.test", b"rondo.test", False),
    ],
)
async def test_who_comes_by_another_address_than_the_public_one_may_come_without_tls(
    services: FakeServices, public_url: str, host: bytes, *, is_secure: bool
) -> None:
    body = b'{"email":"a@example.org","password":"secret"}'

    given = await raw(make_api(services, public_url), "POST", "/api/auth/login", body=body, host=host)

    cookie = given["headers"][b"set-cookie"].decode()
    assert cookie.startswith("__Host-rondo=" if is_secure else "rondo_session=")
    assert cookie.endswith("; Secure") is is_secure


async def test_signing_out_takes_the_cookie_away(call: Call, services: FakeServices) -> None:
    response = await call("POST", "/api/auth/logout")

    assert response.status_code == 204
    assert "Max-Age=0" in response.headers["set-cookie"]
    assert services.calls[-1][0] == "logout"


async def test_a_bearer_token_wins_over_the_cookie(http: httpx2.AsyncClient) -> None:
    headers = {"authorization": f"bearer {ENDED_TOKEN}", "cookie": f"rondo_session={USER_TOKEN}"}

    response = await http.get("/api/me", headers=headers)

    assert response.status_code == 401
    assert response.headers["www-authenticate"].startswith("Bearer")


async def test_credentials_of_a_proxy_do_not_hide_the_cookie(http: httpx2.AsyncClient) -> None:
    headers = {"authorization": "Basic YTpi", "cookie": f"rondo_session={USER_TOKEN}"}

    assert (await http.get("/api/me", headers=headers)).status_code == 200


@pytest.mark.parametrize("token", ["", " ", "x" * 257, "rondo_\u00e9"])
async def test_what_cannot_be_a_token_is_none(api: Api, token: str) -> None:
    answer = await raw(api, "GET", "/api/me", token=token)

    assert answer["status"] == 401


@pytest.mark.parametrize(
    ("error", "status", "outcome"),
    [
        (None, 200, "success"),
        (RateLimitedError(30, "address"), 429, "limited"),
        (RegistrationClosedError(), 403, "forbidden"),
        (NotFoundError(), 404, "failure"),
        (ZeroDivisionError(), 500, "error"),
    ],
)
async def test_every_attempt_to_sign_in_is_counted(
    http: httpx2.AsyncClient, services: FakeServices, error: Exception | None, status: int, outcome: str
) -> None:
    counter = metrics.AUTH_ATTEMPTS_TOTAL.labels("password", outcome)
    before = counter.value
    services.error = error

    response = await http.post("/api/auth/login", json={"email": "a@example.org", "password": "secret"})

    assert response.status_code == status
    assert counter.value == before + 1


async def test_a_limit_of_calls_is_asked_before_anything_is_read(call: Call, services: FakeServices) -> None:
    services.rate_error = RateLimitedError(12, "user")

    response = await call("POST", "/api/tasks", content=b"not json")

    assert (response.status_code, response.headers["retry-after"]) == (429, "12")


async def test_the_tree_is_for_operators(call: Call) -> None:
    refused = await call("GET", "/api/ops/actors")
    shown = await call("GET", "/api/ops/actors", headers={"authorization": f"Bearer {OPERATOR_TOKEN}"})

    assert (refused.status_code, refused.json()["code"]) == (403, "forbidden")
    assert shown.json() == {"id": "root"}


@pytest.mark.parametrize("path", ["/api/nothing", "/api", "/healthy", "/api/tasks/"])
async def test_an_unknown_path_is_a_problem(http: httpx2.AsyncClient, path: str) -> None:
    response = await http.get(path)

    assert response.status_code == 404
    assert response.headers["content-type"] == "application/problem+json"


@pytest.mark.parametrize("method", ["PUT", "TRACE", "BREW"])
async def test_a_wrong_method_is_told_the_right_ones(http: httpx2.AsyncClient, method: str) -> None:
    response = await http.request(method, "/api/tasks")

    assert response.status_code == 405
    assert response.headers["allow"] == "GET, HEAD, OPTIONS, POST"


async def test_options_says_what_can_be_done(http: httpx2.AsyncClient) -> None:
    response = await http.options(TASK)

    assert (response.status_code, response.content) == (204, b"")
    assert response.headers["allow"] == "DELETE, GET, HEAD, OPTIONS, PATCH, PUT"
    assert "content-length" not in response.headers
    assert "access-control-allow-origin" not in response.headers


@pytest.mark.parametrize(
    "media_type",
    [
        "text/plain",
        "application/x-www-form-urlencoded",
        "application/json; charset=latin-1",
        'application/json; profile=x; charset="latin-1"',
        "application/json; charset=utf-8; charset=latin-1",
        'application/json; profile="x; charset=utf-8',
        "application/json; charset=utf-8, text/plain",
        "application/json, application/json",
        "application/jsonp",
        "application",
        "application/json; " + "a=b; " * 2000 + "=",
        None,
    ],
)
async def test_a_body_that_does_not_call_itself_json_is_refused(call: Call, media_type: str | None) -> None:
    headers = {"content-type": media_type} if media_type else {}

    response = await call("POST", "/api/tasks", content=b'{"title":"a"}', headers=headers)

    assert (response.status_code, response.json()["code"]) == (415, "unsupported_media_type")


async def test_a_body_that_calls_itself_compressed_is_refused(call: Call) -> None:
    headers = {"content-type": "application/json", "content-encoding": "gzip"}

    response = await call("POST", "/api/tasks", content=b'{"title":"a"}', headers=headers)

    assert (response.status_code, response.json()["code"]) == (415, "unsupported_media_type")


async def test_a_patch_is_told_which_types_are_taken(call: Call) -> None:
    response = await call("PATCH", TASK, content=b"{}", headers={"content-type": "text/plain"})

    assert response.headers["accept-patch"] == "application/json, application/merge-patch+json"


@pytest.mark.parametrize(
    ("path", "field"),
    [("/api/auth/register", "password"), ("/api/auth/login", "password"), ("/api/me/password", "newPassword")],
)
async def test_a_password_of_halves_of_characters_reaches_nobody(
    call: Call, services: FakeServices, path: str, field: str
) -> None:
    others = b'"email": "a@example.org"' if "auth" in path else b'"currentPassword": "a"'
    content = rb'{%b, "%b": "\ud800\ud801\ud802\udc00\udbff\udfff long enough \udc01"}' % (others, field.encode())

    response = await call("POST", path, content=content, headers={"content-type": "application/json"})

    assert (response.status_code, response.json()["code"]) == (400, "invalid_text")
    assert services.calls == []


async def test_what_get_returned_of_a_profile_can_be_changed_and_sent_back(call: Call, services: FakeServices) -> None:
    shown: dict[str, Any] = {field.encode_name: None for field in structs.fields(documents.Account)}
    shown |= {"name": "Ada", "timeZone": "UTC", "weekStart": "monday", "email": USER.email, "operator": False}

    response = await call("PATCH", "/api/me", json=shown)

    assert response.status_code == 200
    assert services.last[1] == ProfileChanges(name="Ada", time_zone="UTC", week_start="monday", quiet_hours=None)


async def test_what_cannot_be_changed_in_a_profile_is_not_skipped_in_silence(
    call: Call, services: FakeServices
) -> None:
    response = await call("PATCH", "/api/me", json={"email": "new@example.org", "operator": True, "name": "Ada"})

    assert response.status_code == 422
    assert [(error["field"], error["code"]) for error in response.json()["errors"]] == [
        ("email", "read_only"),
        ("operator", "read_only"),
    ]
    assert services.calls == []


async def test_the_same_key_and_body_have_the_same_fingerprint(call: Call, services: FakeServices) -> None:
    for content in (b'{"title":"a"}', b'{"title":"a"}', b'{"title":"b"}'):
        await call(
            "POST", "/api/tasks", content=content, headers={"content-type": "application/json", "idempotency-key": "k"}
        )

    first, second, third = (arguments[0].idempotency.request_hash for _, arguments in services.calls)
    assert first == second != third


@pytest.mark.parametrize("key", ["", " ", "é", "x" * 256, "a\tb"])
async def test_a_key_is_printable_ascii(api: Api, key: str) -> None:
    headers = [(b"idempotency-key", key.encode("latin-1"))]

    answer = await raw(api, "POST", f"{TASK}/complete", token=USER_TOKEN, headers=headers)

    assert answer["status"] == 400


async def test_a_replay_is_counted(call: Call, services: FakeServices) -> None:
    counter = metrics.HTTP_IDEMPOTENT_REPLAYS_TOTAL.labels("/api/tasks")
    before = counter.value
    services.replayed = True

    response = await call("POST", "/api/tasks", json={"title": "a"}, headers={"idempotency-key": "k"})

    assert response.status_code == 201
    assert counter.value == before + 1


async def raw(
    api: Api,
    method: str,
    path: str,
    *,
    query: bytes = b"",
    body: bytes = b"",
    token: str | None = None,
    cookie: str | None = None,
    scheme: str = "http",
    host: bytes = b"rondo.test",
    headers: list[tuple[bytes, bytes]] | None = None,
) -> dict[str, Any]:
    """Call the application with exactly these bytes, as no client would send them."""
    sent: list[Any] = []
    pairs = [(b"host", host), (b"content-type", b"application/json"), *(headers or [])]
    if token is not None:
        pairs.append((b"authorization", f"Bearer {token}".encode("latin-1")))
    if cookie is not None:
        pairs.append((b"cookie", cookie.encode()))
    scope = {
        "type": "http", "method": method, "path": path, "query_string": query, "headers": pairs,
        "scheme": scheme, "client": ("127.0.0.1", 1),
    }  # fmt: skip # one line reads like a request

    async def receive() -> dict[str, Any]:
        await trio.lowlevel.checkpoint()
        return {"type": "http.request", "body": body, "more_body": False}

    async def send(message: Any) -> None:
        await trio.lowlevel.checkpoint()
        sent.append(message)

    await api(scope, receive, send)
    return {"status": sent[0]["status"], "headers": dict(sent[0]["headers"]), "body": sent[1]["body"]}
