"""The index of texts and tags on PostgreSQL follows the event log; a search is true however far behind it is."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
import trio

from app.adapters.postgres.task_pages import FEW
from app.adapters.postgres.texts import TextFollower
from app.domain.queries import Order, TaskQuery, TaskSort
from app.domain.task import TaskChanges
from tests.integration.actors.following import catch_up, publish
from tests.integration.services.world import PASSWORD, Person, World, as_task

if TYPE_CHECKING:
    from app.adapters.postgres import Database

# So many events that more tasks may have other words than are fetched one by one.
MANY = int(FEW) + 50
KEYS = {
    TaskSort.CREATED_AT: "created_at",
    TaskSort.DUE_DATE: "due_sort",
    TaskSort.PRIORITY: "priority",
    TaskSort.TITLE: "title_sort",
}
PLAIN = "SELECT title FROM tasks WHERE title LIKE 'Sort%' ORDER BY {key} {order} NULLS LAST, id {order} LIMIT 200"
COPY = """
    WITH made AS (
        INSERT INTO tasks (id, project_id, title, priority, due_on, created_at, updated_at)
        SELECT gen_random_uuid(), t.project_id, CASE WHEN n <= 800 THEN 'Zero ' ELSE 'Sort ' END || n, 1,
               date '2026-01-01' + n, t.created_at - n * interval '1 s', t.updated_at
        FROM tasks t, generate_series(1, $2::integer) n WHERE t.id = $1
        RETURNING id, project_id
    )
    INSERT INTO events (id, type, project_id, task_id, occurred_at)
    SELECT gen_random_uuid(), 'task.created', project_id, id, now() FROM made
"""


async def found(person: Person, **query: Any) -> list[str]:
    """Return the titles on a page that is too long to be filled by what is near."""
    page = await person.world.services.tasks.list_tasks(person.context, TaskQuery(limit=200, **query))
    return [task["title"] for task in json.loads(page)["items"]]


async def indexed(database: Database) -> list[tuple[str, list[str]]]:
    rows = await database.fetch("SELECT search_text, tag_keys FROM task_texts ORDER BY search_text")
    return [(row["search_text"].partition("\n")[0], row["tag_keys"]) for row in rows]


async def follow(database: Database) -> int:
    await publish(database)
    return await catch_up(TextFollower(database=database))


async def test_words_are_indexed_changed_and_forgotten_with_their_task(house: World) -> None:
    anna = await house.person()
    kept, gone = await anna.create("Kept", tags=("Home",)), await anna.create("Gone")

    await follow(house.database)
    first = await indexed(house.database)
    await house.services.tasks.patch_task(anna.context, as_task(kept.id), TaskChanges(title="Renamed"))
    await house.services.tasks.delete_task(anna.context, as_task(gone.id))
    await follow(house.database)

    assert first == [("gone", []), ("kept", ["home"])]
    assert await indexed(house.database) == [("renamed", ["home"])]


async def test_a_change_that_leaves_the_words_alone_does_not_touch_their_index(house: World) -> None:
    anna = await house.person()
    task = await anna.create("Water the plants")
    await follow(house.database)
    before = await house.database.fetchval("SELECT xmin::text || xmax::text FROM task_texts")

    await house.services.tasks.complete_task(anna.context, as_task(task.id))
    handled = await follow(house.database)

    assert handled == 1
    assert await house.database.fetchval("SELECT xmin::text || xmax::text FROM task_texts") == before


async def test_a_search_is_true_before_its_index_has_followed(house: World) -> None:
    anna = await house.person()
    task = await anna.create("Buy oranges", tags=("fruit",))
    assert await found(anna, search="orange") == await found(anna, tags=("fruit",)) == ["Buy oranges"]

    await follow(house.database)
    changes = TaskChanges(title="Buy pears", tags=("shop",))
    await house.services.tasks.patch_task(anna.context, as_task(task.id), changes)

    for published in (False, True):
        assert await found(anna, search="pears") == await found(anna, tags=("shop",)) == ["Buy pears"]
        assert await found(anna, search="orange") == await found(anna, tags=("fruit",)) == []
        assert published or await publish(house.database)
    await follow(house.database)
    assert await found(anna, search="pears") == await found(anna, tags=("shop",)) == ["Buy pears"]
    assert await found(anna, search="orange") == await found(anna, tags=("fruit",)) == []


@pytest.mark.parametrize("follows", [False, True])
@pytest.mark.parametrize("order", Order)
@pytest.mark.parametrize("sort", TaskSort)
async def test_many_hits_are_found_in_order_wherever_their_words_are(
    house: World,
    sort: TaskSort,
    order: Order,
    follows: bool,  # noqa: FBT001 # pytest passes it by name
) -> None:
    anna = await house.person()
    task = await anna.create("Sort 0000")
    # All but the newest hold it, and nothing near does.
    await house.database.execute(COPY, as_task(task.id), MANY + 800)
    if follows:
        await follow(house.database)

    titles = await found(anna, search="sort", sort=sort, order=order)

    rows = await house.database.fetch(PLAIN.format(key=KEYS[sort], order=order))
    assert titles == [row["title"] for row in rows]


async def test_two_followers_at_once_index_each_word_once(house: World) -> None:
    anna = await house.person()
    for number in range(30):
        await anna.create(f"Task {number}")
    await publish(house.database)
    handled: list[int] = []

    async def run() -> None:
        handled.append(await catch_up(TextFollower(database=house.database), limit=3))

    async with trio.open_nursery() as nursery:
        nursery.start_soon(run)
        nursery.start_soon(run)

    assert sum(handled) == 30 + await house.database.fetchval("SELECT count(*) FROM events WHERE task_id IS NULL")
    assert len(await indexed(house.database)) == 30


@pytest.mark.accepts("X27")
async def test_who_leaves_takes_their_words_along(house: World) -> None:
    bert, anna = await house.person(), await house.person()  # the first one is the operator, who has to stay
    await anna.create("A secret")
    await bert.create("Something else")
    await follow(house.database)

    await house.services.leaving.delete_account(anna.context, PASSWORD)

    assert await indexed(house.database) == [("something else", [])]
