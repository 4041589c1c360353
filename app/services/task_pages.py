"""Pages of tasks: what a query may ask, and the cursors between its pages."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any, Final
from uuid import UUID

from app.domain.checks import Checks, folded
from app.domain.ids import TaskId
from app.domain.queries import LARGEST_LIMIT, TaskQuery, TaskSort
from app.domain.task import TAGS, Due
from app.ports.tasks import Place, SortKey
from app.services.cursors import decode_cursor, digest, encode_cursor, refused_cursor

SEARCH_CHARACTERS: Final = 500
# Of a cursor: which list and which filters, the key and the id of the last task.
_PARTS: Final = 3
# Of whatever PostgreSQL compares the key with.
_KEY_TYPES: Final = {
    TaskSort.CREATED_AT: datetime,
    TaskSort.DUE_DATE: datetime,
    TaskSort.PRIORITY: int,
    TaskSort.TITLE: str,
}


def checked_query(query: TaskQuery) -> TaskQuery:
    """Return the query as it is asked.

    Raises:
        ValidationFailedError: With one entry per fault.
    """
    checks = Checks()
    if not 1 <= query.limit <= LARGEST_LIMIT:
        checks.refuse("limit", "out_of_range", f"Must be between 1 and {LARGEST_LIMIT}.")
    if len(query.tags) > TAGS:
        checks.refuse("tags", "too_many", f"Must have at most {TAGS} tags.")
    for tag in query.tags:
        checks.text("tags", tag, least=0, most=SEARCH_CHARACTERS)
    checked = replace(
        query,
        search=checks.text("search", query.search, least=0, most=SEARCH_CHARACTERS),
        tags=tuple(tag for tag in query.tags if tag.strip()),
        due_before=_due(checks, "dueBefore", query.due_before),
        due_after=_due(checks, "dueAfter", query.due_after),
        order=query.order or query.sort.default_order,
    )
    checks.finish()
    return checked


def begin(query: TaskQuery) -> Place | None:
    """Return where the page of a checked query begins, None for the first one.

    Raises:
        ValidationFailedError: The cursor is garbled, or of another list.
    """
    if query.cursor is None:
        return None
    name, key, task_id = decode_cursor(query.cursor, _PARTS)
    if name != _name(query):
        raise refused_cursor()
    try:
        return Place(key=_key(query.sort, key), id=TaskId(UUID(task_id)))
    except (TypeError, ValueError, AttributeError, OverflowError) as error:
        raise refused_cursor() from error


def next_cursor(query: TaskQuery, last: Place) -> str:
    """Return the cursor of the page behind a task."""
    return encode_cursor(_name(query), last.key, last.id)


def _name(query: TaskQuery) -> str:
    return digest(
        "tasks",
        query.sort,
        query.order,
        query.completed,
        sorted(query.priorities),
        sorted(folded(tag) for tag in query.tags),
        folded(query.search),
        query.due_before,
        query.due_after,
    )


def _key(sort: TaskSort, key: Any) -> SortKey:
    """Return the key as PostgreSQL compares it, of the right type or not at all."""
    if key is None and sort is TaskSort.DUE_DATE:
        return None
    wanted = _KEY_TYPES[sort]
    value: SortKey = datetime.fromisoformat(key) if wanted is datetime else key
    if type(value) is not wanted or (isinstance(value, datetime) and value.tzinfo is None):
        raise TypeError
    if isinstance(value, datetime):
        value = value.astimezone(UTC)
    if isinstance(value, str) and "\0" in value:
        raise ValueError
    if isinstance(value, int) and not -1 <= value <= 9:  # a smallint
        raise ValueError
    return value


def _due(checks: Checks, field: str, due: Due | None) -> Due | None:
    if due is None:
        return None
    return checks.instant(field, due) if isinstance(due, datetime) else checks.day(field, due)
