"""A Rondo whose address is https, opened by the same name without TLS: browsers take no cookie from it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import expect

from tests.e2e.conftest import ARGUMENTS, CHROMIUM, PASSWORD, new_email
from tests.e2e.test_everyone_can_use_it import violations
from tests.fixtures.rondo import running_rondo

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from playwright.sync_api import Browser, Page, Playwright

    from tests.e2e.conftest import Visitor
    from tests.fixtures.rondo import RondoProcess

HOST = "tasks.lan"


@pytest.fixture(scope="module")
def rondo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RondoProcess]:
    """A Rondo that people are meant to reach over TLS."""
    with running_rondo(tmp_path_factory.mktemp("tls") / "data", RONDO_PUBLIC_URL=f"https://{HOST}") as process:
        yield process


@pytest.fixture(scope="module")
def browser(playwright: Playwright, rondo: RondoProcess) -> Iterator[Browser]:
    """A Chromium for which the host is this Rondo, without a port that would make it another host."""
    resolving = f"--host-resolver-rules=MAP {HOST} 127.0.0.1:{rondo.port}"
    chromium = playwright.chromium.launch(executable_path=CHROMIUM, args=[*ARGUMENTS, resolving])
    yield chromium
    chromium.close()


def send(page: Page, email: str, path: str) -> None:
    """Fill in the form, and wait for what the server says to it: yes."""
    page.locator("[name=email]").fill(email)
    page.locator("[name=password]").fill(PASSWORD)
    with page.expect_response(lambda response: response.url.endswith(path)) as answer:
        page.locator("#auth form button").click()
    assert answer.value.ok


@pytest.mark.parametrize(
    ("locale", "sentence", "signed_out"),
    [
        ("en-GB", "This Rondo keeps you signed in over https only.", "signed out"),
        ("de-DE", "Bei diesem Rondo bleibst du nur über https angemeldet.", "abgemeldet"),
    ],
    ids=["english", "german"],
)
def test_the_form_says_that_only_https_keeps_one_signed_in(
    visit: Callable[..., Visitor], locale: str, sentence: str, signed_out: str
) -> None:
    visitor = visit(f"http://{HOST}", locale=locale)
    # What Chromium says of GET /api/me, and of a header that is for https.
    visitor.complaints_allowed = ("status of 401", "Cross-Origin-Opener-Policy header has been ignored")
    email = new_email()
    page = visitor.open("/register")

    send(page, email, "/api/auth/register")
    expect(page.get_by_role("alert")).to_have_text(sentence)
    assert violations(page) == []

    page.goto("/sign-in")
    send(page, email, "/api/auth/login")
    expect(page.get_by_role("alert")).to_have_text(sentence)

    expect(page.get_by_text(signed_out)).to_have_count(0)
    expect(page.locator("[name=password]")).to_be_focused()
    expect(page).to_have_url(f"{visitor.url}/sign-in")
