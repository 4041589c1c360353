"""How much is measured: the full form, whose figures count, and a short one that shows that every row works."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True, kw_only=True)
class Counts:
    """Counts that bound a run.

    Attributes:
        tasks: In the measured account.
        small: Tasks in the account that growth is measured from.
        big: Tasks in the account that growth is measured to.
        requests: Requests per sample of an endpoint.
        floor_requests: Requests per sample of the floor.
        rounds: Samples of each endpoint, each between two of the floor.
        pairs: Of freshly started processes that the cost of instrumentation is taken from.
        growth_requests: Requests per sample of growth.
        growth_changes: The same where each takes a task of its own: no more than half of what `small` has open.
        growth_rounds: Samples of growth, each of four runs: big, small, small, big.
        mixed: Requests between the two looks at the memory.
        people: Accounts with `sockets_each` sockets each; all of them see the first one's Inbox.
        people_tasks: Tasks of each of them.
        sockets_each: At most 20, the limit of an account.
        events: Events that reach all sockets.
        delivery_people: How many of the others write and listen in the delivery row.
        delivery_seconds: How long they do.
        starts: Starts on an empty data directory, and at least as many on an existing one.
        calm_seconds: Before memory is looked at, and after sockets were opened: live frames are held back for a quarter
            of a second after hello.
        rest_seconds: How long a process is looked at that nobody asks for anything.
        scrapes: Of `/metrics`, a second apart.
        fresh_for_sockets: Whether Rondo is started again before sockets are measured.
    """

    tasks: int
    small: int
    big: int
    requests: int
    floor_requests: int
    rounds: int
    pairs: int
    growth_requests: int
    growth_changes: int
    growth_rounds: int
    mixed: int
    people: int
    people_tasks: int
    sockets_each: int
    events: int
    delivery_people: int
    delivery_seconds: float
    starts: int
    calm_seconds: float
    rest_seconds: float
    scrapes: int
    fresh_for_sockets: bool


FULL: Final = Counts(
    tasks=10_000,
    small=100,
    big=100_000,
    requests=1_000,
    floor_requests=500,
    rounds=9,
    pairs=5,
    growth_requests=300,
    growth_changes=40,
    growth_rounds=9,
    mixed=100_000,
    people=50,
    people_tasks=50,
    sockets_each=20,
    events=20,
    delivery_people=5,
    delivery_seconds=10.0,
    starts=3,
    calm_seconds=1.0,
    rest_seconds=20.0,
    scrapes=10,
    fresh_for_sockets=True,
)
SHORT: Final = Counts(
    tasks=200,
    small=40,
    big=400,
    requests=48,
    floor_requests=50,
    rounds=1,
    pairs=1,
    growth_requests=16,
    growth_changes=8,
    growth_rounds=1,
    mixed=400,
    people=3,
    people_tasks=20,
    sockets_each=5,
    events=4,
    delivery_people=2,
    delivery_seconds=0.3,
    starts=1,
    calm_seconds=0.3,
    rest_seconds=0.5,
    scrapes=1,
    fresh_for_sockets=False,
)
WRITES_PER_SECOND: Final = 200
CONNECTIONS: Final = 16
