"""The first story, from outside: what a person and a program can do with a fresh Rondo."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
import trio

from tests.fixtures.client import client, listening, register

if TYPE_CHECKING:
    from tests.fixtures.rondo import RondoProcess


async def test_a_task_lives_from_creation_to_deletion(rondo: RondoProcess) -> None:
    async with client(rondo.url) as http:
        ada = await register(http)
        created = await ada.call("POST", "/api/tasks", {"title": "Buy milk", "tags": ["Home"], "priority": "high"})
        task = created.json()
        path = f"/api/tasks/{task['id']}"

        patched = await ada.call("PATCH", path, {"description": "Two litres"}, if_match=created.headers["etag"])
        stale = await ada.call("PATCH", path, {"title": "No"}, if_match=created.headers["etag"])
        completed = await ada.call("POST", f"{path}/complete")
        again = await ada.call("POST", f"{path}/complete")
        reopened = await ada.call("POST", f"{path}/reopen")
        deleted = await ada.call("DELETE", path)
        gone = await ada.call("GET", path)

        assert (created.status_code, created.headers["location"]) == (201, path)
        assert (patched.status_code, patched.json()["description"], patched.json()["title"]) == (
            200,
            "Two litres",
            "Buy milk",
        )
        assert (stale.status_code, stale.headers["content-type"]) == (412, "application/problem+json")
        assert (completed.status_code, completed.json()["task"]["completed"], completed.json()["next"]) == (
            200,
            True,
            None,
        )
        assert again.status_code == 409
        assert (reopened.status_code, reopened.json()["completed"]) == (200, False)
        assert (deleted.status_code, gone.status_code) == (204, 404)


async def test_lists_filter_sort_and_search(rondo: RondoProcess) -> None:
    async with client(rondo.url) as http:
        ada = await register(http)
        await ada.create("Water the plants", tags=["home", "green"], priority="low", dueDate="2026-12-01")
        await ada.create("Pay rent", tags=["home"], priority="urgent", dueDate="2026-11-30T09:00:00Z")
        await ada.create("Write 100% of the report", priority="high", description="for the Plantation")

        assert await ada.titles("&priority=urgent") == ["Pay rent"]
        assert await ada.titles("&tags=HOME,green") == ["Water the plants"]
        assert sorted(await ada.titles("&search=PLANT")) == ["Water the plants", "Write 100% of the report"]
        assert await ada.titles("&search=0%25") == ["Write 100% of the report"]
        assert await ada.titles("&sort=dueDate&order=asc") == [
            "Pay rent",
            "Water the plants",
            "Write 100% of the report",
        ]
        assert await ada.titles("&dueBefore=2026-12-01") == ["Pay rent"]


async def test_a_second_connection_sees_each_change_in_order_and_resumes_exactly(rondo: RondoProcess) -> None:
    async with client(rondo.url) as http:
        ada = await register(http)
        async with listening(rondo.websocket_url, ada.token) as first:
            task = await ada.create("One")
            await ada.call("PATCH", f"/api/tasks/{task['id']}", {"title": "Two"}, x_request_id="my-request-1")
            frames = await first.take(2)
        await ada.call("POST", f"/api/tasks/{task['id']}/complete")
        await ada.create("Three")

        async with listening(rondo.websocket_url, ada.token) as second:
            await second.say(type="resume", since=frames[-1]["position"])
            missed = await second.take(2)
            quiet = await second.silence()

        assert [frame["type"] for frame in frames] == ["task.created", "task.updated"]
        assert (frames[1]["task"]["title"], frames[1]["requestId"]) == ("Two", "my-request-1")
        assert [frame["type"] for frame in missed] == ["task.completed", "task.created"]
        positions = [frame["position"] for frame in frames + missed]
        assert positions == sorted(set(positions))
        assert quiet


async def test_another_user_sees_and_touches_nothing(rondo: RondoProcess) -> None:
    async with client(rondo.url) as http:
        ada, eve = await register(http), await register(http)
        async with listening(rondo.websocket_url, eve.token) as ear:
            task = await ada.create("Secret")
            path = f"/api/tasks/{task['id']}"
            answers = [
                await eve.call(method, target, body)
                for method, target, body in (
                    ("GET", path, None),
                    ("PATCH", path, {"title": "Mine"}),
                    ("DELETE", path, None),
                    ("POST", f"{path}/complete", None),
                    ("GET", f"{path}/audit", None),
                    ("GET", f"{path}/reminders", None),
                )
            ]
            deaf = await ear.silence()

        assert [answer.status_code for answer in answers] == [404] * 6
        assert await eve.titles() == []
        assert deaf
        assert await ada.titles() == ["Secret"]


async def test_the_audit_shows_old_and_new_and_verifies(rondo: RondoProcess) -> None:
    async with client(rondo.url) as http:
        ada = await register(http)
        task = await ada.create("Before")
        await ada.call("PATCH", f"/api/tasks/{task['id']}", {"title": "After"}, x_request_id="req-42")
        with trio.fail_after(5):
            while len(rows := (await ada.get(f"/api/tasks/{task['id']}/audit"))["items"]) < 2:
                await trio.sleep(0.01)
        verified = await ada.call("POST", "/api/audit/verify")

        assert [row["action"] for row in rows] == ["task.updated", "task.created"]
        assert rows[0]["changes"]["title"] == ["Before", "After"]
        assert (rows[0]["actor"], rows[0]["requestId"]) == (ada.user["id"], "req-42")
        assert (verified.json()["ok"], verified.json()["firstBreak"]) == (True, None)
        assert verified.json()["checked"] >= 2


@pytest.mark.accepts("T9")
async def test_ten_clients_completing_a_recurring_task_make_one_next_occurrence(rondo: RondoProcess) -> None:
    async with client(rondo.url) as http:
        ada = await register(http)
        rule = {"rule": "FREQ=MONTHLY;SKIP=BACKWARD", "mode": "schedule", "missed": "skip"}
        task = await ada.create("Rent", dueDate="2027-01-31", recurrence=rule)
        answers: list[int] = []

        async def complete() -> None:
            answers.append((await ada.call("POST", f"/api/tasks/{task['id']}/complete")).status_code)

        async with trio.open_nursery() as nursery:
            for _ in range(10):
                nursery.start_soon(complete)

        assert sorted(answers) == [200] + [409] * 9
        open_tasks = (await ada.get("/api/tasks?completed=false"))["items"]
        assert [(other["title"], other["dueDate"]) for other in open_tasks] == [("Rent", "2027-02-28")]
