"""What processes share, and what outlives them: the database, the mail provider, the clock, the dice."""

from __future__ import annotations

from dataclasses import dataclass, field

from tests.simulation.bells import Wiring
from tests.simulation.clocks import SimClock
from tests.simulation.dice import Dice
from tests.simulation.mutants import Mutants
from tests.simulation.post import PostOffice
from tests.simulation.simdb.database import SimDb
from tests.simulation.trace import Trace


@dataclass(slots=True, kw_only=True)
class Surroundings:
    """The world around the processes of one simulation.

    Attributes:
        clock: The wall clock of the machine that the processes run on.
        errors: Whatever a child of a supervisor ended with.
        mutants: How the code under test is broken on purpose, if it is.
    """

    seed: str
    mutants: Mutants = field(default_factory=Mutants)
    trace: Trace = field(default_factory=Trace)
    clock: SimClock = field(default_factory=SimClock)
    bells: Wiring = field(default_factory=Wiring)
    errors: list[BaseException] = field(default_factory=list)
    dice: Dice = field(init=False)
    db: SimDb = field(init=False)
    office: PostOffice = field(init=False)

    def __post_init__(self) -> None:
        self.dice = Dice(self.seed)
        self.db = SimDb(self.dice.stream("database"), self.trace)
        self.office = PostOffice(self.dice.stream("post"), self.trace)
