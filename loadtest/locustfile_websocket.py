"""Locust scenario: people who listen on ``/ws`` while they change their tasks, bounded in count and time.

``python -m loadtest websocket`` starts a Rondo of its own and runs this against it, 0 → 20 → 50 connections;
``--short`` is the form for CI. Thresholds: errors under 5 %, p95 of connecting (until hello has been said) under 1 s,
at least 100 messages received. A change that is not heard within five seconds is an error, so is a connection that
ends by itself.

The client is websocket-client: blocking sockets, which gevent turns into greenlets.
"""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING, Any, Final

import gevent
import gevent.event
import requests
import websocket
from locust import User, between, events, task

from loadtest import people

if TYPE_CHECKING:
    from locust.env import Environment

CONNECT_P95_MILLISECONDS: Final = 1000
ERROR_SHARE: Final = 0.05
FEWEST_MESSAGES: Final = 100
HEARD_SECONDS: Final = 5.0
ENOUGH_MESSAGES: Final = 120
CONNECT: Final = "connect until hello"

_received = [0]


class Stages(people.Stages):
    """0 → 20 → 50 connections, or a handful."""

    stages = ((1, 4, 4), (20, 8, 8)) if people.SHORT else ((20, 20, 4), (45, 50, 5), (60, 50, 5))

    def tick(self) -> tuple[int, float] | None:
        """Return users and spawn rate of now; the short form ends as soon as enough has been heard."""
        return None if people.SHORT and _received[0] >= ENOUGH_MESSAGES else super().tick()


class Listener(User):
    """Connects once, then changes a task of its own again and again and waits until it hears of it."""

    wait_time = between(0.1, 0.3) if people.SHORT else between(0.2, 0.8)

    def on_start(self) -> None:
        """Register, connect, make a task, and listen from then on."""
        self.token = people.sign_up(self.host or "")
        self.http = requests.Session()
        self.http.headers["authorization"] = f"Bearer {self.token}"
        self.waited_for: dict[str, gevent.event.Event] = {}
        self.leaving = False
        self.socket = self._connect()
        self.ear = gevent.spawn(self._listen)
        answer = self.http.post(f"{self.host}/api/tasks", json={"title": "Listen"}, timeout=people.ANSWER_SECONDS)
        answer.raise_for_status()
        self.path = f"{self.host}/api/tasks/{answer.json()['id']}"

    def on_stop(self) -> None:
        """Leave."""
        self.leaving = True
        self.socket.close()
        self.ear.join(timeout=1)
        self.http.close()

    @task(4)
    def change(self) -> None:
        """Change the task; wait for the event that carries the request's id."""
        number = f"load-{next(people.numbers)}"
        heard = self.waited_for[number] = gevent.event.Event()
        began = time.perf_counter()
        body = {"description": f"Changed by {number}"}
        answer = self.http.patch(self.path, json=body, headers={"x-request-id": number}, timeout=people.ANSWER_SECONDS)
        arrived = answer.ok and heard.wait(HEARD_SECONDS)
        del self.waited_for[number]
        self._tell("change until heard", began, None if arrived else f"status {answer.status_code}, not heard")

    @task(1)
    def ping(self) -> None:
        """Say ping; wait for pong."""
        heard = self.waited_for["pong"] = gevent.event.Event()
        began = time.perf_counter()
        self.socket.send('{"type":"ping"}')
        self._tell("ping until pong", began, None if heard.wait(HEARD_SECONDS) else "no pong")

    def _connect(self) -> websocket.WebSocket:
        began = time.perf_counter()
        url = (self.host or "").replace("http", "ws", 1) + "/ws"
        header = [f"Authorization: Bearer {self.token}"]
        try:
            socket = websocket.create_connection(url, header=header, timeout=10, suppress_origin=True)
            hello = json.loads(socket.recv())
        except (OSError, websocket.WebSocketException) as problem:
            self._tell(CONNECT, began, str(problem))
            raise
        self._tell(CONNECT, began, None if hello.get("type") == "hello" else f"said {hello}")
        socket.settimeout(None)
        return socket

    def _listen(self) -> None:
        while True:
            try:
                text = self.socket.recv()
            except (OSError, websocket.WebSocketException) as problem:
                text, reason = "", str(problem)
            else:
                reason = "closed by the server"
            if not text:
                if not self.leaving:
                    self._tell("stay connected", time.perf_counter(), reason)
                return
            _received[0] += 1
            frame: dict[str, Any] = json.loads(text)
            if heard := self.waited_for.get(frame.get("requestId") or frame["type"]):
                heard.set()

    def _tell(self, name: str, began: float, problem: str | None) -> None:
        """Tell locust what happened."""
        self.environment.events.request.fire(
            request_type="WS",
            name=name,
            response_time=(time.perf_counter() - began) * 1e3,
            response_length=0,
            exception=None if problem is None else ConnectionError(problem),
        )


@events.quitting.add_listener  # type: ignore[untyped-decorator]  # locust is half typed
def judge(environment: Environment, **_: object) -> None:
    """Turn the thresholds into the exit code."""
    total, connect = environment.stats.total, environment.stats.get(CONNECT, "WS")
    slow = connect.get_response_time_percentile(0.95) or 0
    people.conclude(
        environment,
        {
            f"{connect.num_requests} connections were made": connect.num_requests > 0,
            f"p95 of connecting {slow:.0f} ms, under {CONNECT_P95_MILLISECONDS} ms": slow < CONNECT_P95_MILLISECONDS,
            f"errors {total.fail_ratio:.2%}, under {ERROR_SHARE:.0%}": total.fail_ratio < ERROR_SHARE,
            f"{_received[0]} messages received, at least {FEWEST_MESSAGES}": _received[0] >= FEWEST_MESSAGES,
        },
    )
