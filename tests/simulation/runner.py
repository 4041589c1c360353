"""Runs one seed, and says how to run it again."""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final
from unittest.mock import patch

import trio
from trio.testing import MockClock

from actors import durable, relay, reminders, sync
from app.web.live import hub, session
from tests.simulation.determinism import determinism
from tests.simulation.mutants import Mutants
from tests.simulation.oracle import ViolationError
from tests.simulation.surroundings import Surroundings
from tests.simulation.world import World

if TYPE_CHECKING:
    from types import ModuleType

    from tests.simulation.dice import Dice

# Limits that production never meets in a test: small ones, so that what happens at them happens often.
LIMITS: Final[tuple[tuple[ModuleType, str, tuple[int, ...]], ...]] = (
    (relay, "BATCH", (1, 3, 500)),
    (durable, "BATCH", (1, 2, 200)),
    (reminders, "BATCH", (1, 2, 200)),
    (sync, "PAGE", (1, 4, 500)),
    (session, "PAGE", (1, 3, 200)),
    (session, "RESUME_EVENTS", (2, 10, 10_000)),
    (hub, "QUEUE_FRAMES", (2, 8, 1024)),
    (hub, "AT_ONCE", (1, 2, 100)),
)


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a seed ended.

    Attributes:
        violation: What was promised and did not hold, None if all did.
        lines: The trace.
        virtual_seconds: How long it lasted.
        events: How many events were committed.
    """

    seed: int
    violation: str | None
    digest: str
    lines: tuple[str, ...]
    virtual_seconds: float
    events: int

    def in_short(self) -> Outcome:
        """Return it without its trace, of which ten thousand would fill the memory."""
        return replace(self, lines=())


def simulate(seed: int, mutants: Mutants | None = None) -> Outcome:
    """Run one seed; the same seed gives the same trace, whatever the process and its hashes."""
    around = Surroundings(seed=str(seed), mutants=mutants or Mutants())
    violation = None
    with determinism(str(seed)), ExitStack() as stack:
        _narrow(around.dice.stream("limits"), stack)
        clock = MockClock(autojump_threshold=0)
        try:
            trio.run(World(around).run, clock=clock)
        except* ViolationError as group:
            violation = "\n".join(_texts(group))
        seconds = clock.current_time()
    return Outcome(seed, violation, around.trace.digest(), tuple(around.trace.lines), seconds, len(around.db.committed))


def command(seed: int) -> str:
    """Return what runs one seed again, with its trace."""
    return f".venv/bin/python -m tests.simulation --first {seed} --seeds 1 --trace"


def _narrow(dice: Dice, stack: ExitStack) -> None:
    for module, name, values in LIMITS:
        stack.enter_context(patch.object(module, name, dice.pick(values)))


def _texts(group: BaseExceptionGroup[ViolationError]) -> list[str]:
    return [
        text
        for part in group.exceptions
        for text in (_texts(part) if isinstance(part, BaseExceptionGroup) else [str(part)])
    ]
