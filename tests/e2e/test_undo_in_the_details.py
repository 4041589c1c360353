"""What is changed in the details has a way back: one per change, by its toast or by key, to exactly what was before."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from playwright.sync_api import expect

from tests.e2e.conftest import wait_until, wait_until_kept

if TYPE_CHECKING:
    from collections.abc import Callable

    from playwright.sync_api import Locator, Page

    from tests.e2e.conftest import Visitor

TASK = {
    "title": "Pay rent",
    "description": "To the old account.",
    "priority": "high",
    "tags": ["home", "money"],
    "dueDate": "2030-05-01T06:30:00Z",
    "timeZone": "Europe/Berlin",
    "recurrence": {"rule": "FREQ=WEEKLY", "mode": "schedule", "missed": "skip"},
}
# Whether the server has such a task.
STORED = """async (wanted) => {
  const { items: [task] } = await (await fetch("/api/tasks")).json();
  return Object.entries(wanted).every(([name, value]) => JSON.stringify(task[name]) === JSON.stringify(value));
}"""


@pytest.fixture
def page(anna: Visitor) -> Page:
    """A page with one task, its details open."""
    page = anna.register()
    anna.call("POST", "/api/tasks", TASK)
    page.get_by_role("link", name="Pay rent").click()
    expect(panel(page).get_by_role("textbox", name="Title")).to_have_value("Pay rent")
    return page


def panel(page: Page) -> Locator:
    """Return the details."""
    return page.get_by_role("complementary", name="Details")


def toasts(page: Page) -> Locator:
    """Return the messages at the edge of the page."""
    return page.locator(".toast")


def stored(page: Page, **wanted: Any) -> None:
    """Wait until the server has a task like this."""
    wait_until(page, STORED, wanted)


def write(page: Page, field: str, text: str) -> None:
    """Write a text as somebody does, stroke by stroke, and leave it."""
    area = panel(page).get_by_role("textbox", name=field)
    area.press("Control+a")
    area.press_sequentially(text)
    area.press("Escape")


def choose_day(page: Page) -> None:
    """Take the date away."""
    panel(page).locator("summary", has_text="Due").click()
    panel(page).get_by_role("button", name="No date").click()


def add_tag(page: Page) -> None:
    """Add a tag, and leave the field."""
    field = panel(page).get_by_role("combobox", name="Add a tag")
    field.fill("urgent")
    field.press("Enter")
    field.press("Escape")


def stop_repeating(page: Page) -> None:
    """Let it repeat no more."""
    panel(page).locator("summary", has_text="Repeat").click()
    panel(page).locator("[data-part=preset]").select_option(label="Does not repeat")
    panel(page).focus()


CHANGES: list[tuple[Callable[[Page], None], dict[str, Any], str]] = [
    (lambda page: write(page, "Title", "Pay the rent"), {"title": "Pay the rent"}, "Title changed"),
    (lambda page: write(page, "Description", "Soon."), {"description": "Soon."}, "Description changed"),
    (lambda page: panel(page).get_by_text("Urgent").click(), {"priority": "urgent"}, "Priority changed"),
    (choose_day, {"dueDate": None}, "Due changed"),
    (add_tag, {"tags": ["home", "money", "urgent"]}, "Tags changed"),
    (stop_repeating, {"recurrence": None}, "Repeat changed"),
]


@pytest.mark.parametrize(("act", "becomes", "words"), CHANGES, ids=[next(iter(each[1])) for each in CHANGES])
def test_a_change_says_so_once_and_is_taken_back_to_what_was(
    page: Page, act: Callable[[Page], None], becomes: dict[str, Any], words: str
) -> None:
    act(page)

    stored(page, **becomes)
    expect(toasts(page).locator(".toast-text")).to_have_text([words])
    page.keyboard.press("u")
    expect(toasts(page)).to_have_count(0)
    stored(page, **TASK)


def test_each_change_has_a_way_back_of_its_own(page: Page) -> None:
    write(page, "Title", "Pay the rent")
    panel(page).get_by_text("Urgent").click()
    stored(page, title="Pay the rent", priority="urgent")
    expect(toasts(page)).to_have_count(2)

    toasts(page).first.get_by_role("button", name="Undo").click()

    stored(page, title="Pay rent", priority="urgent")
    expect(panel(page).get_by_role("textbox", name="Title")).to_have_value("Pay rent")
    page.keyboard.press("u")
    stored(page, title="Pay rent", priority="high")
    expect(panel(page).get_by_role("radio", name="High")).to_be_checked()


def test_a_change_that_waits_for_the_line_is_taken_back_too(anna: Visitor, page: Page) -> None:
    anna.set_offline(True)
    write(page, "Title", "Pay the rent")
    expect(page.locator(".row")).to_contain_text("Pay the rent")
    page.keyboard.press("u")

    expect(page.locator(".row .row-title")).to_have_text("Pay rent")
    anna.set_offline(False)
    expect(page.get_by_text("Not sent yet")).to_have_count(0)
    stored(page, **TASK)


def test_what_is_chosen_anew_and_is_so_already_is_no_change(page: Page) -> None:
    choose_day(page)
    panel(page).get_by_role("button", name="No date").click()

    expect(toasts(page)).to_have_count(1)


def test_the_focus_is_not_lost_with_the_message_that_had_it(page: Page) -> None:
    urgent = panel(page).get_by_role("radio", name="Urgent")
    urgent.press("Space")
    page.get_by_role("button", name="Undo").focus()

    page.keyboard.press("Enter")

    stored(page, priority="high")
    expect(urgent).to_be_focused()


def test_nothing_to_undo_is_said_once(page: Page) -> None:
    for _ in range(3):
        page.keyboard.press("u")

    expect(page.get_by_text("Nothing to undo")).to_have_count(1)


def test_an_own_change_is_no_news_after_a_reload_in_the_middle_of_an_edit(anna: Visitor, page: Page) -> None:
    wait_until_kept(page, "tasks", "Pay rent")
    title = panel(page).get_by_role("textbox", name="Title")
    title.press("End")
    title.press_sequentially(" and the lease")
    page.reload()

    stored(page, title="Pay rent and the lease")
    # Events come in order: when this one has come, the own one has.
    anna.call("POST", "/api/tasks", {"title": "Made elsewhere"})
    expect(page.locator(".row", has_text="Made elsewhere")).to_contain_text("Changed in another window")
    # Asked once, for a mark goes away by itself.
    assert "Changed in another window" not in page.locator(".row", has_text="the lease").inner_text()


def test_on_a_phone_only_the_newest_message_lies_over_the_details(visit: Callable[..., Visitor]) -> None:
    page = visit(viewport={"width": 390, "height": 844}).register(live=False)
    page.get_by_role("textbox", name="New task").fill("Pay rent")
    page.keyboard.press("Enter")
    page.get_by_role("link", name="Pay rent").click()

    panel(page).get_by_text("Urgent").click()
    panel(page).get_by_text("High").click()
    expect(page.get_by_role("button", name="Undo")).to_have_count(1)
    page.get_by_role("button", name="Undo").click()
    expect(panel(page).get_by_role("radio", name="Urgent")).to_be_checked()
    page.get_by_role("button", name="Undo").click()

    expect(panel(page).get_by_role("radio", name="Medium")).to_be_checked()
    expect(toasts(page)).to_have_count(0)


def test_a_change_that_waits_for_a_decision_is_taken_back_to_theirs(anna: Visitor, page: Page) -> None:
    anna.complaints_allowed = ("status of 412",)
    [task] = anna.call("GET", "/api/tasks")["items"]
    anna.set_offline(True)
    write(page, "Title", "Pay the rent")
    panel(page).get_by_text("Urgent").click()
    anna.call("PATCH", f"/api/tasks/{task['id']}", {"title": "Pay all"})
    anna.set_offline(False)
    expect(page.get_by_text("1 change needs your decision")).to_be_visible()

    toasts(page).last.get_by_role("button", name="Undo").click()
    expect(panel(page).get_by_role("radio", name="High")).to_be_checked()
    expect(page.get_by_text("1 change needs your decision")).to_be_visible()
    toasts(page).get_by_role("button", name="Undo").click()

    expect(page.get_by_text("1 change needs your decision")).to_be_hidden()
    expect(page.get_by_text("Not sent yet")).to_have_count(0)
    stored(page, title="Pay all", priority="high")
    expect(panel(page).get_by_role("textbox", name="Title")).to_have_value("Pay all")
