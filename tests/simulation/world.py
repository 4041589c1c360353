"""One simulation: processes, people and hub clients live through bad days; then it is quiet, and all comes right."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final
from uuid import UUID

import trio

from supervisors.errors import SupervisionError
from tests.simulation import drained, oracle
from tests.simulation.faults import Faults
from tests.simulation.hub_clients import HubClient
from tests.simulation.people import settle
from tests.simulation.process import Process
from tests.simulation.users import Diary, User

if TYPE_CHECKING:
    from tests.simulation.surroundings import Surroundings

# How long the bad days last, in virtual seconds.
SHORTEST, LONGEST = 6.0, 16.0
REQUESTS: Final = 14
# What the issue asks for: this long after the faults have stopped everything is drained.
DRAIN_SECONDS: Final = 60.0
# A provider's circuit stays open for up to five minutes, and a dead worker's claim for 90 s.
SETTLE_SECONDS: Final = 900.0
STOP_SECONDS: Final = 25.0
ALL_SECONDS: Final = 7200.0
LOOK_SECONDS: Final = 0.5
SETTLE_LOOK_SECONDS: Final = 2.9


class World:
    """Everything that one seed decides."""

    def __init__(self, around: Surroundings) -> None:
        self.around = around
        dice = around.dice
        self.diary = Diary()
        self.people = settle(around.db.store, dice.count(2, 4))
        self.processes: list[Process | None] = [None] * (2 if dice.chance(0.3) else 1)
        self.capacity = dice.pick((1, 2, 4, 16, 1024))
        self.fault_dice = dice.stream("faults")
        self.clients = [self._client(number) for number in range(dice.count(2, 4))]
        self.users = [User(person, self.diary, around, self.any_process) for person in self.people]
        self._chooser = dice.stream("which process")
        self._lives = 0
        self._is_over = False

    async def run(self) -> None:
        """Live through it.

        Raises:
            ViolationError: A promise was broken.
        """
        try:
            with trio.fail_after(ALL_SECONDS):
                await self._live()
        except trio.TooSlowError:
            raise oracle.ViolationError(f"not over after {ALL_SECONDS} s") from None

    async def _live(self) -> None:
        async with trio.open_nursery() as nursery:
            await nursery.start(self.around.db.run)
            for slot in range(len(self.processes)):
                nursery.start_soon(self._keep_running, slot)
            for client in self.clients:
                nursery.start_soon(client.run)
            await self._bad_days()
            await self._come_right()
            oracle.judge(self)  # at once: what comes due while it stops is for the next start
            await self._stop()
            nursery.cancel_scope.cancel()

    def any_process(self) -> Process | None:
        """Return one that lives, None if none does."""
        living = [process for process in self.processes if process is not None and not process.client.is_killed]
        return self._chooser.pick(living) if living else None

    async def _bad_days(self) -> None:
        until = self.around.dice.between(SHORTEST, LONGEST)
        async with trio.open_nursery() as nursery:
            nursery.start_soon(Faults(self).run, until)
            for user in self.users:
                nursery.start_soon(user.work, until, REQUESTS)

    async def _come_right(self) -> None:
        self.around.trace.note("quiet")
        with trio.move_on_after(DRAIN_SECONDS):
            while drained.what_is_left(self):
                await trio.sleep(LOOK_SECONDS)
        left = drained.what_is_left(self)
        if left:
            left += oracle.crashes(self)
            raise oracle.ViolationError(f"not drained after {DRAIN_SECONDS} s: {'; '.join(left[:20])}")
        self.around.trace.note("drained")
        with trio.move_on_after(SETTLE_SECONDS):
            while left := [*drained.undelivered(self), *drained.what_is_left(self)]:
                await trio.sleep(SETTLE_LOOK_SECONDS)
        if left:
            raise oracle.ViolationError(f"not settled after {SETTLE_SECONDS} s: {'; '.join(left)}")

    async def _stop(self) -> None:
        self._is_over = True
        began = trio.current_time()
        for process in self.processes:
            if process is not None:
                await process.root.stop()
        took = trio.current_time() - began
        if took > STOP_SECONDS * len(self.processes):
            raise oracle.ViolationError(f"stopping took {took} s")

    async def _keep_running(self, slot: int) -> None:
        """What an init system does."""
        while not self._is_over:
            self._lives += 1
            process = Process(self.around, f"p{slot}.{self._lives}", UUID(int=slot + 1), self.capacity)
            self.processes[slot] = process
            self.around.trace.note(process.name, "starts")
            try:
                await process.run()
            except SupervisionError as gave_up:
                self.around.trace.note(process.name, "gave up", type(gave_up).__name__)
            if not process.client.is_killed:
                process.client.kill()
            self.processes[slot] = None
            await trio.sleep(self.fault_dice.between(0.05, 2.0))

    def _client(self, number: int) -> HubClient:
        dice = self.around.dice.stream(f"client {number}")
        by_address = dice.chance(0.6)
        return HubClient(
            person=self.people[number % len(self.people)],
            dice=dice,
            trace=self.around.trace,
            process=self.any_process,
            resumes=self.around.mutants.resumes,
            by_address=by_address,
            latency=dice.between(0.0, 2.0 if by_address else 0.2),
        )
