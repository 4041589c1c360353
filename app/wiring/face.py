"""What the outside meets: the listener with the API, the pages and the hub behind it."""

from __future__ import annotations

import signal
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import trio

from app.adapters.clock import SystemClock
from app.adapters.postgres.dead_letters import PostgresDeadLetters
from app.adapters.postgres.delivering import PostgresDeliveryLedger
from app.adapters.postgres.relay import PostgresEventReader
from app.adapters.postgres.unit_of_work import PostgresUnitsOfWork
from app.services.operating import OperatingService
from app.services.transactions import Transactions
from app.web.api import create_api
from app.web.live.gateway import gateway
from app.web.live.session import Live
from app.web.server import Address, HttpServer, Limits, TlsFiles, TrustedProxies
from app.wiring import readiness
from app.wiring.addresses import addresses
from app.wiring.late_pages import LatePages
from app.wiring.refusing import refuse
from supervisors.control import Control
from supervisors.tree import Part

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from app.adapters.postgres import Database
    from app.config import Settings
    from app.services import Services
    from app.web.api import Api
    from app.web.live.hub import Hub
    from app.web.server.asgi import ASGIApp
    from supervisors.last_errors import LastErrors
    from supervisors.stall_detector import StallDetector
    from supervisors.supervisor import Supervisor


# Under the listener's time to stop, see `supervisors.tree`.
DRAIN_SECONDS: Final = 8.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Face:
    """What the outside meets, and what it is told about the inside."""

    settings: Settings
    database: Database
    services: Services
    hub: Hub
    directory: Path
    root: Callable[[], Supervisor]
    errors: LastErrors
    stalls: StallDetector
    bell: Callable[[], None]

    def parts(self, listening: Callable[[list[Address]], None]) -> Sequence[Part]:
        """Return the hub and the listener; ``listening`` is told the addresses when they are open."""
        pages = LatePages()
        server = self._server(pages)

        async def listen(*, task_status: trio.TaskStatus[None]) -> None:
            async with trio.open_nursery() as nursery:
                listening(await nursery.start(server.run))
                task_status.started()
                await pages.load()

        def drain() -> None:
            self.hub.close_all()
            server.begin_drain()

        async def reload(*, task_status: trio.TaskStatus[None]) -> None:
            with trio.open_signal_receiver(signal.SIGHUP) as hangups:
                task_status.started()
                async for _ in hangups:  # what certbot's hook sends
                    server.reload_tls()

        return [
            Part(id="hub", start=self.hub.run),
            Part(id="reload", start=reload),
            Part(id="listener", start=listen, ask=drain, many_tasks=True),
        ]

    def _server(self, pages: ASGIApp) -> HttpServer:
        settings = self.settings
        tls = None
        if settings.tls_cert is not None and settings.tls_key is not None:
            tls = TlsFiles(certificate=settings.tls_cert, key=settings.tls_key)
        live = Live(
            hub=self.hub,
            reader=PostgresEventReader(database=self.database),
            authenticate=self.services.accounts.authenticate,
        )
        return HttpServer(
            api=self._api(),
            pages=pages,
            websocket=gateway(live, settings.public_url),
            addresses=addresses(settings),
            tls=tls,
            trusted_proxies=TrustedProxies(networks=settings.trusted_proxies, unix_peers=True),
            limits=Limits(drain_seconds=DRAIN_SECONDS),
            error_response=refuse,
        )

    def _api(self) -> Api:
        checks = {
            "database": lambda: readiness.database_reason(self.database),
            "actors": lambda: readiness.actors_reason(self.root()),
            "disk": lambda: readiness.disk_reason(self.directory),
            "loop": lambda: readiness.loop_reason(self.stalls),
        }
        return create_api(
            self.services,
            clock=SystemClock(),
            checks=checks,
            operating=self._operating(),
            public_url=self.settings.public_url,
            metrics_for=self.settings.metrics,
        )

    def _operating(self) -> OperatingService:
        """Return what operators do, with the tree that the listener itself hangs in."""
        return OperatingService(
            actors=Control(root=self.root, errors=self.errors),
            letters=PostgresDeadLetters(database=self.database),
            backlog=PostgresDeliveryLedger(database=self.database),
            transactions=Transactions(PostgresUnitsOfWork(self.database), self.bell),
            clock=SystemClock(),
        )
