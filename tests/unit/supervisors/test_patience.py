"""An actor that needs PostgreSQL counts as started even when that is away, and says so once."""

import pytest
import trio
from trio.testing import wait_all_tasks_blocked

from app.ports.database import DatabaseUnavailableError
from app.wiring import patient
from supervisors.child_spec import StartFunction


class Reports:
    """Counts how often something said that it has started; like trio's, it takes that once."""

    def __init__(self) -> None:
        self.count = 0

    def started(self, value: None = None) -> None:
        """Note it."""
        assert value is None
        self.count += 1


async def _fails_at_once(*, task_status: trio.TaskStatus[None]) -> None:
    await trio.lowlevel.checkpoint()
    raise DatabaseUnavailableError("away")


async def _fails_later(*, task_status: trio.TaskStatus[None]) -> None:
    task_status.started()
    await trio.lowlevel.checkpoint()
    raise DatabaseUnavailableError("away")


@pytest.mark.parametrize("start", [_fails_at_once, _fails_later])
async def test_what_loses_its_database_has_started_once_and_crashes_with_the_reason(start: StartFunction) -> None:
    reports = Reports()

    with pytest.raises(DatabaseUnavailableError):
        await patient(start)(task_status=reports)

    assert reports.count == 1


class Away:
    """A PostgreSQL that comes back when it is told to."""

    def __init__(self) -> None:
        self.problem: str | None = "away"
        self.back = trio.Event()

    async def wait_available(self) -> None:
        await self.back.wait()


async def test_while_the_database_is_away_nothing_is_tried(nursery: trio.Nursery) -> None:
    reports, database, lives = Reports(), Away(), []

    async def live(*, task_status: trio.TaskStatus[None]) -> None:
        lives.append(1)
        task_status.started()
        await trio.sleep_forever()

    async def run() -> None:
        await patient(live, database)(task_status=reports)

    nursery.start_soon(run)
    await wait_all_tasks_blocked()
    meanwhile = (reports.count, len(lives))
    database.problem = None
    database.back.set()
    await wait_all_tasks_blocked()

    assert (meanwhile, reports.count, len(lives)) == ((1, 0), 1, 1)
    nursery.cancel_scope.cancel()
