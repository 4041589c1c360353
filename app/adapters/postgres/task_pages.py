"""Pages of tasks in SQL: filters, sorting, and the place where a page begins.

A statement is put together from the constants below, chosen by enums; values only ever travel as arguments. Its parts
are *walks*: a walk follows one index in the order of the page, from where the page begins, and stops when the page is
full. Open and completed tasks are walks of their own, merged into one *stream* as they go on; tasks with and without a
due date are streams of their own. So the cost of a page does not grow with the account.

What is sought by a text, a tag or whatever is not the order of the walk may be anywhere. What is common is *near*:
among the next tasks of the stream. If these do not fill the page, it is rare or *far*: all that there is of it is taken
from an index of its own and sorted. The index of texts and tags follows the event log (`texts.py`) and may be behind
it: tasks with an event that it has not seen are looked at themselves, so what is found is always true.
"""

from collections.abc import Mapping, Sequence
from functools import cache
from typing import Final, NamedTuple, Self

from app.domain.checks import folded
from app.domain.ids import AccountId
from app.domain.queries import Order, TaskQuery, TaskSort
from app.domain.task import sort_instant
from app.ports.tasks import Place

KEYS: Final[Mapping[TaskSort, str]] = {
    TaskSort.CREATED_AT: "t.created_at",
    TaskSort.DUE_DATE: "t.due_sort",
    TaskSort.PRIORITY: "t.priority",
    TaskSort.TITLE: "t.title_sort",
}
BEHIND: Final[Mapping[Order, str]] = {Order.ASC: ">", Order.DESC: "<"}

# $1 the account, $2 the length of a page and one more, $3 whether completed: {false}, {true} or both.
# A page is the places of its tasks in the table, which hold for as long as the statement sees the same rows. OFFSET 0
# keeps them from being joined in any other way than by these: the plan is made for any page, and PostgreSQL takes a
# page for a tenth of the account, for which it would read the whole table.
HEAD: Final = """
    SELECT convert_to(coalesce(string_agg(task.json, ',' ORDER BY page.n) FILTER (WHERE page.n < $2), ''), 'UTF8')
               AS items,
           count(*) = $2 AS has_more,
           (array_agg(page.key) FILTER (WHERE page.n = $2 - 1))[1] AS key,
           (array_agg(page.id) FILTER (WHERE page.n = $2 - 1))[1] AS id
    FROM (
        SELECT row_number() OVER (ORDER BY p.key {order} NULLS LAST, p.id {order}) AS n, p.id, p.tid, p.key
        FROM memberships m CROSS JOIN LATERAL (
"""
TAIL: Final = """
        ) p
        WHERE m.account_id = $1 ORDER BY p.key {order} NULLS LAST, p.id {order} LIMIT $2
    ) page CROSS JOIN LATERAL (
        SELECT t.json FROM tasks t WHERE t.ctid = page.tid OFFSET 0
    ) task
"""
# The indexes go up, nulls last. A walk never mixes nulls with others, so it can go either way. Each has its order and
# limit, without which PostgreSQL would not merge them but sort all of both.
WALK: Final = """
    (SELECT t.id, t.ctid AS tid, {key} AS key, TRUE {sought} AS found FROM tasks t
     WHERE t.project_id = m.project_id AND (t.completed_at IS NOT NULL) = ($3::boolean[])[{state}]
       AND t.deleted_at IS NULL {conditions} ORDER BY {key} {order}, t.id {order} LIMIT {limit})
"""
STREAM: Final = "(SELECT * FROM ({walks}) t ORDER BY t.key {order}, t.id {order} LIMIT {limit})"
# Asked of thousands, it takes a tenth of the time even where both will do.
ONE_STATE: Final = "AND (t.completed_at IS NOT NULL) = ($3::boolean[])[1]"
# So many are looked through for what is sought, in 0.3 ms: a page of fifty of what one in ten is, even where a few less
# than that lie there. New tasks of another kind may lie in front of a common one, and each is looked at in vain.
NEAR: Final = "700"
NEAREST: Final = "SELECT t.id, t.tid, t.key FROM {stream} t WHERE t.found ORDER BY t.key {order}, t.id {order} LIMIT $2"
SOUGHT: Final = """
    WITH near AS MATERIALIZED ({near}) {hits}
    SELECT near.id, near.tid, near.key FROM near WHERE (SELECT count(*) FROM near) = $2
    UNION ALL
    (SELECT t.id, t.tid, t.key FROM {far}
     WHERE (SELECT count(*) FROM near) < $2 ORDER BY t.key {order} NULLS LAST, t.id {order} LIMIT $2)
"""
# What a page needs of each task that is sought; `{further}` leads to it. OFFSET 0: the plan is made for any number of
# them, and PostgreSQL would rather read the whole table than fetch one by one.
ALL_OF_IT: Final = """
    LATERAL (
        SELECT t.id, t.ctid AS tid, {key} AS key FROM tasks t
        WHERE t.project_id = m.project_id {one_state} AND t.deleted_at IS NULL {conditions} {further} OFFSET 0
    ) t
"""
# Any priorities look like all of them to a plan for any, one looks like few: so each is taken by itself.
BY_PRIORITY: Final = "unnest($4::smallint[]) AS wanted (priority) CROSS JOIN"
OF_ONE_PRIORITY: Final = "AND t.priority = wanted.priority AND (t.completed_at IS NOT NULL) = ANY ($3::boolean[])"
# The index of texts and tags, and the tasks that may have others by now. A text without a trigram, like "qz", would
# have it read as a whole, that is, for all accounts: 70 ms at 100,000 tasks. It is better looked for in each task of
# the account: 5 ms at 10,000 (`python -m loadtest.bench_sql`). No more hits than a few are taken from it; what
# has more is met soon by whoever walks on.
FEW: Final = "1000"
HITS: Final = """
    , hits AS MATERIALIZED (
        SELECT hit.id FROM (
            (SELECT x.task_id AS id FROM task_texts x WHERE x.project_id = m.project_id {words} LIMIT {few} + 1)
            UNION
            SELECT e.task_id FROM events e WHERE e.project_id = m.project_id AND e.position IS NULL
            UNION
            SELECT e.task_id FROM events e WHERE e.project_id = m.project_id
                AND e.position > (SELECT c.position FROM cursors c WHERE c.consumer = 'search')
        ) hit WHERE (SELECT count(*) FROM near) < $2
    )
"""
BY_WORDS: Final = "(SELECT * FROM hits WHERE (SELECT count(*) FROM hits) <= {few}) hit CROSS JOIN"
OF_A_HIT: Final = "AND t.id = hit.id"
WALK_ON: Final = "UNION ALL (SELECT * FROM ({nearest}) t WHERE (SELECT count(*) FROM hits) > {few})"
DIGITS: Final = "0123456789"


class _Shape(NamedTuple):
    """What the text of a statement depends on. There are a few hundred, and people use a dozen."""

    sort: TaskSort
    order: Order
    priorities: bool
    due_before: bool
    due_after: bool
    tags: bool
    search: bool
    trigram: bool
    both_states: bool
    behind: bool
    behind_undated: bool

    @property
    def words(self) -> bool:
        """Whether something is sought that the index of texts and tags leads to."""
        return self.tags or self.trigram

    @property
    def only_priorities(self) -> bool:
        """Whether nothing else is sought that an index leads to."""
        return self.priorities and not (self.due_before or self.due_after or self.tags or self.search)

    @classmethod
    def of(cls, query: TaskQuery, after: Place | None) -> Self:
        """Return the shape of a page."""
        return cls(
            query.sort,
            query.order or query.sort.default_order,
            bool(query.priorities),
            query.due_before is not None,
            query.due_after is not None,
            bool(query.tags),
            bool(query.search),
            bool(query.search) and has_trigram(query.search),
            query.completed is None,
            after is not None,
            after is not None and after.key is None,
        )


class _Numbers:
    """Numbers the values of a statement in the order in which they are said; `_values` has the same order."""

    def __init__(self, last: int) -> None:
        self._last = last

    def said(self, text: str) -> str:
        """Return a condition with the numbers of its values where it has `{}`."""
        count = text.count("{}")
        first, self._last = self._last + 1, self._last + count
        return " AND " + text.format(*(f"${first + index}" for index in range(count)))


def page_statement(account_id: AccountId, query: TaskQuery, after: Place | None) -> tuple[str, list[object]]:
    """Return the statement for a page, which gives one row, and its arguments."""
    states = [False, True] if query.completed is None else [query.completed]
    return _text(_Shape.of(query, after)), [account_id, query.limit + 1, states, *_values(query, after)]


def like_pattern(search: str) -> str:
    """Return the LIKE pattern for texts that contain this one; what LIKE gives a meaning loses it."""
    escaped = search.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
    return "%" + escaped + "%"


def has_trigram(search: str) -> bool:
    """Return whether pg_trgm finds a trigram in every text that contains this one.

    That takes three letters or digits in a row, or the beginning of a word (two blanks are put before it), or two and
    the end of a word (one behind it). What only PostgreSQL can tell is not counted. It folds what it looks for
    (migration 0015), which has as many letters as when it is done here.
    """
    kinds = "".join(
        "w" if char.isalpha() or char in DIGITS else "-" if char.isascii() else "?" for char in folded(search)
    )
    return "www" in kinds or "-w" in kinds or "ww-" in kinds


def _values(query: TaskQuery, after: Place | None) -> list[object]:
    values: list[object] = []
    if query.priorities:
        values.append(sorted(priority.rank for priority in query.priorities))
    if query.due_before is not None:
        values.append(sort_instant(query.due_before))
    if query.due_after is not None:
        values.append(sort_instant(query.due_after))
    if query.tags:
        values.append([folded(tag.strip()) for tag in query.tags])
    if query.search:
        values.append(like_pattern(query.search))
    if after is not None:
        values += [after.id] if after.key is None else [after.key, after.id]
    return values


class _Conditions(NamedTuple):
    """What must hold for a task.

    Attributes:
        walked: What the index of the order answers.
        sought: What has to be looked for, words included.
        words: What the index of texts and tags answers of that.
    """

    walked: str
    sought: str
    words: str


@cache
def _text(shape: _Shape) -> str:
    numbers = _Numbers(last=3)
    conditions = _conditions(numbers, shape)
    sorting = {"key": KEYS[shape.sort], "order": "ASC" if shape.order is Order.ASC else "DESC"}
    walks = _walks(numbers, shape)
    if conditions.sought:
        body = _sought(shape, conditions, walks, sorting)
    else:
        body = " UNION ALL ".join(_stream(sorting, conditions.walked + walk, "$2") for walk in walks)
    return HEAD.format(**sorting) + body + TAIL.format(**sorting)


def _sought(shape: _Shape, conditions: _Conditions, walks: Sequence[str], sorting: Mapping[str, str]) -> str:
    """Return what is sought: what is near, or all that there is, or what comes next on the way."""

    def nearest(walk: str, limit: str) -> str:
        stream = _stream(sorting, conditions.walked + walk, limit, conditions.sought)
        return NEAREST.format(**sorting, stream=stream)

    far, further, hits, on = "", "", "", ""
    if shape.words:
        far, further = BY_WORDS.format(few=FEW), OF_A_HIT
        hits = HITS.format(few=FEW, words=conditions.words)
        on = " ".join(WALK_ON.format(few=FEW, nearest=nearest(walk, "ALL")) for walk in walks)
    elif shape.only_priorities:
        far, further = BY_PRIORITY, OF_ONE_PRIORITY
    behind = " AND (FALSE" + "".join(f" OR (TRUE{walk})" for walk in walks) + ")"
    far += ALL_OF_IT.format(
        **sorting,
        one_state="" if shape.both_states else ONE_STATE,
        conditions=conditions.walked + conditions.sought + behind,
        further=further,
    )
    return SOUGHT.format(**sorting, near=nearest(walks[0], NEAR), hits=hits, far=far) + on


def _stream(sorting: Mapping[str, str], conditions: str, limit: str, sought: str = "") -> str:
    """Return the tasks of both states in order, and of each whether it is what is sought."""
    walks = (WALK.format(**sorting, state=state, conditions=conditions, limit=limit, sought=sought) for state in (1, 2))
    return STREAM.format(**sorting, walks=" UNION ALL ".join(walks), limit=limit)


def _conditions(numbers: _Numbers, shape: _Shape) -> _Conditions:
    priorities, due, tags, search = "", "", "", ""
    if shape.priorities:
        priorities = numbers.said("t.priority = ANY ({}::smallint[])")
    if shape.due_before:
        due += numbers.said("t.due_sort < {}")
    if shape.due_after:
        due += numbers.said("t.due_sort >= {}")
    if shape.tags:
        tags = numbers.said("t.tag_keys @> {}::text[]")
    if shape.search:
        search = numbers.said("t.search_text LIKE (SELECT folded({}))")
    words = (tags + search if shape.trigram else tags).replace(" t.", " x.")
    if shape.sort is TaskSort.PRIORITY:
        return _Conditions(priorities, due + tags + search, words)
    if shape.sort is TaskSort.DUE_DATE:
        return _Conditions(due, priorities + tags + search, words)
    return _Conditions("", priorities + due + tags + search, words)


def _walks(numbers: _Numbers, shape: _Shape) -> list[str]:
    """Return what holds on each walk. Only due dates can be missing, and those then come last either way."""
    key, behind = KEYS[shape.sort], BEHIND[shape.order]
    if shape.sort is not TaskSort.DUE_DATE:
        return [numbers.said(f"({key}, t.id) {behind} ({{}}, {{}})")] if shape.behind else [""]
    dated, undated = f" AND {key} IS NOT NULL", f" AND {key} IS NULL"
    if shape.behind_undated:
        return [undated + numbers.said(f"t.id {behind} {{}}")]
    if shape.behind:
        return [dated + numbers.said(f"({key}, t.id) {behind} ({{}}, {{}})"), undated]
    return [dated, undated]
