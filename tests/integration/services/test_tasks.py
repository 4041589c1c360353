"""Creating, changing and deleting tasks: what is stored, what is told, what is refused."""

import json
from contextlib import nullcontext
from dataclasses import fields
from datetime import UTC, date, datetime
from typing import Any
from uuid import uuid4

import pytest
import trio

from app.domain.errors import (
    ForbiddenError,
    IdempotencyMismatchError,
    NotAuthenticatedError,
    NotFoundError,
    TaskError,
    ValidationFailedError,
    VersionConflictError,
)
from app.domain.task import Priority, RecurrenceSpec, TaskChanges, TaskDraft
from app.services.context import Context
from app.services.results import Stored
from tests.integration.services.world import Person, World, as_task, parsed

DUE = datetime(2026, 12, 1, 9, 30, tzinfo=UTC)
DAILY = RecurrenceSpec(rule="FREQ=DAILY")


async def test_a_created_task_is_answered_as_it_is_stored(world: World) -> None:
    anna = await world.person()

    created = await anna.create(
        "  Water the plants ",
        description="All of them.",
        priority=Priority.HIGH,
        tags=(" home ", "Garden", "HOME"),
        due=DUE,
        time_zone="Europe/Berlin",
        recurrence=RecurrenceSpec(rule="FREQ=DAILY"),
    )

    task = parsed(created)
    assert task == await anna.task(created.id)
    assert task == {
        "id": str(created.id),
        "title": "Water the plants",
        "description": "All of them.",
        "completed": False,
        "completedAt": None,
        "priority": "high",
        "tags": ["home", "Garden"],
        "dueDate": "2026-12-01T09:30:00Z",
        "timeZone": "Europe/Berlin",
        "recurrence": {"rule": "FREQ=DAILY", "mode": "schedule", "missed": "skip"},
        "reminders": [],
        "version": 1,
        "createdAt": "2026-11-23T12:00:00Z",
        "updatedAt": "2026-11-23T12:00:00Z",
    }


async def test_a_write_leaves_one_event_and_rings_the_bell(world: World) -> None:
    anna = await world.person()
    world.rings.clear()

    created = await anna.create()

    (event,) = await world.events(created.id)
    assert (event["type"], event["account_id"]) == ("task.created", anna.principal.account_id)
    assert (event["session_id"], event["request_id"]) == (anna.principal.session_id, "r-1")
    assert event["traceparent"].startswith("00-")
    assert event["before"] is None
    assert json.loads(event["after"]) == parsed(created)
    assert world.rings == [1]


async def test_a_change_tells_before_and_after(world: World) -> None:
    anna = await world.person()
    created = await anna.create("Old")
    world.clock.advance(seconds=5)

    patched = await world.services.tasks.patch_task(anna.context, as_task(created.id), TaskChanges(title="New"))

    event = (await world.events(created.id))[-1]
    assert (json.loads(event["before"]), json.loads(event["after"])) == (parsed(created), parsed(patched))
    assert (patched.version, parsed(patched)["version"]) == (2, 2)
    assert parsed(patched)["updatedAt"] == "2026-11-23T12:00:05Z"


@pytest.mark.parametrize(
    "changes",
    [
        TaskChanges(),
        TaskChanges(title="Same "),
        TaskChanges(tags=("a", "A"), due=date(2026, 12, 1), completed=False, time_zone=None),
        TaskChanges(recurrence=RecurrenceSpec(rule="FREQ=WEEKLY")),
    ],
)
async def test_a_patch_that_changes_nothing_writes_nothing(world: World, changes: TaskChanges) -> None:
    anna = await world.person()
    recurrence = RecurrenceSpec(rule="FREQ=WEEKLY")
    created = await anna.create("Same", tags=("a",), due=date(2026, 12, 1), recurrence=recurrence)
    world.rings.clear()

    patched = await world.services.tasks.patch_task(anna.context, as_task(created.id), changes)

    assert patched == created
    assert await world.event_types(created.id) == ["task.created"]
    assert world.rings == []


async def test_a_patch_touches_only_what_it_names(world: World) -> None:
    anna = await world.person()
    created = await anna.create("Old", description="Kept", tags=("kept",), due=DUE, priority=Priority.URGENT)

    patched = await world.services.tasks.patch_task(
        anna.context, as_task(created.id), TaskChanges(title="New", due=None)
    )

    before, after = parsed(created), parsed(patched)
    different = {name for name in before if before[name] != after[name]}
    assert different == {"title", "dueDate", "version"}
    assert after["dueDate"] is None


async def test_replacing_sets_every_field(world: World) -> None:
    anna = await world.person()
    created = await anna.create("Old", description="Gone", tags=("gone",), due=DUE)

    replaced = await world.services.tasks.replace_task(
        anna.context, as_task(created.id), TaskDraft(title="New", due=date(2026, 12, 2))
    )

    task = parsed(replaced)
    assert (task["title"], task["description"], task["tags"], task["dueDate"]) == ("New", "", [], "2026-12-02")
    assert await world.event_types(created.id) == ["task.created", "task.updated"]


async def test_a_deleted_task_is_gone_and_its_history_stays(world: World) -> None:
    anna = await world.person()
    created = await anna.create()

    await world.services.tasks.delete_task(anna.context, as_task(created.id))

    with pytest.raises(NotFoundError):
        await anna.task(created.id)
    event = (await world.events(created.id))[-1]
    assert (event["type"], event["after"]) == ("task.deleted", None)
    assert json.loads(event["before"]) == parsed(created)


@pytest.mark.parametrize("operation", ["patch", "replace", "delete", "complete", "reopen"])
async def test_another_version_than_expected_is_a_conflict(world: World, operation: str) -> None:
    anna = await world.person()
    created = await anna.create()

    with pytest.raises(VersionConflictError) as refusal:
        await _write(operation, world, anna, created, expected=frozenset({7}))

    assert refusal.value.current == 1
    assert await anna.task(created.id) == parsed(created)


@pytest.mark.parametrize("operation", ["patch", "replace", "delete", "complete"])
@pytest.mark.parametrize(("expected", "is_current"), [({1, 7}, True), ({2, 7}, False), (set[int](), False)])
async def test_of_several_versions_any_may_be_the_current_one(
    world: World, operation: str, expected: set[int], *, is_current: bool
) -> None:
    anna = await world.person()
    created = await anna.create()

    with nullcontext() if is_current else pytest.raises(VersionConflictError):
        await _write(operation, world, anna, created, frozenset(expected))

    assert (len(await world.event_types(created.id)) == 2) is is_current


@pytest.mark.parametrize("draft", [TaskDraft(title="Once"), TaskDraft(title="Daily", due=DUE, recurrence=DAILY)])
@pytest.mark.parametrize("expected", [{1}, {1, 7}])
async def test_a_repetition_is_answered_though_the_version_it_expects_is_gone(
    world: World, draft: TaskDraft, expected: set[int]
) -> None:
    anna = await world.person()
    task_id = as_task((await world.services.tasks.create_task(anna.context, draft)).id)
    context = anna.with_key(f"expecting {task_id}")

    first, again = [await world.services.tasks.complete_task(context, task_id, frozenset(expected)) for _ in range(2)]

    assert (again.json, again.version, again.replayed) == (first.json, 2, True)
    with pytest.raises(VersionConflictError):
        await world.services.tasks.complete_task(anna.with_key("anew"), task_id, frozenset(expected))


@pytest.mark.accepts("X12")
@pytest.mark.parametrize("operation", ["get", "patch", "replace", "delete", "complete", "reopen"])
@pytest.mark.parametrize("whose", ["foreign", "unknown", "deleted"])
async def test_a_foreign_task_is_refused_like_an_unknown_one(world: World, operation: str, whose: str) -> None:
    anna, mallory = await world.person(), await world.person()
    task = await mallory.create() if whose == "deleted" else await anna.create()
    if whose == "deleted":
        await world.services.tasks.delete_task(mallory.context, as_task(task.id))
    before = await world.event_types(task.id)
    target = task if whose != "unknown" else Stored(json=b"", version=1, id=uuid4())

    with pytest.raises(NotFoundError) as refusal:
        await _write(operation, world, mallory, target)

    assert (refusal.value.code, refusal.value.detail) == ("not_found", "There is nothing here.")
    assert await world.event_types(task.id) == before


async def test_a_viewer_may_look_and_not_touch(world: World) -> None:
    anna, victor = await world.person(), await world.person()
    created = await anna.create()
    await world.database.execute(
        "INSERT INTO memberships (project_id, account_id, role) VALUES ($1, $2, 'viewer')",
        anna.principal.inbox_id,
        victor.principal.account_id,
    )

    assert await victor.task(created.id) == parsed(created)
    for operation in ("patch", "replace", "delete", "complete", "reopen"):
        with pytest.raises(ForbiddenError):
            await _write(operation, world, victor, created)


async def test_nobody_signed_in_may_do_nothing(world: World) -> None:
    with pytest.raises(NotAuthenticatedError):
        await world.services.tasks.create_task(Context(), TaskDraft(title="Mine?"))


async def test_all_faults_of_a_draft_are_told_at_once(world: World) -> None:
    anna = await world.person()

    with pytest.raises(ValidationFailedError) as refusal:
        await anna.create(
            " ",
            description="ä" * 40_000,
            tags=("", "x" * 101),
            due=datetime(2026, 1, 1, 9),  # noqa: DTZ001 # the fault that is looked for
            time_zone="Mars/Olympus",
            recurrence=RecurrenceSpec(rule="FREQ=SOMETIMES"),
        )

    assert {error.field for error in refusal.value.errors} == {
        "title",
        "description",
        "tags.0",
        "tags.1",
        "dueDate",
        "timeZone",
        "recurrence.rule",
    }  # fmt: skip - one line reads better


@pytest.mark.accepts("X13")
def test_a_draft_can_name_only_what_people_may_write() -> None:
    writable = {"title", "description", "priority", "tags", "due", "time_zone", "recurrence"}

    assert {field.name for field in fields(TaskDraft)} == writable
    assert {field.name for field in fields(TaskChanges)} == writable | {"completed"}


@pytest.mark.accepts("E06")
async def test_the_same_key_ten_times_at_once_makes_one_task_and_one_answer(
    world: World, nursery: trio.Nursery
) -> None:
    anna = await world.person()
    context, answers = anna.with_key("k1"), list[Stored]()

    async def create() -> None:
        answers.append(await world.services.tasks.create_task(context, TaskDraft(title="Once")))

    async with trio.open_nursery() as clients:
        for _ in range(10):
            clients.start_soon(create)

    assert len({(answer.json, answer.version, answer.id) for answer in answers}) == 1
    assert sorted(answer.replayed for answer in answers) == [False] + [True] * 9
    assert await world.event_types(answers[0].id) == ["task.created"]


@pytest.mark.accepts("E06")
async def test_a_key_used_for_another_request_is_refused(world: World) -> None:
    anna = await world.person()
    await world.services.tasks.create_task(anna.with_key("k2"), TaskDraft(title="Once"))

    with pytest.raises(IdempotencyMismatchError):
        await world.services.tasks.create_task(anna.with_key("k2", b"other"), TaskDraft(title="Twice"))


async def test_a_key_belongs_to_one_account(world: World) -> None:
    anna, bert = await world.person(), await world.person()

    first = await world.services.tasks.create_task(anna.with_key("k3"), TaskDraft(title="Mine"))
    second = await world.services.tasks.create_task(bert.with_key("k3"), TaskDraft(title="Mine"))

    assert first.id != second.id


async def test_a_refusal_does_not_use_up_the_key(world: World) -> None:
    anna = await world.person()
    created = await anna.create()
    context = anna.with_key("k4")
    with pytest.raises(TaskError):
        await world.services.tasks.reopen_task(context, as_task(created.id))

    completed = await world.services.tasks.complete_task(context, as_task(created.id))

    assert not completed.replayed


@pytest.mark.accepts("E04")
async def test_a_cancelled_write_is_there_as_a_whole_or_not_at_all(world: World) -> None:
    anna = await world.person()
    weekly = RecurrenceSpec(rule="FREQ=WEEKLY")
    titles = [f"Task {number}" for number in range(40)]
    acknowledged = set[str]()

    async def write(title: str, seconds: float) -> None:
        with trio.move_on_after(seconds):
            created = await anna.create(title, due=date(2026, 12, 1), recurrence=weekly)
            await world.services.tasks.complete_task(anna.with_key(title), as_task(created.id))
            acknowledged.add(title)

    async with trio.open_nursery() as clients:
        for number, title in enumerate(titles):
            clients.start_soon(write, title, number / 1000)

    rows = await world.database.fetch(
        """
        SELECT t.title, t.completed_at IS NOT NULL AS done,
               (SELECT count(*) FROM tasks n WHERE n.generated_from = t.id) AS following,
               (SELECT array_agg(e.type ORDER BY e.seq) FROM events e WHERE e.task_id = t.id) AS told,
               (SELECT count(*) FROM idempotency_keys k WHERE k.account_id = $2 AND k.key = t.title) AS kept
        FROM tasks t WHERE t.project_id = $1 AND t.generated_from IS NULL
        """,
        anna.principal.inbox_id,
        anna.principal.account_id,
    )
    whole = {True: (1, ["task.created", "task.completed"], 1), False: (0, ["task.created"], 0)}
    assert all((row["following"], row["told"], row["kept"]) == whole[row["done"]] for row in rows)
    assert acknowledged <= {row["title"] for row in rows if row["done"]}


async def _write(
    operation: str, world: World, person: Person, task: Stored, expected: frozenset[int] | None = None
) -> Any:
    tasks, context, task_id = world.services.tasks, person.context, as_task(task.id)
    match operation:
        case "get":
            return await tasks.get_task(context, task_id)
        case "patch":
            return await tasks.patch_task(context, task_id, TaskChanges(title="Changed"), expected)
        case "replace":
            return await tasks.replace_task(context, task_id, TaskDraft(title="Changed"), expected)
        case "delete":
            return await tasks.delete_task(context, task_id, expected)
        case "complete":
            return await tasks.complete_task(context, task_id, expected)
        case _:
            return await tasks.reopen_task(context, task_id, expected)
