"""docs/api.md lists what there is."""

from pathlib import Path

import pytest

from app.web.api.endpoint import Endpoint
from app.web.api.table import ENDPOINTS
from app.web.errors import KINDS
from app.web.server import problems
from app.web.server.problems import Refusal
from tests.unit.web.matrix import name_of

OF_THE_EDGE = [refusal for refusal in vars(problems).values() if isinstance(refusal, Refusal)]
PAGE = (Path(__file__).parents[3] / "docs" / "api.md").read_text()


@pytest.mark.parametrize("endpoint", ENDPOINTS, ids=name_of)
def test_every_endpoint_is_on_the_page(endpoint: Endpoint) -> None:
    assert f"| `{endpoint.method} {endpoint.path}` | {endpoint.summary} | {endpoint.success}" in PAGE


@pytest.mark.parametrize("code", KINDS)
def test_every_refusal_is_on_the_page(code: str) -> None:
    assert f"| `{code}` | {KINDS[code].status} | {KINDS[code].title} |" in PAGE


@pytest.mark.parametrize("refusal", OF_THE_EDGE, ids=lambda refusal: refusal.code)
def test_every_refusal_of_the_edge_is_known_here_and_on_the_page(refusal: Refusal) -> None:
    assert KINDS[refusal.code].status == refusal.status
    assert f"| `{refusal.code}` | {refusal.status} | " in PAGE
