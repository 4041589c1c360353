"""The table finds what it should, and only that."""

from uuid import UUID

import pytest

from app.web.api.endpoint import Endpoint
from app.web.api.router import Router
from app.web.api.table import ENDPOINTS
from tests.unit.web.fakes import TASK_ID

ROUTER = Router(ENDPOINTS)


@pytest.mark.parametrize("endpoint", ENDPOINTS, ids=lambda endpoint: endpoint.operation)
def test_every_endpoint_is_found_at_its_path(endpoint: Endpoint) -> None:
    path = endpoint.path.replace("{id}", str(TASK_ID)).replace("{path}", "events.audit")

    found = ROUTER.find(path)

    assert found is not None
    assert found[0].methods[endpoint.method] is endpoint
    assert found[1] == {"{id}": TASK_ID, "{path}": "events.audit"}.get(parameter_of(endpoint.path))


def parameter_of(path: str) -> str:
    return next((part for part in path.split("/") if part.startswith("{")), "")


def test_letter_case_of_an_id_does_not_count() -> None:
    found = ROUTER.find(f"/api/tasks/{str(TASK_ID).upper()}")

    assert found is not None
    assert found[1] == TASK_ID


@pytest.mark.parametrize(
    "name", ["1", "abc", f"{{{TASK_ID}}}", TASK_ID.hex, f"urn:uuid:{TASK_ID}", f"{TASK_ID} ", "\x00", "%2e%2e", "{id}"]
)
def test_what_is_no_id_finds_the_route_and_no_id(name: str) -> None:
    found = ROUTER.find(f"/api/tasks/{name}")

    assert found is not None
    assert (found[0].path, found[1]) == ("/api/tasks/{id}", None)


@pytest.mark.parametrize(
    "path", ["/", "", "/api", "/api/", "/api/tasks/", "/api/tasks//complete", "/API/tasks", "/api/task", "//api/tasks"]
)
def test_other_paths_are_not_found(path: str) -> None:
    assert ROUTER.find(path) is None


def test_allow_names_head_and_options_too() -> None:
    found = ROUTER.find(f"/api/tasks/{UUID(int=1)}")

    assert found is not None
    assert found[0].allow == b"DELETE, GET, HEAD, OPTIONS, PATCH, PUT"


def test_a_row_that_is_there_twice_is_an_error() -> None:
    with pytest.raises(ValueError, match="twice"):
        Router([*ENDPOINTS, ENDPOINTS[0]])
