"""Which of a client's errors are ours to tell: those that say that the server is in trouble."""

from __future__ import annotations

import pytest

from app.adapters.postgres.server_log import parse


@pytest.mark.parametrize(
    ("line", "level"),
    [
        ("7|client backend|53100|ERROR:  could not extend file: No space left on device", "ERROR"),
        ("7|client backend|53200|ERROR:  out of memory", "ERROR"),
        ("7|client backend|58030|FATAL:  could not read file: Input/output error", "ERROR"),
        ("7|client backend|XX001|WARNING:  page verification failed", "WARNING"),
        ("7|client backend|23505|ERROR:  duplicate key", "DEBUG"),
        ("7|client backend|28P01|FATAL:  password authentication failed", "DEBUG"),
        ("7|client backend|00000|LOG:  disconnection", "INFO"),
    ],
)
def test_trouble_of_the_server_keeps_its_level(line: str, level: str) -> None:
    assert parse(line).level == level
