"""How PostgreSQL goes about our statements at 1,000,000 tasks in 1,000 accounts, one of which has 100,000.

Plans are held to their shape and to the rows they touch, never to the clock: no sequential scan, no sort of a whole
account, and no more rows read than a few pages. They are the plans for any values, since Rondo has PostgreSQL use no
others (`plan_cache_mode`). Only EXPLAIN EXECUTE shows these: a plain EXPLAIN with arguments plans for the very values.
"""

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from typing import Any, Final, NamedTuple
from uuid import UUID

import pytest
import trio

from app.adapters.postgres import Database, shortcuts, tasks
from app.adapters.postgres.task_pages import KEYS, has_trigram, like_pattern, page_statement
from app.adapters.postgres.texts import TextFollower
from app.domain.ids import AccountId, TaskId
from app.domain.queries import Order, TaskQuery, TaskSort
from app.domain.task import Priority
from app.ports.tasks import Place
from tests.fixtures.postgres import PostgresServer

CROWDED: Final = AccountId(UUID("00000000-0000-7000-8000-000000000001"))
ORDINARY: Final = AccountId(UUID("00000000-0000-7000-8000-000000000007"))

FILL: Final = """
    SET maintenance_work_mem = '512MB';
    SET session_replication_role = replica;  -- foreign keys are true by construction
    ALTER TABLE tasks DISABLE TRIGGER tasks_written_out;  -- a minute for a million; what it derives is given here
    INSERT INTO accounts (id, email, email_key, password_hash, created_at, updated_at)
    SELECT account_of(n), n::text, n::text, '', now(), now() FROM generate_series(1, ACCOUNTS) n;
    INSERT INTO projects (id, name, kind, created_at)
    SELECT account_of(n), 'Inbox', 'inbox', now() FROM generate_series(1, ACCOUNTS) n;
    INSERT INTO memberships (project_id, account_id, role, inbox)
    SELECT account_of(n), account_of(n), 'owner', true FROM generate_series(1, ACCOUNTS) n;
    INSERT INTO tasks (id, project_id, title, priority, tags, tag_keys, due_on, completed_at, created_at, updated_at,
                       due_sort, title_sort, search_text, json)
    SELECT id, account_of(CASE WHEN n <= CROWDED THEN 1 ELSE 2 + n % (ACCOUNTS - 1) END),
           title, CASE WHEN n % 1000 = 0 THEN 3 ELSE n % 3 END, tag, tag, due_on,
           CASE WHEN n % 50 > 0 THEN now() END, timestamptz '2026-01-01' + n * interval '1 minute', now(),
           due_on::timestamp AT TIME ZONE 'UTC', lower(title), lower(title) || E'\n\n' || array_to_string(tag, E'\n'),
           '{"id":"' || id || '","asLongAsOne":"' || repeat('x', 400) || '"}'
    FROM generate_series(1, TASKS) n
    CROSS JOIN LATERAL (SELECT CASE WHEN n % 2 = 0 THEN '{home}' WHEN n % 9999 = 0 THEN '{rare}'
                                    WHEN n % 41 = 0 THEN '{some}' ELSE '{}' END::text[],
                               ('00000000-0000-7000-9000-' || lpad(to_hex(n), 12, '0'))::uuid,
                               'Task ' || md5(n::text),
                               CASE WHEN n % 3 > 0 THEN date '2026-01-01' + n % 700 END
                       ) AS made (tag, id, title, due_on);
    INSERT INTO task_texts SELECT id, project_id, tag_keys, search_text FROM tasks;
    INSERT INTO events (position, id, type, project_id, task_id, occurred_at)
    SELECT row_number() OVER (), id, 'task.created', project_id, id, now() FROM tasks LIMIT TASKS / 20;
    UPDATE cursors SET position = TASKS / 20;
    ALTER TABLE tasks ENABLE ALWAYS TRIGGER tasks_written_out;
"""
ACCOUNT_OF: Final = """
    CREATE FUNCTION account_of(n integer) RETURNS uuid LANGUAGE sql IMMUTABLE
    RETURN ('00000000-0000-7000-8000-' || lpad(to_hex(n), 12, '0'))::uuid
"""
INDEXES: Final = """
    SELECT indexname, indexdef FROM pg_indexes
    WHERE tablename IN ('tasks', 'task_texts') AND indexname NOT IN ('tasks_pkey', 'task_texts_pkey')
"""
MIDDLE: Final = "SELECT KEY AS key, t.id FROM tasks t WHERE t.project_id = $1 ORDER BY 1, 2 OFFSET 30000 LIMIT 1"
ANY_WITH: Final = """
    EXPLAIN (ANALYZE, TIMING OFF, FORMAT JSON) SELECT FROM task_texts x WHERE x.search_text LIKE folded($1)
"""
FOUND: Final = """
    SELECT t.id FROM tasks t WHERE t.project_id = $1 AND t.search_text LIKE $2
    ORDER BY KEY ORDER NULLS LAST, t.id ORDER LIMIT 50
"""
LARGE: Final = {"tasks", "task_texts", "events"}
# Fifty tasks are changed, and the log says so.
TELL_OF_FIFTY: Final = """
    WITH told AS (
        UPDATE tasks SET title = title || '!' WHERE id IN (SELECT id FROM tasks ORDER BY id LIMIT 50)
        RETURNING id, project_id
    )
    INSERT INTO events (position, id, type, project_id, task_id, occurred_at)
    SELECT (SELECT max(position) FROM events) + row_number() OVER (), gen_random_uuid(), 'task.updated',
           project_id, id, now() FROM told
"""
# A page and the one task more, from each of the up to two streams; a stream looks one task ahead on its two walks.
STREAMS: Final = 2 * (51 + 2)
# What is common is found after no more than so many tasks; in this crowd every second has it.
COMMON: Final = 3 * 51
# What is not common has been looked for among so many.
NEAR: Final = 700 + 2
# The tag that every 82nd has: no more hits are taken than there may be few of, and whoever walks on meets a page.
SOME: Final = NEAR + 100_000 // 82 + 1 + 1001 + 82 * 52


class Size(NamedTuple):
    """How many there are; the first account has `crowded` tasks."""

    accounts: int
    tasks: int
    crowded: int


@pytest.fixture(scope="module")
def crowd(postgres_server: PostgresServer) -> Iterator[str]:
    """A database with 1,000,000 tasks."""
    yield from _filled(postgres_server, Size(accounts=1000, tasks=1_000_000, crowded=100_000))


@pytest.fixture(scope="module")
def hamlet(postgres_server: PostgresServer) -> Iterator[str]:
    """A database with 10,000 tasks, so few that reading them all may look cheap."""
    yield from _filled(postgres_server, Size(accounts=10, tasks=10_000, crowded=8_000))


def _filled(server: PostgresServer, size: Size) -> Iterator[str]:
    with server.database() as url:
        trio.run(_fill, url, size)
        yield url


async def _fill(url: str, size: Size) -> None:
    """Fill a database; indexes are made afterwards, which is a third of the time."""
    fill = FILL
    for name, number in size._asdict().items():
        fill = fill.replace(name.upper(), str(number))
    async with trio.open_nursery() as nursery:
        # The second connection answers while the first one works for seconds; a new one could take too long for that.
        pool = Database(url, size=2, name="fill", statement_seconds=300)
        await nursery.start(pool.run)
        async with pool.connection() as connection:
            indexes = await connection.fetch(INDEXES)
            for index in indexes:
                await connection.execute(f'DROP INDEX "{index["indexname"]}"')
            await connection.execute(ACCOUNT_OF)
            await connection.execute(fill)
            for index in indexes:
                await connection.execute(index["indexdef"])
            await connection.execute("ANALYZE")
        nursery.cancel_scope.cancel()


@pytest.fixture
async def pool(crowd: str, nursery: trio.Nursery) -> Database:
    return await _opened(crowd, nursery)


async def _opened(url: str, nursery: trio.Nursery) -> Database:
    pool = Database(url, size=1, name="plans", statement_seconds=60)
    await nursery.start(pool.run)
    return pool


async def _plan(pool: Database, statement: str, values: list[object], *, run: bool = True) -> list[Any]:
    """Return the nodes of the plan."""
    options = "ANALYZE, TIMING OFF, FORMAT JSON" if run else "FORMAT JSON"
    async with pool.connection() as connection:
        await connection.execute(f"PREPARE looked_at AS {statement}")
        try:
            plan = await connection.fetchval(
                f"EXPLAIN ({options}) EXECUTE looked_at ({', '.join(map(_literal, values))})"
            )
        finally:
            await connection.execute("DEALLOCATE looked_at")
    return list(_nodes(json.loads(plan)[0]["Plan"]))


def _literal(value: object) -> str:
    """Return a value of ours as SQL has it."""
    match value:
        case None:
            return "NULL"
        case bool() | int():
            return str(value)
        case list():
            return f"ARRAY[{', '.join(map(_literal, value))}]"
        case _:
            assert "'" not in str(value)
            return f"'{value}'"


def _nodes(plan: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield plan
    for below in plan.get("Plans", ()):
        yield from _nodes(below)


def _rows_read(nodes: list[Any]) -> int:
    """Return how many rows of tasks, texts and events were touched, in the table or only in an index."""
    read = 0
    for node in nodes:
        if node.get("Relation Name") in LARGE or node["Node Type"] == "Bitmap Index Scan":
            removed = node.get("Rows Removed by Filter", 0) + node.get("Rows Removed by Index Recheck", 0)
            read += round((node["Actual Rows"] + removed) * node["Actual Loops"])
    return read


def _most_sorted(nodes: list[Any]) -> int:
    """Return the most rows that were sorted together."""
    sorts = [node for node in nodes if "Sort" in node["Node Type"]]
    return max((round(below["Actual Rows"]) for sort in sorts for below in sort["Plans"]), default=0)


async def _check_page(pool: Database, query: TaskQuery, after: Place | None, *, most: int) -> None:
    for account_id in (CROWDED, ORDINARY):
        statement, values = page_statement(account_id, query, after)
        nodes = await _plan(pool, statement, values)
        assert all(node["Node Type"] != "Seq Scan" or node["Relation Name"] not in LARGE for node in nodes)
        assert _rows_read(nodes) <= most + 51  # the page's own rows are fetched by their ids
        assert _most_sorted(nodes) <= most


@pytest.mark.parametrize("completed", [None, False])
@pytest.mark.parametrize("order", Order)
@pytest.mark.parametrize("sort", TaskSort)
async def test_a_page_walks_its_index(
    pool: Database,
    sort: TaskSort,
    order: Order,
    completed: bool | None,  # noqa: FBT001 # pytest passes it by name
) -> None:
    query = TaskQuery(sort=sort, order=order, completed=completed, limit=50)
    middle = await pool.fetchrow(MIDDLE.replace("KEY", KEYS[sort]), CROWDED)

    await _check_page(pool, query, None, most=STREAMS)
    await _check_page(pool, query, Place(key=middle["key"], id=middle["id"]), most=STREAMS)


async def test_tasks_without_a_due_date_are_walked_too(pool: Database) -> None:
    for order in Order:
        query = TaskQuery(sort=TaskSort.DUE_DATE, order=order, limit=50)

        await _check_page(pool, query, Place(key=None, id=TaskId(UUID(int=2**127))), most=STREAMS)


@pytest.mark.parametrize(
    ("query", "most"),
    [
        (TaskQuery(sort=TaskSort.PRIORITY, priorities=frozenset({Priority.HIGH})), STREAMS),
        (TaskQuery(sort=TaskSort.DUE_DATE, due_after=date(2026, 5, 1), due_before=date(2026, 9, 1)), STREAMS),
        (TaskQuery(priorities=frozenset({Priority.LOW, Priority.HIGH})), COMMON),
        (TaskQuery(tags=("home",)), COMMON),
        (TaskQuery(search="task"), COMMON),
        (TaskQuery(search="a"), COMMON),
        # Rare ones: what the walks looked through, and all that there are, in the index and in the table.
        (TaskQuery(priorities=frozenset({Priority.URGENT}), completed=True), NEAR),
        # Every twentieth of those that are open.
        (TaskQuery(priorities=frozenset({Priority.URGENT})), NEAR + 21 * 51),
        (TaskQuery(tags=("rare",)), NEAR + 3 * 2 * 10),
        (TaskQuery(tags=("some",)), SOME),
        (TaskQuery(tags=("some",), search="task"), SOME),
        (TaskQuery(search="c4ca42"), NEAR + 3 * 2 * 40),
        (TaskQuery(search="nowhere", sort=TaskSort.TITLE), NEAR),
        (TaskQuery(search="c4ca42", tags=("home",), sort=TaskSort.DUE_DATE), NEAR + 2 * 2 * 40),
        (TaskQuery(due_after=date(2026, 5, 1), due_before=date(2026, 5, 3)), NEAR + 2 * 400),
    ],
    ids=lambda _value: "",  # a set of priorities has another text in every process, and they are counted then
)
async def test_a_filter_reads_few_rows(pool: Database, query: TaskQuery, most: int) -> None:
    for order in Order:
        await _check_page(pool, replace(query, order=order, limit=50), None, most=most)


async def test_a_text_without_a_trigram_does_not_read_the_texts_of_all_accounts(pool: Database) -> None:
    for search, by_index in (("zz", False), ("zzz", True)):
        nodes = await _plan(pool, *page_statement(ORDINARY, TaskQuery(search=search, limit=50), None))

        assert _rows_read(nodes) <= 2 * 1000
        assert any("search_text" in node.get("Index Cond", "") for node in nodes) is by_index


@pytest.mark.parametrize(
    "search",
    [
        *("z", "zz", "zzz", "-z", "z-", "z z", "zz-", "_z", "ü", "üß", "üßü", "²²²", "-²-", "日本", "日本語"),
        *("\ufb03", "zu\u0308", "z-u\u0308", "zu\u0308z", "\u1112\u1161\u11ab"),
    ],
)
async def test_postgresql_has_a_trigram_when_we_say_so(hamlet: str, nursery: trio.Nursery, search: str) -> None:
    pool = await _opened(hamlet, nursery)

    async with pool.connection() as connection, connection.transaction():
        await connection.execute("SET LOCAL enable_seqscan = off")
        plan = await connection.fetchval(ANY_WITH, like_pattern(search))

    [found] = [node for node in _nodes(json.loads(plan)[0]["Plan"]) if node["Node Type"] == "Bitmap Index Scan"]
    # None of these is in the texts: so an index that was asked for a trigram gives none of them, or else all.
    assert (found["Actual Rows"] == 0) is has_trigram(search)


async def test_nothing_waits_to_be_merged_into_the_index_of_texts(hamlet: str, nursery: trio.Nursery) -> None:
    pool = await _opened(hamlet, nursery)
    await pool.execute("CREATE EXTENSION pgstattuple")
    await pool.execute(TELL_OF_FIFTY)

    handled, _ = await TextFollower(database=pool).advance(200)

    found = await pool.fetchval("SELECT count(*) FROM task_texts WHERE search_text LIKE '%!%'")
    waiting = await pool.fetchval("SELECT pending_tuples FROM pgstatginindex('task_texts_by_words')")
    assert (handled, found, waiting) == (50, 50, 0)


@pytest.mark.parametrize("sort", TaskSort)
async def test_a_page_of_a_small_database_does_not_read_all_of_it(
    hamlet: str, nursery: trio.Nursery, sort: TaskSort
) -> None:
    pool = await _opened(hamlet, nursery)

    await _check_page(pool, TaskQuery(sort=sort, limit=50), None, most=STREAMS)
    await _check_page(pool, TaskQuery(sort=sort, search="a", limit=50), None, most=COMMON)


@pytest.mark.parametrize("order", Order)
@pytest.mark.parametrize("sort", TaskSort)
@pytest.mark.parametrize("search", ["task", "c4c", "c4ca42"])
async def test_what_is_sought_is_found_in_order(pool: Database, search: str, sort: TaskSort, order: Order) -> None:
    query = TaskQuery(search=search, sort=sort, order=order, limit=50)
    statement, values = page_statement(CROWDED, query, None)
    plain = (
        FOUND.replace("KEY", KEYS[sort])
        .replace("ORDER NULLS", f"{order} NULLS")
        .replace("ORDER LIMIT", f"{order} LIMIT")
    )

    page = await pool.fetchrow(statement, *values)
    wanted = await pool.fetch(plain, CROWDED, like_pattern(search))

    assert [task["id"] for task in json.loads(b"[" + page["items"] + b"]")] == [str(row["id"]) for row in wanted]
    assert page["has_more"] is (len(wanted) == 50)


@pytest.mark.parametrize(
    ("statement", "count"),
    [
        (tasks.GET, 2),
        (tasks.LOCK, 2),
        (tasks.SAVE, 23),
        (shortcuts.CREATE, 31),
        (shortcuts.EDIT, 13),
        (shortcuts.COMPLETE, 10),
        (shortcuts.REOPEN, 10),
        (shortcuts.DELETE, 8),
    ],
    ids=["get", "lock", "save", "create", "edit", "complete", "reopen", "delete"],
)
async def test_one_task_is_found_by_its_id(pool: Database, statement: str, count: int) -> None:
    nodes = await _plan(pool, statement, [None] * count, run=False)

    assert all(node["Node Type"] != "Seq Scan" for node in nodes if node.get("Relation Name") != "reminders")
