import pytest

from app.domain.errors import NotFoundError, TaskAlreadyCompletedError, ValidationFailedError
from app.services.operations import task_operation
from monitoring import metrics


def _value(operation: str, outcome: str) -> float:
    return metrics.TASK_OPERATIONS_TOTAL.labels(operation, outcome).value


@pytest.mark.parametrize(
    ("error", "outcome"),
    [
        (NotFoundError(), "not_found"),
        (TaskAlreadyCompletedError(), "conflict"),
        (ValidationFailedError(()), "refused"),
        (ZeroDivisionError(), "error"),
    ],
)
def test_a_command_that_fails_is_counted_by_how(error: Exception, outcome: str) -> None:
    before = _value("update", outcome)

    with pytest.raises(type(error)), task_operation("update"):
        raise error

    assert _value("update", outcome) == before + 1


def test_a_command_that_works_is_counted() -> None:
    before = _value("read", "success")

    with task_operation("read"):
        pass

    assert _value("read", "success") == before + 1
