"""The command palette: everything within reach of one field."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import expect

from tests.e2e.test_everyone_can_use_it import NARROW, violations

if TYPE_CHECKING:
    from collections.abc import Callable

    from playwright.sync_api import Locator, Page, Route

    from tests.e2e.conftest import Visitor


@pytest.fixture
def page(anna: Visitor) -> Page:
    """A page with three tasks."""
    page = anna.register()
    for task in ({"title": "Read the news"}, {"title": "Buy bread", "tags": ["shop"]}, {"title": "Water the plants"}):
        anna.call("POST", "/api/tasks", task)
    expect(page.locator(".row")).to_have_count(3)
    return page


def opened(page: Page, typed: str = "") -> Locator:
    """Open the palette, type, and return its active option."""
    page.keyboard.press("Control+k")
    expect(page.get_by_role("combobox", name="Commands")).to_be_focused()
    page.keyboard.type(typed)
    return page.get_by_role("option", selected=True)


def test_a_few_letters_lead_anywhere(page: Page) -> None:
    for typed, heading in (("upc", "Upcoming"), ("#sh", "#shop"), ("cmpl", "Completed")):
        expect(opened(page, typed)).to_contain_text(heading)
        page.keyboard.press("Enter")
        expect(page.get_by_role("heading", name=heading, exact=True)).to_be_focused()


def test_a_task_is_found_by_the_beginnings_of_its_words(page: Page) -> None:
    expect(opened(page, "wat pla")).to_have_text("Water the plants")
    page.keyboard.press("Enter")

    expect(page.get_by_role("complementary", name="Details").get_by_label("Title")).to_have_value("Water the plants")


def test_what_can_be_done_is_done_to_the_task_in_hand(anna: Visitor, page: Page) -> None:
    page.get_by_role("link", name="Buy bread").focus()
    expect(opened(page, "prio urg")).to_have_text("Priority: Urgent")
    page.keyboard.press("Enter")

    expect(page.locator(".row[data-priority=urgent]")).to_contain_text("Buy bread")
    expect(page.get_by_role("link", name="Buy bread")).to_be_focused()
    opened(page, "due tomor")
    page.keyboard.press("Enter")
    expect(page.locator(".row", has_text="Buy bread")).to_contain_text("Tomorrow")
    opened(page, "complete")
    page.keyboard.press("Enter")
    expect(page.locator(".row")).to_have_count(2)
    expect(page.locator(".row-title:focus")).to_have_count(1)


@pytest.mark.parametrize(
    ("locale", "typed", "words", "heading"),
    [
        ("en-GB", "sett", "Settings", "Settings"),
        ("en-GB", "account", "Settings", "Settings"),
        ("en-GB", "passw", "Settings: Password", "Password"),
        ("en-GB", "signed in", "Settings: Where you are signed in", "Where you are signed in"),
        ("de-DE", "einst", "Einstellungen", "Einstellungen"),
        ("de-DE", "konto", "Einstellungen", "Einstellungen"),
        ("de-DE", "daten", "Einstellungen: Deine Daten", "Deine Daten"),
    ],
)
def test_the_settings_are_found_in_the_words_of_the_language(
    visit: Callable[..., Visitor], locale: str, typed: str, words: str, heading: str
) -> None:
    page = visit(locale=locale).register(live=False)
    page.locator("#heading").wait_for()
    page.keyboard.press("Control+k")
    page.locator("#palette-text:focus").wait_for()
    page.keyboard.type(typed)

    expect(page.get_by_role("option", selected=True)).to_have_text(words)
    page.keyboard.press("Enter")

    expect(page.get_by_role("heading", name=heading, exact=True)).to_be_focused()
    expect(page.locator("#settings")).to_be_visible()


def test_arrows_walk_through_the_options_and_say_which_is_active(page: Page) -> None:
    field = page.get_by_role("combobox", name="Commands")
    opened(page)
    first = field.get_attribute("aria-activedescendant")
    page.keyboard.press("ArrowDown")

    second = field.get_attribute("aria-activedescendant")
    assert first != second
    expect(page.get_by_role("option", selected=True)).to_have_attribute("id", str(second))
    page.keyboard.press("ArrowUp")
    page.keyboard.press("ArrowUp")
    expect(page.get_by_role("option").last).to_have_attribute("aria-selected", "true")
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_be_hidden()


def test_what_was_typed_can_become_a_task(anna: Visitor, page: Page) -> None:
    opened(page, "Zebra crossing !high")
    page.get_by_role("option", name="Add “Zebra crossing !high”").click()

    expect(page.locator(".row[data-priority=high]")).to_contain_text("Zebra crossing")


def test_letters_that_come_before_the_palette_wait_for_it_and_do_nothing_to_tasks(
    visit: Callable[..., Visitor],
) -> None:
    anna = visit(service_workers="block")
    anna.complaints_allowed = ("Service Worker registration blocked",)
    held: list[Route] = []
    anna.context.route("**/views/palette.js", lambda route: held.append(route))  # noqa: PLW0108 # Playwright marks what it is given
    page = anna.register()
    for title in ("Exit the maze", "Buy bread"):
        anna.call("POST", "/api/tasks", {"title": title})
    page.get_by_role("link", name="Buy bread").focus()

    with page.expect_request("**/views/palette.js"):
        page.keyboard.press("Control+k")
    page.keyboard.type("exitt")
    page.keyboard.press("Backspace")
    page.keyboard.press("Enter")
    held[0].continue_()

    expect(page.get_by_role("combobox", name="Commands")).to_have_value("exit")
    expect(page.get_by_role("option", selected=True)).to_have_text("Exit the maze")
    assert [task["completed"] for task in anna.call("GET", "/api/tasks")["items"]] == [False, False]
    page.keyboard.press("Escape")
    expect(page.get_by_role("link", name="Buy bread")).to_be_focused()
    page.keyboard.press("x")
    expect(page.locator(".row")).to_have_count(1)


@pytest.mark.parametrize("options", [{}, {"viewport": NARROW, "color_scheme": "dark"}], ids=["wide", "narrow dark"])
def test_everyone_can_use_the_palette(visit: Callable[..., Visitor], options: dict[str, object]) -> None:
    visitor = visit(reduced_motion="reduce", **options)
    page = visitor.register()
    visitor.call("POST", "/api/tasks", {"title": "Only one"})
    page.get_by_role("link", name="Only one").focus()
    opened(page)

    assert violations(page) == []
