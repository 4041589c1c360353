"""What a process takes that nobody asks for anything."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from loadtest.bench.rows import Row
from loadtest.process import cpu_seconds

if TYPE_CHECKING:
    from loadtest.bench.stage import Stage


def measure(stage: Stage) -> Row:
    """Return the CPU time of a process that nobody asks for anything."""
    stage.say("at rest")
    time.sleep(stage.counts.calm_seconds)
    before = cpu_seconds(stage.rondo.pid)
    time.sleep(stage.counts.rest_seconds)
    used = cpu_seconds(stage.rondo.pid) - before
    return Row(name="rest", what="at rest, CPU", unit="ms per second", measured=used / stage.counts.rest_seconds * 1e3)
