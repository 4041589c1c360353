"""A task: its values, and the drafts and changes that people ask for.

Knows nothing of who may do what and of what happens to reminders. Frozen values; a change is a new value.
"""

from dataclasses import dataclass
from datetime import UTC, date, datetime
from enum import StrEnum
from typing import Final, TypeAlias

from app.domain.ids import ProjectId, TaskId
from app.domain.unset import UNSET, Unset
from app.domain.value import value

# A date without a time, or an aware instant. `datetime` is a subclass of `date`: ask `is_instant`.
Due: TypeAlias = date | datetime

TITLE_CHARACTERS: Final = 500
DESCRIPTION_BYTES: Final = 65_536
TAGS: Final = 100
TAG_CHARACTERS: Final = 100


class Priority(StrEnum):
    """How much a task matters, least first."""

    LOW = "low"
    MEDIUM = "medium"
    HIGH = "high"
    URGENT = "urgent"

    @property
    def rank(self) -> int:
        """0 for low to 3 for urgent: how priorities are stored and sorted."""
        return _RANKS[self]

    @classmethod
    def of_rank(cls, rank: int) -> "Priority":
        """Return the priority stored as `rank`."""
        return _PRIORITIES[rank]


_PRIORITIES: Final = tuple(Priority)
_RANKS: Final = {priority: rank for rank, priority in enumerate(_PRIORITIES)}


class RecurrenceMode(StrEnum):
    """What the next occurrence is counted from."""

    SCHEDULE = "schedule"
    AFTER_COMPLETION = "afterCompletion"


class MissedPolicy(StrEnum):
    """What becomes of occurrences whose time passed before the task was completed."""

    SKIP = "skip"
    KEEP = "keep"


@dataclass(frozen=True, slots=True, kw_only=True)
class RecurrenceSpec:
    """How a task is asked to repeat.

    Attributes:
        rule: RRULE text of RFC 5545, with `SKIP` of RFC 7529.
    """

    rule: str
    mode: RecurrenceMode = RecurrenceMode.SCHEDULE
    missed: MissedPolicy = MissedPolicy.SKIP


@dataclass(frozen=True, slots=True, kw_only=True)
class RecurrenceChanges:
    """Some parts of how a task is asked to repeat; what is `UNSET` is not touched."""

    rule: str | Unset = UNSET
    mode: RecurrenceMode | Unset = UNSET
    missed: MissedPolicy | Unset = UNSET


@dataclass(frozen=True, slots=True, kw_only=True)
class Recurrence:
    """How a task repeats, and which of its occurrences it is.

    Attributes:
        spec: What was asked for.
        anchor: The first occurrence, local wall clock; all others are computed from it.
        current: The occurrence this task stands for, local; its due date may have been moved since.
        number: Which occurrence of the series this is, 1 for the first.
        series_id: What the occurrences have in common.
    """

    spec: RecurrenceSpec
    anchor: Due
    current: Due
    number: int
    series_id: TaskId


@value
class Task:
    """A task as it is stored.

    Attributes:
        due: A date, an aware UTC instant, or None.
        time_zone: IANA name; None is floating: the clock on its owner's wall.
        wall_zone: IANA name of the zone in which `due` was last read, if it is an instant: tells how late
            a floating task is in following its owner.
        generated_from: The occurrence whose completion made this one.
    """

    id: TaskId
    project_id: ProjectId
    title: str
    description: str = ""
    priority: Priority = Priority.MEDIUM
    tags: tuple[str, ...] = ()
    due: Due | None = None
    time_zone: str | None = None
    wall_zone: str = "UTC"
    recurrence: Recurrence | None = None
    generated_from: TaskId | None = None
    completed_at: datetime | None = None
    version: int = 1
    created_at: datetime
    updated_at: datetime


@value
class TaskDraft:
    """Every writable field of a task, as asked for; refused or made a `Task` by the use case."""

    title: str
    description: str = ""
    priority: Priority = Priority.MEDIUM
    tags: tuple[str, ...] = ()
    due: Due | None = None
    time_zone: str | None = None
    recurrence: RecurrenceSpec | None = None


@value
class TaskChanges:
    """Some writable fields of a task; what is `UNSET` is not touched, None clears."""

    title: str | Unset = UNSET
    description: str | Unset = UNSET
    priority: Priority | Unset = UNSET
    tags: tuple[str, ...] | Unset = UNSET
    due: Due | Unset | None = UNSET
    time_zone: str | Unset | None = UNSET
    recurrence: RecurrenceSpec | RecurrenceChanges | Unset | None = UNSET
    completed: bool | Unset = UNSET


def is_instant(due: Due | None) -> bool:
    """Return whether `due` has a time of day."""
    return isinstance(due, datetime)


def sort_instant(due: Due) -> datetime:
    """Return the instant by which `due` is compared with others: a date counts as its midnight in UTC."""
    return due if isinstance(due, datetime) else datetime(due.year, due.month, due.day, tzinfo=UTC)
