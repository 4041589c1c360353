"""Conditions, repetitions and merges, as clients rely on them."""

from __future__ import annotations

import base64
import json
from datetime import datetime
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import pytest
import trio

if TYPE_CHECKING:
    import httpx2

    from tests.fixtures.client import Person


async def test_put_that_does_not_name_every_field_changes_nothing(ada: Person) -> None:
    task = await ada.create("a", description="b", tags=["c"])

    response = await ada.call("PUT", f"/api/tasks/{task['id']}", {"title": "new"})

    assert response.status_code == 422
    missing = {error["field"] for error in response.json()["errors"]}
    assert missing == {"description", "priority", "tags", "dueDate", "timeZone", "recurrence"}
    assert await ada.get(f"/api/tasks/{task['id']}") == task


async def test_what_get_returned_can_be_changed_and_put_back(ada: Person) -> None:
    task = await ada.create("a", tags=["c"], dueDate="2030-01-01", recurrence={"rule": "FREQ=DAILY"})

    response = await ada.call("PUT", f"/api/tasks/{task['id']}", {**task, "title": "b"}, if_match='"1"')

    assert response.status_code == 200, response.text
    assert response.headers["etag"] == '"2"'
    assert response.json() == {**task, "title": "b", "version": 2, "updatedAt": response.json()["updatedAt"]}


async def test_put_can_complete_and_reopen(ada: Person) -> None:
    task = await ada.create("a")
    at = f"/api/tasks/{task['id']}"

    completed = (await ada.call("PUT", at, {**task, "completed": True})).json()
    reopened = (await ada.call("PUT", at, {**completed, "completed": False})).json()

    assert completed["completedAt"] is not None
    assert (reopened["completed"], reopened["completedAt"]) == (False, None)


async def test_a_patch_touches_only_what_it_names(ada: Person) -> None:
    task = await ada.create("a", description="b", tags=["c"], dueDate="2030-01-01")
    at = f"/api/tasks/{task['id']}"

    named = (await ada.call("PATCH", at, {"priority": "urgent"})).json()
    nulls = (await ada.call("PATCH", at, {"dueDate": None, "description": None, "priority": None, "tags": None})).json()
    refused = await ada.call("PATCH", at, {"title": None})

    assert {key for key in task if task[key] != named[key]} == {"priority", "version", "updatedAt"}
    assert [nulls[key] for key in ("dueDate", "description", "priority", "tags")] == [None, "", "medium", []]
    assert refused.status_code == 422


async def test_a_patch_merges_into_the_recurrence(ada: Person) -> None:
    rule = {"rule": "FREQ=DAILY", "mode": "afterCompletion", "missed": "skip"}
    at = f"/api/tasks/{(await ada.create('a', dueDate='2030-01-01', recurrence=rule))['id']}"

    kept = (await ada.call("PATCH", at, {"recurrence": {"missed": "keep"}})).json()
    ruled = (await ada.call("PATCH", at, {"recurrence": {"rule": "FREQ=WEEKLY"}})).json()
    default = (await ada.call("PATCH", at, {"recurrence": {"mode": None}})).json()
    ended = (await ada.call("PATCH", at, {"recurrence": None})).json()
    refused = await ada.call("PATCH", at, {"recurrence": {"missed": "keep"}})
    begun = (await ada.call("PATCH", at, {"recurrence": {"rule": "FREQ=DAILY", "missed": "keep"}})).json()

    assert kept["recurrence"] == {**rule, "missed": "keep"}
    assert ruled["recurrence"] == {**kept["recurrence"], "rule": "FREQ=WEEKLY"}
    assert default["recurrence"] == {**ruled["recurrence"], "mode": "schedule"}
    assert ended["recurrence"] is None
    assert (refused.status_code, refused.json()["errors"][0]["field"]) == (422, "recurrence.rule")
    assert begun["recurrence"] == {"rule": "FREQ=DAILY", "mode": "schedule", "missed": "keep"}


async def test_a_stale_version_is_refused_and_told_the_current_one(ada: Person) -> None:
    task = await ada.create("a")
    at = f"/api/tasks/{task['id']}"
    await ada.call("PATCH", at, {"title": "b"})
    calls: list[tuple[str, str, Any]] = [
        ("PUT", at, task),
        ("PATCH", at, {"title": "c"}),
        ("DELETE", at, None),
        ("POST", f"{at}/complete", None),
    ]

    for method, path, body in calls:
        for stale in ('"1"', 'W/"2"', '"nonsense"', '"1", "3"'):
            response = await ada.call(method, path, body, if_match=stale)
            assert (response.status_code, response.json()["currentVersion"]) == (412, 2), (method, stale)
            assert response.headers["etag"] == '"2"'
    assert (await ada.get(at))["title"] == "b"
    assert (await ada.call("PATCH", at, {"title": "c"}, if_match='"1", "2"')).status_code == 200
    assert (await ada.call("PATCH", at, {"title": "d"}, if_match="*")).status_code == 200


async def test_of_ten_who_change_the_same_version_one_wins(ada: Person) -> None:
    task = await ada.create("a")
    statuses: list[int] = []

    async def change(number: int) -> None:
        response = await ada.call("PATCH", f"/api/tasks/{task['id']}", {"title": f"n{number}"}, if_match='"1"')
        statuses.append(response.status_code)

    async with trio.open_nursery() as nursery:
        for number in range(10):
            nursery.start_soon(change, number)

    assert sorted(statuses) == [200] + [412] * 9


async def test_who_has_the_current_version_is_sent_nothing(ada: Person) -> None:
    task = await ada.create("a")

    response = await ada.call("GET", f"/api/tasks/{task['id']}", if_none_match='W/"1"')

    assert (response.status_code, response.content, response.headers["etag"]) == (304, b"", '"1"')


@pytest.mark.accepts("E06")
async def test_ten_with_one_key_create_one_task(ada: Person) -> None:
    answers: list[httpx2.Response] = []

    async def create() -> None:
        answers.append(await ada.call("POST", "/api/tasks", {"title": "once"}, idempotency_key="one"))

    async with trio.open_nursery() as nursery:
        for _ in range(10):
            nursery.start_soon(create)
    other = await ada.call("POST", "/api/tasks", {"title": "twice"}, idempotency_key="one")

    assert {answer.status_code for answer in answers} == {201}
    assert len({(answer.content, answer.headers["location"], answer.headers["etag"]) for answer in answers}) == 1
    assert (other.status_code, other.json()["code"]) == (422, "idempotency_key_reused")
    assert [error["field"] for error in other.json()["errors"]] == ["Idempotency-Key"]
    assert await ada.titles() == ["once"]


async def test_what_was_done_once_is_answered_again_when_it_makes_no_sense_any_more(ada: Person) -> None:
    """A rule that ends today, sent again by somebody for whom that day is over."""
    await ada.call("PATCH", "/api/me", {"timeZone": "Pacific/Pago_Pago"})
    until = datetime.now(ZoneInfo("Pacific/Pago_Pago")).strftime("%Y%m%d")
    body = {"title": "a", "recurrence": {"rule": f"FREQ=DAILY;UNTIL={until}"}}

    first = await ada.call("POST", "/api/tasks", body, idempotency_key="r1")
    await ada.call("PATCH", "/api/me", {"timeZone": "Pacific/Kiritimati"})
    again = await ada.call("POST", "/api/tasks", body, idempotency_key="r1")
    anew = await ada.call("POST", "/api/tasks", body, idempotency_key="r2")

    assert (first.status_code, again.status_code, anew.status_code) == (201, 201, 422)
    assert again.content == first.content


@pytest.mark.parametrize("title", ["\U0001f600" * 499, "\u6f22" * 499, '"' * 499])
async def test_a_list_of_the_longest_titles_is_read_to_its_end(ada: Person, title: str) -> None:
    for number in range(2):
        await ada.create(f"{title}{number}")

    first = (await ada.call("GET", "/api/tasks?sort=title&limit=1")).json()
    second = await ada.call("GET", f"/api/tasks?sort=title&limit=1&cursor={first['nextCursor']}")

    assert second.status_code == 200, second.text
    assert [task["title"][-1] for task in (*first["items"], *second.json()["items"])] == ["0", "1"]


async def test_a_cursor_with_an_instant_before_all_others_is_refused(ada: Person) -> None:
    for title in "ab":
        await ada.create(title)
    cursor = (await ada.call("GET", "/api/tasks?sort=createdAt&limit=1")).json()["nextCursor"]
    name, _, task_id = json.loads(base64.urlsafe_b64decode(cursor + "=="))
    parts = json.dumps([name, "0001-01-01T00:00:00+14:00", task_id])
    altered = base64.urlsafe_b64encode(parts.encode()).rstrip(b"=").decode()

    response = await ada.call("GET", f"/api/tasks?sort=createdAt&limit=1&cursor={altered}")

    assert (response.status_code, response.json()["errors"][0]["field"]) == (422, "cursor")


async def test_a_key_belongs_to_its_owner(ada: Person, bob: Person) -> None:
    hers = await ada.call("POST", "/api/tasks", {"title": "a"}, idempotency_key="same")
    his = await bob.call("POST", "/api/tasks", {"title": "a"}, idempotency_key="same")

    assert hers.json()["id"] != his.json()["id"]


async def test_completing_twice_is_a_conflict_unless_it_is_the_same_request(ada: Person) -> None:
    task = await ada.create("a")
    at = f"/api/tasks/{task['id']}"

    first = await ada.call("POST", f"{at}/complete", idempotency_key="c1")
    again = await ada.call("POST", f"{at}/complete", idempotency_key="c1")
    second = await ada.call("POST", f"{at}/complete")
    reopened = await ada.call("POST", f"{at}/reopen")
    twice = await ada.call("POST", f"{at}/reopen")

    assert (first.status_code, first.content) == (again.status_code, again.content)
    assert first.json()["next"] is None
    assert (second.status_code, second.json()["code"]) == (409, "task_already_completed")
    assert (reopened.status_code, reopened.json()["completed"]) == (200, False)
    assert (twice.status_code, twice.json()["code"]) == (409, "task_not_completed")


async def test_pages_go_on_where_they_ended_while_others_write(ada: Person) -> None:
    for number in range(7):
        await ada.create(f"t{number}", tags=["x"] if number % 2 else ["y"])
    seen: list[str] = []
    page = await ada.get("/api/tasks?sort=title&limit=2")
    cursor = page["nextCursor"]
    while page["nextCursor"] is not None:
        seen += [task["title"] for task in page["items"]]
        await ada.create("a new one that sorts first")
        page = await ada.get(f"/api/tasks?sort=title&limit=2&cursor={page['nextCursor']}")
    seen += [task["title"] for task in page["items"]]

    assert seen == [f"t{number}" for number in range(7)]
    assert await ada.titles("&tags=X&sort=title&order=desc") == ["t5", "t3", "t1"]
    foreign = await ada.call("GET", f"/api/tasks?sort=priority&cursor={cursor}")
    assert (foreign.status_code, foreign.json()["errors"][0]["field"]) == (422, "cursor")


# Texts that have ended badly elsewhere.
PAYLOADS = (
    "' OR '1'='1",
    "'; DROP TABLE tasks; --",
    '" OR ""="',
    "1); SELECT pg_sleep(5); --",
    "%' ESCAPE '",
    "\\",
    "%",
    "_",
    "$1",
    "{{7*7}}",
    "\u202e",
    "<script>alert(1)</script>",
    "=1+1",
    "../../etc/passwd",
    "🙈" * 100,
)


@pytest.mark.accepts("X15")
async def test_a_text_is_a_text_whatever_it_says(ada: Person) -> None:
    token = {"authorization": f"Bearer {ada.token}"}
    for payload in PAYLOADS:
        task = await ada.create(payload, tags=[payload[:50]], description=payload)
        assert (task["title"], task["description"]) == (payload, payload)
        for name in ("search", "tags", "cursor", "sort", "order", "priority", "dueBefore", "limit", "completed"):
            with trio.fail_after(4):  # nothing in it is run, so nothing in it can sleep
                response = await ada.http.get("/api/tasks", params={name: payload}, headers=token)
            assert response.status_code in {200, 422}, (name, response.text)
        found = await ada.http.get("/api/tasks", params={"search": payload, "limit": 200}, headers=token)
        assert task["id"] in {one["id"] for one in found.json()["items"]}, payload
