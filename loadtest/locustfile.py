"""Locust scenario: people at work on their tasks over HTTP, bounded in count and time.

``python -m loadtest http`` starts a Rondo of its own and runs this against it, 0 → 50 → 100 users; ``--short`` is the
form for CI. By hand: ``locust -f loadtest/locustfile.py --host http://127.0.0.1:8000``. Thresholds: p95 under 500 ms,
errors under 1 %.
"""

from __future__ import annotations

import random
from typing import TYPE_CHECKING, Any, Final

from locust import HttpUser, between, events, task

from loadtest import people

if TYPE_CHECKING:
    from locust.env import Environment

P95_MILLISECONDS: Final = 500
ERROR_SHARE: Final = 0.01
PRIORITIES: Final = ("low", "medium", "high", "urgent")


class Stages(people.Stages):
    """0 → 50 → 100 users, or a handful."""

    stages = ((2, 5, 5), (4, 10, 10)) if people.SHORT else ((30, 50, 5), (60, 100, 5), (90, 100, 5))


class Person(HttpUser):
    """Registers once, then lists, adds, changes, completes, searches and deletes."""

    wait_time = between(0.1, 0.5)

    def on_start(self) -> None:
        """Register."""
        self.client.headers["authorization"] = f"Bearer {people.sign_up(self.host or '')}"
        self.mine: list[str] = []

    @task(4)
    def create(self) -> None:
        """Add a task."""
        body: dict[str, Any] = {
            "title": f"Task {next(people.numbers)}",
            "priority": random.choice(PRIORITIES),
            "tags": ["load"],
        }
        answer = self.client.post("/api/tasks", json=body)
        if answer.status_code == 201:
            self.mine.append(answer.json()["id"])

    @task(4)
    def look(self) -> None:
        """List what is open, most urgent first."""
        self.client.get("/api/tasks?completed=false&sort=priority&limit=50", name="/api/tasks?completed")

    @task(2)
    def filter(self) -> None:
        """Narrow the list."""
        self.client.get("/api/tasks?priority=high&tags=load", name="/api/tasks?priority&tags")

    @task(2)
    def search(self) -> None:
        """Find a part of a word."""
        self.client.get("/api/tasks?search=ask%201", name="/api/tasks?search")

    @task(3)
    def get(self) -> None:
        """Open a task."""
        if self.mine:
            self.client.get(f"/api/tasks/{random.choice(self.mine)}", name="/api/tasks/{id}")

    @task(3)
    def update(self) -> None:
        """Change a task."""
        if self.mine:
            path = f"/api/tasks/{random.choice(self.mine)}"
            self.client.patch(path, json={"description": f"Changed {next(people.numbers)}"}, name="/api/tasks/{id}")

    @task(2)
    def complete(self) -> None:
        """Complete a task and forget it."""
        if self.mine:
            path = f"/api/tasks/{self.mine.pop(0)}/complete"
            self.client.post(path, name="/api/tasks/{id}/complete")

    @task(1)
    def delete(self) -> None:
        """Delete a task."""
        if self.mine:
            self.client.delete(f"/api/tasks/{self.mine.pop()}", name="/api/tasks/{id}")


@events.quitting.add_listener  # type: ignore[untyped-decorator]  # locust is half typed
def judge(environment: Environment, **_: object) -> None:
    """Turn the thresholds into the exit code."""
    total = environment.stats.total
    slow = total.get_response_time_percentile(0.95) or 0
    raised = len(environment.runner.exceptions) if environment.runner else 0
    people.conclude(
        environment,
        {
            f"{total.num_requests} requests were made": total.num_requests > 0,
            f"p95 {slow:.0f} ms, under {P95_MILLISECONDS} ms": slow < P95_MILLISECONDS,
            f"errors {total.fail_ratio:.2%}, under {ERROR_SHARE:.0%}": total.fail_ratio < ERROR_SHARE,
            f"{raised} kinds of exceptions in users": raised == 0,
        },
    )
