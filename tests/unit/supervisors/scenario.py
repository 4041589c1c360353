"""A run with crashes, restarts and dynamic children, printed: the same on every interpreter (S68)."""

import random
import sys
from typing import Any

import trio
import trio._core._run as trio_run
from trio.testing import MockClock

from supervisors import Backoff, ChildSpec, Report, Restart, Strategy, Supervisor
from supervisors.errors import SupervisionError


def say(*words: object) -> None:
    sys.stdout.write(" ".join(map(str, words)) + "\n")


def tell(report: Report) -> None:
    say(round(report.at, 6), report.event.value, report.supervisor, report.child, report.incarnation, report.delay)


def spec(name: str, dice: random.Random, restart: Restart = Restart.PERMANENT) -> ChildSpec:
    lives = 0

    async def run(*, task_status: trio.TaskStatus[Any]) -> None:
        nonlocal lives
        lives += 1
        await trio.sleep(dice.choice([0.0, 0.5]))
        if lives > 1 and dice.random() < 0.1:
            raise OSError(name)
        task_status.started()
        await trio.sleep(dice.uniform(1, 60))
        if dice.random() < 0.7:
            raise ValueError(name)

    return ChildSpec(id=name, start=run, restart=restart)


async def main() -> None:
    dice = random.Random(68)  # a test has to be repeatable, not secret
    inner = [
        Supervisor(
            strategy.value,
            [spec(name, dice) for name in "abc"],
            strategy=strategy,
            intensity=6,
            period=60.0,
            backoff=Backoff(first=0.1, maximum=5.0),
            on_report=tell,
            dice=dice.random,
        )
        for strategy in Strategy
    ]
    root = Supervisor("root", [one.as_child() for one in inner], intensity=99, period=600.0, on_report=tell)
    async with trio.open_nursery() as nursery:
        await nursery.start(root.run)
        for number in range(20):
            await trio.sleep(10)
            try:
                await dice.choice(inner).start_child(spec(f"t{number}", dice, dice.choice([*Restart])))
            except SupervisionError as error:
                say(type(error).__name__, error)
        say(len(await root.stop()), root.state.value)


if __name__ == "__main__":
    trio_run._ALLOW_DETERMINISTIC_SCHEDULING = True  # type: ignore[misc] # a constant, but for tests
    trio_run._r.seed(68)
    trio.run(main, clock=MockClock(autojump_threshold=0))
