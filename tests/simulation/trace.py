"""What happened in a simulation, line by line; its hash says whether two runs were the same."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field

import trio


@dataclass(slots=True)
class Trace:
    """The lines of one run, each with its virtual time."""

    lines: list[str] = field(default_factory=list)

    def note(self, *words: object) -> None:
        """Add a line. Not a checkpoint."""
        self.lines.append(f"{trio.current_time():.6f} {' '.join(map(str, words))}")

    def digest(self) -> str:
        """Return the SHA-256 of all lines."""
        return hashlib.sha256("\n".join(self.lines).encode()).hexdigest()
