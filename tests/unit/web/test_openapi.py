"""The contract is valid, complete, and the truth."""

import json
from typing import Any

import jsonschema_rs
import msgspec
import pytest

from app.web.api import documents, openapi
from app.web.api.endpoint import Endpoint
from app.web.api.schema import Components
from app.web.api.table import ENDPOINTS
from app.web.errors import KINDS
from tests.unit.web.conftest import Call
from tests.unit.web.matrix import name_of

DOCUMENT: dict[str, Any] = json.loads(openapi.document(ENDPOINTS))


def operation(endpoint: Endpoint) -> dict[str, Any]:
    found: dict[str, Any] = DOCUMENT["paths"][endpoint.path][endpoint.method.lower()]
    return found


def resolved(pointer: str) -> Any:
    node: Any = DOCUMENT
    for part in pointer.removeprefix("#/").split("/"):
        node = node[part]
    return node


def references(node: Any) -> set[str]:
    if isinstance(node, dict):
        own = {node["$ref"]} if isinstance(node.get("$ref"), str) else set()
        return own.union(*(references(value) for value in node.values()))
    if isinstance(node, list):
        return set().union(*(references(item) for item in node))
    return set()


async def test_it_is_served(call: Call) -> None:
    response = await call("GET", "/api/openapi.json")

    assert response.json() == DOCUMENT


def test_it_is_openapi_3_1() -> None:
    assert DOCUMENT["openapi"] == "3.1.0"
    assert DOCUMENT["info"].keys() >= {"title", "version", "license"}


@pytest.mark.parametrize("name", DOCUMENT["components"]["schemas"])
def test_every_schema_is_json_schema(name: str) -> None:
    schema = DOCUMENT["components"]["schemas"][name]

    assert schema["description"]
    jsonschema_rs.meta.validate({"$schema": "https://json-schema.org/draft/2020-12/schema", **schema})


def test_every_reference_leads_somewhere() -> None:
    assert all(resolved(reference) for reference in references(DOCUMENT))


@pytest.mark.parametrize("endpoint", ENDPOINTS, ids=name_of)
def test_every_endpoint_is_described(endpoint: Endpoint) -> None:
    described = operation(endpoint)

    assert described["summary"]
    assert described["tags"] == [endpoint.tag]
    assert endpoint.tag in {tag["name"] for tag in DOCUMENT["tags"]}
    assert str(endpoint.success) in described["responses"]
    assert ("requestBody" in described) == (endpoint.body is not None)
    assert bool(described["security"]) == (endpoint.auth is not endpoint.auth.PUBLIC)


@pytest.mark.parametrize("endpoint", ENDPOINTS, ids=name_of)
def test_every_refusal_is_described(endpoint: Endpoint) -> None:
    described = operation(endpoint)["responses"]

    for code in openapi.codes_of(endpoint):
        assert f"`{code}`" in described[str(KINDS[code].status)]["description"] or endpoint.unhealthy


def test_every_operation_has_a_name_of_its_own() -> None:
    names = [endpoint.operation for endpoint in ENDPOINTS]

    assert len(set(names)) == len(names)


@pytest.mark.parametrize("endpoint", [row for row in ENDPOINTS if row.links], ids=name_of)
def test_every_link_leads_to_an_operation(endpoint: Endpoint) -> None:
    names = {row.operation for row in ENDPOINTS}

    assert {link.operation for link in endpoint.links.values()} <= names


@pytest.mark.parametrize("endpoint", [row for row in ENDPOINTS if row.body], ids=name_of)
def test_every_body_has_an_example_that_fits(endpoint: Endpoint) -> None:
    content = operation(endpoint)["requestBody"]["content"]["application/json"]
    schema = content["schema"] | {"components": DOCUMENT["components"]}

    jsonschema_rs.validator_for(schema).validate(content["example"])


def test_every_code_is_listed_with_its_status() -> None:
    assert {row["code"]: row["status"] for row in DOCUMENT["x-problems"]} == {
        code: kind.status for code, kind in KINDS.items()
    }


def test_two_documents_of_one_name_are_an_error() -> None:
    components = Components()
    components.reference(documents.Task)

    with pytest.raises(ValueError, match="Task"):
        components.reference(msgspec.defstruct("Task", ["title"]))
