"""Use cases of operators: the live tree, dead letters, restarting and pausing actors. And what everybody may know.

What an operator does is on record before it is done: when it cannot be recorded it is refused. The record is in the
trail of the operator's own account.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Final
from uuid import UUID

import orjson

from app.domain import events
from app.domain.events import NewEvent
from app.domain.ids import new_id
from app.ports.actors import ActorControl, Degraded, PartName
from app.ports.clock import Clock
from app.ports.dead_letters import DeadLetterArchive, Requeued
from app.ports.delivering import Backlog
from app.ports.unit_of_work import UnitOfWork
from app.services.context import Context
from app.services.recording import detail_of, new_event
from app.services.transactions import Transactions
from monitoring import logs

log = logs.get_logger("ops")

# What people are told; nobody has to know what an actor is.
SENTENCES: Final[dict[PartName, str]] = {
    "email": "Email is delayed",
    "database": "Changes cannot be saved at the moment",
    "live": "Changes made elsewhere appear late",
    "reminders": "Reminders are late",
    "history": "The history is not up to date",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class OperatingService:
    """Looks after Rondo.

    Attributes:
        actors: The live tree.
        letters: The dead letters.
        backlog: What waits to be delivered.
    """

    actors: ActorControl
    letters: DeadLetterArchive
    backlog: Backlog
    transactions: Transactions
    clock: Clock

    def tree(self) -> bytes:
        """Return the live tree. Not a checkpoint, and no database."""
        return self.actors.tree()

    def log(self, path: str, limit: int) -> bytes:
        """Return the last lines of an actor's log. Not a checkpoint.

        Raises:
            NotFoundError: There is no such actor.
        """
        return self.actors.log(path, limit)

    async def restart(self, context: Context, path: str) -> bytes:
        """Stop an actor and start it again, and return it as it is then; what is paused is started.

        Raises:
            NotFoundError: There is no such actor.
            NotControllableError: It cannot be touched from here.
        """
        self.actors.is_paused(path)
        return await self._do(context, events.ACTOR_RESTARTED, path, self.actors.restart)

    async def pause(self, context: Context, path: str) -> bytes:
        """Stop an actor and keep it stopped; nothing happens if it is. Raises what `restart` raises."""
        if self.actors.is_paused(path):
            return self.actors.node(path)
        return await self._do(context, events.ACTOR_PAUSED, path, self.actors.pause)

    async def resume(self, context: Context, path: str) -> bytes:
        """Start an actor that is paused; nothing happens if it is not. Raises what `restart` raises."""
        if not self.actors.is_paused(path):
            return self.actors.node(path)
        return await self._do(context, events.ACTOR_RESUMED, path, self.actors.restart)

    async def list_dead_letters(self, actor: str | None, limit: int) -> bytes:
        """Return the newest dead letters, and how many there are by actor and reason."""
        return await self.letters.page(actor, limit)

    async def requeue(self, context: Context, letter_id: UUID) -> bytes:
        """Have a dead letter's event handled again.

        Raises:
            NotFoundError: There is no such letter.
            AlreadyRequeuedError: It was sent again before.
            NotRequeueableError: It is no event.
        """
        now = self.clock.now()

        def told(requeued: Requeued) -> NewEvent:
            after = detail_of(actor=f"events/{requeued.actor}", letter=str(letter_id))
            return new_event(context, now, events.DEAD_LETTER_REQUEUED, context.caller.inbox_id, after=after)

        requeued = await self.letters.requeue(letter_id, new_id(now), told)
        self.transactions.bell()
        _tell(context, events.DEAD_LETTER_REQUEUED, f"events/{requeued.actor}", letterId=str(letter_id))
        answer = {
            "id": requeued.id,
            "letter": requeued.letter,
            "actor": requeued.actor,
            "position": requeued.position,
            "traceId": requeued.trace_id,
        }
        return orjson.dumps(answer, default=str)  # ids that PostgreSQL gave are not quite UUIDs

    async def status(self, context: Context) -> bytes:
        """Return what does not work as it should, in calm sentences; for everybody."""
        degraded = self.actors.degraded()
        return orjson.dumps({"degraded": [await self._described(context, one) for one in degraded]})

    async def _described(self, context: Context, degraded: Degraded) -> dict[str, object]:
        waiting, sentence = None, SENTENCES[degraded.part]
        if degraded.part == "email":
            waiting = await self.backlog.waiting(context.caller.account_id, "email")
            sentence = f"{sentence}, {waiting} waiting" if waiting else sentence
        since = None if degraded.since is None else degraded.since.isoformat(timespec="seconds").replace("+00:00", "Z")
        return {"part": degraded.part, "sentence": f"{sentence}.", "waiting": waiting or None, "since": since}

    async def _do(self, context: Context, event_type: str, path: str, act: Callable[[str], Awaitable[None]]) -> bytes:
        """Record it, then do it."""
        now, inbox_id = self.clock.now(), context.caller.inbox_id

        async def use_case(work: UnitOfWork) -> None:  # noqa: ASYNC124, ASYNC910 # the commit waits
            work.record(new_event(context, now, event_type, inbox_id, after=detail_of(actor=path)))

        await self.transactions.run(use_case)
        _tell(context, event_type, path)
        await act(path)
        return self.actors.node(path)


def _tell(context: Context, event_type: str, path: str, **fields: object) -> None:
    supervisor, _, actor = path.rpartition("/")
    log.info(
        "An operator intervened.",
        event=event_type,
        supervisor=supervisor,
        actor=actor,
        userId=str(context.caller.account_id),
        audit=True,
        **fields,
    )
