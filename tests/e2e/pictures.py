"""Makes the pictures of the documentation: ``python -m tests.e2e.pictures`` starts a Rondo, fills it, looks at it."""

from __future__ import annotations

import tempfile
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from playwright.sync_api import expect, sync_playwright

from tests.e2e.conftest import ARGUMENTS, CHROMIUM, PASSWORD, TIME_ZONE, Visitor
from tests.e2e.picture_states import show_states
from tests.e2e.test_first_run import register
from tests.e2e.test_ops_page import AUDIT, NO_AUDIT, OPERATOR, Load, actor, fault, post, signed_in
from tests.fixtures.rondo import running_rondo

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

    from tests.fixtures.rondo import RondoProcess

TARGET = Path(__file__).parents[2] / "docs" / "screenshots"
MONTHLY = {"rule": "FREQ=MONTHLY;SKIP=BACKWARD", "mode": "schedule", "missed": "skip"}
WEEKLY = {"rule": "FREQ=WEEKLY;BYDAY=TU,SA", "mode": "schedule", "missed": "skip"}
# Title, days from today, and the rest.
TASKS = (
    ("Renew the passport", 20, {"tags": ["travel"]}),
    ("Read the chapter on supervision trees", None, {"priority": "low", "tags": ["reading"]}),
    ("Book the train to Hamburg", 3, {"tags": ["travel"]}),
    ("Water the plants", 1, {"priority": "low", "tags": ["home"], "recurrence": WEEKLY}),
    (
        "Prepare the slides for Thursday",
        0,
        {"priority": "high", "tags": ["work"], "description": "Numbers from Grace."},
    ),
    ("Call the plumber about the dripping tap", 0, {"priority": "high", "tags": ["home", "phone"]}),
    ("Pay the rent", -2, {"priority": "urgent", "tags": ["home"], "recurrence": MONTHLY}),
)
VIEWS = (
    ("light", "light", 1280, 800),
    ("dark", "dark", 1280, 800),
    ("phone", "light", 390, 780),
)


def main() -> None:
    """Write the pictures into ``docs/screenshots/``."""
    TARGET.mkdir(exist_ok=True)
    with (
        tempfile.TemporaryDirectory() as folder,
        running_rondo(Path(folder) / "data") as rondo,
        sync_playwright() as playwright,
    ):
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        post(rondo.url, "/api/auth/register", {"name": "Olga", "email": OPERATOR, "password": PASSWORD})
        _operations(browser, rondo)
        for name, scheme, width, height in VIEWS:
            _look(browser, rondo.url, name, color_scheme=scheme, viewport={"width": width, "height": height})
        show_states(browser, rondo.url, TARGET, _fill)
        _account(browser, rondo.url)
        browser.close()


def _look(browser: Browser, url: str, name: str, **options: Any) -> None:
    visitor = Visitor(browser, url, **options)
    page = visitor.register()
    _fill(visitor)
    page.goto("/today")
    page.get_by_text("Pay the rent").first.wait_for()
    if name != "phone":
        page.get_by_role("link", name="Pay the rent").click()
        page.get_by_text("every month").first.wait_for()
    expect(page.get_by_text("Changed in another window")).to_have_count(0, timeout=20_000)
    page.wait_for_timeout(600)  # let the last movement end
    page.screenshot(path=TARGET / ("readme.png" if name == "light" else f"{name}.png"))
    visitor.context.close()


def _fill(visitor: Visitor) -> None:
    today = datetime.now(ZoneInfo(TIME_ZONE)).date()
    for title, days, fields in TASKS:
        due = None if days is None else (today + timedelta(days=days)).isoformat()
        visitor.call("POST", "/api/tasks", {"title": title, "dueDate": due, **fields})


def _account(browser: Browser, url: str) -> None:
    """Look at the first minutes and at the settings: English and German, a desk and a phone, right to left."""
    wide, phone = {"width": 1280, "height": 800}, {"width": 390, "height": 780}
    views: tuple[tuple[str, str, dict[str, Any]], ...] = (
        ("welcome", "en-GB", {"viewport": wide}),
        ("welcome-german", "de-DE", {"viewport": phone, "color_scheme": "dark", "has_touch": True, "is_mobile": True}),
    )
    for name, locale, options in views:
        page = register(Visitor(browser, url, locale=locale, **options))
        page.wait_for_timeout(600)
        page.screenshot(path=TARGET / f"{name}.png")
        page.goto("/settings")
        page.locator(".session").first.wait_for()
        page.screenshot(path=TARGET / f"{name.replace('welcome', 'settings')}.png")
        page.goto("/")
        page.locator(".row").first.wait_for()
        page.evaluate("document.documentElement.dir = 'rtl'")
        page.screenshot(path=TARGET / f"{name.replace('welcome', 'right-to-left')}.png")
        page.context.close()


def _operations(browser: Browser, rondo: RondoProcess) -> None:
    """Look at the operators' page while there is work, and while the audit actor cannot do its own."""
    pages: list[tuple[str, Page]] = []
    with Load(rondo.url):
        for name, scheme, width, height in VIEWS:
            visitor = Visitor(
                browser, rondo.url, color_scheme=scheme, viewport={"width": width, "height": height + 100}
            )
            pages.append((name, signed_in(visitor).open("/ops#events/audit" if name == "dark" else "/ops")))
        pages[0][1].wait_for_timeout(9000)  # the sparklines need a past
        with fault(rondo, NO_AUDIT, AUDIT):
            pages[0][1].wait_for_timeout(3500)  # by now it waits for seconds, not for milliseconds
            for name, page in pages:
                expect(actor(page, "events/audit")).to_have_attribute("data-state", "backoff")
                page.wait_for_timeout(300)
                page.screenshot(path=TARGET / f"ops-{name}.png")
    for _, page in pages:
        page.context.close()


if __name__ == "__main__":
    main()
