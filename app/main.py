"""The composition root: settings → adapters → services → actors → tree → run.

Together with ``app.wiring`` the only module that knows all the others. It decides nothing else.
"""

from __future__ import annotations

import gc
import sys
from typing import TYPE_CHECKING, Final

import trio

from app import wiring
from app.adapters.postgres import Database, MigrationError, data_lock, migrate
from app.adapters.postgres.embedded import STOP_SECONDS as POSTGRES_STOP_SECONDS
from app.adapters.postgres.embedded import EmbeddedPostgres, EmbeddedPostgresError
from app.installation import DataDirectoryError, installation_id, open_data_directory
from app.ports.database import DatabaseUnavailableError
from app.version import VERSION
from app.web.live.hub import Hub
from app.web.server.listeners import ListenError, TcpAddress
from app.web.server.tls import TlsError
from monitoring import logs, runtime, tracing
from supervisors.errors import SupervisionError
from supervisors.last_errors import LastErrors
from supervisors.signals import run_until_told
from supervisors.telling import Teller
from supervisors.tree import Part, tree
from supervisors.watchdog import Watchdog

if TYPE_CHECKING:
    from pathlib import Path

    from app.config import Settings
    from app.web.server.listeners import Address
    from supervisors.child_spec import StartFunction
    from supervisors.reports import Report
    from supervisors.supervisor import Supervisor

UNUSABLE: Final = 2
# systemd and platforms kill after 30 s; a process that still hangs then ends itself with exit code 70.
STOP_SECONDS: Final = 24.0
# Objects that outlive their making before the young are looked through (Python: 700), and how many such looks before
# the older and the oldest are.
GARBAGE: Final = (10_000, 20, 20)
# What a person can mend: one sentence and exit code 2, no traceback.
UNUSABLE_ERRORS: Final = (DataDirectoryError, EmbeddedPostgresError, ListenError, MigrationError, TlsError)

log = logs.get_logger("main")


def serve(settings: Settings) -> int:
    """Run Rondo until it is told to stop; return the exit code."""
    _spare_the_collector()
    logs.setup(settings.log_level, format=settings.log_format, version=VERSION, env=settings.env)
    tracing.setup("rondo", VERSION, settings.otlp_endpoint, settings.trace_ratio, env=settings.env)
    for sentence in settings.warnings:
        log.warning("A setting is not known", event="settings.unknown", detail=sentence)
    code = 0
    try:
        trio.run(_serve, settings)
    except* UNUSABLE_ERRORS as unusable:
        code = explain(unusable)
    finally:
        tracing.shutdown()
        logs.shutdown()
    return code


def _spare_the_collector() -> None:
    """Keep Python's cycle collector from looking again and again at what stays: all modules, and tasks on their way.

    Each look at everything stops the process for a tenth of a second. Little of what a request makes is a cycle.
    """
    gc.freeze()
    gc.set_threshold(*GARBAGE)


def explain(problem: BaseException) -> int:
    """Say in one sentence what a person can mend; return the exit code for it."""
    while isinstance(problem, BaseExceptionGroup):
        problem = problem.exceptions[0]
    logs.flush()
    print(f"rondo: {problem}", file=sys.stderr)
    return UNUSABLE


async def _serve(settings: Settings) -> None:
    directory = open_data_directory(settings.data_dir)
    runtime.describe(VERSION, filesystems=[directory])
    root = assemble(settings, directory)
    try:
        await run_until_told(root, on_signal=_told, watchdog=Watchdog(), stop_seconds=STOP_SECONDS)
    except SupervisionError as ended:
        raise _cause(ended) from None


def _told(name: str, count: int) -> None:
    log.info("Told to stop", event="rondo.stopping", signal=name, count=count)


def _cause(ended: BaseException) -> BaseException:
    """Return what a person can mend among the causes of a supervisor's end, else the end itself."""
    cause: BaseException | None = ended
    while cause is not None:
        if isinstance(cause, UNUSABLE_ERRORS):
            return cause
        cause = cause.__cause__
    return ended


def assemble(settings: Settings, directory: Path) -> Supervisor:
    """Return the root of the tree, with everything put together and nothing started."""
    embedded = None
    if settings.database_url is None:
        embedded = EmbeddedPostgres(directory, user=settings.postgres_user)
    url = settings.database_url or (embedded.url if embedded else "")
    database = Database(url, size=settings.database_pool)
    bells, hub = wiring.Bells.hang(), Hub()
    services = wiring.services(settings, database, bells=bells, revoked=hub.revoke)
    root: Supervisor

    def listening(addresses: list[Address]) -> None:
        scheme = "https" if settings.tls_cert else "http"
        names = [f"{scheme}://{address}" if isinstance(address, TcpAddress) else str(address) for address in addresses]
        log.info("Rondo is ready", event="rondo.ready", listening=" ".join(names), dataDirectory=str(directory))

    errors, tell = LastErrors(), Teller(expected=(DatabaseUnavailableError, EmbeddedPostgresError))
    stalls, letters = wiring.stall_detector(settings), wiring.dead_letters(database)
    face = wiring.Face(
        settings=settings,
        database=database,
        services=services,
        hub=hub,
        directory=directory,
        root=lambda: root,
        errors=errors,
        stalls=stalls,
        bell=bells.written,
    )

    def report(fact: Report) -> None:
        errors(fact)
        tell(fact)

    breaker = wiring.database_breaker(database)
    store = [Part(id="pool", start=database.run, breaker=breaker), Part(id="schema", start=_migrating(database))]
    if embedded is None:
        store.insert(0, Part(id="lock", start=_holding(directory)))
    else:
        store.insert(0, Part(id="postgres", start=embedded.run, stop_seconds=POSTGRES_STOP_SECONDS))
    root = tree(
        database=store,
        events=[
            *wiring.event_parts(database, services, bells, hub, installation_id(directory), letters),
            *wiring.upkeep_parts(database, services, stalls, letters),
        ],
        deliveries=wiring.delivery_parts(settings, database, bells),
        edge=face.parts(listening),
        on_report=report,
    )
    return root


def _holding(directory: Path) -> StartFunction:
    """Return what holds the data directory where no embedded PostgreSQL does.

    In the tree, since it may have to wait for a command: a signal then ends it as any start.
    """

    async def run(*, task_status: trio.TaskStatus[None]) -> None:
        async with data_lock.take_turn(directory):
            task_status.started()
            await trio.sleep_forever()

    return run


def _migrating(database: Database) -> StartFunction:
    """Return what brings the schema up to date, and then has nothing more to do."""

    async def run(*, task_status: trio.TaskStatus[None]) -> None:
        if database.problem is not None:
            # Serve 503 in the meantime; the actors crash and come back until the schema is there.
            task_status.started()
            await database.wait_available()
            await migrate(database)
        else:
            await migrate(database)
            task_status.started()
        await trio.sleep_forever()

    return run
