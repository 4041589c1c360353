"""Expected refusals. Everything else that is raised is a bug and travels.

`code` is stable and goes on the wire, `detail` is for people. Only the web layer knows status codes.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import ClassVar


class TaskError(Exception):
    """A refusal that the caller can understand and act upon."""

    code: ClassVar[str] = "refused"
    default_detail: ClassVar[str] = "The request was refused."

    def __init__(self, detail: str | None = None) -> None:
        self.detail = detail or self.default_detail
        super().__init__(self.detail)


@dataclass(frozen=True, slots=True)
class FieldError:
    """What is wrong with one field: its name on the wire, a stable code, a sentence."""

    field: str
    code: str
    message: str


class ValidationFailedError(TaskError):
    """Some fields do not make sense; all of them are named at once."""

    code = "validation_failed"
    default_detail = "Some fields are not valid."

    def __init__(self, errors: Iterable[FieldError]) -> None:
        self.errors = tuple(errors)
        super().__init__("; ".join(f"{error.field}: {error.message}" for error in self.errors))

    @classmethod
    def of(cls, field: str, code: str, message: str) -> "ValidationFailedError":
        """Return the refusal of a single field."""
        return cls((FieldError(field, code, message),))


class PasswordRefusedError(ValidationFailedError):
    """The password is too short, too long, too common or says whose it is."""

    code = "password_refused"

    def __init__(self, code: str, message: str, field: str = "password") -> None:
        super().__init__((FieldError(field, code, message),))


class NotFoundError(TaskError):
    """There is no such thing, or it is somebody else's: nobody can tell which."""

    code = "not_found"
    default_detail = "There is nothing here."


class VersionConflictError(TaskError):
    """The caller's idea of the thing is not the current one.

    Attributes:
        current: The version that is current.
    """

    code = "version_conflict"
    default_detail = "It was changed in the meantime."

    def __init__(self, current: int) -> None:
        self.current = current
        super().__init__()


class TaskAlreadyCompletedError(TaskError):
    """Only an open task can be completed."""

    code = "task_already_completed"
    default_detail = "The task is already completed."


class TaskNotCompletedError(TaskError):
    """Only a completed task can be reopened."""

    code = "task_not_completed"
    default_detail = "The task is not completed."


class NextOccurrenceCompletedError(TaskError):
    """A completion cannot be undone after the occurrence it made was completed too."""

    code = "next_occurrence_completed"
    default_detail = "The next occurrence is already completed; reopen that one first."


class ReminderStateError(TaskError):
    """The reminder is not in a state in which this can be done."""

    code = "reminder_state"
    default_detail = "The reminder has not fired."


class NotControllableError(TaskError):
    """Rondo would not answer any more without this part, so it cannot be touched from a page."""

    code = "not_controllable"
    default_detail = "This part cannot be restarted or paused from here."


class AlreadyRequeuedError(TaskError):
    """A dead letter is sent again once; if it dies again, that is a new letter."""

    code = "already_requeued"
    default_detail = "This letter was sent again before."


class NotRequeueableError(TaskError):
    """The message was in memory only, so there is nothing to send."""

    code = "not_requeueable"
    default_detail = "This message was not in the database; only its text is known."


class EmailTakenError(TaskError):
    """There is an account with this address."""

    code = "email_taken"
    default_detail = "There is already an account with this email address."


class RegistrationClosedError(TaskError):
    """This installation takes no new accounts from outside."""

    code = "registration_closed"
    default_detail = "Registration is closed. Ask the operator of this installation for an account."


class InvalidCredentialsError(TaskError):
    """The address and the password do not belong together; which of them is wrong is not told."""

    code = "invalid_credentials"
    default_detail = "The email address or the password is wrong."


class WrongPasswordError(TaskError):
    """Somebody who is signed in was asked for the password once more, and gave another one."""

    code = "wrong_password"
    default_detail = "The password is wrong."


class LastOperatorError(TaskError):
    """The only operator cannot leave the others alone."""

    code = "last_operator"
    default_detail = "You are the only operator, and there are other accounts. Delete those first."


class NotAuthenticatedError(TaskError):
    """Nobody is signed in."""

    code = "not_authenticated"
    default_detail = "Sign in first."


class ForbiddenError(TaskError):
    """The caller may see this but not do that."""

    code = "forbidden"
    default_detail = "You may not do this."


class RateLimitedError(TaskError):
    """Too many attempts.

    Attributes:
        retry_after_seconds: When the next one will be let through, at least 1.
        scope: Which limit it was: `address`, `account`, `user` or `global`.
    """

    code = "rate_limited"
    default_detail = "Too many requests. Try again later."

    def __init__(self, retry_after_seconds: int, scope: str) -> None:
        self.retry_after_seconds = retry_after_seconds
        self.scope = scope
        super().__init__()


class IdempotencyMismatchError(TaskError):
    """The key was used for a different request."""

    code = "idempotency_key_reused"
    default_detail = "This Idempotency-Key was used with a different request."
