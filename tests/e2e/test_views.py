"""Filters in the address: a view can be shared, kept under a name, and left with Back."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import expect

from tests.e2e.conftest import PASSWORD, wait_until_kept

if TYPE_CHECKING:
    from playwright.sync_api import Locator, Page

    from tests.e2e.conftest import Visitor

TASKS = (
    {"title": "Cherry", "priority": "low", "tags": ["fruit"], "dueDate": "2030-01-03"},
    {"title": "Apple", "priority": "urgent", "tags": ["fruit", "red"], "dueDate": "2030-01-01"},
    {"title": "Bread", "priority": "high", "dueDate": "2030-01-02"},
)


@pytest.fixture
def page(anna: Visitor) -> Page:
    """A page with three tasks."""
    page = anna.register()
    for task in TASKS:
        anna.call("POST", "/api/tasks", task)
    expect(page.locator(".row")).to_have_count(3)
    return page


def test_back_takes_one_filter_back_at_a_time(page: Page) -> None:
    page.locator("#filter > summary").click()
    page.locator("#filter").get_by_text("#fruit").click()
    expect(page.locator(".row-title")).to_have_text(["Apple", "Cherry"])
    page.locator("#filter").get_by_text("Urgent").click()
    expect(page.locator(".row-title")).to_have_text(["Apple"])

    page.go_back()
    expect(page.locator(".row-title")).to_have_text(["Apple", "Cherry"])
    page.go_back()
    expect(page.locator(".row")).to_have_count(3)


def test_a_tag_with_a_comma_is_one_filter_also_after_a_reload(anna: Visitor, page: Page) -> None:
    anna.call("POST", "/api/tasks", {"title": "Dates", "tags": ["dry, sweet", "fruit"]})
    expect(page.locator(".row")).to_have_count(4)
    page.locator("#filter > summary").click()
    page.locator("#filter").get_by_text("#dry, sweet").click()
    page.locator("#filter").get_by_text("#fruit").click()
    expect(page.locator(".row-title")).to_have_text(["Dates"])

    page.reload()

    expect(page.locator(".row-title")).to_have_text(["Dates"])
    expect(page.locator("#active-filters button")).to_have_count(2)


@pytest.mark.parametrize("words", ["STRASSE", "cafe\u0301", "λόγος", "ΛΌΓΟΣ", "istanbul", "İSTANBUL"])
def test_a_search_finds_what_unicode_calls_equal(anna: Visitor, page: Page, words: str) -> None:
    anna.call("POST", "/api/tasks", {"title": "Straße, Café, λόγοσ, İstanbul"})

    page.get_by_role("searchbox", name="Search").fill(words)

    expect(page.locator(".row-title")).to_have_text(["Straße, Café, λόγοσ, İstanbul"])


def test_every_filter_of_the_api_can_be_shared(anna: Visitor, page: Page) -> None:
    done = anna.call("POST", "/api/tasks", {"title": "Done apple", "tags": ["fruit"], "dueDate": "2030-01-01"})
    anna.call("POST", f"/api/tasks/{done['id']}/complete")
    page.locator("#filter > summary").click()
    page.get_by_label("Due from").fill("2030-01-02")
    page.get_by_label("Due before").fill("2030-01-03")
    page.get_by_label("Due before").press("Enter")
    expect(page.locator(".row-title")).to_have_text(["Bread"])
    assert "dueAfter=2030-01-02&dueBefore=2030-01-03" in page.url

    other = anna.open("/tag/fruit?completed=true&dueBefore=2030-01-02")
    expect(other.locator(".row-title")).to_have_text(["Done apple"])
    expect(other.locator("#active-filters button")).to_have_count(2)
    other.get_by_role("button", name="Remove filter Completed").click()
    expect(other.locator(".row-title")).to_have_text(["Apple"])


def test_a_task_gets_what_the_place_and_the_filters_ask_for_unless_it_says_otherwise(anna: Visitor, page: Page) -> None:
    page.goto("/upcoming?tags=fruit&priority=urgent")
    expect(page.locator(".row-title")).to_have_text(["Apple"])
    for line in ("Pear", "Plum #Fruit 2030-02-01", "Quince !low"):
        page.get_by_label("New task").first.fill(line)
        page.keyboard.press("Enter")

    expect(page.locator(".row-title")).to_have_text(["Pear", "Apple", "Plum"])
    expect(page.locator(".row", has_text="Pear")).to_contain_text("Tomorrow")
    page.get_by_role("link", name="Show “Quince”").click()
    expect(page.locator(".row-title")).to_have_text(["Pear", "Quince", "Apple", "Bread", "Cherry", "Plum"])
    expect(page.get_by_text("Not sent yet")).to_have_count(0)
    made = {task["title"]: task for task in anna.call("GET", "/api/tasks")["items"]}
    assert (made["Pear"]["tags"], made["Pear"]["priority"]) == (["fruit"], "urgent")
    assert (made["Plum"]["tags"], made["Plum"]["dueDate"]) == (["Fruit"], "2030-02-01")
    assert made["Quince"]["priority"] == "low"


def test_the_order_is_reversed_at_the_first_press(anna: Visitor, page: Page) -> None:
    expect(page.locator(".row-title")).to_have_text(["Bread", "Apple", "Cherry"])
    page.locator("#filter > summary").click()
    page.get_by_role("button", name="Reverse the order").click()
    expect(page.locator(".row-title")).to_have_text(["Cherry", "Apple", "Bread"])
    page.get_by_role("button", name="Reverse the order").click()
    expect(page.locator(".row-title")).to_have_text(["Bread", "Apple", "Cherry"])

    for title, day in (("Late", "2020-01-03"), ("Later", "2020-01-01"), ("Latest", "2020-01-02")):
        anna.call("POST", "/api/tasks", {"title": title, "dueDate": day})
    page.goto("/today")
    expect(page.locator(".row-title")).to_have_text(["Later", "Latest", "Late"])
    page.locator("#filter > summary").click()
    page.get_by_role("button", name="Reverse the order").click()
    expect(page.locator(".row-title")).to_have_text(["Late", "Latest", "Later"])


def test_the_days_of_upcoming_are_reversed_as_well(anna: Visitor, page: Page) -> None:
    anna.call("POST", "/api/tasks", {"title": "Damson", "dueDate": "2030-01-02", "priority": "low"})
    page.goto("/upcoming")
    expect(page.locator(".row-title")).to_have_text(["Apple", "Bread", "Damson", "Cherry"])

    page.locator("#filter > summary").click()
    page.get_by_role("button", name="Reverse the order").click()

    expect(page.locator(".row-title")).to_have_text(["Cherry", "Damson", "Bread", "Apple"])
    expect(page.locator(".group h2")).to_contain_text(["3 January 2030", "2 January 2030", "1 January 2030"])
    page.get_by_role("combobox", name="Sort by").select_option("title")
    page.get_by_role("button", name="Reverse the order").click()
    expect(page.locator(".row-title")).to_have_text(["Apple", "Damson", "Bread", "Cherry"])


def test_a_day_of_another_year_is_said_with_it(page: Page) -> None:
    page.goto("/upcoming")

    expect(page.get_by_role("heading", name="3 January 2030")).to_be_visible()


def test_dates_are_not_cut(page: Page) -> None:
    page.locator("#filter > summary").click()
    for label in ("Due from", "Due before"):
        assert _is_whole(page.get_by_label(label))
    page.keyboard.press("Escape")
    page.get_by_role("link", name="Apple").focus()
    page.keyboard.press("X")
    page.keyboard.press("d")

    assert _is_whole(page.locator("#bulk input[type=date]"))


def _is_whole(field: Locator) -> bool:
    """Return whether a field is as wide as what it shows."""
    return bool(
        field.evaluate("""(field) => {
          const width = field.offsetWidth;
          field.style.inlineSize = "max-content";
          return width >= field.offsetWidth;
        }""")
    )


def test_a_view_is_kept_under_a_name_renamed_and_removed(anna: Visitor, page: Page) -> None:
    page.goto("/?tags=fruit&sort=title")
    page.locator("#filter > summary").click()
    page.get_by_label("Save this view as").fill("Fruit A to Z")
    page.keyboard.press("Enter")
    view = page.get_by_role("list", name="Views").get_by_role("link")
    expect(view).to_have_text("Fruit A to Z")
    expect(view).to_have_attribute("aria-current", "page")
    wait_until_kept(page, "kv", "Fruit A to Z")

    other = anna.open("/")
    other.get_by_role("link", name="Fruit A to Z").click()
    expect(other.locator(".row-title")).to_have_text(["Apple", "Cherry"])
    other.locator("#filter > summary").click()
    other.get_by_label("Save this view as").fill("Sweet")
    other.keyboard.press("Enter")
    expect(view).to_have_text("Sweet")

    page.locator("#filter > summary").click()
    page.get_by_role("button", name="Remove view").click()
    expect(view).to_have_count(0)
    page.get_by_role("button", name="Undo").click()
    expect(view).to_have_text("Sweet")


def test_views_wait_for_their_owner_and_nobody_else_sees_them(anna: Visitor, page: Page) -> None:
    anna.complaints_allowed = ("status of 401",)
    email = anna.call("GET", "/api/me")["email"]
    page.goto("/?tags=red")
    page.locator("#filter > summary").click()
    page.get_by_label("Save this view as").fill("Red ones")
    page.keyboard.press("Enter")
    wait_until_kept(page, "kv", "Red ones")

    page.locator("#account > summary").click()
    page.get_by_role("button", name="Sign out").click()
    page.get_by_label("Email").wait_for()
    stranger = anna.register()
    expect(stranger.get_by_role("link", name="Inbox").first).to_be_visible()
    expect(stranger.get_by_text("Red ones")).to_have_count(0)
    stranger.close()
    anna.call("POST", "/api/auth/logout")
    page.goto("/sign-in")
    page.get_by_label("Email").fill(email)
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()

    expect(page.get_by_role("link", name="Red ones")).to_be_visible()
