"""Every refusal has a status, and no answer says more than it should."""

import inspect
import json

import pytest

from app.domain import errors as domain
from app.ports.database import DatabaseUnavailableError, OutcomeUnknownError
from app.web.errors import KINDS, RequestRefusedError, answer_to, edge_problem, internal_error, page_problem, problem

MADE = {
    domain.ValidationFailedError: domain.ValidationFailedError.of("title", "required", "Must be given."),
    domain.PasswordRefusedError: domain.PasswordRefusedError("too_short", "Too short."),
    domain.VersionConflictError: domain.VersionConflictError(8),
    domain.RateLimitedError: domain.RateLimitedError(30, "user"),
}
REFUSALS = [kind for _, kind in inspect.getmembers(domain, inspect.isclass) if issubclass(kind, domain.TaskError)]


@pytest.mark.parametrize("kind", [kind for kind in REFUSALS if kind is not domain.TaskError])
def test_every_refusal_of_the_domain_has_an_answer(kind: type[domain.TaskError]) -> None:
    answer = answer_to(MADE.get(kind) or kind(), "r1")

    assert answer is not None
    document = json.loads(answer.body)
    assert document["code"] == kind.code
    assert document["status"] == answer.status == KINDS[kind.code].status
    assert {"type", "title", "status", "detail", "code", "requestId"} <= document.keys()


def test_a_bug_is_no_refusal() -> None:
    assert answer_to(ZeroDivisionError("/srv/secret.py"), "r1") is None


@pytest.mark.accepts("X23")
def test_a_bug_is_answered_with_the_request_id_and_nothing_else() -> None:
    answer = internal_error("r1")

    assert answer.status == 500
    assert json.loads(answer.body)["requestId"] == "r1"


def test_a_conflict_says_which_version_is_current() -> None:
    answer = answer_to(domain.VersionConflictError(8), "r1")

    assert answer is not None
    assert (b"etag", b'"8"') in answer.headers
    assert json.loads(answer.body)["currentVersion"] == 8


@pytest.mark.parametrize(
    ("error", "code"), [(DatabaseUnavailableError, "database_unavailable"), (OutcomeUnknownError, "outcome_unknown")]
)
def test_a_database_that_is_away_is_worth_another_try(error: type[DatabaseUnavailableError], code: str) -> None:
    answer = answer_to(error("host 10.0.0.7 refused"), "r1")

    assert answer is not None
    assert (answer.status, answer.code) == (503, code)
    assert dict(answer.headers)[b"retry-after"] == b"2"
    assert b"10.0.0.7" not in answer.body


def test_a_limit_says_when_to_try_again() -> None:
    answer = answer_to(domain.RateLimitedError(30, "user"), "r1")

    assert answer is not None
    assert dict(answer.headers)[b"retry-after"] == b"30"


def test_one_wrong_field_is_the_detail_and_several_are_listed() -> None:
    one = answer_to(domain.ValidationFailedError.of("title", "required", "Must be given."), None)
    two = answer_to(domain.ValidationFailedError([domain.FieldError("a", "b", "c")] * 2), None)

    assert one is not None
    assert two is not None
    assert json.loads(one.body)["detail"] == "Must be given."
    assert len(json.loads(two.body)["errors"]) == 2


def test_a_refused_request_brings_its_headers() -> None:
    answer = answer_to(RequestRefusedError("method_not_allowed", "No.", ((b"allow", b"GET"),)), None)

    assert answer is not None
    assert answer.headers == ((b"allow", b"GET"),)


def test_a_code_nobody_declared_is_a_bug() -> None:
    with pytest.raises(KeyError):
        problem("surprise", "", None)


@pytest.mark.parametrize(
    ("status", "code", "title"),
    [(413, "body_too_large", "Body too large"), (418, "x", "I'm a Teapot")],
)
def test_the_edge_refuses_in_the_same_words(status: int, code: str, title: str) -> None:
    headers, body = edge_problem(status, code, "No.")

    document = json.loads(body)
    assert (document["title"], document["status"], document["code"]) == (title, status, code)
    assert dict(headers)[b"x-request-id"].decode() == document["requestId"]
    assert dict(headers)[b"content-type"] == b"application/problem+json"
    assert b"content-security-policy" in dict(headers)


def test_the_edge_names_the_id_that_a_caller_gave() -> None:
    headers, body = edge_problem(413, "body_too_large", "No.", "my-id")

    assert dict(headers)[b"x-request-id"] == b"my-id"
    assert json.loads(body)["requestId"] == "my-id"


def test_a_page_that_is_not_there_is_a_problem_too() -> None:
    content_type, body = page_problem(404, "r1")

    assert content_type == "application/problem+json"
    assert json.loads(body)["code"] == "not_found"
