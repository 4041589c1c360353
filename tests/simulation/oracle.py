"""The promises, checked over everything that was ever committed. It knows the rows, and nothing of who wrote them."""

from __future__ import annotations

import itertools
from collections import Counter
from typing import TYPE_CHECKING, Any

import orjson

from app.domain import events
from app.domain.reminder import ReminderState
from app.ports.database import DatabaseUnavailableError
from app.ports.unit_of_work import TransactionConflictError
from tests.simulation.simdb.errors import SimulatedError
from tests.simulation.simdb.followers import audit_row

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from uuid import UUID

    from tests.simulation.simdb.rows import AuditRow, DeliveryRow, EventRow
    from tests.simulation.world import World

EXPECTED = (SimulatedError, DatabaseUnavailableError, TransactionConflictError)


class ViolationError(AssertionError):
    """A promise was broken."""


def judge(world: World) -> None:
    """Check every promise.

    Raises:
        ViolationError: With all that is wrong.
    """
    checks: tuple[Callable[[World], Iterator[str]], ...] = (
        positions,
        audit,
        versions,
        next_occurrences,
        occurrences,
        reminders,
        deliveries,
        requests,
        clients,
        crashes,
    )
    broken = [f"{check.__name__}: {what}" for check in checks for what in check(world)]
    if broken:
        raise ViolationError("\n".join(broken[:20]))


def positions(world: World) -> Iterator[str]:
    """Every committed event has one place in one gapless order, in which the changes of one thing do not overtake."""
    log = _log(world)
    if [row.position for row in log] != list(range(1, len(log) + 1)):
        yield f"positions are {[row.position for row in log]}"
    yield from _differences("published", (row.event.id for row in log), "committed", world.around.db.committed)
    last: dict[UUID, int] = {}
    for row in log:
        for thing in _changed_by(row):
            if row.seq < last.get(thing, 0):
                yield f"event {row.seq} of {thing} comes after {last[thing]}"
            last[thing] = row.seq


def audit(world: World) -> Iterator[str]:
    """Every committed change is audited exactly once and in order, in a chain that verifies."""
    trail: list[AuditRow] = list(world.around.db.store.rows("audit_log"))
    yield from _differences("audited", (row.event_id for row in trail), "committed", world.around.db.committed)
    by_position = {row.position: row for row in _log(world)}
    heads: dict[UUID, AuditRow] = {}
    for row in trail:
        event = by_position.get(row.position)
        if event is None or row != audit_row(event, heads.get(row.project_id)):
            yield f"the chain of {row.project_id} breaks at position {row.position}"
        heads[row.project_id] = row


def versions(world: World) -> Iterator[str]:
    """Every version of a task was told of by one event, 1 … n in order, and the last one is the one that is stored."""
    told: dict[UUID, list[int]] = {}
    for row in _log(world):
        version = _version(row)
        if version is not None and row.event.task_id is not None:
            told.setdefault(row.event.task_id, []).append(version)
    for row in world.around.db.store.rows("tasks"):
        expected = list(range(1, row.task.version + 1))
        if told.get(row.task.id) != expected:
            yield f"task {row.task.id} is at version {row.task.version} and was told {told.get(row.task.id)}"


def next_occurrences(world: World) -> Iterator[str]:
    """A completion makes the one next occurrence that it names; no task has two, no series two that are open."""
    made = {row.event.task_id: row for row in _log(world) if row.event.type == events.TASK_CREATED}
    sources = Counter(_detail(row).get("generatedFrom") for row in made.values())
    named: Counter[str | None] = Counter()
    for row in _log(world):
        if row.event.type != events.TASK_COMPLETED:
            continue
        following = _detail(row).get("next")
        if following is None:
            continue
        named[str(row.event.task_id)] += 1
        born = next((other for task_id, other in made.items() if str(task_id) == following), None)
        if born is None or _detail(born).get("generatedFrom") != str(row.event.task_id):
            yield f"completing {row.event.task_id} named {following}, which is not there"
    del sources[None]
    if sources != named:
        yield f"completions named {named - sources}, made {sources - named} beyond that"
    living = [row.task for row in world.around.db.store.rows("tasks") if row.deleted_at is None]
    twins = Counter(task.generated_from for task in living if task.generated_from is not None)
    yield from (f"task {task_id} has {count} next occurrences" for task_id, count in twins.items() if count > 1)
    open_ones = Counter(task.recurrence.series_id for task in living if task.recurrence and not task.completed_at)
    yield from (f"series {series} is open {count} times" for series, count in open_ones.items() if count > 1)


def occurrences(world: World) -> Iterator[str]:
    """The ledger of occurrences is what a replay of the log from the beginning gives (E10)."""
    ledger: dict[tuple[str, str], tuple[str, int]] = {}
    for row in _log(world):
        detail = _detail(row)
        series = detail.get("seriesId")
        if series is None:
            continue
        if row.event.type == events.TASK_REOPENED:
            taken = [said for said in ledger.values() if said[0] == f"done {row.event.task_id}"]
            positions_ = {position for _, position in taken}
            ledger = {key: said for key, said in ledger.items() if key[0] != series or said[1] not in positions_}
        elif row.event.type in (events.TASK_COMPLETED, events.TASK_DELETED):
            state = "done" if row.event.type == events.TASK_COMPLETED else "deleted"
            for passed in detail.get("missed", ()) if state == "done" else ():
                ledger[series, passed] = ("missed None", row.position or 0)
            ledger[series, detail["occurrence"]] = (f"{state} {row.event.task_id}", row.position or 0)
    stored = {
        (str(row.series_id), row.occurrence): (f"{row.state} {row.task_id}", row.position)
        for row in world.around.db.store.rows("occurrences")
    }
    yield from _differences("stored", stored.items(), "replayed", ledger.items())


def reminders(world: World) -> Iterator[str]:
    """Each firing has one event and its deliveries, none came early, and what has fired is in the ledger."""
    fired = Counter(row.event.reminder_id for row in _log(world) if row.event.type == events.REMINDER_FIRED)
    opened: dict[UUID, set[int]] = {}
    for row in _ledger(world):
        opened.setdefault(row.reminder_id, set()).add(row.occurrence)
    for row in world.around.db.store.rows("reminders"):
        one = row.reminder
        firings = opened.get(one.id, set())
        if fired[one.id] != len(firings):
            yield f"reminder {one.id} has {fired[one.id]} firings and deliveries for {sorted(firings)}"
        has_fired = one.state in (ReminderState.FIRED, ReminderState.ACKNOWLEDGED)
        if has_fired and one.occurrence not in firings:
            yield f"reminder {one.id} is {one.state}, and nothing was to be delivered"
    for before, after in _changes(world, "reminders"):
        is_firing = after.reminder.state is ReminderState.FIRED and before.reminder.state is not ReminderState.FIRED
        if is_firing and after.reminder.fired_at < before.reminder.fire_at:
            yield f"reminder {after.reminder.id} fired at {after.reminder.fired_at}, early"


def deliveries(world: World) -> Iterator[str]:
    """What the ledger calls sent has arrived; a copy too many has the same key and an attempt that nobody recorded."""
    arrived = Counter(world.around.office.sent)
    known = {row.message_id for row in _ledger(world)}
    yield from (f"{key} was sent, and is not in the ledger" for key in arrived if key not in known)
    for row in _ledger(world):
        copies, unrecorded = arrived[row.message_id], row.attempts.count(None)
        sent = row.attempts.count("sent")
        if row.state == "sent" and not copies:
            yield f"{row.message_id} counts as sent, and never arrived"
        if sent > 1 or copies > sent + unrecorded:
            yield f"{row.message_id} arrived {copies} times in attempts {row.attempts}"


def requests(world: World) -> Iterator[str]:
    """What was acknowledged is there, once; what was refused left nothing."""
    told = Counter((row.event.request_id, row.event.type) for row in _log(world) if not _is_consequence(row))
    expected = {
        "create": events.TASK_CREATED,
        "repeat": events.TASK_CREATED,
        "complete": events.TASK_COMPLETED,
        "reopen": events.TASK_REOPENED,
        "remind": events.REMINDER_CREATED,
        "snooze": events.REMINDER_SNOOZED,
    }
    for request in world.diary.requests:
        kind = expected.get(request.operation)
        if kind is None:
            continue
        count = told[request.id, kind]
        if count != (request.outcome == "done"):
            yield f"request {request.id} ({request.operation}) ended with {request.outcome} and did it {count} times"


def clients(world: World) -> Iterator[str]:
    """Frames come in the order of their positions, each once on a connection."""
    for client in world.clients:
        yield from client.faults


def crashes(world: World) -> Iterator[str]:
    """Nothing ended but by our doing."""
    for error in world.around.errors:
        for leaf in _leaves(error):
            if not isinstance(leaf, EXPECTED):
                yield f"{type(leaf).__name__}: {leaf}"


def _log(world: World) -> list[EventRow]:
    published = [row for row in world.around.db.store.rows("events") if row.position is not None]
    return sorted(published, key=lambda row: row.position or 0)


def _ledger(world: World) -> Iterator[DeliveryRow]:
    return world.around.db.store.rows("deliveries")


def _detail(row: EventRow) -> dict[str, Any]:
    detail: dict[str, Any] = orjson.loads(row.event.detail)
    return detail


def _version(row: EventRow) -> int | None:
    """Return the version of the task that an event tells of, None if the task did not change."""
    kind = row.event.type
    if kind in (events.REMINDER_CREATED, events.REMINDER_DELETED):
        version: int = _detail(row)["task"]["version"]
    elif kind == events.TASK_DELETED:
        version = orjson.loads(row.event.before or "")["version"] + 1
    elif kind.startswith("task."):
        version = orjson.loads(row.event.after or "")["version"]
    else:
        return None
    return version


def _changed_by(row: EventRow) -> Iterator[UUID]:
    """Return what an event changed. What becomes of a reminder is no change of its task, and waits for none."""
    if row.event.reminder_id is not None:
        yield row.event.reminder_id
    if row.event.task_id is not None and _version(row) is not None:
        yield row.event.task_id


def _is_consequence(row: EventRow) -> bool:
    return "generatedFrom" in _detail(row)


def _changes(world: World, table: str) -> Iterator[tuple[Any, Any]]:
    for versions_ in world.around.db.store.versions(table):
        yield from itertools.pairwise(versions_)


def _leaves(error: BaseException) -> Iterator[BaseException]:
    """Return what a chain or group of errors began with."""
    if isinstance(error, BaseExceptionGroup):
        for part in error.exceptions:
            yield from _leaves(part)
    elif error.__cause__ is not None:
        yield from _leaves(error.__cause__)
    else:
        yield error


def _differences(name: str, found: Iterable[Any], other: str, expected: Iterable[Any]) -> Iterator[str]:
    have, want = Counter(found), Counter(expected)
    if have != want:
        yield f"only {name}: {list((have - want).items())[:5]}; only {other}: {list((want - have).items())[:5]}"
