"""The workload: people who create, change, complete, reopen, delete, set reminders and move to another time zone.

Each request has an id, and one that may be repeated has an Idempotency-Key: who gets no answer asks again until there
is one. What was answered is kept for the oracle.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final
from uuid import UUID

import orjson
import trio

from app.domain.account import ProfileChanges
from app.domain.errors import TaskError
from app.domain.ids import ReminderId, TaskId
from app.domain.reminder import ReminderDraft
from app.domain.task import MissedPolicy, Priority, RecurrenceMode, RecurrenceSpec, TaskChanges, TaskDraft
from app.ports.database import DatabaseUnavailableError
from app.ports.unit_of_work import TransactionConflictError
from app.services.context import Context, Idempotency
from tests.simulation.people import ZONES
from tests.simulation.simdb.errors import SimulatedError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from datetime import datetime

    from app.services.results import Stored
    from tests.simulation.people import Person
    from tests.simulation.process import Process
    from tests.simulation.surroundings import Surroundings

RULES: Final = ("FREQ=DAILY", "FREQ=WEEKLY;BYDAY=SU,WE", "FREQ=MONTHLY;BYMONTHDAY=31;SKIP=BACKWARD;RSCALE=GREGORIAN")
OPERATIONS: Final = (
    *("create",) * 5,
    *("repeat",) * 4,
    *("patch",) * 4,
    *("complete",) * 6,
    *("reopen",) * 3,
    *("delete",) * 2,
    *("remind",) * 7,
    *("snooze",) * 3,
    *("acknowledge", "forget", "move"),
)
UNANSWERED: Final = (DatabaseUnavailableError, SimulatedError, TransactionConflictError)


@dataclass(frozen=True, slots=True)
class Request:
    """What somebody asked for, and what they were told."""

    id: str
    operation: str
    outcome: str
    answer: Any = None


@dataclass(frozen=True, slots=True)
class Known:
    """A task or a reminder that somebody heard of, and whose it is."""

    id: UUID
    owner: UUID


@dataclass(slots=True)
class Diary:
    """What all users did. What one heard of can be used by everybody who may."""

    requests: list[Request] = field(default_factory=list)
    tasks: list[Known] = field(default_factory=list)
    completed: list[Known] = field(default_factory=list)
    reminders: list[Known] = field(default_factory=list)


class User:
    """Somebody at work, with one request at a time.

    Args:
        process: Gives a process that answers, None if there is none.
    """

    def __init__(
        self, person: Person, diary: Diary, around: Surroundings, process: Callable[[], Process | None]
    ) -> None:
        self.person, self.diary = person, diary
        self.dice, self.trace, self.clock = around.dice.stream(f"user {person.number}"), around.trace, around.clock
        self._process = process
        self._count = 0

    async def work(self, until: float, requests: int) -> None:
        """Make requests until it is late; the last one is finished."""
        for _ in range(requests):
            await trio.sleep(self.dice.between(0.0, 1.0))
            if trio.current_time() >= until:
                return
            await self._request(self.dice.pick(OPERATIONS))

    async def _request(self, operation: str) -> None:
        self._count += 1
        request_id = f"{self.person.number}-{self._count}"
        key = Idempotency(key=request_id, request_hash=request_id.encode())
        context = Context(principal=self.person.principal, request_id=request_id, idempotency=key)
        step = getattr(self, f"_{operation}")(context)
        if step is None:
            return
        outcome, answer = await self._until_answered(step)
        self.trace.note("user", request_id, operation, outcome)
        self.diary.requests.append(Request(request_id, operation, outcome, answer))

    async def _until_answered(self, step: Callable[[Process], Awaitable[Any]]) -> tuple[str, Any]:
        while True:
            process = self._process()
            if process is not None:
                try:
                    return "done", _parsed(await step(process))
                except TaskError as refused:
                    return type(refused).__name__, None
                except UNANSWERED as unanswered:
                    self.trace.note("user", self.person.number, "no answer", type(unanswered).__name__)
            await trio.sleep(self.dice.between(0.1, 1.5))

    # --- What they ask for --------------------------------------------------------------------------

    def _create(self, context: Context) -> Callable[[Process], Awaitable[Stored]]:
        due = self._soon() if self.dice.chance(0.7) else None
        draft = TaskDraft(title=f"Task {context.request_id}", priority=self.dice.pick(list(Priority)), due=due)
        return self._creating(context, draft)

    def _repeat(self, context: Context) -> Callable[[Process], Awaitable[Stored]]:
        spec = RecurrenceSpec(
            rule=self.dice.pick(RULES),
            mode=self.dice.pick(list(RecurrenceMode)),
            missed=self.dice.pick(list(MissedPolicy)),
        )
        due = self._soon() - timedelta(days=self.dice.count(0, 3))
        zone = self.dice.pick((None, "Europe/Berlin"))
        return self._creating(
            context, TaskDraft(title=f"Series {context.request_id}", due=due, time_zone=zone, recurrence=spec)
        )

    def _creating(self, context: Context, draft: TaskDraft) -> Callable[[Process], Awaitable[Stored]]:
        async def create(process: Process) -> Stored:
            made = await process.tasks.create_task(context, draft)
            self.diary.tasks.append(Known(made.id, self.person.inbox_id))
            return made

        return create

    def _patch(self, context: Context) -> Callable[[Process], Awaitable[Any]] | None:
        changes = self.dice.pick(
            (
                TaskChanges(title=f"Changed {context.request_id}"),
                TaskChanges(due=self._soon()),
                TaskChanges(due=None),
                TaskChanges(completed=True, title=f"Done {context.request_id}"),
                TaskChanges(completed=False),
            )
        )
        return self._with_task(lambda process, task: process.tasks.patch_task(context, TaskId(task.id), changes))

    def _complete(self, context: Context) -> Callable[[Process], Awaitable[Any]] | None:
        async def complete(process: Process, task: Known) -> Stored:
            answer = await process.tasks.complete_task(context, TaskId(task.id))
            self.diary.completed.append(task)
            following = orjson.loads(answer.json)["next"]
            if following is not None:
                self.diary.tasks.append(Known(UUID(following["id"]), task.owner))
            return answer

        return self._with_task(complete)

    def _reopen(self, context: Context) -> Callable[[Process], Awaitable[Any]] | None:
        def reopen(process: Process, task: Known) -> Awaitable[Stored]:
            return process.tasks.reopen_task(context, TaskId(task.id))

        return self._with_task(reopen, self.diary.completed if self.dice.chance(0.8) else self.diary.tasks)

    def _delete(self, context: Context) -> Callable[[Process], Awaitable[Any]] | None:
        async def delete(process: Process, task: Known) -> None:
            await process.tasks.delete_task(context, TaskId(task.id))
            self.diary.tasks[:] = [known for known in self.diary.tasks if known != task or self.dice.chance(0.1)]

        return self._with_task(delete)

    def _remind(self, context: Context) -> Callable[[Process], Awaitable[Any]] | None:
        draft = ReminderDraft(before=self.dice.pick(("PT0S", "PT2S", "PT5S")))
        if self.dice.chance(0.7):
            draft = ReminderDraft(remind_at=self._soon())

        async def remind(process: Process, task: Known) -> Stored:
            made = await process.reminders.add_reminder(context, TaskId(task.id), draft)
            self.diary.reminders.append(Known(made.id, self.person.account_id))
            return made

        return self._with_task(remind)

    def _snooze(self, context: Context) -> Callable[[Process], Awaitable[Any]] | None:
        until = self._later()
        return self._with_reminder(lambda process, one: process.reminders.snooze(context, one, until))

    def _acknowledge(self, context: Context) -> Callable[[Process], Awaitable[Any]] | None:
        return self._with_reminder(lambda process, one: process.reminders.acknowledge(context, one))

    def _forget(self, context: Context) -> Callable[[Process], Awaitable[Any]] | None:
        return self._with_reminder(lambda process, one: process.reminders.delete_reminder(context, one))

    def _move(self, context: Context) -> Callable[[Process], Awaitable[Any]]:
        changes = ProfileChanges(time_zone=self.dice.pick(ZONES))
        return lambda process: process.accounts.patch_profile(context, changes)

    # --- Inside -------------------------------------------------------------------------------------

    def _soon(self) -> datetime:
        """Return an instant some seconds from now, so that it comes while the simulation runs."""
        return (self.clock.now() + timedelta(seconds=self.dice.between(-2.0, 20.0))).replace(microsecond=0)

    def _later(self) -> datetime:
        return self.clock.now() + timedelta(seconds=self.dice.between(0.5, 10.0))

    def _with_task(
        self, step: Callable[[Process, Known], Awaitable[Any]], tasks: list[Known] | None = None
    ) -> Callable[[Process], Awaitable[Any]] | None:
        task = self._pick(self.diary.tasks if tasks is None else tasks, *self.person.projects)
        return None if task is None else lambda process: step(process, task)

    def _with_reminder(
        self, step: Callable[[Process, ReminderId], Awaitable[Any]]
    ) -> Callable[[Process], Awaitable[Any]] | None:
        reminder = self._pick(self.diary.reminders, self.person.account_id)
        return None if reminder is None else lambda process: step(process, ReminderId(reminder.id))

    def _pick(self, known: list[Known], *owners: UUID) -> Known | None:
        """Return one of the newest, so that people meet; now and then one that is not theirs."""
        mine = [one for one in known if one.owner in owners or self.dice.chance(0.02)]
        return self.dice.pick(mine[-8:]) if mine else None


def _parsed(answer: Any) -> Any:
    """Return the JSON of an answer, if there is any."""
    json = getattr(answer, "json", answer)
    return orjson.loads(json) if json else None
