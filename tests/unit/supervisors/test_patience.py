"""An actor that needs PostgreSQL counts as started even when that is away, and says so once."""

import pytest
import trio

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
