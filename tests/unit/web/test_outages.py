"""Why requests are answered 503 is in the log, and does not fill it."""

import io
import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from app.ports.database import DatabaseUnavailableError, OutcomeUnknownError
from app.web import errors
from app.web.errors import answer_to
from app.web.outages import LOG_SECONDS, Outages
from monitoring import logs

Told = Callable[[], list[dict[str, Any]]]


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
    """Log to memory; call it for what was said of outages so far."""
    stream = io.StringIO()
    logs.setup("info", format="json", stream=stream)

    def read() -> list[dict[str, Any]]:
        assert logs.flush()
        lines = [json.loads(line) for line in stream.getvalue().splitlines()]
        return [line for line in lines if line["event"] == "http.database.unavailable"]

    yield read
    logs.shutdown()


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
