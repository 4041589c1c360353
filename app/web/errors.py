"""Refusals as RFC 9457 `application/problem+json`. The only place that knows status codes.

Expected refusals have a code and a sentence; everything else is a bug and says nothing but its request id. No stack,
SQL, path or address ever goes into a body.
"""

import uuid
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, Final

import orjson

from app.domain import errors as domain
from app.ports.database import DatabaseUnavailableError, OutcomeUnknownError
from app.web.answer import PROBLEM_JSON, Answer, Header
from app.web.outages import Outages
from app.web.security import SECURITY_HEADERS

# When PostgreSQL is away it is usually back within seconds.
RETRY_AFTER_SECONDS: Final = 2
_OUTAGES: Final = Outages()


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of problem: its status, its title, and when it happens (for the contract)."""

    status: int
    title: str


# Every code that a client can meet. The contract lists them, and tests hold this table against the domain's errors and
# the edge's refusals.
KINDS: Final[Mapping[str, Kind]] = {
    "malformed_json": Kind(400, "The body is not valid JSON"),
    "duplicate_key": Kind(400, "An object in the body has the same key twice"),
    "too_deep": Kind(400, "The body is nested too deeply"),
    "number_out_of_range": Kind(400, "A number in the body cannot be represented"),
    "invalid_text": Kind(400, "A text in the request cannot be stored"),
    "malformed_query": Kind(400, "The query string is not valid"),
    "malformed_header": Kind(400, "A header is not valid"),
    "bad_request": Kind(400, "The request is not valid HTTP/1.1"),
    "bad_host": Kind(400, "The Host header is not valid"),
    "bad_target": Kind(400, "The request target is not a path"),
    "bad_framing": Kind(400, "The length of the body is not clear"),
    "bad_upgrade": Kind(400, "The upgrade is not to WebSocket"),
    "not_authenticated": Kind(401, "Not signed in"),
    "invalid_credentials": Kind(401, "Wrong email address or password"),
    "forbidden": Kind(403, "Not allowed"),
    "wrong_password": Kind(403, "Wrong password"),
    "cross_site_request": Kind(403, "Cross-site request refused"),
    "registration_closed": Kind(403, "Registration is closed"),
    "not_found": Kind(404, "Not found"),
    "method_not_allowed": Kind(405, "Method not allowed"),
    "request_timeout": Kind(408, "The request did not arrive in time"),
    "email_taken": Kind(409, "Email address already in use"),
    "last_operator": Kind(409, "The last operator cannot leave"),
    "task_already_completed": Kind(409, "Task already completed"),
    "task_not_completed": Kind(409, "Task not completed"),
    "next_occurrence_completed": Kind(409, "Next occurrence already completed"),
    "reminder_state": Kind(409, "The reminder is in another state"),
    "not_controllable": Kind(409, "This part cannot be controlled"),
    "already_requeued": Kind(409, "Dead letter already sent again"),
    "not_requeueable": Kind(409, "Dead letter cannot be sent again"),
    "version_conflict": Kind(412, "Changed in the meantime"),
    "body_too_large": Kind(413, "Body too large"),
    "target_too_long": Kind(414, "The request target is too long"),
    "unsupported_media_type": Kind(415, "Unsupported media type"),
    "expectation_failed": Kind(417, "The expectation cannot be met"),
    "validation_failed": Kind(422, "Some fields are not valid"),
    "password_refused": Kind(422, "The password is not good enough"),
    "idempotency_key_reused": Kind(422, "Idempotency-Key used with another request"),
    "websocket_version": Kind(426, "The version of WebSocket is not spoken here"),
    "rate_limited": Kind(429, "Too many requests"),
    "headers_too_large": Kind(431, "The headers are too large"),
    "internal_error": Kind(500, "Something went wrong on our side"),
    "unknown_method": Kind(501, "The method is not known"),
    "unknown_transfer_coding": Kind(501, "The transfer coding is not known"),
    "database_unavailable": Kind(503, "Temporarily unavailable"),
    "outcome_unknown": Kind(503, "The connection was lost while saving"),
    "too_slow": Kind(503, "The answer took too long"),
    "not_ready": Kind(503, "Not ready"),
    "too_many_connections": Kind(503, "Too many connections"),
    "http_version": Kind(505, "The HTTP version is not spoken here"),
}


class RequestRefusedError(Exception):
    """The request itself cannot be taken: its form, its size, its origin.

    Attributes:
        code: One of `KINDS`.
        detail: For people.
        headers: To be sent along, such as `Allow`.
    """

    def __init__(self, code: str, detail: str, headers: tuple[Header, ...] = ()) -> None:
        super().__init__(detail)
        self.code = code
        self.detail = detail
        self.headers = headers


def problem(
    code: str,
    detail: str,
    request_id: str | None,
    *,
    errors: Iterable[domain.FieldError] = (),
    headers: tuple[Header, ...] = (),
    members: Mapping[str, Any] | None = None,
) -> Answer:
    """Return a refusal of one of the `KINDS`.

    Args:
        code: The stable code.
        detail: What happened this time, for people.
        request_id: By which the log can be searched.
        errors: The fields that are wrong.
        headers: To be sent along.
        members: More members of the problem, such as `currentVersion`.
    """
    kind = KINDS[code]
    return _render(kind.status, kind.title, code, detail, request_id, errors=errors, headers=headers, members=members)


def edge_problem(status: int, code: str, detail: str, request_id: str | None = None) -> tuple[list[Header], bytes]:
    """Return headers and body of a refusal by the edge, for requests that never reach an application.

    Without a `request_id` of the caller there is a new one.
    """
    request_id = request_id or str(uuid.uuid4())
    kind = KINDS.get(code)
    title = kind.title if kind is not None and kind.status == status else HTTPStatus(status).phrase
    answer = _render(status, title, code, detail, request_id)
    headers = [
        (b"content-type", answer.content_type),
        (b"content-length", b"%d" % len(answer.body)),
        (b"x-request-id", request_id.encode()),
        (b"cache-control", b"no-store"),
        *SECURITY_HEADERS,
    ]
    return headers, answer.body


def page_problem(status: int, request_id: str) -> tuple[str, bytes]:
    """Return content type and body of a refusal where there is no API and no UI to speak."""
    phrase = HTTPStatus(status).phrase
    answer = _render(status, phrase, phrase.lower().replace(" ", "_"), f"{phrase}.", request_id)
    return answer.content_type.decode(), answer.body


def _render(  # the members of a problem are what they are
    status: int,
    title: str,
    code: str,
    detail: str,
    request_id: str | None,
    *,
    errors: Iterable[domain.FieldError] = (),
    headers: tuple[Header, ...] = (),
    members: Mapping[str, Any] | None = None,
) -> Answer:
    document: dict[str, Any] = {
        "type": f"/docs#problem-{code}",
        "title": title,
        "status": status,
        "detail": detail,
        "code": code,
        "requestId": request_id,
        **(members or {}),
    }
    listed = [{"field": error.field, "code": error.code, "message": error.message} for error in errors]
    if listed or status == HTTPStatus.UNPROCESSABLE_ENTITY:
        document["errors"] = listed
    return Answer(status, orjson.dumps(document), PROBLEM_JSON, headers, code)


def answer_to(error: Exception, request_id: str | None) -> Answer | None:
    """Return what to say about an expected refusal; None: it is not one, but a bug."""
    match error:
        case RequestRefusedError():
            return problem(error.code, error.detail, request_id, headers=error.headers)
        case domain.ValidationFailedError():
            detail = error.default_detail if len(error.errors) != 1 else error.errors[0].message
            return problem(error.code, detail, request_id, errors=error.errors)
        case domain.VersionConflictError():
            members = {"currentVersion": error.current}
            return problem(error.code, error.detail, request_id, headers=_headers(error), members=members)
        case domain.TaskError():
            return problem(error.code, error.detail, request_id, errors=_named(error), headers=_headers(error))
        case DatabaseUnavailableError():
            return _unavailable(error, request_id)
    return None


def _named(error: domain.TaskError) -> tuple[domain.FieldError, ...]:
    if isinstance(error, domain.IdempotencyMismatchError):
        return (domain.FieldError("Idempotency-Key", "reused", error.detail),)
    return ()


def _headers(error: domain.TaskError) -> tuple[Header, ...]:
    match error:
        case domain.VersionConflictError():
            return ((b"etag", b'"%d"' % error.current),)
        case domain.RateLimitedError():
            return _retry_after(error.retry_after_seconds)
        case domain.NotAuthenticatedError() | domain.InvalidCredentialsError():
            return ((b"www-authenticate", b'Bearer realm="Rondo"'),)
    return ()


def internal_error(request_id: str | None) -> Answer:
    """Return the answer to a bug: nothing but the id under which the log has it."""
    return problem("internal_error", "It has been recorded; tell the operator the request id.", request_id)


def _unavailable(error: DatabaseUnavailableError, request_id: str | None) -> Answer:
    _OUTAGES.note(error.reason)
    retry_after = _retry_after(RETRY_AFTER_SECONDS)
    if isinstance(error, OutcomeUnknownError):
        detail = "It may or may not have been saved. Repeat the request with the same Idempotency-Key to find out."
        return problem("outcome_unknown", detail, request_id, headers=retry_after)
    detail = "The database cannot be reached; nothing was changed. Try again shortly."
    return problem("database_unavailable", detail, request_id, headers=retry_after)


def _retry_after(seconds: int) -> tuple[Header, ...]:
    return ((b"retry-after", b"%d" % max(1, seconds)),)
