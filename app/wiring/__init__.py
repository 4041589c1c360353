"""What is put together from what: adapters behind services, services behind the web, actors behind mailboxes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from app.adapters.clock import SystemClock
from app.adapters.passwords import ArgonHasher
from app.adapters.postgres.services import create_services
from app.wiring.actors import (
    MAILBOX_CAPACITY,
    Bells,
    database_breaker,
    dead_letters,
    delivery_parts,
    event_parts,
    stall_detector,
    upkeep_parts,
)
from app.wiring.face import Face
from app.wiring.patience import patient

if TYPE_CHECKING:
    from collections.abc import Callable
    from uuid import UUID

    from app.adapters.postgres import Database
    from app.config import Settings
    from app.services import Services

__all__ = [
    "MAILBOX_CAPACITY",
    "Bells",
    "Face",
    "database_breaker",
    "dead_letters",
    "delivery_parts",
    "event_parts",
    "patient",
    "services",
    "stall_detector",
    "upkeep_parts",
]


def services(settings: Settings, database: Database, *, bells: Bells, revoked: Callable[[UUID], None]) -> Services:
    """Return the use cases; ``bells`` are rung after commits, ``revoked`` told of sessions and accounts signed out."""
    return create_services(
        database,
        clock=SystemClock(),
        hasher=ArgonHasher(),
        bell=bells.written,
        news=bells.relay.ring,
        sessions_revoked=revoked,
        registration_is_open=settings.registration == "open",
        auth_rate=settings.auth_rate,
        api_rate=settings.api_rate,
    )
