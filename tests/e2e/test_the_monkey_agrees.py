"""Twelve seconds of the monkey with a fixed seed; ``python -m tests.e2e.monkey`` plays for as long as one likes."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import pytest

from tests.e2e.monkey.monkey import Monkey
from tests.fixtures.line import laid

if TYPE_CHECKING:
    from playwright.sync_api import Browser

SECONDS = 12.0
SEED = 5


@pytest.mark.slow
def test_after_random_deeds_everybody_sees_the_same_tasks(browser: Browser, rondo_url: str) -> None:
    steps: list[str] = []
    with laid(urlsplit(rondo_url).port or 0) as line:
        monkey = Monkey(browser, line, rondo_url, SEED, steps.append)

        monkey.play(SECONDS)

        try:
            monkey.agree()
        finally:
            print("\n".join(steps))  # noqa: T201 # pytest shows what was printed when a test fails: the steps that led there
            monkey.close()
