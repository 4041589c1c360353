"""What each task command leaves behind: a span, how long it took, and how it ended."""

from collections.abc import Iterator
from contextlib import contextmanager
from time import perf_counter
from typing import Final

from app.domain.errors import (
    IdempotencyMismatchError,
    NextOccurrenceCompletedError,
    NotFoundError,
    TaskAlreadyCompletedError,
    TaskError,
    TaskNotCompletedError,
    VersionConflictError,
)
from monitoring import metrics, tracing

_CONFLICTS: Final = (
    IdempotencyMismatchError,
    NextOccurrenceCompletedError,
    TaskAlreadyCompletedError,
    TaskNotCompletedError,
    VersionConflictError,
)
_OPERATIONS: Final = ("create", "read", "list", "replace", "update", "complete", "reopen", "delete")
_OUTCOMES: Final = ("success", "refused", "conflict", "not_found", "error")
_ended: Final = {
    (operation, outcome): metrics.TASK_OPERATIONS_TOTAL.labels(operation, outcome)
    for operation in _OPERATIONS
    for outcome in _OUTCOMES
}
_took: Final = {operation: metrics.TASK_OPERATION_DURATION_SECONDS.labels(operation) for operation in _OPERATIONS}


@contextmanager
def task_operation(operation: str) -> Iterator[None]:
    """Account for one task command, however it ends."""
    started, outcome = perf_counter(), "error"
    try:
        with tracing.span("task." + operation, attributes={"rondo.operation": operation}):
            yield
        outcome = "success"
    except TaskError as error:
        outcome = _outcome(error)
        raise
    finally:
        _ended[operation, outcome].inc()
        tracing.observe_with_exemplar(_took[operation], perf_counter() - started)


def _outcome(error: TaskError) -> str:
    if isinstance(error, NotFoundError):
        return "not_found"
    return "conflict" if isinstance(error, _CONFLICTS) else "refused"
