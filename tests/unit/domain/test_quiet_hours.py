"""Quiet hours: when they are over."""

from datetime import UTC, datetime, time
from zoneinfo import ZoneInfo

import pytest

from app.domain.account import QuietHours

NIGHT = QuietHours(start=time(22), end=time(7))
SIESTA = QuietHours(start=time(13), end=time(15))
BERLIN = ZoneInfo("Europe/Berlin")


@pytest.mark.parametrize(
    ("hours", "here", "over"),
    [
        (NIGHT, "2026-11-23T21:59", "2026-11-23T21:59"),
        (NIGHT, "2026-11-23T22:00", "2026-11-24T07:00"),
        (NIGHT, "2026-11-24T00:30", "2026-11-24T07:00"),
        (NIGHT, "2026-11-24T07:00", "2026-11-24T07:00"),
        (SIESTA, "2026-11-24T12:59", "2026-11-24T12:59"),
        (SIESTA, "2026-11-24T13:00", "2026-11-24T15:00"),
        (SIESTA, "2026-11-24T23:00", "2026-11-24T23:00"),
        # The night in which the clocks go back is an hour longer.
        (NIGHT, "2026-10-24T23:00", "2026-10-25T07:00"),
    ],
)
def test_what_comes_in_quiet_hours_waits_until_they_are_over(hours: QuietHours, here: str, over: str) -> None:
    moment = datetime.fromisoformat(here).replace(tzinfo=BERLIN)

    assert hours.over(moment.astimezone(UTC), BERLIN) == datetime.fromisoformat(over).replace(tzinfo=BERLIN)
