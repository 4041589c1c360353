"""Nobody can tell from how long a refusal takes whether an address has an account (X03)."""

from __future__ import annotations

import math
import random
from bisect import bisect_right
from dataclasses import replace
from itertools import count
from statistics import median
from time import perf_counter
from typing import TYPE_CHECKING

import pytest

from app.adapters.passwords import ArgonHasher
from app.domain.errors import InvalidCredentialsError
from app.services.context import Context

if TYPE_CHECKING:
    from collections.abc import Sequence

    from app.services.accounts import AccountService
    from tests.integration.services.world import World

RUNS = 200
# Nothing but chance makes the samples of one distribution differ at p = 0.01 one time in a hundred; a difference that
# is really there is found each time.
ATTEMPTS = 3
COPY = """
    INSERT INTO accounts (id, email, email_key, name, password_hash, time_zone, created_at, updated_at)
    SELECT gen_random_uuid(), name || '@example.org', name || '@example.org', name, $1, 'UTC', now(), now()
    FROM (SELECT 'known' || n AS name FROM generate_series(1, $2::integer) AS n) AS names
"""
_addresses = count(1)


def kolmogorov_smirnov(first: Sequence[float], second: Sequence[float]) -> float:
    """Return the p-value of the two-sample test (Kolmogorov's limit with Stephens' correction for small samples)."""
    ordered = sorted(first), sorted(second)
    distance = max(
        abs(bisect_right(ordered[0], value) / len(first) - bisect_right(ordered[1], value) / len(second))
        for value in (*first, *second)
    )
    root = math.sqrt(len(first) * len(second) / (len(first) + len(second)))
    scaled = (root + 0.12 + 0.11 / root) * distance
    if scaled < 0.2:  # the series converges too slowly there, and the value is 1 to twelve digits
        return 1.0
    return 2.0 * math.fsum((-1) ** (term - 1) * math.exp(-2 * (term * scaled) ** 2) for term in range(1, 101))


def test_the_test_of_kolmogorov_and_smirnov_tells_what_differs() -> None:
    dice = random.Random(1)
    first, same = ([dice.gauss(20, 1) for _ in range(RUNS)] for _ in range(2))
    later = [value + 0.5 for value in same]

    assert kolmogorov_smirnov(first, same) > 0.05
    assert kolmogorov_smirnov(first, later) < 0.01
    assert kolmogorov_smirnov(first, first) == 1.0


async def refused_after(accounts: AccountService, email: str) -> float:
    """Return the seconds until a sign-in with a wrong password was refused."""
    context = Context(address=f"address {next(_addresses)}")  # nobody's limit is reached
    started = perf_counter()
    with pytest.raises(InvalidCredentialsError):
        await accounts.login(context, email, "a wrong but long password")
    return perf_counter() - started


@pytest.mark.slow
@pytest.mark.accepts("X03")
async def test_an_unknown_address_is_refused_as_fast_as_a_known_one(world: World) -> None:
    hasher = ArgonHasher()
    accounts = replace(world.services.accounts, hasher=hasher)
    await world.database.execute(COPY, await hasher.hash("somebody's"), 2 * RUNS * ATTEMPTS)
    numbers, found = count(1), []
    for _ in range(ATTEMPTS):
        took: dict[str, list[float]] = {"known": [], "unknown": []}
        for kind in random.sample([*took] * RUNS, 2 * RUNS):
            took[kind].append(await refused_after(accounts, f"{kind}{next(numbers)}@example.org"))
        ratio = median(took["known"]) / median(took["unknown"])
        found.append((abs(ratio - 1) < 0.05, kolmogorov_smirnov(took["known"], took["unknown"]) > 0.01))
        if found[-1] == (True, True):
            return
    pytest.fail(f"(medians within 5 %, p > 0.01): {found}")
