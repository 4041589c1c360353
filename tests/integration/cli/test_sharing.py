"""Commands that meet: each other, a Rondo of another user, and the person who changes their mind."""

from __future__ import annotations

import os
import signal
import subprocess
import tempfile
import time
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import Any

import pytest
import trio

from app import administration
from app.adapters.postgres import Database, binaries, data_lock, migrator, system_users
from app.adapters.postgres.embedded import EmbeddedPostgres
from tests.fixtures.rondo import RondoProcess
from tests.fixtures.root import as_root
from tests.integration.cli.commands import begun, ended, rondo
from tests.integration.postgres.test_embedded import holder, wait_until_ready

INTERRUPTED = (130, "", "rondo: Interrupted. What was finished stays, and nothing is half done.\n")
MIGRATION_WAITS = """
    SELECT count(*) FROM pg_locks
    WHERE locktype = 'advisory' AND NOT granted
      AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
"""
# The lock is the directory's, whichever database is used; the external one is not even looked for before.
either_database = pytest.mark.parametrize(
    "environment", [{}, {"RONDO_DATABASE_URL": "postgresql://127.0.0.1:1/rondo"}], ids=["embedded", "external"]
)
# A limit that only a stop that waits for the command would reach.
PROMPTLY_SECONDS = 10.0


@pytest.mark.slow
def test_commands_at_once_on_a_stopped_installation_wait_for_each_other(tmp_path: Path) -> None:
    settings = {"data_dir": str(tmp_path / "data"), "port": "0"}

    with ExitStack() as stack:
        commands = [
            stack.enter_context(begun(*words, **settings)) for words in (("migrate",), ("migrate",), ("doctor",))
        ]
        answers = [ended(command) for command in commands]

    assert [code for code, _, _ in answers] == [0, 0, 0]
    migrated = sorted(printed for _, printed, _ in answers[:2])
    assert (migrated[0][:10], migrated[1]) == ("Applied: 0", "The database is up to date.\n")
    assert "FAULT" not in answers[2][1]


def test_a_command_says_for_whom_it_waits_and_goes_on_afterwards(tmp_path: Path) -> None:
    with ExitStack() as holding:
        holding.enter_context(data_lock.hold(tmp_path, for_command=True))
        with begun("migrate", data_dir=str(tmp_path)) as command:
            assert command.stderr is not None
            said = command.stderr.readline()
            holding.close()
            code, printed, complained = ended(command)

    assert said == f"rondo: Waiting for another command, process {os.getpid()}, which uses {tmp_path}.\n"
    assert (code, printed[:10], complained) == (0, "Applied: 0", "")


async def test_a_command_waits_for_its_turn_no_longer_than_a_person_does(
    tmp_path: Path, nursery: trio.Nursery, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(data_lock, "TURN_SECONDS", -1.0)

    with data_lock.hold(tmp_path, for_command=True), pytest.raises(data_lock.HeldError) as refused:
        await administration._start(EmbeddedPostgres(tmp_path), nursery)

    assert str(refused.value) == (
        f"another command (process {os.getpid()}) uses the data directory {tmp_path}: try again when it has ended"
    )


@pytest.mark.slow
def test_serve_waits_for_a_command_and_then_serves(tmp_path: Path) -> None:
    data = tmp_path / "data"
    data.mkdir()
    serving = RondoProcess(data_dir=data)
    try:
        with data_lock.hold(data, for_command=True):
            serving.launch()
            waiting = wait_for_event(serving, "rondo.waiting")
        serving.wait_ready()
    finally:
        code = serving.stop()

    assert (waiting["level"], waiting["pid"], waiting["dataDirectory"]) == ("warning", str(os.getpid()), str(data))
    assert code == 0
    assert [line["event"] for line in serving.log_lines()].count("rondo.waiting") == 1


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
@either_database
def test_a_serve_that_waits_for_a_command_can_be_told_to_stop(
    tmp_path: Path, environment: dict[str, str], number: signal.Signals
) -> None:
    data = tmp_path / "data"
    data.mkdir()
    serving = RondoProcess(data_dir=data, environment=environment)
    try:
        with data_lock.hold(data, for_command=True):
            serving.launch()
            wait_for_event(serving, "rondo.waiting")
            assert serving.process is not None
            serving.process.send_signal(number)
            code = serving.process.wait(PROMPTLY_SECONDS)
    finally:
        serving.stop()

    events = [line["event"] for line in serving.log_lines()]
    assert code == 0
    assert "rondo.stopping" in events
    assert "rondo.ready" not in events


@either_database
def test_serve_does_not_wait_for_a_rondo_that_serves(tmp_path: Path, environment: dict[str, str]) -> None:
    data = tmp_path / "data"
    data.mkdir()
    serving = RondoProcess(data_dir=data, environment=environment)
    try:
        with data_lock.hold(data):
            serving.launch()
            assert serving.process is not None
            code = serving.process.wait(20)
    finally:
        serving.stop()

    said = serving.log_path.read_text()
    assert (code, "rondo.waiting" in said, "Traceback" in said) == (2, False, False)
    assert f"rondo: another Rondo (process {os.getpid()}) uses the data directory {data}" in said


@pytest.mark.slow
def test_a_command_beside_a_rondo_that_is_just_starting_waits_for_it(tmp_path: Path) -> None:
    serving = RondoProcess(data_dir=tmp_path / "data")
    serving.launch()
    try:
        assert serving.process is not None
        wait_for(tmp_path / "data" / "postgres.new", serving.process)
        migrated = rondo("migrate", data_dir=str(tmp_path / "data"))
    finally:
        serving.stop()

    assert (migrated.returncode, migrated.stderr) == (0, "")


def test_a_command_that_waits_can_be_interrupted(tmp_path: Path) -> None:
    with data_lock.hold(tmp_path, for_command=True), begun("migrate", data_dir=str(tmp_path)) as command:
        assert command.stderr is not None
        command.stderr.readline()
        command.send_signal(signal.SIGINT)
        answer = ended(command)

    assert answer == INTERRUPTED


async def test_an_interrupted_migration_is_one_sentence_and_undone(
    empty_postgres_url: str, nursery: trio.Nursery, tmp_path: Path
) -> None:
    database = Database(empty_postgres_url, size=1, name="test")
    await nursery.start(database.run)
    async with database.own_connection() as connection:
        await connection.execute("SELECT pg_advisory_lock($1)", migrator.LOCK_KEY)
        with begun("migrate", data_dir=str(tmp_path), database_url=empty_postgres_url) as command:
            while not await database.fetchval(MIGRATION_WAITS):
                assert command.poll() is None
            command.send_signal(signal.SIGINT)
            answer = await trio.to_thread.run_sync(ended, command)

    assert answer == INTERRUPTED
    assert await database.fetchval("SELECT to_regclass('schema_migrations')") is None


@pytest.mark.slow
def test_an_interrupted_first_start_leaves_what_the_next_can_use(tmp_path: Path) -> None:
    data = tmp_path / "data"
    with begun("migrate", data_dir=str(data)) as command:
        wait_for(data / "postgres.new", command)
        command.send_signal(signal.SIGINT)
        interrupted = ended(command)

    again = rondo("migrate", data_dir=str(data))

    assert interrupted == INTERRUPTED
    assert (again.returncode, again.stdout[:10], again.stderr) == (0, "Applied: 0", "")


def wait_for(path: Path, command: subprocess.Popen[Any]) -> None:
    """Wait until a running process has made a file."""
    deadline = time.monotonic() + 20
    while not path.exists():
        assert command.poll() is None
        assert time.monotonic() < deadline
        with suppress(subprocess.TimeoutExpired):  # a pause that ends early when the command does
            command.wait(0.005)


def wait_for_event(serving: RondoProcess, event: str) -> dict[str, object]:
    """Wait until a Rondo that starts has logged an event, and return its line."""
    assert serving.process is not None
    deadline = time.monotonic() + 20
    while True:
        for line in serving.log_lines():
            if line["event"] == event:
                return line
        assert serving.process.poll() is None
        assert time.monotonic() < deadline
        with suppress(subprocess.TimeoutExpired):  # a pause that ends early when the process does
            serving.process.wait(0.005)


@as_root
def test_a_command_beside_a_rondo_of_another_user_says_whose_it_must_be() -> None:
    nobody = system_users.choose(Path("/nonexistent"), "nobody")
    with tempfile.TemporaryDirectory() as directory:  # pytest's own directories are closed to others
        place, data = Path(directory), Path(directory) / "data"
        place.chmod(0o755)
        data.mkdir()
        os.chown(data, nobody.uid, nobody.gid)
        process = holder(data, "nobody", str(binaries.find(nobody, [place / "programs"])))
        try:
            wait_until_ready(process)
            refused = rondo("migrate", data_dir=str(data))
        finally:
            process.communicate("", timeout=20)

    assert (refused.returncode, refused.stdout, refused.stderr.count("\n")) == (2, "", 1)
    assert "runs as the user nobody" in refused.stderr
    assert "sudo -u nobody rondo …" in refused.stderr
