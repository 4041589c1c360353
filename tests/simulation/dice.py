"""Every decision of a simulation: seeded, named streams, so that one more roll here moves nothing there."""

from __future__ import annotations

from random import Random
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Sequence

T = TypeVar("T")


class Dice:
    """A stream of seeded decisions."""

    def __init__(self, seed: str) -> None:
        self.seed = seed
        # Seeding with a text goes through SHA-512: the same in every process, whatever PYTHONHASHSEED is.
        self.random = Random(seed)

    def stream(self, name: str) -> Dice:
        """Return an independent stream."""
        return Dice(f"{self.seed}/{name}")

    def chance(self, probability: float) -> bool:
        """Return True so often; an impossible thing costs no roll."""
        return probability > 0 and self.random.random() < probability

    def between(self, least: float, most: float) -> float:
        """Return a number in a range, in whole milliseconds so that traces stay readable."""
        return round(self.random.uniform(least, most), 3)

    def pick(self, choices: Sequence[T]) -> T:
        """Return one of them."""
        return self.random.choice(choices)

    def count(self, least: int, most: int) -> int:
        """Return a whole number in a range, both ends included."""
        return self.random.randint(least, most)
