"""Pages of tasks in SQL: filters, sorting, and the place where a page begins.

A statement is put together from the constants below, chosen by enums; values only ever travel as arguments. Its parts
are *walks*: a walk follows one index in the order of the page, from where the page begins, and stops when the page is
full. Open and completed tasks are walks of their own, tasks with and without a due date too; the page is merged from
them. So the cost of a page does not grow with the account.

What is sought by a text, a tag or whatever is not the order of the walk may be anywhere. What is common is found by
looking through the next 200 tasks; if these do not fill the page, it is rare enough to take all of it from an
index of its own and sort it.
"""

from collections.abc import Mapping
from typing import Final

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

# The second argument of `task_json`: the reminders of a task `t`, NULL when there are none.
REMINDERS: Final = """
    (SELECT json_agg(reminder_setting_json(r) ORDER BY r.created_at, r.id)
     FROM reminders r WHERE r.task_id = t.id AND r.deleted_at IS NULL)
"""

# $1 the account, $2 the length of a page and one more, $3 whether completed: {false}, {true} or both.
HEAD: Final = """
    SELECT coalesce(string_agg(task_json(t, {reminders})::text, ',' ORDER BY page.n) FILTER (WHERE page.n < $2), '')
               AS items,
           count(*) = $2 AS has_more,
           (array_agg(page.key) FILTER (WHERE page.n = $2 - 1))[1] AS key,
           (array_agg(page.id) FILTER (WHERE page.n = $2 - 1))[1] AS id
    FROM (
        SELECT row_number() OVER (ORDER BY p.key {order} NULLS LAST, p.id {order}) AS n, p.id, p.key
        FROM memberships m CROSS JOIN unnest($3::boolean[]) AS state (is_completed) CROSS JOIN LATERAL (
"""
TAIL: Final = """
        ) p
        WHERE m.account_id = $1 ORDER BY p.key {order} NULLS LAST, p.id {order} LIMIT $2
    ) page JOIN tasks t USING (id)
"""
# The indexes go up, nulls last. A walk never mixes nulls with others, so it can go either way.
WALK: Final = """
    (SELECT t.id, {key} AS key, t.priority, t.due_sort, t.tag_keys, t.search_text FROM tasks t
     WHERE t.project_id = m.project_id AND (t.completed_at IS NOT NULL) = state.is_completed AND t.deleted_at IS NULL
     {conditions} ORDER BY {key} {order}, t.id {order} LIMIT {limit})
"""
# So many tasks of a walk are looked through. What fewer than a quarter of them have is rare. More would make what is
# really rare dearer: at 500 the looking takes longer than the index.
NEAR: Final = "200"
SOUGHT: Final = """
    WITH near AS MATERIALIZED (
        SELECT t.id, t.key FROM ({walk}) t WHERE TRUE {sought} ORDER BY t.key {order}, t.id {order} LIMIT $2)
    SELECT near.* FROM near WHERE (SELECT count(*) FROM near) = $2
    UNION ALL
    (SELECT t.id, {key} AS key FROM tasks t
     WHERE (SELECT count(*) FROM near) < $2
       AND t.project_id = m.project_id AND (t.completed_at IS NOT NULL) = state.is_completed AND t.deleted_at IS NULL
       {sought} {conditions} ORDER BY {key} {order} NULLS LAST, t.id {order} LIMIT $2)
"""


class _Arguments:
    """Values of a statement, numbered as they come."""

    def __init__(self, *values: object) -> None:
        self.values = list(values)

    def said(self, text: str, *values: object) -> str:
        """Return a condition with the numbers of its values where it has `{}`."""
        first = len(self.values) + 1
        self.values.extend(values)
        return " AND " + text.format(*(f"${first + index}" for index in range(len(values))))


def page_statement(account_id: AccountId, query: TaskQuery, after: Place | None) -> tuple[str, list[object]]:
    """Return the statement for a page, which gives one row, and its arguments."""
    order = query.order or query.sort.default_order
    states = [False, True] if query.completed is None else [query.completed]
    arguments = _Arguments(account_id, query.limit + 1, states)
    filters, sought = _conditions(arguments, query)
    words = {"key": KEYS[query.sort], "order": "ASC" if order is Order.ASC else "DESC"}
    walks = _walks(arguments, query.sort, order, after)
    if sought:
        near = WALK.format(**words, conditions=filters + walks[0], limit=NEAR)
        far = filters + " AND (FALSE" + "".join(f" OR (TRUE{walk})" for walk in walks) + ")"
        body = SOUGHT.format(**words, walk=near, sought=sought, conditions=far)
    else:
        body = "UNION ALL".join(WALK.format(**words, conditions=filters + walk, limit="$2") for walk in walks)
    return HEAD.format(**words, reminders=REMINDERS) + body + TAIL.format(**words), arguments.values


def like_pattern(search: str) -> str:
    """Return the LIKE pattern for texts that contain this one; what LIKE gives a meaning loses it."""
    escaped = search.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
    return "%" + escaped + "%"


def _conditions(arguments: _Arguments, query: TaskQuery) -> tuple[str, str]:
    """Return what the index of the order answers, and what has to be sought."""
    priorities, due, sought = "", "", ""
    if query.priorities:
        ranks = sorted(priority.rank for priority in query.priorities)
        priorities = arguments.said("t.priority = ANY ({}::smallint[])", ranks)
    if query.due_before is not None:
        due += arguments.said("t.due_sort < {}", sort_instant(query.due_before))
    if query.due_after is not None:
        due += arguments.said("t.due_sort >= {}", sort_instant(query.due_after))
    if query.tags:
        sought += arguments.said("t.tag_keys @> {}::text[]", [folded(tag.strip()) for tag in query.tags])
    if query.search:
        sought += arguments.said("t.search_text LIKE lower({})", like_pattern(query.search))
    if query.sort is TaskSort.PRIORITY:
        return priorities, due + sought
    if query.sort is TaskSort.DUE_DATE:
        return due, priorities + sought
    return "", priorities + due + sought


def _walks(arguments: _Arguments, sort: TaskSort, order: Order, after: Place | None) -> list[str]:
    """Return what holds on each walk. Only due dates can be missing, and those then come last either way."""
    key, behind = KEYS[sort], BEHIND[order]
    if sort is not TaskSort.DUE_DATE:
        return [""] if after is None else [arguments.said(f"({key}, t.id) {behind} ({{}}, {{}})", after.key, after.id)]
    dated, undated = f" AND {key} IS NOT NULL", f" AND {key} IS NULL"
    if after is None:
        return [dated, undated]
    if after.key is None:
        return [undated + arguments.said(f"t.id {behind} {{}}", after.id)]
    return [dated + arguments.said(f"({key}, t.id) {behind} ({{}}, {{}})", after.key, after.id), undated]
