"""The page to try the API, in a real browser: complete, usable by everyone, and nothing from elsewhere."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import sync_playwright

from app.web.api.table import ENDPOINTS
from app.web.errors import KINDS
from tests.fixtures.client import PASSWORD

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playwright.sync_api import Page

    from tests.fixtures.rondo import RondoProcess


@pytest.fixture
def page(rondo: RondoProcess) -> Iterator[Page]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path="/usr/bin/chromium", args=["--no-sandbox", "--disable-gpu"]
        )
        page = browser.new_page()
        told: list[str] = []
        asked: list[str] = []
        page.on("console", lambda message: told.append(message.text) if message.type in {"error", "warning"} else None)
        page.on("pageerror", lambda error: told.append(str(error)))
        page.on("request", lambda request: asked.append(request.url))
        page.goto(f"{rondo.url}/docs#createTask")
        page.wait_for_selector("#createTask[open]")
        yield page
        browser.close()
        assert told == []
        assert all(url.startswith(rondo.url) for url in asked)


@pytest.mark.slow
def test_the_api_can_be_read_and_tried(page: Page) -> None:
    for endpoint in ENDPOINTS:
        assert page.locator(f"details#{endpoint.operation}").count() == 1
    for code in KINDS:
        assert page.locator(f"tr#problem-{code}").count() == 1

    page.locator("#register summary").click()
    body = f'{{"email": "docs@example.org", "password": "{PASSWORD}"}}'
    page.locator("#register textarea").fill(body)
    page.locator("#register button").click()
    page.wait_for_selector("#register .status")
    assert page.locator("#register .status").inner_text() == "201 Created"

    page.locator("#createTask button").click()
    page.wait_for_selector("#createTask .status")
    assert page.locator("#createTask .status").inner_text() == "201 Created"
    assert "Water the plants" in page.locator("#createTask pre").last.inner_text()


@pytest.mark.slow
def test_everyone_can_use_it(page: Page) -> None:
    for dark, width in ((False, 1280), (True, 360)):
        page.emulate_media(color_scheme="dark" if dark else "light")
        page.set_viewport_size({"width": width, "height": 800})

        found = Axe().run(page)

        assert found.violations_count == 0, found.generate_report()
        assert page.evaluate("document.documentElement.scrollWidth") <= width
