"""The bad days: a seeded schedule of faults, each with a beginning, most with an end."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

import trio

from tests.simulation.simdb.database import Weather

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from tests.simulation.dice import Dice
    from tests.simulation.world import World

ACTORS: Final = ("sync", "audit", "recurring", "reminder", "relay", "clockwork", "notifications", "email")
SLOW: Final = ("audit", "recurring", "reminder", "read", "lock", "clockwork", "assign")


@dataclass(frozen=True, slots=True)
class Faults:
    """Does one thing after another to a world. Every method is one kind of fault."""

    world: World

    async def run(self, until: float) -> None:
        """Make trouble until it is late; end with the last trouble over."""
        dice = self._dice
        kinds: list[Callable[[float], Awaitable[None]]] = [
            *(self.process_crash,) * 3,
            *(self.actor_crash,) * 2,
            self.database_away,
            self.bad_connections,
            self.slow_commits,
            self.crashes_everywhere,
            self.loose_wires,
            self.slow_statements,
            self.stalled_process,
            self.slow_client,
            self.lost_client,
            self.clock_step,
            *(self.post_away,) * 2,
        ]
        async with trio.open_nursery() as nursery:
            while trio.current_time() < until:
                await trio.sleep(dice.between(0.2, 3.5))
                seconds = min(dice.between(0.2, 6.0), max(until - trio.current_time(), 0.1))
                kind = dice.pick(kinds)
                self.world.around.trace.note("fault", kind.__name__, seconds)
                nursery.start_soon(kind, seconds)

    async def process_crash(self, _seconds: float) -> None:
        """`kill -9`; whoever watches over it starts it again."""
        await trio.lowlevel.checkpoint()
        process = self.world.any_process()
        if process is not None:
            process.kill()

    async def actor_crash(self, _seconds: float) -> None:
        """One actor ends, wherever it is."""
        await trio.lowlevel.checkpoint()
        process = self.world.any_process()
        if process is not None:
            process.crash_actor(self._dice.pick(ACTORS))

    async def database_away(self, seconds: float) -> None:
        """PostgreSQL restarts, or the network breaks."""
        db = self.world.around.db
        if not db.is_away:
            db.go_away()
            await trio.sleep(seconds)
            db.come_back()

    async def bad_connections(self, seconds: float) -> None:
        """COMMIT gets lost, its answer gets lost, transactions collide."""
        bad = replace(self.world.around.db.weather, lost_commit=0.05, lost_reply=0.05, conflict=0.1)
        await self._weather(bad, seconds)

    async def slow_commits(self, seconds: float) -> None:
        """Some transactions stay open for seconds after their last statement."""
        await self._weather(replace(self.world.around.db.weather, slow_commit=0.3), seconds)

    async def crashes_everywhere(self, seconds: float) -> None:
        """Any statement may be somebody's last."""
        await self._weather(replace(self.world.around.db.weather, crash=0.02), seconds)

    async def loose_wires(self, seconds: float) -> None:
        """Doorbells ring twice, or not at all."""
        bells = self.world.around.bells
        bells.lost, bells.doubled = self._dice.pick(((1.0, 0.0), (0.5, 0.3), (0.0, 1.0)))
        await trio.sleep(seconds)
        bells.lost, bells.doubled = 0.0, 0.0

    async def slow_statements(self, seconds: float) -> None:
        """One kind of statement takes long."""
        process, kind = self.world.any_process(), self._dice.pick(SLOW)
        if process is not None:
            process.client.slowness[kind] = self._dice.between(0.1, 2.0)
            await trio.sleep(seconds)
            process.client.slowness.pop(kind, None)

    async def stalled_process(self, _seconds: float) -> None:
        """A process sleeps through its lease, wakes up and goes on as if nothing had been."""
        await trio.lowlevel.checkpoint()
        process = self.world.any_process()
        if process is not None:
            process.client.stalled_until = trio.current_time() + self._dice.between(1.0, 20.0)

    async def slow_client(self, seconds: float) -> None:
        """Somebody hardly reads."""
        client = self._dice.pick(self.world.clients)
        client.pace = self._dice.between(0.5, 15.0)
        await trio.sleep(seconds)
        client.pace = 0.0

    async def lost_client(self, _seconds: float) -> None:
        """Somebody's line breaks."""
        await trio.lowlevel.checkpoint()
        self._dice.pick(self.world.clients).disconnect()

    async def clock_step(self, _seconds: float) -> None:
        """The machine's wall clock is set; the database's, on another machine, goes ahead at most."""
        await trio.lowlevel.checkpoint()
        if self._dice.chance(0.7):
            self.world.around.clock.step(self._dice.pick((-3600.0, -60.0, -1.0, 1.0, 60.0, 3600.0)))
        else:
            self.world.around.db.clock.step(self._dice.pick((0.5, 20.0, 120.0)))

    async def post_away(self, seconds: float) -> None:
        """The mail provider does not answer, or answers after the worker has died."""
        office = self.world.around.office
        office.unreachable, office.crash = self._dice.pick(((1.0, 0.0), (0.3, 0.2), (0.0, 0.5)))
        await trio.sleep(seconds)
        office.unreachable = office.crash = 0.0

    @property
    def _dice(self) -> Dice:
        return self.world.fault_dice

    async def _weather(self, weather: Weather, seconds: float) -> None:
        self.world.around.db.weather = weather
        await trio.sleep(seconds)
        self.world.around.db.weather = Weather()
