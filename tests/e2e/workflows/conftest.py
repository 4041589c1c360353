"""Each workflow happens four times: in Chromium and in Firefox, at a desk and on a phone."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any

import pytest

from tests.e2e.workflows.person import Person

if TYPE_CHECKING:
    from collections.abc import Callable

    from playwright.sync_api import Browser

    from tests.e2e.conftest import Visitor

DESKTOP: dict[str, Any] = {"viewport": {"width": 1440, "height": 900}}
PHONE: dict[str, Any] = {"viewport": {"width": 390, "height": 844}}
# Over BiDi there are no fingers: Firefox's phone is a narrow window.
FINGERS: dict[str, Any] = {"has_touch": True, "is_mobile": True}


@pytest.fixture(params=["chromium", "firefox"])
def browser(request: pytest.FixtureRequest) -> Browser:
    """Chromium, then Firefox."""
    browser: Browser = request.getfixturevalue(request.param)
    return browser


@pytest.fixture(params=["desktop", "phone"])
def screen(request: pytest.FixtureRequest, browser: Browser) -> dict[str, Any]:
    """The options of a browser context for a screen."""
    if request.param == "desktop":
        return DESKTOP
    return PHONE | (FINGERS if browser.browser_type.name == "chromium" else {})


@pytest.fixture
def visit(visit: Callable[..., Visitor], screen: dict[str, Any]) -> Callable[..., Visitor]:
    """Make visitors at this screen, each step traced."""
    return functools.partial(visit, traced=True, **screen)


@pytest.fixture
def person(anna: Visitor) -> Person:
    """Somebody who has just registered and looks at an empty Inbox."""
    return Person(anna, anna.register())
