"""TLS to PostgreSQL, with a certificate authority of one's own.

The system's PostgreSQL is used if there is one, because the embedded one is built without TLS. Elsewhere a proxy with
the same certificates ends TLS in front of the embedded one.
"""

from __future__ import annotations

import os
import signal
import socket
import ssl
import tempfile
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import trio
import trustme

from app.adapters.postgres import Database, child_process, system_users
from app.adapters.postgres.child_process import ChildProcess
from tests.fixtures.tcp_proxy import TcpProxy

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from app.adapters.postgres.system_users import Account

HERE = "/proc/self/cwd"
PASSWORD = "correct horse battery staple"
SYSTEM_PROGRAMS = sorted(Path("/usr/lib/postgresql").glob("*/bin"))


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture(scope="module")
def certificate(authority: trustme.CA) -> trustme.LeafCert:
    return authority.issue_cert("localhost")


@pytest.fixture
def authority_file(authority: trustme.CA, tmp_path: Path) -> Path:
    path = tmp_path / "authority.pem"
    authority.cert_pem.write_to_path(path)
    return path


@pytest.fixture
def stranger_file(tmp_path: Path) -> Path:
    """Another authority, which issued nothing here."""
    path = tmp_path / "stranger.pem"
    trustme.CA().cert_pem.write_to_path(path)
    return path


@pytest.fixture
async def address(postgres_url: str, certificate: trustme.LeafCert) -> AsyncIterator[str]:
    """Host name, port and database of a PostgreSQL with TLS."""
    if SYSTEM_PROGRAMS:
        # Not below pytest's own directory: older versions must be able to walk to where they are.
        with tempfile.TemporaryDirectory() as directory:
            async with _system_postgres(SYSTEM_PROGRAMS[-1], Path(directory), certificate) as port:
                yield f"localhost:{port}/postgres"
        return
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    certificate.configure_cert(context)
    name = postgres_url.partition("@/")[2].partition("?")[0]
    proxy = TcpProxy(postgres_url.partition("host=")[2].partition("&")[0], context)
    async with trio.open_nursery() as nursery:
        await nursery.start(proxy.run)
        yield f"localhost:{proxy.port}/{name}"
        nursery.cancel_scope.cancel()


@asynccontextmanager
async def _system_postgres(programs: Path, directory: Path, certificate: trustme.LeafCert) -> AsyncIterator[int]:
    """Run the system's PostgreSQL with TLS and passwords; yield its TCP port."""
    account = system_users.choose(directory, None)
    _own(directory, account)
    (directory / "password").write_text(PASSWORD)
    _own(directory / "password", account)
    options = ["--username=rondo", "--pwfile=password", "--auth=scram-sha-256", "--no-sync", "--locale=C"]
    _, printed = await child_process.run(directory, account, [programs / "initdb", "-D", "data", *options])
    assert "Success" in printed, printed
    data = directory / "data"
    (data / "server.pem").write_bytes(b"".join(blob.bytes() for blob in certificate.cert_chain_pems))
    (data / "server.key").write_bytes(certificate.private_key_pem.bytes())
    (data / "pg_hba.conf").write_text("hostssl all all all scram-sha-256\n")
    for name in ("server.pem", "server.key"):
        _own(data / name, account)
        (data / name).chmod(0o600)
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    settings = {"port": port, "unix_socket_directories": "", "fsync": "off", "ssl": "on"}
    settings |= {"ssl_cert_file": "server.pem", "ssl_key_file": "server.key", "listen_addresses": "localhost"}
    arguments = [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
    child = ChildProcess.start(data, account, [programs / "postgres", "-D", HERE, *arguments], signal.SIGQUIT)
    try:
        with trio.fail_after(20):
            said = b""
            while b"ready to accept connections" not in said:
                said += await child.output.receive_some() or pytest.fail(said.decode())
        yield port
    finally:
        await child.stop([(signal.SIGINT, 5)])  # noqa: ASYNC102 # shielded inside, with a deadline
        child.close()


def _own(path: Path, account: Account) -> None:
    if account.is_other:
        os.chown(path, account.uid, account.gid)


def _url(address: str, options: str) -> str:
    return f"postgresql://rondo:{PASSWORD.replace(' ', '%20')}@{address}?{options}"


async def _problem(url: str, nursery: trio.Nursery) -> str | None:
    database = Database(url, size=1, name="tls")
    await nursery.start(database.run)
    return database.problem


async def test_a_database_is_reached_over_tls_in_every_way(
    address: str, authority_file: Path, stranger_file: Path, nursery: trio.Nursery
) -> None:
    full = _url(address, f"sslmode=verify-full&sslrootcert={authority_file}")
    database = Database(full, size=2, name="tls")
    await nursery.start(database.run)

    # More than the socket's buffers, both ways.
    assert len(await database.fetchval("SELECT $1::text || $1::text", "x" * 3_000_000)) == 6_000_000
    with trio.move_on_after(0.05) as scope:
        await database.fetchval("SELECT pg_sleep(60)")
    assert scope.cancelled_caught
    assert database.pool.open == len(database.pool.idle)  # the cancel request went over TLS too
    assert await _problem(_url(address, "sslmode=require"), nursery) is None
    assert await _problem(_url(address, "sslmode=prefer"), nursery) is None

    # And not reached when someone could listen.
    unknown = await _problem(_url(address, f"sslmode=verify-full&sslrootcert={stranger_file}"), nursery)
    assert unknown is not None
    assert "certificate verify failed" in unknown
    stranger = full.replace("localhost:", "127.0.0.1:")
    wrong_name = await _problem(stranger, nursery)
    assert wrong_name is not None
    assert "certificate" in wrong_name
    assert PASSWORD not in unknown + wrong_name


@pytest.mark.skipif(
    not SYSTEM_PROGRAMS and "CI" not in os.environ, reason="the system has no PostgreSQL with passwords"
)
async def test_a_refused_password_is_told_without_the_password(address: str, nursery: trio.Nursery) -> None:
    url = _url(address, "sslmode=require").replace("battery", "wrong")

    problem = await _problem(url, nursery)

    assert problem is not None
    assert "password authentication failed" in problem
    assert "wrong" not in problem


async def test_a_server_without_tls_is_refused_when_tls_is_required(nursery: trio.Nursery) -> None:
    async def refuse(stream: trio.SocketStream) -> None:
        await stream.receive_some(8)
        await stream.send_all(b"N")

    (listener,) = await trio.open_tcp_listeners(0, host="127.0.0.1")
    nursery.start_soon(trio.serve_listeners, refuse, [listener])
    port = listener.socket.getsockname()[1]

    problem = await _problem(f"postgresql://rondo@127.0.0.1:{port}/x?sslmode=require", nursery)

    assert problem is not None
    assert "rejected SSL upgrade" in problem
