"""The embedded server: who can reach it, how it starts, and that it never outlives Rondo."""

from __future__ import annotations

import fcntl
import os
import pwd
import signal
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import trio

from app.adapters.postgres import Database, binaries, leftovers, system_users
from app.adapters.postgres.child_process import ChildProcess
from app.adapters.postgres.cluster import HERE, SETTINGS
from app.adapters.postgres.embedded import EmbeddedPostgres, EmbeddedPostgresError
from tests.fixtures.root import as_root

if TYPE_CHECKING:
    from collections.abc import Iterator

QUICK = {"fsync": "off"}
STUB = Path(__file__).with_name("rondo_stub.py")
ROOT = Path(__file__).parents[3]


def embedded(directory: Path, user: str | None = None) -> EmbeddedPostgres:
    return EmbeddedPostgres(directory, user=user, settings=QUICK, sync_new_files=False)


@pytest.fixture(scope="module")
def used_directory(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data directory that a server has used before, below closed directories and with a very long path."""
    directory = tmp_path_factory.mktemp("closed") / ("long" * 25) / "data"
    directory.parent.mkdir(mode=0o700)
    run_once(directory)
    return directory


def owner_of(path: Path) -> int:
    return path.stat().st_uid


def postmaster_of(directory: Path) -> int:
    return int((directory / "postgres" / "postmaster.pid").read_text().split()[0])


def mode_of(path: Path) -> int:
    return path.stat().st_mode & 0o777


def run_once(directory: Path) -> None:
    async def start_and_stop() -> None:
        async with trio.open_nursery() as nursery:
            await nursery.start(embedded(directory).run)
            nursery.cancel_scope.cancel()

    trio.run(start_and_stop)


def holder(directory: Path, *become: str) -> subprocess.Popen[str]:
    """Start a program that holds the server; its first line says that it is ready."""
    return subprocess.Popen(
        [sys.executable, STUB, directory, *become],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )


def wait_until_ready(process: subprocess.Popen[str]) -> int:
    """Return the postmaster's process id."""
    assert process.stdout is not None
    word, pid, role = (process.stdout.readline() or "it ended - -").split()[:3]
    assert (word, role) == ("ready", "rondo")
    return int(pid)


@pytest.fixture
def killed_at_the_end() -> Iterator[list[subprocess.Popen[str]]]:
    processes: list[subprocess.Popen[str]] = []
    yield processes
    for process in processes:
        process.kill()
        process.communicate()


async def wait_gone(pid: int, seconds: float = 10) -> None:
    """Wait until a process that is not our child has ended."""
    try:
        pidfd = os.pidfd_open(pid)
    except ProcessLookupError:
        return
    try:
        with trio.fail_after(seconds):
            await trio.lowlevel.wait_readable(pidfd)
    finally:
        os.close(pidfd)


async def test_the_server_runs_below_closed_directories_and_opens_none(
    used_directory: Path, nursery: trio.Nursery
) -> None:
    before = [(path, path.stat().st_mode) for path in used_directory.parents]

    url = await nursery.start(embedded(used_directory).run)
    database = Database(url, size=1, name="embedded")
    await nursery.start(database.run)

    assert len(url) > 107
    assert await database.fetchval("SELECT current_user || '@' || current_database()") == "rondo@rondo"
    assert [(path, path.stat().st_mode) for path in used_directory.parents] == before
    for closed in (used_directory, used_directory / "postgres", used_directory / "postgres" / ".s.PGSQL.5432"):
        assert mode_of(closed) == 0o700


async def test_the_server_keeps_its_promises_in_its_settings(tmp_path: Path, nursery: trio.Nursery) -> None:
    database = Database(await nursery.start(EmbeddedPostgres(tmp_path / "data").run), size=1, name="embedded")
    await nursery.start(database.run)

    settings = dict(await database.fetch("SELECT name, setting FROM pg_settings"))
    assert {name: settings[name] for name in ("fsync", "synchronous_commit", "full_page_writes")} == {
        "fsync": "on",
        "synchronous_commit": "on",
        "full_page_writes": "on",
    }
    assert (settings["listen_addresses"], settings["data_checksums"]) == ("", "on")
    assert set(SETTINGS) <= set(settings)
    assert await database.fetchval("SELECT array_agg(w ORDER BY w) FROM unnest('{b,ä,B,a}'::text[]) w") == list("Babä")
    await database.execute("CREATE EXTENSION pg_trgm")
    assert len(await database.fetchval("SELECT show_trgm('ключ')")) == 5  # letters are letters in every script


@as_root
async def test_as_root_the_server_runs_without_privileges(used_directory: Path, nursery: trio.Nursery) -> None:
    await nursery.start(embedded(used_directory).run)

    assert owner_of(Path(f"/proc/{postmaster_of(used_directory)}")) == owner_of(used_directory / "postgres") != 0


@as_root
async def test_another_user_of_the_system_cannot_connect(used_directory: Path, nursery: trio.Nursery) -> None:
    await nursery.start(embedded(used_directory).run)
    try_it = "import socket, sys; socket.socket(socket.AF_UNIX).connect(sys.argv[1])"
    stranger = next(user for user in pwd.getpwall() if user.pw_uid not in {0, owner_of(used_directory / "postgres")})

    result = await trio.run_process(
        ["/usr/bin/python3", "-c", try_it, ".s.PGSQL.5432"],
        cwd=used_directory / "postgres",  # even from inside the directory
        user=stranger.pw_uid,
        capture_stderr=True,
        check=False,
    )

    assert b"PermissionError" in result.stderr


@as_root
async def test_the_kernel_decides_who_may_be_rondo(used_directory: Path, nursery: trio.Nursery) -> None:
    url = await nursery.start(embedded(used_directory).run)

    database = Database(url.replace("rondo@", "postgres@"), size=1, name="stranger")
    await nursery.start(database.run)

    assert database.problem is not None
    assert "Peer authentication failed" in database.problem


async def test_a_second_rondo_on_the_same_directory_is_refused(used_directory: Path, nursery: trio.Nursery) -> None:
    await nursery.start(embedded(used_directory).run)

    with pytest.raises(
        EmbeddedPostgresError, match=rf"another Rondo \(process {os.getpid()}\) uses the data directory"
    ):
        await embedded(used_directory).run()


async def test_a_start_on_existing_files_is_quick(used_directory: Path, nursery: trio.Nursery) -> None:
    started = trio.current_time()

    database = Database(await nursery.start(embedded(used_directory).run), size=1, name="embedded")
    await nursery.start(database.run)
    await database.fetchval("SELECT 1")

    assert trio.current_time() - started < 2  # 0.06 s on a quiet machine; the limit is for loaded ones


async def test_the_server_ends_with_rondo_however_rondo_ends(
    used_directory: Path, killed_at_the_end: list[subprocess.Popen[str]]
) -> None:
    process = holder(used_directory)
    killed_at_the_end.append(process)
    postmaster = wait_until_ready(process)

    process.kill()

    await wait_gone(postmaster)


async def test_rondo_starts_again_after_everything_was_killed(
    used_directory: Path, nursery: trio.Nursery, killed_at_the_end: list[subprocess.Popen[str]]
) -> None:
    process = holder(used_directory)
    killed_at_the_end.append(process)
    postmaster = wait_until_ready(process)
    process.send_signal(signal.SIGSTOP)  # so that it cannot tidy up
    os.kill(postmaster, signal.SIGKILL)
    process.kill()

    process.wait()
    with trio.fail_after(10):
        url = await nursery.start(embedded(used_directory).run)

    database = Database(url, size=1, name="again")
    await nursery.start(database.run)
    assert await database.fetchval("SELECT 1") == 1


async def test_a_server_that_outlived_its_rondo_is_stopped_first(
    used_directory: Path, nursery: trio.Nursery, monkeypatch: pytest.MonkeyPatch
) -> None:
    cluster = used_directory / "postgres"
    account = system_users.choose(cluster, None)
    options = ["-c", "listen_addresses=", "-c", "unix_socket_directories=."]
    program: list[str | Path] = [binaries.find(account) / "postgres", "-D", HERE, *options]
    orphan = ChildProcess.start(cluster, account, program, 0)
    said = b""
    while b"ready to accept connections" not in said:
        said += await orphan.output.receive_some()
    monkeypatch.setattr(leftovers, "PATIENCE", ((None, 0.05), (signal.SIGINT, 5.0)))

    await nursery.start(embedded(used_directory).run)

    assert await orphan.wait() == 0
    orphan.close()


async def test_an_interrupted_first_start_leaves_nothing_in_the_way(tmp_path: Path, nursery: trio.Nursery) -> None:
    draft = tmp_path / "postgres.new"
    draft.mkdir()
    (draft / "half").touch()

    await nursery.start(embedded(tmp_path).run)

    assert not draft.exists()


@as_root
def test_without_root_the_server_runs_as_rondos_own_user(killed_at_the_end: list[subprocess.Popen[str]]) -> None:
    nobody = system_users.choose(Path("/nonexistent"), "nobody")
    with tempfile.TemporaryDirectory() as directory:  # pytest's own directories are closed to others
        place = Path(directory)
        place.chmod(0o755)
        data = place / "data"
        data.mkdir()
        os.chown(data, nobody.uid, nobody.gid)
        process = holder(data, "nobody", str(binaries.find(nobody, [place / "programs"])))
        killed_at_the_end.append(process)
        postmaster = wait_until_ready(process)

        assert Path(f"/proc/{postmaster}").stat().st_uid == nobody.uid
        process.communicate("", timeout=20)
        assert process.returncode == 0
        assert not (data / "postgres" / "postmaster.pid").exists()


@as_root
def test_programs_below_a_closed_directory_are_copied_to_a_public_place(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(binaries, "may_use", lambda _account, _path: False)
    nobody = system_users.choose(Path("/nonexistent"), "nobody")
    with tempfile.TemporaryDirectory() as directory:
        open_place, writable = Path(directory), tmp_path / "writable"
        open_place.chmod(0o755)
        writable.mkdir()
        writable.chmod(0o777)

        programs = binaries.find(nobody, [writable, open_place])

        assert programs.is_relative_to(open_place)
        assert binaries.find(nobody, [open_place]) == programs  # the second time nothing is copied
        said = subprocess.check_output([programs / "initdb", "--version"], user=nobody.uid)
        assert said.startswith(b"initdb (PostgreSQL) 18")
    with pytest.raises(EmbeddedPostgresError, match=r"cannot reach PostgreSQL's programs .* can be changed by others"):
        binaries.find(nobody, [writable])


def test_a_user_may_use_what_is_open_all_the_way(tmp_path: Path) -> None:
    somebody = system_users.Account("somebody", 54321, 54321)
    program = tmp_path / "program"
    program.touch(mode=0o755)

    assert not system_users.may_use(somebody, program)  # pytest's directories are closed
    assert system_users.may_use(somebody, Path("/usr/bin/env"))


async def test_files_of_another_version_are_refused_with_what_to_do(tmp_path: Path) -> None:
    (tmp_path / "postgres").mkdir()
    (tmp_path / "postgres" / "PG_VERSION").write_text("17\n")

    with pytest.raises(EmbeddedPostgresError, match="made by PostgreSQL 17, this Rondo brings 18: dump it"):
        await embedded(tmp_path).run()


async def test_a_directory_that_is_no_cluster_is_refused(tmp_path: Path) -> None:
    (tmp_path / "postgres").mkdir()

    with pytest.raises(EmbeddedPostgresError, match="is not a PostgreSQL data directory"):
        await embedded(tmp_path).run()


async def test_a_data_directory_that_cannot_be_made_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").touch()

    with pytest.raises(EmbeddedPostgresError, match="cannot be made"):
        await embedded(tmp_path / "file" / "data").run()


@pytest.mark.parametrize(("user", "message"), [("nosuchuser", "there is no user"), ("root", "without privileges")])
async def test_an_impossible_user_is_told(tmp_path: Path, user: str, message: str) -> None:
    with pytest.raises(EmbeddedPostgresError, match=message):
        await embedded(tmp_path, user=user).run()


async def test_a_setting_the_server_does_not_know_is_told_in_its_own_words(used_directory: Path) -> None:
    server = EmbeddedPostgres(used_directory, settings={"no_such_setting": "1"})

    with pytest.raises(EmbeddedPostgresError, match=r"did not start .*no_such_setting"):
        await server.run()


def test_the_lock_is_free_again_after_the_end(used_directory: Path) -> None:
    with (used_directory / "rondo.lock").open() as file:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)  # raises if it is held

    assert not (used_directory / "postgres" / "postmaster.pid").exists()
