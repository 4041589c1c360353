"""Where a task goes that is written down, and what one line leaves for the next: nothing."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import expect

from tests.e2e.test_everyone_can_use_it import violations

if TYPE_CHECKING:
    from collections.abc import Callable

    from playwright.sync_api import Page

    from tests.e2e.conftest import Visitor


def write(page: Page, line: str) -> None:
    """Write a line into quick add and send it."""
    page.get_by_label("New task").first.fill(line)
    page.keyboard.press("Enter")


@pytest.mark.parametrize(
    ("view", "line", "place"),
    [
        ("/?dueAfter=2030-01-01&dueBefore=2030-02-01", "Pear", "Inbox"),
        ("/?priority=urgent,high", "Pear", "Inbox"),
        ("/?q=apple", "Pear", "Inbox"),
        ("/?completed=true", "Pear", "Inbox"),
        ("/today?priority=urgent,high", "Pear", "Today"),
        ("/today", "Pear tomorrow", "Upcoming"),
        ("/upcoming", "Pear today", "Today"),
    ],
)
def test_a_task_that_the_list_does_not_show_is_said_and_found(anna: Visitor, view: str, line: str, place: str) -> None:
    anna.register()
    page = anna.open(view)

    write(page, line)
    expect(page.get_by_role("status")).to_contain_text(f"Added to {place}: “Pear”")
    expect(page.locator(".row")).to_have_count(0)
    page.get_by_role("link", name="Show “Pear”").click()

    expect(page.get_by_role("heading", name=place, exact=True)).to_be_visible()
    expect(page.get_by_role("link", name="Pear", exact=True)).to_be_focused()
    expect(page.get_by_role("status")).not_to_contain_text("Added")


def test_a_task_that_the_list_shows_needs_no_words(anna: Visitor) -> None:
    anna.register()
    page = anna.open("/today?tags=fruit&priority=urgent")

    write(page, "Pear")

    expect(page.get_by_role("link", name="Pear")).to_be_visible()
    expect(page.get_by_role("status")).to_be_empty()


def test_what_is_shown_is_found_far_down_in_a_long_list(anna: Visitor) -> None:
    first = anna.register()
    for number in range(80):
        anna.call("POST", "/api/tasks", {"title": f"Task {number}", "dueDate": "2030-01-01"})
    expect(first.locator("#count")).to_have_text("80 tasks")
    page = anna.open("/today")

    write(page, "Pear 2030-02-01")
    page.get_by_role("link", name="Show “Pear”").click()

    expect(page.get_by_role("link", name="Pear", exact=True)).to_be_focused()
    expect(page.get_by_role("link", name="Pear", exact=True)).to_be_in_viewport(ratio=1)


def test_the_palette_says_where_its_task_went(anna: Visitor) -> None:
    anna.register()
    page = anna.open("/settings")
    page.get_by_role("heading", name="Settings").wait_for()

    page.keyboard.press("Control+k")
    page.keyboard.type("Zebra crossing")
    page.get_by_role("option", name="Add “Zebra crossing”").click()

    expect(page.get_by_role("status")).to_contain_text("Added to Inbox: “Zebra crossing”")
    page.get_by_role("link", name="Show “Zebra crossing”").click()
    expect(page.get_by_role("link", name="Zebra crossing", exact=True)).to_be_focused()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_everyone_can_read_where_a_task_went(visit: Callable[..., Visitor], scheme: str) -> None:
    anna = visit(color_scheme=scheme, reduced_motion="reduce", locale="de-DE")
    anna.register()
    page = anna.open("/?q=apfel")
    page.get_by_label("Neue Aufgabe").first.fill("Birne")
    page.keyboard.press("Enter")

    expect(page.get_by_role("status")).to_contain_text("Steht jetzt unter Eingang")
    assert violations(page) == []


@pytest.mark.parametrize("between", ["", "Buy something else"], ids=["emptied", "replaced"])
def test_what_was_clicked_away_counts_for_its_line_only(anna: Visitor, between: str) -> None:
    page = anna.register()
    field = page.get_by_label("New task").first
    chips = page.get_by_role("list", name="Understood").get_by_role("button")
    field.fill("Read Tomorrow")
    page.get_by_role("button", name=re.compile("as plain text")).click()
    expect(chips).to_have_count(0)

    field.fill(between)
    field.fill("Call mum tomorrow")
    expect(chips).to_have_count(1)
    page.keyboard.press("Enter")

    expect(page.locator(".row", has_text="Call mum")).to_contain_text("Tomorrow")


def test_what_was_clicked_away_stays_so_while_its_line_is_written(anna: Visitor) -> None:
    page = anna.register()
    field = page.get_by_label("New task").first
    field.fill("Read Tomorrow")
    page.get_by_role("button", name=re.compile("as plain text")).click()

    field.press("End")
    page.keyboard.type(" and Tomorrow")
    page.keyboard.press("Enter")
    write(page, "Call mum tomorrow")

    expect(page.get_by_role("link", name="Read Tomorrow and Tomorrow")).to_be_visible()
    expect(page.locator(".row", has_text="Call mum")).to_contain_text("Tomorrow")
