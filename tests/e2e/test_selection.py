"""Several tasks at once: picked by key, mouse and thumb, changed together, taken back together."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import expect

from tests.e2e.test_everyone_can_use_it import NARROW, violations

if TYPE_CHECKING:
    from collections.abc import Callable

    from playwright.sync_api import Locator, Page

    from tests.e2e.conftest import Visitor

TITLES = ("Four", "Three", "Two", "One")


@pytest.fixture
def page(anna: Visitor) -> Page:
    """A page with four tasks, One on top."""
    return with_tasks(anna)


def with_tasks(visitor: Visitor) -> Page:
    """Register and make the four tasks."""
    page = visitor.register()
    for title in TITLES:
        visitor.call("POST", "/api/tasks", {"title": title, "tags": ["even"] if title in {"Two", "Four"} else []})
    expect(page.locator(".row")).to_have_count(4)
    return page


def bar(page: Page) -> Locator:
    """Return the bar for picked tasks."""
    return page.get_by_role("region", name="Selected tasks")


def saved(visitor: Visitor, page: Page) -> dict[str, dict[str, object]]:
    """Return the tasks as the API has them, once everything was sent."""
    expect(page.get_by_text("Not sent yet")).to_have_count(0)
    return {task["title"]: task for task in visitor.call("GET", "/api/tasks")["items"]}


def test_picked_by_keys_and_completed_together_with_one_undo(anna: Visitor, page: Page) -> None:
    page.get_by_role("link", name="One", exact=True).focus()
    page.keyboard.press("Shift+X")
    page.keyboard.press("Shift+ArrowDown")
    page.keyboard.press("Shift+J")
    expect(bar(page)).to_contain_text("3 selected")
    page.keyboard.press("Shift+ArrowUp")
    expect(bar(page)).to_contain_text("2 selected")

    page.keyboard.press("x")

    expect(page.locator(".row-title")).to_have_text(["Three", "Four"])
    expect(page.get_by_role("status")).to_contain_text("Completed 2 tasks")
    expect(bar(page)).to_be_hidden()
    page.keyboard.press("u")
    expect(page.locator(".row")).to_have_count(4)
    assert [title for title, task in saved(anna, page).items() if task["completed"]] == []


def test_a_mouse_picks_one_a_range_and_all(page: Page) -> None:
    page.locator(".row", has_text="One").hover()
    page.get_by_role("checkbox", name="Select “One”").click()
    page.get_by_role("link", name="Three", exact=True).click(modifiers=["Shift"])
    expect(page.locator(".row.picked")).to_have_count(3)
    expect(page.get_by_role("checkbox", name="Select “Two”")).to_be_checked()

    bar(page).get_by_role("button", name="Select all").click()
    expect(bar(page)).to_contain_text("4 selected")
    page.keyboard.press("Escape")

    expect(page.locator(".row.picked")).to_have_count(0)
    expect(bar(page)).to_be_hidden()


def test_every_change_reaches_all_of_them(anna: Visitor, page: Page) -> None:
    page.get_by_role("link", name="One", exact=True).focus()
    page.keyboard.press("Control+a")
    page.keyboard.press("t")
    expect(bar(page).get_by_label("Add a tag")).to_be_focused()
    page.keyboard.type("shared")
    page.keyboard.press("Enter")
    bar(page).get_by_role("button", name="Remove tag even").click()
    page.keyboard.press("Escape")
    page.keyboard.press("p")
    page.keyboard.press("Enter")
    expect(page.locator(".row[data-priority=urgent]")).to_have_count(4)
    expect(page.get_by_role("link", name="One", exact=True)).to_be_focused()
    page.keyboard.press("Control+a")
    page.keyboard.press("d")
    bar(page).get_by_role("button", name="Tomorrow").click()
    expect(page.locator(".due", has_text="Tomorrow")).to_have_count(4)

    tasks = saved(anna, page)
    assert {(str(task["tags"]), task["priority"]) for task in tasks.values()} == {("['shared']", "urgent")}
    page.keyboard.press("u")
    expect(page.locator(".due")).to_have_count(0)
    assert {task["dueDate"] for task in saved(anna, page).values()} == {None}


def test_deleted_together_offline_and_brought_back_together(anna: Visitor, page: Page) -> None:
    anna.set_offline(True)
    page.get_by_role("link", name="Two", exact=True).focus()
    page.keyboard.press("Shift+ArrowDown")

    page.keyboard.press("Delete")

    expect(page.locator(".row-title")).to_have_text(["One", "Four"])
    expect(page.get_by_role("link", name="Four", exact=True)).to_be_focused()
    page.get_by_role("button", name="Undo").click()
    expect(page.locator(".row")).to_have_count(4)
    anna.set_offline(False)
    assert len(saved(anna, page)) == 4


def test_what_is_picked_in_one_place_is_not_picked_in_another(page: Page) -> None:
    page.get_by_role("link", name="One", exact=True).focus()
    page.keyboard.press("Shift+X")
    page.keyboard.press("g")
    page.keyboard.press("t")

    expect(bar(page)).to_be_hidden()


@pytest.mark.parametrize(
    "options", [{}, {"viewport": NARROW, "has_touch": True, "color_scheme": "dark"}], ids=["wide", "narrow dark"]
)
def test_everyone_can_use_the_bar(visit: Callable[..., Visitor], options: dict[str, object]) -> None:
    page = with_tasks(visit(reduced_motion="reduce", **options))
    page.get_by_role("link", name="One", exact=True).focus()
    page.keyboard.press("Control+a")
    expect(bar(page)).to_be_visible()
    page.keyboard.press("d")
    found = {"schedule": violations(page)}
    page.keyboard.press("Escape")
    page.keyboard.press("t")
    found["tags"] = violations(page)

    assert found == {"schedule": [], "tags": []}
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
