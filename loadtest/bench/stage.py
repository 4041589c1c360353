"""Who takes part in a measurement: a running Rondo, the floor, the store, and the people with their tasks."""

from __future__ import annotations

import json
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, NamedTuple

from loadtest.bench.counts import CONNECTIONS
from loadtest.bench.desk import Desk
from loadtest.http_load import Crowd, LoadError, Outcome, request
from loadtest.process import cpu_seconds

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from loadtest.bench.counts import Counts
    from loadtest.bench.store import Store
    from loadtest.process import Rondo

PASSWORD: Final = "correct horse battery staple 7"  # noqa: S105 - of accounts that live for minutes
ALIVE: Final = request("GET", "/health/live")


@dataclass(frozen=True, slots=True)
class Person:
    """An account that is signed in."""

    id: str
    token: str


@dataclass(frozen=True, slots=True)
class Server:
    """What is measured: a process and where it serves."""

    pid: int
    port: int


class Cost(NamedTuple):
    """CPU time per request in microseconds: in all, and until the last answer was there; and what was answered."""

    used: float
    until_answered: float
    outcome: Outcome


@dataclass(slots=True, kw_only=True)
class Stage:
    """Everything a measurement needs. The floor lives as long as the PostgreSQL it asks, which is Rondo's.

    Many mixed requests leave more tasks than there were: they are `busy`'s, who has as many as `owner` at first.
    """

    counts: Counts
    rondo: Rondo
    store: Store
    floor: Server
    people: Sequence[Person]
    owner: Person
    busy: Person
    small: Person
    big: Person
    say: Callable[[str], None]

    @property
    def product(self) -> Server:
        """Return Rondo as something that is measured."""
        return Server(self.rondo.pid, self.rondo.port)

    def desk(self, person: Person) -> Desk:
        """Return the requests of an account."""
        return Desk(person.token, self.store.open_tasks(person.id))

    def floor_cost(self, requests: int) -> float:
        """Return the floor's CPU time per request, in microseconds."""
        asked = request("GET", "/api/tasks/0", token="0" * 49)
        return cost(self.floor, [asked] * requests).used


def cost(
    server: Server, requests: Sequence[bytes], *, settle: Callable[[], None] = lambda: None, keep: bool = False
) -> Cost:
    """Return what requests cost, and what came of them.

    The connections are open and have been used before the clock is read. `settle` waits until what the requests set
    going in the background (relay, actors, sockets) is done: it belongs to their cost.
    """
    with Crowd(server.port, CONNECTIONS) as crowd:
        crowd.send([ALIVE] * CONNECTIONS)
        settle()
        before = cpu_seconds(server.pid)
        outcome = crowd.send(requests, keep=keep)
        answered = cpu_seconds(server.pid) - before
        settle()
        used = cpu_seconds(server.pid) - before
    return Cost(used / len(requests) * 1e6, answered / len(requests) * 1e6, outcome)


def beside(one: Callable[[], float], other: Callable[[], float]) -> tuple[float, float]:
    """Measure one, other, other, one; return the means: what drifts or depends on who is first meets both alike."""
    first, second, third, fourth = one(), other(), other(), one()
    return (first + fourth) / 2, (second + third) / 2


def register(port: int, names: Sequence[str]) -> list[Person]:
    """Register people; the first one ever is the operator.

    Raises:
        LoadError: one was refused.
    """
    stamp = time.time_ns()
    bodies = [{"email": f"{name}.{stamp}@example.org", "password": PASSWORD} for name in names]
    with Crowd(port, min(4, len(names))) as crowd:
        requests = [request("POST", "/api/auth/register", body=json.dumps(body).encode()) for body in bodies]
        outcome = crowd.send(requests, keep=True)
    if outcome.errors:
        raise LoadError(f"Registering failed: {dict(outcome.statuses)}")
    answers = [json.loads(body) for body in outcome.bodies]
    return [Person(answer["user"]["id"], answer["token"]) for answer in answers]
