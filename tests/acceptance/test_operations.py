"""The live tree, and an actor that crashes and comes back with nothing missing."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import trio

from app.adapters.postgres import Database
from app.adapters.postgres.embedded import EmbeddedPostgres
from tests.fixtures.client import client, listening, register
from tests.fixtures.rondo import running_rondo

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.fixtures.client import Person

PARTS = {
    "database": {"postgres", "pool", "schema"},
    "events": {"sync", "audit", "recurring", "reminder", "search", "relay", "clockwork", "notifications", "census"},
    "deliveries": {"email"},
    "edge": {"hub", "listener"},
}


def children(tree: dict[str, Any]) -> Iterator[dict[str, Any]]:
    for child in tree.get("children", []):
        yield child
        yield from children(child)


async def actor(operator: Person, name: str) -> dict[str, Any]:
    tree = await operator.get("/api/ops/actors")
    return next(child for child in children(tree) if child["id"] == name and child["kind"] != "supervisor")


async def test_the_tree_is_shown_and_a_crashed_actor_comes_back_with_nothing_missing(tmp_path: Path) -> None:
    data = tmp_path / "data"
    with running_rondo(data) as rondo:
        async with client(rondo.url) as http, trio.open_nursery() as nursery:
            operator, other = await register(http), await register(http)
            refused = await other.call("GET", "/api/ops/actors")
            tree = await operator.get("/api/ops/actors")
            took = await fastest(operator)
            database = Database(EmbeddedPostgres(data).url, size=1, name="test")
            await nursery.start(database.run)
            async with listening(rondo.websocket_url, operator.token) as ear:
                await database.execute("ALTER FUNCTION append_audit(integer) RENAME TO gone")
                task = await operator.create("Written while nobody audits")
                live = await ear.next()
                crashed = await wait_until_restarted(operator, "audit")
                ready_meanwhile = (await http.get("/health/ready")).json()
                await database.execute("ALTER FUNCTION gone(integer) RENAME TO append_audit")
                await database.execute(
                    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                    " WHERE application_name = 'rondo main' AND pid <> pg_backend_pid()"
                )
                rows = await audited(operator, task["id"])
                after = await written_after_all_that(operator)
                live_after = await ear.next()
            verified = (await operator.call("POST", "/api/audit/verify")).json()
            calm = await actor(operator, "audit")
            nursery.cancel_scope.cancel()

    shown = {child["id"]: child for child in tree["children"]}
    assert refused.status_code == 403
    assert (tree["id"], tree["strategy"], [child["state"] for child in children(tree)]) == (
        "root",
        "rest_for_one",
        ["running"] * len(list(children(tree))),
    )
    assert {name for name in PARTS if not PARTS[name] <= {child["id"] for child in shown[name]["children"]}} == set()
    assert took < 0.05
    assert (live["task"]["title"], live_after["taskId"]) == ("Written while nobody audits", after)
    assert crashed["lastExit"]["reason"] in {"crashed", "not_started"}
    assert "append_audit" in crashed["lastExit"]["error"]
    assert ready_meanwhile
    assert [row["action"] for row in rows] == ["task.created"]
    assert (verified["ok"], calm["state"], calm["incarnation"] > 1) == (True, "running", True)


async def fastest(operator: Person) -> float:
    """Return how long the tree takes at best: a busy machine is not the tree's fault."""
    times = []
    for _ in range(10):
        began = time.perf_counter()
        await operator.get("/api/ops/actors")
        times.append(time.perf_counter() - began)
    return min(times)


async def wait_until_restarted(operator: Person, name: str) -> dict[str, Any]:
    with trio.fail_after(15):
        while not (found := await actor(operator, name))["restarts"]:
            await trio.sleep(0.02)
    return found


async def audited(operator: Person, task_id: str) -> list[dict[str, Any]]:
    """Wait until the trail knows a task; while connections are cut, calls may be answered with 503."""
    with trio.fail_after(20):
        while True:
            response = await operator.call("GET", f"/api/tasks/{task_id}/audit")
            if response.status_code == 200 and response.json()["items"]:
                return list(response.json()["items"])
            await trio.sleep(0.02)


async def written_after_all_that(operator: Person) -> str:
    with trio.fail_after(20):
        while True:
            response = await operator.call("POST", "/api/tasks", {"title": "After"})
            if response.status_code == 201:
                return str(response.json()["id"])
            await trio.sleep(0.02)
