"""Lists of tasks: filters, search, order, and pages that stay true while others write."""

import unicodedata
from contextlib import nullcontext
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest

from app.domain.errors import ValidationFailedError
from app.domain.queries import Order, TaskQuery, TaskSort
from app.domain.task import Priority, TaskChanges
from app.ports.tasks import Place
from app.services.task_pages import checked_query, next_cursor
from tests.integration.services.world import NOON, Person, World, as_task, parsed

# What people have tried to make SQL, LIKE patterns, cursors and regular expressions of.
INJECTIONS = (
    "'",
    "''",
    '"',
    "' OR '1'='1",
    "'; DROP TABLE tasks; --",
    "1); SELECT pg_sleep(5); --",
    "%",
    "_",
    "%%",
    "\\",
    "\\\\",
    "\\%",
    "$1",
    "$$",
    "{}",
    "{0}",
    "{key}",
    "%s",
    "%(a)s",
    "*/",
    "/*",
    "--",
    ";",
    "\\x27",
    "\u02bc",
    "\uff07",
    "NULL",
    "ASC; DELETE FROM tasks",
    "(SELECT 1)",
    "[a-z]",
    "^.*$",
    "\u202e",
    "🪴" * 90,
    "a" * 90,
    "\t",
    "\u0301",
)  # fmt: skip - a corpus


async def _items(person: Person, **query: Any) -> list[dict[str, Any]]:
    """Return the tasks of one page."""
    answer = await person.world.services.tasks.list_tasks(person.context, TaskQuery(**query))
    items: list[dict[str, Any]] = parsed(answer)["items"]
    return items


async def _titles(person: Person, **query: Any) -> list[str]:
    return [item["title"] for item in await _items(person, **query)]


async def _garden(world: World) -> Person:
    """Return somebody with five tasks, made a minute apart."""
    anna = await world.person()
    for title, fields in (
        ("Äpfel ernten", {"tags": ("Garten", "Herbst"), "due": date(2026, 12, 1), "priority": Priority.HIGH}),
        ("Buy 100% juice", {"description": "in the under_ground shop"}),
        ("call Bob", {"due": datetime(2026, 12, 1, 9, tzinfo=UTC), "priority": Priority.URGENT}),
        ("Dig", {"tags": ("garten",), "due": date(2026, 11, 30), "priority": Priority.LOW}),
        ("empty the \\bin", {}),
    ):
        await anna.create(title, **fields)
        world.clock.advance(minutes=1)
    world.clock.instant = NOON
    return anna


@pytest.mark.parametrize(
    ("query", "titles"),
    [
        ({}, "edcBÄ"),
        ({"order": Order.ASC}, "ÄBcde"),
        ({"sort": TaskSort.TITLE}, "BcdeÄ".replace("d", "D")),
        ({"sort": TaskSort.TITLE, "order": Order.DESC}, "ÄeDcB"),
        ({"sort": TaskSort.DUE_DATE}, "DÄcBe"),
        ({"sort": TaskSort.DUE_DATE, "order": Order.DESC}, "cÄDeB"),
        ({"sort": TaskSort.PRIORITY}, "cÄeBD"),
        ({"sort": TaskSort.PRIORITY, "order": Order.ASC}, "DBeÄc"),
        ({"priorities": frozenset({Priority.LOW, Priority.URGENT})}, "Dc"),
        ({"tags": ("GARTEN",)}, "DÄ"),
        ({"tags": ("garten", " herbst ")}, "Ä"),
        ({"search": "äPFEL"}, "Ä"),
        ({"search": "ER_GROUND"}, "B"),
        ({"search": "herb"}, "Ä"),
        ({"search": "100%"}, "B"),
        ({"search": "r_g"}, "B"),
        ({"search": "0%j"}, ""),
        ({"search": "\\bin"}, "e"),
        # Those without a date as well, however few have one.
        ({"search": "b", "sort": TaskSort.DUE_DATE}, "ÄcBe"),
        ({"search": "b", "sort": TaskSort.DUE_DATE, "order": Order.DESC}, "cÄeB"),
        ({"due_before": date(2026, 12, 1)}, "D"),
        ({"due_after": date(2026, 12, 1)}, "cÄ"),
        ({"due_after": date(2026, 11, 30), "due_before": datetime(2026, 12, 1, 9, tzinfo=UTC)}, "DÄ"),
        ({"completed": True}, ""),
        ({"limit": 2}, "ed"),
    ],
)
async def test_filters_and_order(world: World, query: dict[str, Any], titles: str) -> None:
    anna = await _garden(world)

    found = await _titles(anna, **query)

    assert "".join(title[0] for title in found).lower() == titles.lower()


# What Unicode calls equal but for case, each way round; what is looked for is a part of what is there.
EQUAL = (
    ("caf\u00e9 au lait", "CAFE\u0301"),
    ("cafe\u0301 au lait", "caf\u00e9"),
    ("\u1e69 from below", "s\u0307\u0323"),
    ("Stra\u00dfe fegen", "STRASSE"),
    ("STRASSE FEGEN", "stra\u00dfe"),
    ("STRA\u1e9eE FEGEN", "strasse"),
    ("\u039f\u0394\u039f\u03a3 \u039a\u0391\u0399", "\u03bf\u03b4\u03bf\u03c2"),
    ("\u03bf\u03b4\u03bf\u03c2 \u03ba\u03b1\u03b9", "\u03bf\u03b4\u03bf\u03c3"),
    ("\u1fb3 with an iota below", "\u0391\u0399"),
    ("o\ufb03ce", "OFFICE"),
    ("\u212bngstr\u00f6m", "a\u030angstro\u0308m"),
    ("\ud55c\uad6d\uc5b4", "\u1112\u1161\u11ab"),
    ("100% \u00e9t\u00e9_\\x", "% e\u0301te\u0301_\\"),
)


@pytest.mark.parametrize(("text", "sought"), EQUAL)
@pytest.mark.parametrize("where", ["title", "description", "tags"])
async def test_what_is_equal_to_people_is_found(world: World, text: str, sought: str, where: str) -> None:
    anna = await world.person()
    await anna.create("Other things")
    fields: dict[str, Any] = {"title": "Known"} | {where: (text,) if where == "tags" else text}
    created = await anna.create(**fields)

    assert [task["id"] for task in await _items(anna, search=sought)] == [str(created.id)]
    if where == "tags":
        same = unicodedata.normalize("NFD", text).upper()
        assert [task["id"] for task in await _items(anna, tags=(same,))] == [str(created.id)]


async def test_completed_tasks_are_told_apart(world: World) -> None:
    anna = await world.person()
    done, _ = await anna.create("Done"), await anna.create("Open")
    await world.services.tasks.complete_task(anna.context, as_task(done.id))

    assert await _titles(anna, completed=True) == ["Done"]
    assert await _titles(anna, completed=False) == ["Open"]


@pytest.mark.accepts("X12")
async def test_a_list_shows_nobody_elses_tasks(world: World) -> None:
    anna, mallory = await world.person(), await world.person()
    await anna.create("Secret")

    assert await _titles(mallory, search="secret") == []


@pytest.mark.parametrize("sort", list(TaskSort))
@pytest.mark.parametrize("order", list(Order))
async def test_pages_show_everything_once_while_others_write(world: World, sort: TaskSort, order: Order) -> None:
    anna = await world.person()
    made = []
    for number in range(12):
        due = None if number % 3 == 0 else NOON + timedelta(hours=number // 4)
        priority = tuple(Priority)[number % 4]
        made.append(await anna.create(f"Task {number // 2}", due=due, priority=priority))

    seen, cursor, page = list[str](), None, 0
    while page == 0 or cursor is not None:
        answer = await world.services.tasks.list_tasks(
            anna.context, TaskQuery(sort=sort, order=order, limit=5, cursor=cursor)
        )
        cursor, page = parsed(answer)["nextCursor"], page + 1
        seen += [item["id"] for item in parsed(answer)["items"]]
        await _disturb(world, anna, made[0].id if page == 1 and str(made[0].id) in seen else None, page)

    old = [str(task.id) for task in made]
    assert len(seen) == len(set(seen))
    assert set(old) <= set(seen)
    whole = [item["id"] for item in await _items(anna, sort=sort, order=order, limit=200)]
    assert [task for task in seen if task in old] == [task for task in whole if task in old]


async def _disturb(world: World, person: Person, shown: Any, page: int) -> None:
    """Make a task, and change the description of one that was shown."""
    await person.create(f"Task {page} in between", due=None if page % 2 else NOON)
    if shown is not None:
        await world.services.tasks.patch_task(person.context, as_task(shown), TaskChanges(description="Seen"))


@pytest.mark.parametrize(
    "cursor", ["", "x", "ä", "W10", "bnVsbA", "IiI", "WzEsMiwzXQ", "A" * 9000, "[]", "WyJhIiwiYiJd"]
)
async def test_a_garbled_cursor_is_refused(world: World, cursor: str) -> None:
    anna = await world.person()

    with pytest.raises(ValidationFailedError, match="cursor"):
        await _items(anna, cursor=cursor)


@pytest.mark.parametrize("sort", list(TaskSort))
@pytest.mark.parametrize("key", [None, True, 7.5, 10**6, "x", "a\0b", "2026-11-23", [], {}])
async def test_a_cursor_with_another_key_never_reaches_the_database(world: World, sort: TaskSort, key: Any) -> None:
    anna, query = await world.person(), checked_query(TaskQuery(sort=sort))
    cursor = next_cursor(query, Place(id=as_task(uuid4()), key=key))
    fits = (key is None and sort is TaskSort.DUE_DATE) or (key in ("x", "2026-11-23") and sort is TaskSort.TITLE)

    with nullcontext() if fits else pytest.raises(ValidationFailedError, match="cursor"):
        assert await _items(anna, sort=sort, cursor=cursor) == []


async def test_a_cursor_of_another_list_is_refused(world: World) -> None:
    anna = await _garden(world)
    answer = await world.services.tasks.list_tasks(anna.context, TaskQuery(limit=2, search="e"))
    cursor = parsed(answer)["nextCursor"]

    for other in ({}, {"search": "e", "order": Order.ASC}, {"search": "e", "sort": TaskSort.TITLE}, {"search": "i"}):
        with pytest.raises(ValidationFailedError, match="cursor"):
            await _items(anna, cursor=cursor, **other)
    assert await _items(anna, cursor=cursor, search="E", limit=3)


@pytest.mark.accepts("X15")
async def test_no_text_means_anything_to_sql(world: World) -> None:
    anna = await world.person()
    for text in INJECTIONS:
        created = await anna.create(f"x{text}x", description=text, tags=(f"x{text}",))

        found = await _items(anna, search=f"x{text}x", tags=(f"x{text}",), limit=1)

        assert [item["id"] for item in found] == [str(created.id)], text
        assert (found[0]["title"], found[0]["description"]) == (f"x{text}x", text)
    assert len(await _items(anna, limit=200)) == len(INJECTIONS)


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ({"limit": 0}, "limit"),
        ({"limit": 201}, "limit"),
        ({"search": "a\0b"}, "search"),
        ({"tags": ("a\0",)}, "tags"),
        ({"tags": ("a",) * 101}, "tags"),
        ({"due_before": datetime(2026, 1, 1)}, "dueBefore"),  # noqa: DTZ001 # the fault that is looked for
        ({"due_after": date(1, 1, 1)}, "dueAfter"),
    ],
)
async def test_a_question_that_makes_no_sense_is_refused(world: World, query: dict[str, Any], field: str) -> None:
    anna = await world.person()

    with pytest.raises(ValidationFailedError) as refusal:
        await _items(anna, **query)

    assert [error.field for error in refusal.value.errors] == [field]
