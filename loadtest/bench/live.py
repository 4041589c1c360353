"""Live updates: what an idle socket takes, what one event to all of them costs, how soon a change is seen elsewhere."""

from __future__ import annotations

import json
import time
from dataclasses import dataclass, field
from statistics import median
from typing import TYPE_CHECKING, Final

import trio

from loadtest.bench.counts import CONNECTIONS, WRITES_PER_SECOND
from loadtest.bench.rows import Row
from loadtest.ears import listening
from loadtest.http_load import Crowd, LoadError, percentile, request, whole
from loadtest.process import HOST, cpu_seconds, resident_bytes

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from loadtest.bench.stage import Person, Stage

NAMES: Final = ("sockets", "fanout", "delivery")
HEARD_SECONDS: Final = 30.0
WARM_EVENTS: Final = 3
WARM_SOCKETS: Final = 20
WARM_WRITES: Final = 100
REQUEST_ID: Final = b'"requestId":"bench-'


def measure(stage: Stage, wanted: set[str]) -> Iterator[Row]:
    """Yield the wanted rows of `NAMES`."""
    if wanted & {"sockets", "fanout"}:
        rows = trio.run(_sockets_and_fanout, stage)
        yield from (row for row in rows if row.name in wanted)
    if "delivery" in wanted:
        yield from trio.run(_delivery, stage)


async def _sockets_and_fanout(stage: Stage) -> list[Row]:
    tokens = [person.token for person in stage.people for _ in range(stage.counts.sockets_each)]
    heard = Heard()
    stage.say(f"{len(tokens):,} idle sockets")
    async with listening(stage.rondo.port, tokens[:WARM_SOCKETS], heard.said):
        await trio.sleep(stage.counts.calm_seconds)
    await trio.sleep(stage.counts.calm_seconds)
    before = resident_bytes(stage.rondo.pid)
    async with listening(stage.rondo.port, tokens, heard.said):
        await trio.sleep(stage.counts.calm_seconds)
        grown = resident_bytes(stage.rondo.pid) - before
        idle = Row(
            name="sockets",
            what=f"an idle socket, of {len(tokens):,}",
            unit="kB",
            measured=max(grown, 1) / len(tokens) / 1e3,
            target=40,
            details={"grown_bytes": grown},
        )
        return [idle, await _fanout(stage, heard, len(tokens))]


async def _fanout(stage: Stage, heard: Heard, sockets: int) -> Row:
    """Change a task of the first of the people, whose Inbox all of them see, and wait until each socket has heard."""
    stage.say(f"{stage.counts.events} events to {sockets:,} sockets")
    host = stage.people[0]
    path = f"/api/tasks/{stage.store.open_tasks(host.id)[0]}"
    costs, seconds, errors = [], [], 0
    with Crowd(stage.rondo.port, 1) as writer:
        for number in range(-WARM_EVENTS, stage.counts.events):
            expected = heard.count + sockets
            body = json.dumps({"description": f"Change {number}"}).encode()
            before, began = cpu_seconds(stage.rondo.pid), time.perf_counter()
            errors += writer.send([request("PATCH", path, token=host.token, body=body)]).errors
            await heard.wait(expected)
            took = time.perf_counter() - began
            stage.store.settle()
            if number >= 0:
                costs.append((cpu_seconds(stage.rondo.pid) - before) / sockets * 1e6)
                seconds.append(took)
    return Row(
        name="fanout",
        what=f"one event to {sockets:,} sockets, CPU per socket",
        unit="µs",
        measured=median(costs),
        target=30,
        samples=tuple(costs),
        details={"until_last_heard_p50_ms": percentile(seconds, 0.5) * 1e3, "max_ms": max(seconds) * 1e3},
        requests=len(costs),
        errors=errors,
    )


@dataclass(slots=True)
class Heard:
    """Counts frames; wakes who waits for a number of them."""

    count: int = 0
    _enough: int = 0
    _bell: trio.Event = field(default_factory=trio.Event)

    def said(self, _: bytes) -> None:
        """Count a frame."""
        self.count += 1
        if self.count >= self._enough:
            self._bell.set()

    async def wait(self, count: int) -> None:
        """Wait until so many frames have come in all.

        Raises:
            LoadError: they did not come in half a minute.
        """
        self._enough, self._bell = count, trio.Event()
        if self.count >= count:
            return
        with trio.move_on_after(HEARD_SECONDS):
            await self._bell.wait()
            return
        raise LoadError(f"{count - self.count} frames did not come.")


@dataclass(slots=True, kw_only=True)
class Delivery:
    """Paced writes of several people, each heard by all sockets of the one who wrote.

    Attributes:
        sent: When each write was sent, by its number.
        answered: When its answer was there.
        heard: (number, when) of each frame.
    """

    stage: Stage
    writes: int
    sent: dict[int, float] = field(default_factory=dict)
    answered: dict[int, float] = field(default_factory=dict)
    heard: list[tuple[int, float]] = field(default_factory=list)
    errors: int = 0

    def said(self, text: bytes) -> None:
        """Note a frame."""
        now, at = time.perf_counter(), text.find(REQUEST_ID) + len(REQUEST_ID)
        self.heard.append((int(text[at : text.index(b'"', at)]), now))

    async def write(self, requests: list[bytes]) -> None:
        """Send the requests at their pace, whether or not the earlier ones are answered."""
        send, receive = trio.open_memory_channel[trio.SocketStream](CONNECTIONS)
        for _ in range(CONNECTIONS):
            send.send_nowait(await trio.open_tcp_stream(HOST, self.stage.rondo.port))
        began = trio.current_time()
        async with trio.open_nursery() as nursery:
            for number, asked in enumerate(requests):
                await trio.sleep_until(began + number / WRITES_PER_SECOND)
                nursery.start_soon(self._exchange, number, asked, send, receive)
        for _ in range(CONNECTIONS):
            await trio.aclose_forcefully(receive.receive_nowait())

    async def _exchange(
        self,
        number: int,
        asked: bytes,
        send: trio.MemorySendChannel[trio.SocketStream],
        receive: trio.MemoryReceiveChannel[trio.SocketStream],
    ) -> None:
        stream = await receive.receive()
        self.sent[number] = time.perf_counter()
        await stream.send_all(asked)
        data = bytes(await stream.receive_some())
        while (answer := whole(data)) is None:
            data += await stream.receive_some()
        self.answered[number] = time.perf_counter()
        self.errors += not 200 <= answer[0] < 300
        send.send_nowait(stream)


async def _delivery(stage: Stage) -> list[Row]:
    counts = stage.counts
    people = stage.people[1 : 1 + counts.delivery_people]
    warm = WARM_WRITES if counts.delivery_seconds > 1 else 0
    writes = round(counts.delivery_seconds * WRITES_PER_SECOND) + warm
    stage.say(f"{WRITES_PER_SECOND} writes/s, {len(people) * counts.sockets_each} sockets")
    run = Delivery(stage=stage, writes=writes)
    requests = _paced_requests(stage, people, writes)
    tokens = [person.token for person in people for _ in range(counts.sockets_each)]
    expected = writes * counts.sockets_each
    async with listening(stage.rondo.port, tokens, run.said):
        await trio.sleep(stage.counts.calm_seconds)
        began = time.perf_counter()
        await run.write(requests)
        rate = writes / (time.perf_counter() - began)
        with trio.move_on_after(HEARD_SECONDS):
            while len(run.heard) < expected:  # noqa: ASYNC110 - other tasks of ours append to it
                await trio.sleep(0.01)
    from_sent = [at - run.sent[number] for number, at in run.heard if number >= warm]
    from_answer = [at - run.answered[number] for number, at in run.heard if number >= warm]
    details = {
        "writes_per_second": rate,
        "after_the_answer_p50_ms": percentile(from_answer, 0.5) * 1e3,
        "after_the_answer_p99_ms": percentile(from_answer, 0.99) * 1e3,
        "answer_p99_ms": percentile([run.answered[n] - run.sent[n] for n in run.sent if n >= warm], 0.99) * 1e3,
    }
    load = f"{WRITES_PER_SECOND} writes/s, {len(tokens)} sockets"
    missing = expected - len(run.heard)
    return [
        Row(
            name=f"delivery_{name}",
            what=f"a write → another client's socket, {name} ({load})",
            unit="ms",
            measured=percentile(from_sent, share) * 1e3,
            target=target,
            details=details,
            requests=writes if name == "p50" else 0,
            errors=run.errors + missing if name == "p50" else 0,
        )
        for name, share, target in (("p50", 0.5, 10), ("p99", 0.99, 50))
    ]


def _paced_requests(stage: Stage, people: Sequence[Person], writes: int) -> list[bytes]:
    """Return writes that go round the people and round the tasks of each."""
    tasks = [stage.store.open_tasks(person.id) for person in people]
    requests = []
    for number in range(writes):
        who, turn = number % len(people), number // len(people)
        path = f"/api/tasks/{tasks[who][turn % len(tasks[who])]}"
        body = json.dumps({"description": f"Change {number}"}).encode()
        asked = request("PATCH", path, token=people[who].token, body=body)
        requests.append(asked.replace(b"Accept:", b"X-Request-Id: bench-%d\r\nAccept:" % number, 1))
    return requests
