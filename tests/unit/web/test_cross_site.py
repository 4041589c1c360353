"""What another site makes a browser send changes nothing, for every endpoint there is."""

import httpx2
import pytest

from app.web.api.endpoint import Endpoint
from app.web.api.request import Request
from app.web.api.same_origin import SameOrigin
from app.web.errors import RequestRefusedError
from tests.unit.web.fakes import OPERATOR_TOKEN, FakeServices
from tests.unit.web.matrix import SIGNING_IN, WITH_COOKIE, name_of, request_of

COOKIE = {"cookie": f"rondo_session={OPERATOR_TOKEN}"}
REFUSED = {
    "it does not say": {},
    "cross-site": {"sec-fetch-site": "cross-site"},
    "same-site": {"sec-fetch-site": "same-site"},
    "cross-site, with an origin that lies": {"sec-fetch-site": "cross-site", "origin": "http://rondo.test"},
    "nonsense": {"sec-fetch-site": "yes"},
    "foreign origin": {"origin": "http://evil.test"},
    "origin null": {"origin": "null"},
    "another port": {"origin": "http://rondo.test:8080"},
    "a name that begins like ours": {"origin": "http://rondo.test.evil.test"},
    "a name that ends like ours": {"origin": "http://evilrondo.test"},
    "a form": {"sec-fetch-site": "same-origin", "content-type": "application/x-www-form-urlencoded"},
    "a form with files": {"sec-fetch-site": "same-origin", "content-type": "multipart/form-data; boundary=x"},
    "a form of text": {"sec-fetch-site": "same-origin", "content-type": "text/plain"},
}
TAKEN = {
    "same-origin": {"sec-fetch-site": "same-origin"},
    "typed by the user": {"sec-fetch-site": "none"},
    "our origin": {"origin": "http://rondo.test"},
    "our origin, behind a proxy with TLS": {"origin": "https://rondo.test"},
}


@pytest.mark.accepts("X09")
@pytest.mark.parametrize("reason", REFUSED)
@pytest.mark.parametrize("endpoint", WITH_COOKIE, ids=name_of)
async def test_a_cookie_alone_changes_nothing(
    http: httpx2.AsyncClient, services: FakeServices, endpoint: Endpoint, reason: str
) -> None:
    response = await http.request(**request_of(endpoint), headers=COOKIE | REFUSED[reason])

    assert (response.status_code, response.json()["code"]) == (403, "cross_site_request")
    assert services.calls == []


@pytest.mark.accepts("X09")
@pytest.mark.parametrize("reason", TAKEN)
@pytest.mark.parametrize("endpoint", WITH_COOKIE, ids=name_of)
async def test_our_own_pages_can_do_everything(http: httpx2.AsyncClient, endpoint: Endpoint, reason: str) -> None:
    response = await http.request(**request_of(endpoint), headers=COOKIE | TAKEN[reason])

    assert response.status_code == endpoint.success


@pytest.mark.parametrize("endpoint", WITH_COOKIE, ids=name_of)
async def test_a_bearer_token_needs_no_origin(http: httpx2.AsyncClient, endpoint: Endpoint) -> None:
    headers = {"authorization": f"Bearer {OPERATOR_TOKEN}", "sec-fetch-site": "cross-site"}

    response = await http.request(**request_of(endpoint), headers=headers)

    assert response.status_code == endpoint.success


@pytest.mark.accepts("X09")
@pytest.mark.parametrize(
    "headers", [{"sec-fetch-site": "cross-site"}, {"origin": "http://evil.test"}, {"origin": "null"}]
)
@pytest.mark.parametrize("endpoint", SIGNING_IN, ids=name_of)
async def test_another_site_cannot_sign_anybody_in(
    http: httpx2.AsyncClient, services: FakeServices, endpoint: Endpoint, headers: dict[str, str]
) -> None:
    response = await http.request(**request_of(endpoint), headers=headers)

    assert response.status_code == 403
    assert services.calls == []


def asked(**headers: str) -> Request:
    pairs = [(name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()]
    scope = {
        "method": "POST",
        "path": "/",
        "query_string": b"",
        "headers": pairs,
        "scheme": headers.pop("scheme", "http"),
    }
    return Request.of(scope, receive=None)  # type: ignore[arg-type] # nothing is received here


def test_the_public_url_is_ours_whatever_the_proxy_calls_us() -> None:
    same_origin = SameOrigin("https://tasks.example.org")

    same_origin.check(asked(host="backend:8000", origin="https://tasks.example.org"))
    same_origin.check(asked(host="backend:8000", origin="https://tasks.example.org:443"))
    with pytest.raises(RequestRefusedError):
        same_origin.check(asked(host="backend:8000", origin="https://tasks.example.org:8443"))


def test_plain_http_is_not_ours_where_there_is_tls() -> None:
    with pytest.raises(RequestRefusedError):
        SameOrigin().check(asked(host="rondo.test", origin="http://rondo.test", scheme="https"))


@pytest.mark.parametrize("origin", ["http://", "rondo.test", "http://rondo.test:99999", "http://[::1", "file:///etc"])
def test_an_origin_that_is_none_is_foreign(origin: str) -> None:
    with pytest.raises(RequestRefusedError):
        SameOrigin().check(asked(host="rondo.test", origin=origin))
