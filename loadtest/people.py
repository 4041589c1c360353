"""What both scenarios share: signing up, the words of thresholds, the stages of a run."""

from __future__ import annotations

import itertools
import json
import os
from pathlib import Path
from typing import TYPE_CHECKING, Final

import requests
from locust import LoadTestShape

if TYPE_CHECKING:
    from locust.env import Environment

SHORT: Final = os.environ.get("LOADTEST_FORM") == "short"
PASSWORD: Final = "correct horse battery staple 7"  # noqa: S105 - of accounts that live for a minute
ANSWER_SECONDS: Final = 30

numbers = itertools.count(1)


def sign_up(host: str) -> str:
    """Register somebody new and return the token. Not part of what is judged: hashing a password is slow on purpose."""
    body = {"email": f"load{os.getpid()}-{next(numbers)}@example.org", "password": PASSWORD}
    answer = requests.post(f"{host}/api/auth/register", json=body, timeout=ANSWER_SECONDS)
    answer.raise_for_status()
    token: str = answer.json()["token"]
    return token


class Stages(LoadTestShape):
    """Grows and ends by a table of (until second, users, users started per second)."""

    abstract = True
    stages: tuple[tuple[float, int, float], ...] = ()

    def tick(self) -> tuple[int, float] | None:
        """Return users and spawn rate of now; None ends the run."""
        for until, users, rate in self.stages:
            if self.get_run_time() < until:  # type: ignore[no-untyped-call]  # locust is half typed
                return users, rate
        return None


def conclude(environment: Environment, promises: dict[str, bool]) -> None:
    """Print what held and what did not, write it to the file that is asked for, and turn it into the exit code."""
    if path := os.environ.get("LOADTEST_RESULT"):
        Path(path).write_text(json.dumps(promises), encoding="utf-8")
    for promise, held in promises.items():
        print(f"{'held  ' if held else 'MISSED'}  {promise}")
    environment.process_exit_code = 0 if all(promises.values()) else 1
