"""A real Rondo and a real Chromium for the tests of the UI.

Every page watches itself: a console message, an error, a violation of the Content-Security-Policy or a request that
leaves the origin fails the test at its end. What happens on failure is kept as a screenshot in ``test-results/``.
"""

from __future__ import annotations

import itertools
import os
import urllib.parse
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from playwright.sync_api import sync_playwright

from tests.fixtures.rondo import running_rondo

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from playwright.sync_api import Browser, BrowserContext, Page

CHROMIUM = "/usr/bin/chromium"
ARGUMENTS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update"]
PASSWORD = "a quiet place near the river"
RESULTS = Path("test-results")

# Playwright's own `wait_for_function` does not wait for promises.
_EVENTUALLY = """async (argument) => {
  const condition = %s;
  for (let tries = 0; tries < 600; tries += 1) {
    if (await condition(argument)) return true;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  return false;
}"""
_KEPT = """async ([store, text]) => {
  const done = (request) => new Promise((resolve) => { request.onsuccess = () => resolve(request.result); });
  const db = await done(indexedDB.open("rondo"));
  const values = await done(db.transaction(store).objectStore(store).getAll());
  db.close();
  return JSON.stringify(values).includes(text);
}"""

_numbers = itertools.count(1)


@pytest.fixture(scope="session")
def rondo_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a Rondo of our own; ``RONDO_E2E_URL`` names one that runs already."""
    running = os.environ.get("RONDO_E2E_URL")
    if running:
        yield running
        return
    with running_rondo(tmp_path_factory.mktemp("e2e") / "data") as rondo:
        yield rondo.url


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """One Chromium for all tests; each gets contexts of its own."""
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        yield chromium
        chromium.close()


def wait_until(page: Page, condition: str, argument: object = None) -> None:
    """Wait at most 12 s (longer than a held deletion) until an async JavaScript function returns something true."""
    assert page.evaluate(_EVENTUALLY % condition, argument), f"never true: {condition}"


def wait_until_kept(page: Page, store: str, text: str) -> None:
    """Wait until the browser has written a text into one of its stores."""
    wait_until(page, _KEPT, [store, text])


def new_email() -> str:
    """Return an address that nobody has registered."""
    return f"anna-{os.getpid()}-{next(_numbers)}@example.org"


class Visitor:
    """A person at a browser: one context, its pages, and everything that went wrong on them."""

    def __init__(self, browser: Browser, url: str, **options: Any) -> None:
        self.url = url
        self.complaints: list[str] = []
        # Chromium writes every refused or cut request to the console; a test that provokes one names it here.
        self.complaints_allowed: tuple[str, ...] = ()
        self.context: BrowserContext = browser.new_context(
            base_url=url, locale="en-GB", timezone_id="Europe/Berlin", **({"viewport": _WIDE} | options)
        )
        self.context.set_default_timeout(5000)
        self.context.on("request", self._leaves)

    def open(self, path: str) -> Page:
        """Open another tab."""
        page = self.context.new_page()
        page.on("console", lambda message: self.complaints.append(f"console {message.type}: {message.text}"))
        page.on("pageerror", lambda error: self.complaints.append(f"error: {error}"))
        page.goto(path)
        return page

    def register(self) -> Page:
        """Become somebody, past the form, and see the empty Inbox live."""
        account = {"name": "Anna", "email": new_email(), "password": PASSWORD, "timeZone": "Europe/Berlin"}
        self.call("POST", "/api/auth/register", account)
        page = self.open("/")
        page.get_by_text("Live", exact=True).wait_for(state="attached")
        return page

    def call(self, method: str, path: str, data: object = None) -> Any:
        """Call the API as this person, past the page."""
        headers = {"Origin": self.url, "Sec-Fetch-Site": "same-origin"}
        response = self.context.request.fetch(path, method=method, data=data, headers=headers)
        assert response.ok, f"{method} {path}: {response.status} {response.text()}"
        return response.json() if response.body() else None

    def unexpected(self) -> list[str]:
        """Return what went wrong without being asked for."""
        return [each for each in self.complaints if not any(part in each for part in self.complaints_allowed)]

    def _leaves(self, request: Any) -> None:
        ours = urllib.parse.urlsplit(self.url).netloc
        parts = urllib.parse.urlsplit(request.url)
        if parts.scheme not in {"data", "blob"} and parts.netloc != ours:
            self.complaints.append(f"a request left the origin: {request.url}")


_WIDE = {"width": 1440, "height": 900}


@pytest.fixture
def visit(browser: Browser, rondo_url: str, request: pytest.FixtureRequest) -> Iterator[Callable[..., Visitor]]:
    """Make visitors; at the end none of them may have a complaint."""
    visitors: list[Visitor] = []

    def make(**options: Any) -> Visitor:
        visitors.append(Visitor(browser, rondo_url, **options))
        return visitors[-1]

    failed = request.session.testsfailed
    yield make
    if request.session.testsfailed > failed:
        _keep_pictures(visitors, request.node.name)
    for visitor in visitors:
        visitor.context.close()
    assert [complaint for visitor in visitors for complaint in visitor.unexpected()] == []


def _keep_pictures(visitors: list[Visitor], name: str) -> None:
    RESULTS.mkdir(exist_ok=True)
    pages = [page for visitor in visitors for page in visitor.context.pages]
    for number, page in enumerate(pages, 1):
        page.screenshot(path=RESULTS / f"{name}-{number}.png")


@pytest.fixture
def anna(visit: Callable[..., Visitor]) -> Visitor:
    """A visitor at a wide screen."""
    return visit()
