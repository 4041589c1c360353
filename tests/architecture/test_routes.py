from collections import Counter

import orjson

from app.web.api import openapi
from app.web.api.observing import Meter
from app.web.api.table import ENDPOINTS
from monitoring import metrics


def test_every_route_says_what_it_does() -> None:
    silent = [f"{endpoint.method} {endpoint.path}" for endpoint in ENDPOINTS if not (endpoint.summary and endpoint.tag)]

    assert ENDPOINTS
    assert silent == []


def test_every_operation_has_a_name_of_its_own() -> None:
    names = Counter(endpoint.operation for endpoint in ENDPOINTS)

    assert [name for name, count in names.items() if count > 1 or not name.isidentifier()] == []


def test_every_route_is_metered_under_its_own_name() -> None:
    for endpoint in ENDPOINTS:
        Meter(endpoint.method, endpoint.path).count(endpoint.success, 0.0, 0, 0)

    counted = {
        (sample.labels["method"], sample.labels["route"])
        for family in metrics.HTTP_REQUESTS_TOTAL.collect()
        for sample in family.samples
    }
    assert {(endpoint.method, endpoint.path) for endpoint in ENDPOINTS} <= counted


def test_every_route_is_in_the_contract() -> None:
    paths = orjson.loads(openapi.document(ENDPOINTS))["paths"]

    documented = {(method.upper(), path) for path, operations in paths.items() for method in operations}
    assert {(endpoint.method, endpoint.path) for endpoint in ENDPOINTS} <= documented
