"""Bad days: the plug is pulled, the stop comes under load, PostgreSQL goes away."""

from __future__ import annotations

import contextlib
import os
import random
import signal
import socket
import time
from collections import Counter
from pathlib import Path

import httpx2
import pytest
import trio

from tests.fixtures.client import Person, client, listening, register
from tests.fixtures.rondo import RondoProcess, running_rondo

# httpx2 leaves its generators and sockets to the garbage collector when a connection breaks under a request.
pytestmark = pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")

KILLS = 20
WRITERS = 8
SEED = 20261123


class Written:
    """What the server has acknowledged, by task: the title it must have and the version it must at least have."""

    def __init__(self) -> None:
        self.acknowledged: dict[str, tuple[str, int]] = {}
        self.attempted: set[str] = set()


async def write_until_cut(person: Person, written: Written, number: int, stop: trio.Event) -> None:
    """Create tasks and change every second one until the connection breaks."""
    count = 0
    try:
        while not stop.is_set():
            title = f"{number}-{count}-{time.monotonic_ns()}"
            written.attempted.add(title)
            response = await person.call("POST", "/api/tasks", {"title": title})
            if response.status_code == 503:
                await trio.sleep(0.02)
                continue
            assert response.status_code == 201, response.text
            task = response.json()
            written.acknowledged[task["id"]] = (title, task["version"])
            if count % 2:
                response = await person.call("PATCH", f"/api/tasks/{task['id']}", {"priority": "high"})
                if response.status_code == 200:
                    written.acknowledged[task["id"]] = (title, response.json()["version"])
            count += 1
    except httpx2.TransportError:
        return


async def load(rondo: RondoProcess, person: Person, written: Written, end: trio.Event | None, seconds: float) -> None:
    """Eight clients write; after ``seconds`` the process group dies (or ``end`` is waited for)."""
    stop = trio.Event() if end is None else end
    async with client(rondo.url) as http, trio.open_nursery() as nursery:
        writer = Person(http=http, email=person.email, user=person.user, token=person.token)
        for number in range(WRITERS):
            nursery.start_soon(write_until_cut, writer, written, number, stop)
        await trio.sleep(seconds)
        if end is None:
            rondo.kill()
        else:
            end.set()


async def check(person: Person, written: Written) -> None:
    """Every acknowledged write is there once, every change is audited once, the chain verifies."""
    tasks = {task["id"]: task for task in await person.all_tasks()}
    for task_id, (title, version) in written.acknowledged.items():
        assert tasks[task_id]["title"] == title
        assert tasks[task_id]["version"] >= version
    assert {task["title"] for task in tasks.values()} <= written.attempted
    with trio.fail_after(20):
        while True:
            audit = [row for row in await person.all_audit() if row["taskId"]]
            if len(audit) >= sum(task["version"] for task in tasks.values()):
                break
            await trio.sleep(0.05)
    assert Counter(row["taskId"] for row in audit) == {task["id"]: task["version"] for task in tasks.values()}
    verified = (await person.call("POST", "/api/audit/verify")).json()
    assert (verified["ok"], verified["firstBreak"]) == (True, None)


@pytest.mark.slow
@pytest.mark.accepts("C01", "E01")
async def test_kill_9_under_load_loses_nothing_and_doubles_nothing(tmp_path: Path) -> None:
    chance = random.Random(SEED)
    rondo, written = RondoProcess(data_dir=tmp_path / "data"), Written()
    rondo.start()
    try:
        async with client(rondo.url) as http:
            person = await register(http)
        for _ in range(KILLS):
            await load(rondo, person, written, None, chance.uniform(0.2, 0.8))
            rondo.start()
        async with client(rondo.url) as http:
            person.http = http
            await check(person, written)
            async with listening(rondo.websocket_url, person.token) as listener:
                newest = listener.hello["position"]
                rows = await person.all_audit()
    finally:
        if rondo.process is not None:
            rondo.stop()

    assert len(written.acknowledged) > KILLS
    # The only account: its audit rows are all there are, so their positions are the whole log, without a gap.
    assert [row["position"] for row in reversed(rows)] == list(range(1, newest + 1))


async def test_sigterm_under_load_with_stuck_readers_ends_in_time_and_loses_nothing(tmp_path: Path) -> None:
    with running_rondo(tmp_path / "data") as rondo:
        written = Written()
        async with client(rondo.url) as http:
            person = await register(http)
        stuck = [stuck_reader(rondo.port, person.token) for _ in range(10)]
        async with trio.open_nursery() as nursery:
            end = trio.Event()
            nursery.start_soon(load, rondo, person, written, end, 0.7)
            await trio.sleep(0.5)
            began = time.monotonic()
            code = await trio.to_thread.run_sync(rondo.stop)
            took = time.monotonic() - began
            end.set()
        for reader in stuck:
            reader.close()

        assert (code, took < 25) == (0, True)
        rondo.start()
        async with client(rondo.url) as http:
            person.http = http
            await check(person, written)


def stuck_reader(port: int, token: str) -> socket.socket:
    """Ask for the longest answers there are, again and again, and read nothing."""
    reader = socket.create_connection(("127.0.0.1", port))
    reader.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    request = f"GET /api/openapi.json HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {token}\r\n\r\n"
    reader.sendall(request.encode() * 50)
    return reader


def child_pid(rondo: RondoProcess) -> int:
    """Return the pid of the postmaster."""
    return int((rondo.data_dir / "postgres" / "postmaster.pid").read_text().split()[0])


def family(pid: int) -> list[int]:
    """Return the pid, and those of its children."""
    pids = [pid]
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):  # it has ended meanwhile
            parent = int(stat.read_text().rpartition(")")[2].split()[1])
            pids += [int(stat.parent.name)] if parent == pid else []
    return pids


@pytest.mark.accepts("C03")
async def test_postgresql_that_goes_away_means_503_and_comes_back_without_a_restart(tmp_path: Path) -> None:
    with running_rondo(tmp_path / "data") as rondo:
        async with client(rondo.url) as http:
            person = await register(http)
            await person.create("Before")
            os.kill(child_pid(rondo), signal.SIGSTOP)
            stopped = child_pid(rondo)
            os.kill(stopped, signal.SIGKILL)
            slowest, codes = 0.0, Counter[int]()
            with trio.fail_after(20):
                while True:
                    began = trio.current_time()
                    response = await person.call("GET", "/api/tasks")
                    slowest = max(slowest, trio.current_time() - began)
                    codes[response.status_code] += 1
                    if response.status_code == 200 and child_pid(rondo) != stopped:
                        break
                    await trio.sleep(0.01)
            assert set(codes) <= {200, 503}
            assert slowest < 1.5
            with trio.fail_after(10):
                while not await trio.to_thread.run_sync(rondo.is_ready):
                    await trio.sleep(0.05)
            await person.create("After")
            assert sorted(await person.titles()) == ["After", "Before"]


@pytest.mark.accepts("C05")
async def test_a_postgresql_that_is_frozen_means_503_within_a_second(tmp_path: Path) -> None:
    with running_rondo(tmp_path / "data") as rondo:
        async with client(rondo.url) as http:
            person = await register(http)
            task = await person.create("Before")
            waits: list[float] = []
            while not any(wait < 1 for wait in waits) and len(waits) < 6:  # a machine that has no time may be slower
                os.kill(child_pid(rondo), signal.SIGSTOP)  # first, so that it has no more children
                frozen = family(child_pid(rondo))
                for pid in frozen:
                    os.kill(pid, signal.SIGSTOP)
                began = trio.current_time()
                response = await person.call("GET", f"/api/tasks/{task['id']}")
                waits.append(trio.current_time() - began)
                await trio.sleep(max(0.0, 5.1 - waits[-1]))  # by then the session is no longer simply remembered
                watched = await person.call("GET", "/api/ops/actors")
                for pid in frozen:
                    with contextlib.suppress(ProcessLookupError):  # told to end meanwhile, it did
                        os.kill(pid, signal.SIGCONT)
                assert response.status_code == 503, response.text
                assert watched.status_code == 200  # a look inside, now that one wants it
                assert int(response.headers["retry-after"]) > 0
                with trio.fail_after(10):
                    while not await trio.to_thread.run_sync(rondo.is_ready):
                        await trio.sleep(0.05)
            assert await person.titles() == ["Before"]

    assert min(waits) < 1


@pytest.mark.slow
@pytest.mark.accepts("A10")
def test_a_postgresql_that_does_not_end_is_ended_and_harms_nothing(tmp_path: Path) -> None:
    with running_rondo(tmp_path / "data") as rondo:
        os.kill(child_pid(rondo), signal.SIGSTOP)
        frozen = family(child_pid(rondo))
        for pid in frozen:
            os.kill(pid, signal.SIGSTOP)
        began = time.monotonic()

        code = rondo.stop()

        assert (code, time.monotonic() - began < 25) == (0, True)
        for pid in frozen[1:]:  # PostgreSQL's own processes notice that the postmaster is gone
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGCONT)
        rondo.start()


@pytest.mark.parametrize(
    ("environment", "words"),
    [
        ({"RONDO_PORT": "eighty"}, "RONDO_PORT"),
        ({"RONDO_DATA_DIR": "/proc/rondo"}, "/proc/rondo"),
        ({"RONDO_DATABASE_URL": "mysql://x"}, "RONDO_DATABASE_URL"),
    ],
)
def test_what_cannot_work_is_one_sentence_and_exit_code_2(
    tmp_path: Path, environment: dict[str, str], words: str
) -> None:
    rondo = RondoProcess(data_dir=tmp_path / "data", environment=environment)

    rondo.launch()
    assert rondo.process is not None
    code = rondo.process.wait(20)

    said = rondo.log_path.read_text()
    assert code == 2
    assert words in said
    assert "Traceback" not in said


def test_a_taken_port_is_one_sentence_and_exit_code_2(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        rondo = RondoProcess(data_dir=tmp_path / "data", port=port)

        rondo.launch()
        assert rondo.process is not None
        code = rondo.process.wait(20)

    said = rondo.log_path.read_text()
    assert (code, str(port) in said, "Traceback" in said) == (2, True, False)


def test_a_second_rondo_on_the_same_directory_is_told_so(tmp_path: Path) -> None:
    with running_rondo(tmp_path / "data") as first:
        second = RondoProcess(data_dir=tmp_path / "data")
        second.launch()
        assert second.process is not None
        code = second.process.wait(20)

        said = second.log_path.read_text()
        assert first.process is not None
        assert (code, str(first.process.pid) in said) == (2, True)
        assert first.is_ready()
