"""The audit trail: what it shows to whom, and that tampering is found."""

from datetime import date
from typing import Any
from uuid import uuid4

import pytest
import trio

from app.adapters.postgres import Database
from app.domain.errors import NotFoundError, ValidationFailedError
from app.domain.queries import AuditQuery
from app.domain.task import Priority, TaskChanges
from tests.integration.services.world import Person, World, as_task, parsed


async def test_the_trail_shows_old_and_new_values(world: World) -> None:
    anna = await world.person()
    task = await anna.create("Old", due=date(2026, 12, 1))
    changes = TaskChanges(title="New", due=None, priority=Priority.LOW)
    await world.services.tasks.patch_task(anna.context, as_task(task.id), changes)
    await world.publish()

    newest, oldest = await _items(anna, task_id=task.id)

    assert newest == {
        "position": newest["position"],
        "action": "task.updated",
        "taskId": str(task.id),
        "actor": str(anna.principal.account_id),
        "at": "2026-11-23T12:00:00Z",
        "changes": {"title": ["Old", "New"], "dueDate": ["2026-12-01", None], "priority": ["medium", "low"]},
        "requestId": "r-1",
        "hash": newest["hash"],
    }
    assert (oldest["action"], oldest["changes"]["title"]) == ("task.created", [None, "Old"])
    assert newest["position"] == oldest["position"] + 1


async def test_a_deleted_task_has_a_history(world: World) -> None:
    anna = await world.person()
    task = await anna.create()
    await world.services.tasks.delete_task(anna.context, as_task(task.id))
    await world.publish()

    assert [item["action"] for item in await _items(anna, task_id=task.id)] == ["task.deleted", "task.created"]


@pytest.mark.accepts("X12")
async def test_nobody_sees_the_trail_of_others(world: World) -> None:
    anna, mallory = await world.person(), await world.person()
    task = await anna.create()
    await world.publish()

    actions = [(item["action"], item["actor"]) for item in await _items(mallory)]
    assert actions == [("account.registered", str(mallory.principal.account_id))]
    for task_id in (task.id, uuid4()):
        with pytest.raises(NotFoundError):
            await _items(mallory, task_id=task_id)


async def test_pages_of_the_trail_show_every_row_once(world: World) -> None:
    anna = await world.person()
    for number in range(7):
        await anna.create(f"Task {number}")
    await world.publish()
    positions, cursor, first = list[int](), None, True
    while first or cursor is not None:
        answer = parsed(await world.services.audit.list_audit(anna.context, AuditQuery(limit=3, cursor=cursor)))
        positions += [item["position"] for item in answer["items"]]
        cursor, first = answer["nextCursor"], False
        await anna.create("In between")
        await world.publish()

    assert len(positions) == 8
    assert positions == sorted(positions, reverse=True)


@pytest.mark.parametrize("query", [{"limit": 0}, {"cursor": "x"}, {"cursor": "WyJhIiwxXQ"}])
async def test_a_question_that_makes_no_sense_is_refused(world: World, query: dict[str, Any]) -> None:
    anna = await world.person()

    with pytest.raises(ValidationFailedError):
        await _items(anna, **query)


TAMPERINGS = {
    "changed": """UPDATE audit_log SET changes = '{"title": ["Old", "Never"]}' WHERE project_id = $1 AND seq = 3""",
    "another time": "UPDATE audit_log SET at = at + interval '1 second' WHERE project_id = $1 AND seq = 3",
    "another actor": "UPDATE audit_log SET account_id = NULL WHERE project_id = $1 AND seq = 3",
    "deleted": "DELETE FROM audit_log WHERE project_id = $1 AND seq = 3",
    "cut tail": "DELETE FROM audit_log WHERE project_id = $1 AND seq = 5",
    "inserted": """
        INSERT INTO audit_log SELECT position + 1000000, project_id, 6, action, task_id, account_id, session_id,
               request_id, at, changes, hash, sha256('a guess') FROM audit_log WHERE project_id = $1 AND seq = 5
    """,
    "swapped": """
        UPDATE audit_log a SET (action, task_id, at, changes, previous_hash, hash)
            = (SELECT b.action, b.task_id, b.at, b.changes, b.previous_hash, b.hash
               FROM audit_log b WHERE b.project_id = $1 AND b.seq = 7 - a.seq)
        WHERE a.project_id = $1 AND a.seq IN (3, 4)
    """,
    "rehashed": """
        UPDATE audit_log a SET changes = '{}', hash = audit_hash(ROW(a.position, a.project_id, a.seq, a.action,
            a.task_id, a.account_id, a.session_id, a.request_id, a.at, '{}'::jsonb, a.previous_hash, NULL)::audit_log)
        WHERE project_id = $1 AND seq = 3
    """,
}


@pytest.mark.accepts("X24")
@pytest.mark.parametrize("tampering", TAMPERINGS)
async def test_tampering_is_found(world: World, tampering: str) -> None:
    anna, bert = await _with_five_rows(world), await _with_five_rows(world)
    assert await _verified(anna) == {"ok": True, "checked": 5, "firstBreak": None, "reason": None}

    async with world.database.transaction() as connection:
        await connection.execute("SET LOCAL session_replication_role = replica")  # what the triggers would refuse
        await connection.execute(TAMPERINGS[tampering], anna.principal.inbox_id)

    found = await _verified(anna)
    assert found["ok"] is False
    assert found["firstBreak"] > 0
    assert found["reason"] in {"changed", "missing", "unlinked", "head", "foreign"}
    assert (await _verified(bert))["ok"] is True


async def test_an_operator_checks_every_chain(postgres_url: str, nursery: trio.Nursery) -> None:
    pool = Database(postgres_url, size=2, name="test")
    await nursery.start(pool.run)
    world = World(database=pool)
    operator = await world.person()
    await _with_five_rows(world)

    assert (await _verified(operator))["checked"] == 6


@pytest.mark.parametrize(
    "sql",
    ["UPDATE audit_log SET action = 'x'", "DELETE FROM audit_log", "TRUNCATE audit_log CASCADE"],
)
async def test_the_table_refuses_change(world: World, sql: str) -> None:
    await _with_five_rows(world)

    with pytest.raises(Exception, match="append-only"):
        await world.database.execute(sql)


async def _with_five_rows(world: World) -> Person:
    """Return somebody whose chain has five rows."""
    person = await world.person()
    for number in range(4):
        await person.create(f"Task {number}")
    await world.publish()
    # The first one of a database is its operator, and would see everything.
    await world.database.execute("UPDATE accounts SET operator = id = (SELECT min(id::text)::uuid FROM accounts)")
    return person


async def _items(person: Person, **query: Any) -> list[dict[str, Any]]:
    answer = await person.world.services.audit.list_audit(person.context, AuditQuery(**query))
    items: list[dict[str, Any]] = parsed(answer)["items"]
    return items


async def _verified(person: Person) -> dict[str, Any]:
    verdict: dict[str, Any] = parsed(await person.world.services.audit.verify(person.context))
    return verdict
