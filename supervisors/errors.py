"""What a supervisor refuses, and how it ends.

Refusals go to whoever asked; endings (`StartFailedError`, `MaxRestartsError`, `ChildStuckError`) come
out of `Supervisor.run` and are what the supervisor above sees as this one's reason to exit.
"""


class SupervisionError(Exception):
    """The supervisor refused, or ended for a reason of its own."""


class InvalidSpecError(SupervisionError, ValueError):
    """A specification that can never work; the message names the child and the field."""


class ChildNotFoundError(SupervisionError):
    """There is no child of this id."""


class ChildAlreadyStartedError(SupervisionError):
    """A child of this id runs; `identity` says which incarnation."""

    def __init__(self, child_id: str, identity: object) -> None:
        super().__init__(f"child {child_id!r} is already started")
        self.identity = identity


class ChildAlreadyPresentError(SupervisionError):
    """A child of this id is known but does not run: restart it, or delete it first."""


class ChildRunningError(SupervisionError):
    """The child has to be terminated before this can be done."""


class ChildRestartingError(SupervisionError):
    """The child waits for its next attempt; terminate it first."""


class SupervisorStoppedError(SupervisionError):
    """The supervisor is stopping, or does not run."""


class NotReadyError(SupervisionError):
    """The child returned without having said that it is ready."""


class StartTimeoutError(SupervisionError):
    """The child was not ready in time."""


class StartFailedError(SupervisionError):
    """A child could not be started; the child's own exception is the cause."""

    def __init__(self, child_id: str, why: BaseException | None) -> None:
        super().__init__(f"child {child_id!r} failed to start: {why or 'it was stopped'}")
        self.child_id = child_id

    @classmethod
    def of(cls, child_id: str, why: BaseException | None) -> "StartFailedError":
        """Return the error with its cause."""
        error = cls(child_id, why)
        error.__cause__ = why
        return error


class MaxRestartsError(SupervisionError):
    """Too many restarts in the period: the supervisor gave up."""

    def __init__(self, child_id: str) -> None:
        super().__init__(f"shutdown: max restarts (child {child_id!r})")
        self.child_id = child_id


class ChildStuckError(SupervisionError):
    """A child survived its cancellation. Nothing above may start it again, so this always reaches the root."""

    def __init__(self, child_id: str) -> None:
        super().__init__(f"child {child_id!r} is stuck: it outlived its cancellation")
        self.child_id = child_id
