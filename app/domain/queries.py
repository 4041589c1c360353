"""What can be asked for: lists with their filters, and previews."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final

from app.domain.ids import TaskId
from app.domain.task import Due, MissedPolicy, Priority, RecurrenceMode
from app.domain.value import value

DEFAULT_LIMIT: Final = 50
LARGEST_LIMIT: Final = 200


class TaskSort(StrEnum):
    """What a list of tasks is sorted by."""

    CREATED_AT = "createdAt"
    DUE_DATE = "dueDate"
    PRIORITY = "priority"
    TITLE = "title"

    @property
    def default_order(self) -> "Order":
        """The direction that people expect: newest and most urgent first, soonest and A first."""
        return Order.DESC if self in {TaskSort.CREATED_AT, TaskSort.PRIORITY} else Order.ASC


class Order(StrEnum):
    """The direction of a list. Tasks without a due date come last in both."""

    ASC = "asc"
    DESC = "desc"


@value
class TaskQuery:
    """Which tasks, in which order, from where on.

    Attributes:
        priorities: Any of these; empty is all.
        tags: All of these, whatever their case.
        search: Part of title, description or a tag, whatever its case; empty is all.
        due_before: Exclusive. A date counts as its midnight in UTC, here and in the tasks.
        due_after: Inclusive.
        cursor: `nextCursor` of the page before, of the same filters and order.
    """

    completed: bool | None = None
    priorities: frozenset[Priority] = frozenset()
    tags: tuple[str, ...] = ()
    search: str = ""
    due_before: Due | None = None
    due_after: Due | None = None
    sort: TaskSort = TaskSort.CREATED_AT
    order: Order | None = None
    limit: int = DEFAULT_LIMIT
    cursor: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditQuery:
    """Which part of the audit trail, newest first."""

    task_id: TaskId | None = None
    limit: int = DEFAULT_LIMIT
    cursor: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PreviewQuery:
    """A recurrence to look at before it is stored.

    Attributes:
        start: Due date of the task: a date, an aware instant, or a naive time on the wall of the zone.
        time_zone: IANA name; None is the account's.
        anchor: First occurrence, when it is not `start`; of the same kinds.
        completed_at: When the task would be completed, aware, or naive on that wall; None is now.
        count: How many occurrences to list.
    """

    rule: str
    start: Due
    time_zone: str | None = None
    mode: RecurrenceMode = RecurrenceMode.SCHEDULE
    missed: MissedPolicy = MissedPolicy.SKIP
    anchor: Due | None = None
    completed_at: datetime | None = None
    count: int = 10
