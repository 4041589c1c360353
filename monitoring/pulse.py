"""One pulse for what looks around now and then: tasks that wake at the same instants wake an idle process once.

To wake out of nothing is dearer than to do one thing more while awake: when three tasks slept each for itself, Rondo
took 1.3 times as much CPU at rest, 14 ms per second instead of 11 (`python -m loadtest bench --only rest`, in turn).
"""

import math

import trio


def following(seconds: float) -> float:
    """Return the next of trio's times that is a multiple of this many seconds; always later than now."""
    now = trio.current_time()
    beats = math.floor(now / seconds) + 1
    # The quotient is rounded: a time that is a multiple can look as if it were just before it.
    return beats * seconds if beats * seconds > now else (beats + 1) * seconds


async def beat(seconds: float) -> None:
    """Sleep until then."""
    await trio.sleep_until(following(seconds))
