"""Why requests are answered 503 is in the log, and does not fill it."""

from collections.abc import Iterator

import pytest

from app.ports.database import DatabaseUnavailableError, OutcomeUnknownError
from app.web import errors
from app.web.errors import answer_to
from app.web.outages import LOG_SECONDS, Outages
from tests.fixtures.told import Told, logged


class Clock:
    """A clock that is set by hand."""

    now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(errors, "_OUTAGES", Outages(clock))
    return clock


@pytest.fixture
def told() -> Iterator[Told]:
    """Call it for what was said of outages so far."""
    with logged("http.database.unavailable") as read:
        yield read


@pytest.mark.usefixtures("clock")
@pytest.mark.parametrize("kind", [DatabaseUnavailableError, OutcomeUnknownError])
def test_the_reason_of_a_503_is_a_warning_and_not_in_the_answer(
    told: Told, kind: type[DatabaseUnavailableError]
) -> None:
    answer = answer_to(kind("no database connection became free in 10 s"), "r1")

    (line,) = told()
    assert line["level"].lower() == "warning"
    assert line["reason"] == "no database connection became free in 10 s"
    assert answer is not None
    assert answer.status == 503
    assert b"connection became free" not in answer.body


def test_many_in_a_row_are_a_line_a_minute_that_counts_them(told: Told, clock: Clock) -> None:
    for _ in range(64):
        answer_to(DatabaseUnavailableError("it is away"), "r1")
        clock.now += LOG_SECONDS / 64
    answer_to(DatabaseUnavailableError("it is slow"), "r1")

    assert [(line["reason"], line["times"]) for line in told()] == [("it is away", 1), ("it is slow", 64)]


def test_another_row_begins_to_count_anew(told: Told, clock: Clock) -> None:
    for _ in range(50):
        answer_to(DatabaseUnavailableError("it is away"), "r1")
    clock.now += 24 * 3600
    answer_to(DatabaseUnavailableError("it is slow"), "r1")

    assert [(line["reason"], line["times"]) for line in told()] == [("it is away", 1), ("it is slow", 1)]
