"""A real Rondo and real browsers for the tests of the UI: Chromium for all of them, Firefox for those that ask for it.

Every page watches itself: a console message, an error, a violation of the Content-Security-Policy or a request that
leaves the origin fails the test at its end. What happened is kept in ``test-results/``: of each page a screenshot, its
elements and what it was told, and of visitors who are traced every step (``playwright show-trace``).
"""

from __future__ import annotations

import itertools
import os
import shutil
import urllib.parse
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from playwright.sync_api import expect, sync_playwright

from tests.e2e import firefox as debian_firefox
from tests.fixtures.rondo import running_rondo

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from playwright.sync_api import Browser, BrowserContext, Page, Playwright

# The shell without a window draws the same pages in two thirds of the time.
CHROMIUM = shutil.which("chromium-headless-shell") or "/usr/bin/chromium"
ARGUMENTS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update"]
PASSWORD = "a quiet place near the river"
# Where visitors live: for an hour or two a day their date is another than UTC's.
TIME_ZONE = "Europe/Berlin"
RESULTS = Path("test-results")
# Nothing waits this long where all is well; a machine under load must not fail a test.
PATIENCE_MS = 15_000
expect.set_options(timeout=PATIENCE_MS)

# Playwright's own `wait_for_function` does not wait for promises.
_EVENTUALLY = """async (argument) => {
  const condition = %s;
  for (let tries = 0; tries < 600; tries += 1) {
    const late = new Promise((resolve) => setTimeout(resolve, 12_000));
    if (await Promise.race([condition(argument), late])) return true;
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
# What a page was told, to be read when a test of it failed: acts, where they landed, and each change of the address.
_RECORD = """(() => {
  const acts = (window.recorded = []);
  const say = (...what) => acts.push([Math.round(performance.now()), ...what, location.pathname].join(" "));
  const name = ({ tagName = "window", id = "", className = "" }) => `${tagName}#${id}.${className}`;
  for (const act of ["pointerdown", "pointerup", "click", "keydown", "focusin", "popstate"]) {
    addEventListener(act, ({ target, key = "" }) => say(act, key, name(target)), { capture: true });
  }
  globalThis.navigation?.addEventListener("navigate", (event) => say(event.navigationType, event.destination.url));
})()"""

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
def playwright() -> Iterator[Playwright]:
    """The driver; a process can have only one."""
    with sync_playwright() as driver:
        yield driver


@pytest.fixture(scope="session")
def chromium(playwright: Playwright) -> Iterator[Browser]:
    """One Chromium for all tests; each gets contexts of its own."""
    chromium = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
    yield chromium
    chromium.close()


@pytest.fixture(scope="session")
def firefox(playwright: Playwright, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    """One Firefox for the tests that ask for it."""
    if not Path(debian_firefox.FIREFOX).exists():
        pytest.skip("firefox-esr is not installed")
    with debian_firefox.running(playwright, tmp_path_factory.mktemp("firefox")) as firefox:
        yield firefox


@pytest.fixture(scope="session")
def browser(chromium: Browser) -> Browser:
    """The browser of a test; the workflows have two."""
    return chromium


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

    def __init__(self, browser: Browser, url: str, *, traced: bool = False, **options: Any) -> None:
        self.url = url
        self.complaints: list[str] = []
        # Chromium writes every refused or cut request to the console; a test that provokes one names it here.
        self.complaints_allowed: tuple[str, ...] = ()
        self._was_offline = False
        self.context: BrowserContext = browser.new_context(
            base_url=url, timezone_id=TIME_ZONE, **({"viewport": _WIDE, "locale": "en-GB"} | options)
        )
        self.context.set_default_timeout(PATIENCE_MS)
        self.context.on("request", self._leaves)
        self.context.add_init_script(_RECORD)
        # Firefox cannot be traced over BiDi, and a trace slows down what other tests measure.
        self.traced = traced and browser.browser_type.name == "chromium"
        if self.traced:
            self.context.tracing.start(snapshots=True)

    def open(self, path: str) -> Page:
        """Open another tab."""
        page = self.context.new_page()
        page.on("console", lambda message: self.complaints.append(f"console {message.type}: {message.text}"))
        page.on("pageerror", lambda error: self.complaints.append(f"error: {error}"))
        page.goto(path)
        return page

    def register(self, *, live: bool = True) -> Page:
        """Become somebody, past the form, and see the empty Inbox, live unless it cannot be."""
        account = {"name": "Anna", "email": new_email(), "password": PASSWORD, "timeZone": TIME_ZONE}
        self.call("POST", "/api/auth/register", account)
        page = self.open("/")
        if live:
            page.get_by_text("Live", exact=True).wait_for(state="attached")
        return page

    def call(self, method: str, path: str, data: object = None) -> Any:
        """Call the API as this person, past the page."""
        headers = {"Origin": self.url, "Sec-Fetch-Site": "same-origin"}
        response = self.context.request.fetch(path, method=method, data=data, headers=headers)
        assert response.ok, f"{method} {path}: {response.status} {response.text()}"
        return response.json() if response.body() else None

    def set_offline(self, offline: bool) -> None:  # noqa: FBT001 # stands where Playwright's own method of this signature stood
        """Cut the line or mend it. What was on its way at that moment is a line on the console, and no fault."""
        self._was_offline |= offline
        self.context.set_offline(offline)

    def unexpected(self) -> list[str]:
        """Return what went wrong without being asked for."""
        allowed = (*self.complaints_allowed, *(["ERR_INTERNET_DISCONNECTED"] if self._was_offline else []))
        return [each for each in self.complaints if not any(part in each for part in allowed)]

    def keep(self, name: str) -> None:
        """Keep what can be seen of a failure: of every page a picture, its elements, its acts; and the trace."""
        for number, page in enumerate(self.context.pages, 1):
            page.screenshot(path=RESULTS / f"{name}-{number}.png")
            (RESULTS / f"{name}-{number}.html").write_text(f"<!-- {page.url} -->\n{page.content()}", encoding="utf-8")
            acts = page.evaluate("window.recorded ?? []")
            (RESULTS / f"{name}-{number}.txt").write_text("\n".join([*acts, page.url]), encoding="utf-8")
        if self.traced:
            self.context.tracing.stop(path=RESULTS / f"{name}.zip")

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

    def make(url: str = rondo_url, **options: Any) -> Visitor:
        visitors.append(Visitor(browser, url, **options))
        return visitors[-1]

    failed = request.session.testsfailed
    yield make
    unexpected = [complaint for visitor in visitors for complaint in visitor.unexpected()]
    for number, visitor in enumerate(visitors, 1):
        if unexpected or request.session.testsfailed > failed:
            visitor.keep(f"{request.node.name}-{number}")
        visitor.context.close()
    assert unexpected == []


@pytest.fixture
def anna(visit: Callable[..., Visitor]) -> Visitor:
    """A visitor at a wide screen."""
    return visit()
