"""Whose attempts are counted together."""

from datetime import UTC, datetime
from typing import Any

import pytest

from app.services.rate_limits import AttemptLimits


class _Limits:
    """Remembers what was counted."""

    def __init__(self) -> None:
        self.keys: list[str] = []

    async def take(self, key: str, *_: object) -> float:
        self.keys.append(key)
        return 0.0

    async def overrun(self, *_: object) -> int:
        return 0

    async def clear(self, key: str) -> None:
        self.keys.append(key)


class _Clock:
    def now(self) -> datetime:
        return datetime(2026, 1, 1, tzinfo=UTC)


async def _keys(address: str) -> list[str]:
    counted: Any = _Limits()
    clock: Any = _Clock()
    limits = AttemptLimits(limits=counted, clock=clock)
    await limits.sign_in(address, "anna")
    await limits.signed_in(address, "anna")
    await limits.register(address)
    return list(counted.keys)


@pytest.mark.parametrize(
    ("one", "other"), [("2001:db8::1", "2001:db8::2"), ("192.0.2.1", "::ffff:192.0.2.1")], ids=["IPv6 /64", "mapped"]
)
async def test_the_addresses_of_one_household_count_as_one(one: str, other: str) -> None:
    assert await _keys(one) == await _keys(other)


async def test_the_addresses_of_two_households_count_as_two() -> None:
    assert set(await _keys("2001:db8::1")).isdisjoint(await _keys("2001:db8:0:1::1"))
