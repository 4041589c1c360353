"""What each task command leaves behind: a span, how long it took, and how it ended."""

from time import perf_counter
from types import TracebackType
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


class task_operation:  # noqa: N801 # written like a function: `with task_operation("create"):`
    """Account for one task command, however it ends."""

    __slots__ = ("_operation", "_span", "_started")

    def __init__(self, operation: str) -> None:
        self._operation = operation
        self._started = perf_counter()
        self._span = tracing.span("task." + operation, attributes={"rondo.operation": operation})

    def __enter__(self) -> None:
        self._span.__enter__()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._span.__exit__(kind, error, trace)
        _ended[self._operation, _outcome(error)].inc()
        tracing.observe_with_exemplar(_took[self._operation], perf_counter() - self._started)


def _outcome(error: BaseException | None) -> str:
    if error is None:
        return "success"
    if not isinstance(error, TaskError):
        return "error"
    if isinstance(error, NotFoundError):
        return "not_found"
    return "conflict" if isinstance(error, _CONFLICTS) else "refused"
