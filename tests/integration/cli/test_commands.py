"""The commands on a real database: each says what it did, or in one sentence why it cannot."""

from __future__ import annotations

import contextlib
import socket
import subprocess
import time
import urllib.error
import urllib.parse
import urllib.request
from typing import TYPE_CHECKING

import pytest
import trio
from trio_websocket import ConnectionClosed

from tests.fixtures.client import PASSWORD, client, listening
from tests.fixtures.rondo import RondoProcess, free_port, running_rondo
from tests.integration.cli.commands import rondo

if TYPE_CHECKING:
    from pathlib import Path

    import httpx2

    from tests.fixtures.postgres import PostgresServer

EMAIL = "ada@example.org"
NEW_PASSWORD = "another honest sentence 8"


def test_migrating_twice_applies_everything_once(empty_postgres_url: str, tmp_path: Path) -> None:
    first, second = (rondo("migrate", data_dir=str(tmp_path), database_url=empty_postgres_url) for _ in range(2))

    assert (first.returncode, second.returncode, first.stderr, second.stderr) == (0, 0, "", "")
    assert first.stdout.startswith("Applied: 0001_foundation, 0002_")
    assert second.stdout == "The database is up to date.\n"


def test_accounts_are_refused_in_words(postgres_url: str, tmp_path: Path) -> None:
    settings = {"data_dir": str(tmp_path), "database_url": postgres_url}

    created = rondo("user", "create", EMAIL, "--password-stdin", said=f"{PASSWORD}\n", **settings)
    again = rondo("user", "create", EMAIL, said=f"{PASSWORD}\n", **settings)
    weak = rondo("user", "create", "b@example.org", "--password-stdin", said="short\n", **settings)
    unknown = rondo("user", "password", "nobody@example.org", "--password-stdin", said=f"{PASSWORD}\n", **settings)

    assert (created.returncode, created.stdout, created.stderr) == (0, f"Created {EMAIL}.\n", "")
    assert [answer.returncode for answer in (again, weak, unknown)] == [1, 1, 1]
    assert weak.stderr.startswith("rondo: password: ")
    assert unknown.stderr == "rondo: There is no account with the address nobody@example.org.\n"
    assert "Traceback" not in again.stderr + weak.stderr


async def sign_in(http: httpx2.AsyncClient, password: str) -> tuple[int, str]:
    response = await http.post("/api/auth/login", json={"email": EMAIL, "password": password})
    http.cookies.clear()
    return response.status_code, response.json().get("token", "")


@pytest.mark.slow
@pytest.mark.accepts("X05")
async def test_commands_work_while_rondo_serves_and_while_it_does_not(tmp_path: Path) -> None:
    data = tmp_path / "data"

    async def run(*arguments: str, said: str = "") -> tuple[int, str]:
        done = await trio.to_thread.run_sync(lambda: rondo(*arguments, said=said, data_dir=str(data), port=port))
        return done.returncode, done.stdout + done.stderr

    port = "0"
    before = await run("user", "create", EMAIL, "--password-stdin", said=f"{PASSWORD}\n")
    with running_rondo(data) as process:
        port = str(process.port)
        first_id = (data / "installation-id").read_text()
        async with client(process.url) as http:
            status, token = await sign_in(http, PASSWORD)
            async with listening(process.websocket_url, token) as ear:  # so that the session is remembered as well
                changed = await run("user", "password", EMAIL, "--password-stdin", said=f"{NEW_PASSWORD}\n")
                with trio.fail_after(2), pytest.raises(ConnectionClosed) as closed:
                    await ear.socket.get_message()
            me = await http.get("/api/me", headers={"authorization": f"Bearer {token}"})
            statuses = [(await sign_in(http, password))[0] for password in (PASSWORD, NEW_PASSWORD)]
        examined = await run("doctor")
        assert await trio.to_thread.run_sync(process.is_ready)
        process.stop()
        process.start()
        second_id = (data / "installation-id").read_text()
    healthy = await run("doctor")

    assert (before, status) == ((0, f"Created {EMAIL}.\n"), 200)
    assert changed == (0, f"Set the password of {EMAIL} and signed it out everywhere.\n")
    assert (me.status_code, statuses) == (401, [401, 200])
    assert closed.value.reason is not None
    assert closed.value.reason.code == 4401
    assert (examined[0], "FAULT" in examined[1]) == (0, False)
    assert f"127.0.0.1:{process.port} is in use, and a Rondo runs on this data directory" in examined[1]
    assert (first_id, len(first_id)) == (second_id, 37)
    assert (healthy[0], "FAULT" in healthy[1]) == (0, False)
    assert ["up to date" in healthy[1], "PostgreSQL 18" in healthy[1], "is free" in healthy[1]] == [True] * 3


def test_the_doctor_names_every_fault_and_what_to_do() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])

        examined = rondo("doctor", data_dir="/proc/rondo", port=port, prot="1")

    faults = [line for line in examined.stdout.splitlines() if line.startswith("FAULT")]
    assert (examined.returncode, examined.stderr) == (1, "")
    assert [fault.split("  ")[1].strip() for fault in faults] == ["settings", "data directory", "port", "database"]
    assert "did you mean RONDO_PORT?" in faults[0]
    assert "RONDO_DATA_DIR" in faults[1]
    assert "→ Stop what uses it" in examined.stdout
    assert "→ Set RONDO_SMTP_URL" in examined.stdout


def test_the_doctor_says_when_the_database_is_away(tmp_path: Path) -> None:
    away = f"postgresql://rondo:s3cret@127.0.0.1:{free_port()}/rondo"

    examined = rondo("doctor", data_dir=str(tmp_path), port="0", database_url=away)
    migrated = rondo("migrate", data_dir=str(tmp_path), database_url=away)

    assert (examined.returncode, migrated.returncode) == (1, 2)
    assert "→ Check RONDO_DATABASE_URL and that PostgreSQL runs." in examined.stdout
    assert (migrated.stderr.startswith("rondo: PostgreSQL cannot be used"), migrated.stderr.count("\n")) == (True, 1)
    assert "s3cret" not in examined.stdout + examined.stderr + migrated.stderr


@pytest.mark.slow
@pytest.mark.accepts("C03")
def test_a_database_that_comes_later_is_waited_for(postgres_server: PostgresServer, tmp_path: Path) -> None:
    with postgres_server.database("template1") as url:
        real, later = url.partition("host=")[2].partition("&")[0], tmp_path / "later"
        process = RondoProcess(
            data_dir=tmp_path / "data", environment={"RONDO_DATABASE_URL": url.replace(real, str(later))}
        )
        process.launch()
        assert process.process is not None
        pid = process.process.pid
        try:
            answers = [answer(process, path) for path in ("/health/live", "/health/ready", "/api/tasks")]
            later.symlink_to(urllib.parse.unquote(real))
            process.wait_ready(20)
            now = answer(process, "/api/tasks")
            assert process.process.pid == pid
        finally:
            process.stop()

    assert answers == [200, 503, 503]
    assert now == 401


def answer(process: RondoProcess, path: str) -> int:
    """Return the status of a call by somebody with a token, as soon as anybody answers at all."""
    assert process.process is not None
    request = urllib.request.Request(process.url + path, headers={"authorization": "Bearer rondo_nobody"})
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        try:
            with urllib.request.urlopen(request, timeout=5) as response:
                return int(response.status)
        except urllib.error.HTTPError as refusal:
            with refusal:
                return refusal.code
        except OSError:
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.process.wait(0.02)
    raise AssertionError("nobody answers")
