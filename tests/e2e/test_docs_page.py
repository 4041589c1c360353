"""The page to try the API, in a real browser: complete, usable by everyone, and nothing from elsewhere."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from axe_playwright_python.sync_playwright import Axe

from app.web.api.table import ENDPOINTS
from app.web.errors import KINDS
from tests.e2e.conftest import PASSWORD, Visitor, new_email

if TYPE_CHECKING:
    from collections.abc import Callable

    from playwright.sync_api import Page


@pytest.fixture
def page(visit: Callable[..., Visitor]) -> Page:
    page = visit().open("/docs#createTask")
    page.wait_for_selector("#createTask[open]")
    return page


@pytest.mark.slow
def test_the_api_can_be_read_and_tried(page: Page) -> None:
    for endpoint in ENDPOINTS:
        assert page.locator(f"details#{endpoint.operation}").count() == 1
    for code in KINDS:
        assert page.locator(f"tr#problem-{code}").count() == 1

    page.locator("#register summary").click()
    body = f'{{"email": "{new_email()}", "password": "{PASSWORD}"}}'
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

        found = Axe().run(page, options={"resultTypes": ["violations"]})

        assert found.violations_count == 0, found.generate_report()
        assert page.evaluate("document.documentElement.scrollWidth") <= width
