"""Pages of tasks in SQL: filters, sorting, and the place where a page begins.

A statement is put together from the constants below, chosen by enums; values only ever travel as arguments.
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
# Indexes serve these: backwards for DESC. Only due dates can be missing, and then come last in both directions.
DIRECTIONS: Final[Mapping[tuple[bool, Order], str]] = {
    (False, Order.ASC): "ASC",
    (False, Order.DESC): "DESC",
    (True, Order.ASC): "ASC NULLS LAST",
    (True, Order.DESC): "DESC NULLS LAST",
}
BEHIND: Final[Mapping[Order, str]] = {Order.ASC: ">", Order.DESC: "<"}
# Formatted twice: the words here, the numbers of the arguments in `_Conditions.add`.
BEHIND_KEY: Final = "({key}, t.id) {behind} ({{}}, {{}})"
BEHIND_DUE: Final = "(({key}, t.id) {behind} ({{}}, {{}}) OR {key} IS NULL)"
BEHIND_NOTHING: Final = "{key} IS NULL AND t.id {behind} {{}}"

# The first tasks of each project, then the first of those: each project's index is read no further than the page.
HEAD: Final = """
    SELECT p.id, p.key, task_json(p.task)::text AS json
    FROM memberships m CROSS JOIN LATERAL (
        SELECT t AS task, t.id, {key} AS key FROM tasks t
        WHERE t.project_id = m.project_id AND t.deleted_at IS NULL
"""
TAIL: Final = """
        ORDER BY {key} {direction}, t.id {order} LIMIT $2
    ) p
    WHERE m.account_id = $1 ORDER BY p.key {direction}, p.id {order} LIMIT $2
"""


class _Conditions:
    """Conditions and their arguments, numbered as they come."""

    def __init__(self, *arguments: object) -> None:
        self.texts: list[str] = []
        self.arguments = list(arguments)

    def add(self, text: str, *arguments: object) -> None:
        """Add a condition with `{}` for each of its arguments."""
        first = len(self.arguments) + 1
        self.arguments.extend(arguments)
        self.texts.append("AND " + text.format(*(f"${first + index}" for index in range(len(arguments)))))


def page_statement(account_id: AccountId, query: TaskQuery, after: Place | None) -> tuple[str, list[object]]:
    """Return the statement for a page and one task more, and its arguments."""
    order = query.order or query.sort.default_order
    conditions = _Conditions(account_id, query.limit + 1)
    _filter(conditions, query)
    if after is not None:
        _begin(conditions, query.sort, order, after)
    words = {
        "key": KEYS[query.sort],
        "direction": DIRECTIONS[query.sort is TaskSort.DUE_DATE, order],
        "order": "ASC" if order is Order.ASC else "DESC",
    }
    return "\n".join((HEAD.format(**words), *conditions.texts, TAIL.format(**words))), conditions.arguments


def like_pattern(search: str) -> str:
    """Return the LIKE pattern for texts that contain this one; what LIKE gives a meaning loses it."""
    escaped = search.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
    return "%" + escaped + "%"


def _filter(conditions: _Conditions, query: TaskQuery) -> None:
    if query.completed is not None:
        conditions.add("t.completed_at IS NOT NULL" if query.completed else "t.completed_at IS NULL")
    if query.priorities:
        conditions.add("t.priority = ANY ({}::smallint[])", sorted(priority.rank for priority in query.priorities))
    if query.tags:
        conditions.add("t.tag_keys @> {}::text[]", [folded(tag.strip()) for tag in query.tags])
    if query.search:
        conditions.add("t.search_text LIKE lower({})", like_pattern(query.search))
    if query.due_before is not None:
        conditions.add("t.due_sort < {}", sort_instant(query.due_before))
    if query.due_after is not None:
        conditions.add("t.due_sort >= {}", sort_instant(query.due_after))


def _begin(conditions: _Conditions, sort: TaskSort, order: Order, after: Place) -> None:
    words = {"key": KEYS[sort], "behind": BEHIND[order]}
    if after.key is None:
        conditions.add(BEHIND_NOTHING.format(**words), after.id)
    elif sort is TaskSort.DUE_DATE:
        conditions.add(BEHIND_DUE.format(**words), after.key, after.id)
    else:
        conditions.add(BEHIND_KEY.format(**words), after.key, after.id)
