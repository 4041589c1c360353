"""Accessibility: axe in light and dark, narrow and wide; and everything by keyboard alone."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect

from tests.e2e.conftest import PASSWORD, new_email

if TYPE_CHECKING:
    from collections.abc import Callable

    from playwright.sync_api import Page

    from tests.e2e.conftest import Visitor

RULES = {
    "resultTypes": ["violations"],  # of what is well, axe need not say where: a sixth of the time
    "runOnly": {"type": "tag", "values": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]},
}
# What moves and is not seen, as in a closed menu, never ends in Firefox.
STILL = """() => Promise.allSettled(document.getAnimations().map((each) =>
  each.effect.getComputedTiming().duration < 1000 && each.effect.target.checkVisibility() && each.finished))"""
LATE = {"title": "Late", "dueDate": "2020-01-01", "priority": "urgent", "tags": ["home"]}
WIDE, NARROW = {"width": 1440, "height": 900}, {"width": 360, "height": 740}


def violations(page: Page) -> list[str]:
    """Return what axe finds wrong, once everything stands still."""
    page.evaluate(STILL)
    found: list[dict[str, Any]] = Axe().run(page, options=RULES).response["violations"]
    return [f"{each['id']}: {node['html'][:200]} {node['failureSummary']}" for each in found for node in each["nodes"]]


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("viewport", [WIDE, NARROW], ids=["wide", "narrow"])
def test_axe_finds_nothing_to_complain_about(
    visit: Callable[..., Visitor], scheme: str, viewport: dict[str, int]
) -> None:
    visitor = visit(color_scheme=scheme, viewport=viewport, reduced_motion="reduce")
    page = visitor.open("/sign-in")
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_text("Enter your password.")).to_be_visible()
    found = {"sign-in": violations(page)}
    page.close()
    page = visitor.register()
    page.keyboard.press("?")
    expect(page.get_by_role("dialog")).to_be_visible()
    found["empty, help"] = violations(page)
    page.keyboard.press("Escape")
    visitor.call("POST", "/api/tasks", LATE)
    visitor.call("POST", "/api/tasks", {"title": "Done", "description": "More"})
    expect(page.locator(".row")).to_have_count(2)
    page.get_by_role("checkbox", name="Complete “Done”").click()
    page.locator("#filter > summary").click()
    found["list, toast, filter"] = violations(page)
    page.keyboard.press("Escape")
    page.get_by_role("link", name="Late", exact=True).press("Enter")
    panel = page.get_by_role("complementary", name="Details")
    for name in ("Due", "Repeat", "Reminders", "History"):
        panel.locator("summary", has_text=name).click()
    panel.get_by_role("combobox", name="Repeat").select_option("FREQ=DAILY")
    expect(panel.locator(".preview li")).to_have_count(5)
    found["details"] = violations(page)

    assert {name: each for name, each in found.items() if each} == {}


def test_the_first_workflow_needs_no_mouse(anna: Visitor) -> None:
    page = anna.open("/register")
    expect(page.get_by_label("Name")).to_be_focused()
    keyboard = page.keyboard
    for text in ("Anna", new_email(), PASSWORD):
        keyboard.type(text)
        keyboard.press("Tab")
    keyboard.press("Tab")
    keyboard.press("Enter")
    page.get_by_role("heading", name="Inbox").wait_for()
    page.get_by_role("button", name="Remove the examples").press("Enter")
    keyboard.press("Escape")

    keyboard.press("q")
    for title in ("First", "Second", "Third"):
        keyboard.type(title)
        keyboard.press("Enter")
    expect(page.locator(".row")).to_have_count(3)
    keyboard.press("Escape")
    keyboard.press("j")
    expect(page.get_by_role("link", name="Second", exact=True)).to_be_focused()
    keyboard.press("x")
    expect(page.get_by_role("link", name="First", exact=True)).to_be_focused()
    expect(page.get_by_role("status")).to_contain_text("Completed “Second”")
    keyboard.press("u")
    expect(page.locator(".row")).to_have_count(3)
    keyboard.press("p")
    expect(page.get_by_role("radio", name="Medium")).to_be_focused()
    keyboard.press("ArrowRight")
    expect(page.locator(".row[data-priority=high]", has_text="First")).to_be_visible()
    keyboard.press("Escape")
    keyboard.press("Escape")
    expect(page.get_by_role("link", name="First", exact=True)).to_be_focused()
    keyboard.press("g")
    keyboard.press("t")
    expect(page.get_by_role("heading", name="Today", exact=True)).to_be_focused()


def test_single_keys_can_be_switched_off(anna: Visitor) -> None:
    page = anna.register()
    page.keyboard.press("?")

    page.get_by_label("Single-key shortcuts").uncheck()
    page.keyboard.press("Escape")
    page.keyboard.press("?")

    expect(page.get_by_role("dialog")).to_be_hidden()
