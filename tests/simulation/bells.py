"""Doorbells on a bad day: rings get lost, and come twice."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from actors.doorbell import Doorbell

if TYPE_CHECKING:
    from tests.simulation.dice import Dice


@dataclass(slots=True)
class Wiring:
    """How likely a ring is lost, and how likely it comes once more; shared by all bells."""

    lost: float = 0.0
    doubled: float = 0.0


class SimBell(Doorbell):
    """A doorbell whose wire may be loose."""

    def __init__(self, wiring: Wiring, dice: Dice) -> None:
        super().__init__()
        self._wiring, self._dice = wiring, dice
        self._owed = False

    def ring(self) -> None:
        """Ring, perhaps. A doubled ring comes again after the owner has answered the first."""
        if self._dice.chance(self._wiring.lost):
            return
        self._owed = self._dice.chance(self._wiring.doubled)
        super().ring()

    async def wait(self) -> None:
        """Wait for a ring, or for the second half of one."""
        await super().wait()
        if self._owed:
            self._owed = False
            super().ring()
