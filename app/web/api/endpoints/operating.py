"""What operators do: look at the live tree and at dead letters, restart and pause. And what everybody may know."""

from collections.abc import Awaitable, Callable
from typing import Final, TypeAlias

import trio

from app.services.context import Context
from app.web.answer import Answer
from app.web.api import documents
from app.web.api.bodies import DeadLetterQuery, LogQuery, NoQuery
from app.web.api.endpoint import Auth, Backend, Call, Endpoint, Limit

Bare: TypeAlias = Call[None, NoQuery]


async def list_actors(backend: Backend, _call: Bare) -> Answer:
    """Return the live tree. Asks nobody else."""
    await trio.lowlevel.checkpoint()
    return Answer(200, backend.operating.tree())


async def show_log(backend: Backend, call: Call[None, LogQuery]) -> Answer:
    """Return the last lines of an actor's log."""
    await trio.lowlevel.checkpoint()
    return Answer(200, backend.operating.log(_path(call.name), call.query.limit))


async def restart_actor(backend: Backend, call: Bare) -> Answer:
    """Stop an actor and start it again."""
    return await _control(backend.operating.restart, call)


async def pause_actor(backend: Backend, call: Bare) -> Answer:
    """Stop an actor and keep it stopped."""
    return await _control(backend.operating.pause, call)


async def resume_actor(backend: Backend, call: Bare) -> Answer:
    """Start an actor that is paused."""
    return await _control(backend.operating.resume, call)


async def list_dead_letters(backend: Backend, call: Call[None, DeadLetterQuery]) -> Answer:
    """List dead letters, and how many there are of each kind."""
    return Answer(200, await backend.operating.list_dead_letters(call.query.actor, call.query.limit))


async def requeue(backend: Backend, call: Bare) -> Answer:
    """Have a dead letter's event handled again."""
    return Answer(202, await backend.operating.requeue(call.context, call.target))


async def status(backend: Backend, call: Bare) -> Answer:
    """Say what does not work as it should."""
    return Answer(200, await backend.operating.status(call.context))


async def _control(act: Callable[[Context, str], Awaitable[bytes]], call: Bare) -> Answer:
    return Answer(202, await act(call.context, _path(call.name)))


def _path(name: str) -> str:
    return name.replace(".", "/")


def _control_endpoint(verb: str, handler: Callable[[Backend, Bare], Awaitable[Answer]], summary: str) -> Endpoint:
    return Endpoint(
        method="POST",
        path=f"/api/ops/actors/{{path}}/{verb}",
        handler=handler,
        operation=f"{verb}Actor",
        summary=summary,
        description="Who did it is in the audit trail of their account. The answer shows the actor as it is by then.",
        tag="Operations",
        auth=Auth.OPERATOR,
        success=202,
        answer=documents.Actor,
        refusals=("not_found", "not_controllable"),
    )


ENDPOINTS: Final = (
    Endpoint(
        method="GET",
        path="/api/ops/actors",
        handler=list_actors,
        operation="listActors",
        summary="The live supervision tree",
        description="As it is now; it asks neither an actor nor the database.",
        tag="Operations",
        auth=Auth.OPERATOR,
        limit=Limit.NONE,
        answer=documents.ActorTree,
    ),
    Endpoint(
        method="GET",
        path="/api/ops/actors/{path}/log",
        handler=show_log,
        operation="showActorLog",
        summary="The last lines of an actor's log",
        description="Up to 200 lines are kept in memory, newest last.",
        tag="Operations",
        auth=Auth.OPERATOR,
        limit=Limit.NONE,
        query=LogQuery,
        answer=documents.ActorLog,
        refusals=("not_found",),
    ),
    _control_endpoint("restart", restart_actor, "Stop an actor and start it again"),
    _control_endpoint("pause", pause_actor, "Stop an actor and keep it stopped"),
    _control_endpoint("resume", resume_actor, "Start an actor that is paused"),
    Endpoint(
        method="GET",
        path="/api/ops/dead-letters",
        handler=list_dead_letters,
        operation="listDeadLetters",
        summary="Messages that no actor could handle",
        description="Newest first. A thousand are kept; the oldest make room.",
        tag="Operations",
        auth=Auth.OPERATOR,
        limit=Limit.NONE,
        query=DeadLetterQuery,
        answer=documents.DeadLetterPage,
    ),
    Endpoint(
        method="POST",
        path="/api/ops/dead-letters/{id}/requeue",
        handler=requeue,
        operation="requeueDeadLetter",
        summary="Have a dead letter handled again",
        description="Its actor handles the event once more, exactly once, and what happened to the same task since.",
        tag="Operations",
        auth=Auth.OPERATOR,
        success=202,
        answer=documents.Requeued,
        refusals=("not_found", "already_requeued", "not_requeueable"),
    ),
    Endpoint(
        method="GET",
        path="/api/status",
        handler=status,
        operation="showStatus",
        summary="What does not work as it should",
        description="Nothing when all is well. Programs go by `part`; `sentence` is for people.",
        tag="Operations",
        answer=documents.Status,
    ),
)
