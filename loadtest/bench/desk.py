"""What somebody asks for: requests to an account's tasks, each one different, none of them in vain.

The state is kept so that a run can go on for ever: created tasks are deleted, completed ones reopened.
"""

from __future__ import annotations

import itertools
import json
from typing import TYPE_CHECKING, Final

from loadtest.http_load import request

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

# Parts of words; each is found in one of thirteen or two of thirteen titles.
PARTS: Final = ("ounta", "arde", "ibra", "icyc", "nvoic", "itche", "entis", "rinte", "indo", "lcon", "rchiv", "ighbo")
FILTERS: Final = (
    "completed=false&sort=dueDate",
    "completed=false&priority=high,urgent&sort=priority",
    "completed=false&tags=home&sort=title",
    "priority=medium&sort=createdAt",
    "completed=true&sort=title&order=desc",
    "completed=false&tags=work&sort=dueDate&order=desc",
)


class Desk:
    """The requests of one account; `open_ids` are its open tasks, each of which is completed once before the next."""

    def __init__(self, token: str, open_ids: Sequence[str]) -> None:
        self.token = token
        self.page = 50
        self._ids: Iterator[str] = itertools.cycle(open_ids)
        self._to_complete: Iterator[str] = itertools.cycle(open_ids)
        self._numbers = itertools.count(1)
        self.completed: list[str] = []
        self.created: list[str] = []
        self.makers: dict[str, Callable[[], bytes]] = {
            "get": self.get,
            "list": self.list,
            "search": self.search,
            "create": self.create,
            "update": self.update,
            "complete": self.complete,
            "reopen": self.reopen,
            "delete": self.delete,
        }

    def get(self) -> bytes:
        """Open a task."""
        return self._request("GET", f"/api/tasks/{next(self._ids)}")

    def list(self) -> bytes:
        """Look at a page of tasks, filtered and sorted."""
        return self._request("GET", f"/api/tasks?{FILTERS[next(self._numbers) % len(FILTERS)]}&limit={self.page}")

    def search(self) -> bytes:
        """Look for a part of a word."""
        return self._request("GET", f"/api/tasks?search={PARTS[next(self._numbers) % len(PARTS)]}&limit={self.page}")

    def create(self) -> bytes:
        """Add a task."""
        number = next(self._numbers)
        body = {
            "title": f"Collect parcel {number}",
            "description": "From the shop at the corner, before noon.",
            "priority": ("low", "medium", "high", "urgent")[number % 4],
            "tags": ["errand", "parcel"],
            "dueDate": f"2031-0{1 + number % 9}-15",
        }
        return self._request("POST", "/api/tasks", json.dumps(body).encode())

    def update(self) -> bytes:
        """Change a task."""
        body = {"description": f"Changed for the {next(self._numbers)}th time", "priority": "high"}
        return self._request("PATCH", f"/api/tasks/{next(self._ids)}", json.dumps(body).encode())

    def complete(self) -> bytes:
        """Complete a task."""
        self.completed.append(next(self._to_complete))
        return self._request("POST", f"/api/tasks/{self.completed[-1]}/complete")

    def reopen(self) -> bytes:
        """Reopen the task that was completed first."""
        return self._request("POST", f"/api/tasks/{self.completed.pop(0)}/reopen")

    def delete(self) -> bytes:
        """Delete the task that was created first."""
        return self._request("DELETE", f"/api/tasks/{self.created.pop(0)}")

    def learn(self, bodies: Sequence[bytes]) -> None:
        """Take the ids of tasks from the answers to `create`."""
        self.created += [json.loads(body)["id"] for body in bodies]

    def _request(self, method: str, path: str, body: bytes | None = None) -> bytes:
        return request(method, path, token=self.token, body=body)
