"""The load generator: kept connections on raw sockets, one epoll loop, as little work per request as Python allows.

Closed loop: each connection sends its next request when the answer to the last one is whole. It runs in a process
that is not measured, but on the same processors: what it saves, the measured process has.
"""

from __future__ import annotations

import gc
import math
import select
import socket
import time
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, Self

from loadtest.process import HOST

if TYPE_CHECKING:
    from collections.abc import Sequence
    from types import TracebackType

SILENCE_SECONDS: Final = 20.0
RECEIVE_BYTES: Final = 262_144
END_OF_HEAD: Final = b"\r\n\r\n"
LENGTH: Final = b"\r\ncontent-length:"
BODILESS: Final = (204, 304)


class LoadError(Exception):
    """The server closed a connection, said something that is not HTTP, or nothing at all."""


@dataclass(slots=True)
class Outcome:
    """What came of one run.

    Attributes:
        seconds: From the first request to the last answer.
        latencies: Seconds from sending a request to the last byte of its answer, in the order of the answers.
        statuses: How often each status was answered.
        bodies: The answers' bodies in the order of the requests; kept only if asked for.
    """

    seconds: float = 0.0
    latencies: list[float] = field(default_factory=list)
    statuses: Counter[int] = field(default_factory=Counter)
    bodies: list[bytes] = field(default_factory=list)

    @property
    def requests(self) -> int:
        """Return how many answers came."""
        return len(self.latencies)

    @property
    def errors(self) -> int:
        """Return how many of them were not a success."""
        return sum(count for status, count in self.statuses.items() if not 200 <= status < 300)


class Crowd:
    """Open connections to one server."""

    def __init__(self, port: int, connections: int) -> None:
        self._poll = select.epoll()
        self._links = {link.fileno(): link for link in (_connect(port) for _ in range(connections))}
        for number in self._links:
            self._poll.register(number, select.EPOLLIN)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for link in self._links.values():
            link.close()
        self._poll.close()

    def send(self, requests: Sequence[bytes], *, keep: bool = False) -> Outcome:
        """Send all requests and wait for all answers.

        Raises:
            LoadError: an answer did not come, or was not HTTP.
        """
        outcome = Outcome(bodies=[b""] * len(requests) if keep else [])
        collecting = gc.isenabled()
        gc.disable()
        try:
            began = time.perf_counter()
            self._send(requests, outcome)
            outcome.seconds = time.perf_counter() - began
        finally:
            if collecting:
                gc.enable()
        return outcome

    def _send(self, requests: Sequence[bytes], outcome: Outcome) -> None:
        clock, links = time.perf_counter, self._links
        numbers = iter(range(len(requests)))
        current: dict[int, tuple[int, float]] = {}
        partial: dict[int, bytes] = {}
        for key, number in zip(links, numbers, strict=False):
            current[key] = (number, clock())
            links[key].sendall(requests[number])
        while current:
            ready = self._poll.poll(SILENCE_SECONDS)
            if not ready:
                raise LoadError(f"No answer within {SILENCE_SECONDS:.0f} s.")
            for key, _ in ready:
                data = links[key].recv(RECEIVE_BYTES)
                if not data or key not in current:
                    raise LoadError("The server closed a connection, or answered what was not asked.")
                data = partial.pop(key, b"") + data
                answer = whole(data)
                if answer is None:
                    partial[key] = data
                    continue
                number, sent_at = current.pop(key)
                outcome.latencies.append(clock() - sent_at)
                outcome.statuses[answer[0]] += 1
                if outcome.bodies:
                    outcome.bodies[number] = data[answer[1] :]
                if (following := next(numbers, None)) is not None:
                    current[key] = (following, clock())
                    links[key].sendall(requests[following])


def whole(data: bytes) -> tuple[int, int] | None:
    """Return status and where the body begins when an answer is complete, else None."""
    end = data.find(END_OF_HEAD)
    if end < 0:
        return None
    if not data.startswith(b"HTTP/1.1 "):
        raise LoadError(f"Not HTTP: {data[:80]!r}")
    head, status, body_at = data[: end + 2].lower(), int(data[9:12]), end + 4
    at = head.find(LENGTH)
    if at < 0:
        if status in BODILESS:
            return status, body_at
        raise LoadError(f"An answer without a length: {data[:80]!r}")
    length = int(head[at + len(LENGTH) : head.index(b"\r\n", at + 2)])
    if len(data) < body_at + length:
        return None
    if len(data) > body_at + length:
        raise LoadError("More than one answer to one request.")
    return status, body_at


def _connect(port: int) -> socket.socket:
    link = socket.create_connection((HOST, port), timeout=SILENCE_SECONDS)
    link.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return link


def percentile(values: Sequence[float], share: float) -> float:
    """Return the value that a share (0 to 1) of all values does not exceed (the nearest rank)."""
    ordered = sorted(values)
    return ordered[max(0, math.ceil(share * len(ordered)) - 1)]


def request(method: str, path: str, *, token: str = "", body: bytes | None = None) -> bytes:
    """Return a request as a small program sends it."""
    lines = [f"{method} {path} HTTP/1.1", "Host: localhost", "User-Agent: loadtest/1", "Accept: application/json"]
    if token:
        lines.append(f"Authorization: Bearer {token}")
    if body is not None:
        lines += ["Content-Type: application/json", f"Content-Length: {len(body)}"]
    return "\r\n".join([*lines, "", ""]).encode() + (body or b"")
