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
        rounds: Samples of each endpoint, each beside one of the floor.
        growth_requests: Requests per sample of growth; no more than `small` has open tasks.
        growth_rounds: Pairs of samples of growth.
        mixed: Requests between the two looks at the memory.
        people: Accounts with `sockets_each` sockets each.
        sockets_each: At most 20, the limit of an account.
        events: Events that reach all sockets.
        delivery_people: How many of the people write and listen in the delivery row.
        delivery_seconds: How long they do.
        starts: Starts on an empty data directory (those on an existing one are counted as they come).
    """

    tasks: int
    small: int
    big: int
    requests: int
    floor_requests: int
    rounds: int
    growth_requests: int
    growth_rounds: int
    mixed: int
    people: int
    sockets_each: int
    events: int
    delivery_people: int
    delivery_seconds: float
    starts: int


FULL: Final = Counts(
    tasks=10_000,
    small=100,
    big=100_000,
    requests=1_000,
    floor_requests=1_000,
    rounds=9,
    growth_requests=80,
    growth_rounds=25,
    mixed=100_000,
    people=50,
    sockets_each=20,
    events=20,
    delivery_people=5,
    delivery_seconds=10.0,
    starts=3,
)
SHORT: Final = Counts(
    tasks=200,
    small=40,
    big=400,
    requests=48,
    floor_requests=100,
    rounds=2,
    growth_requests=16,
    growth_rounds=2,
    mixed=400,
    people=2,
    sockets_each=5,
    events=4,
    delivery_people=2,
    delivery_seconds=0.5,
    starts=1,
)
WRITES_PER_SECOND: Final = 200
CONNECTIONS: Final = 16
