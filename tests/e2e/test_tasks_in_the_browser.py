"""What people do all day: write tasks down, change, complete, find and delete them."""

from __future__ import annotations

import calendar
import re
from datetime import date
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import expect

from tests.e2e.conftest import wait_until, wait_until_kept

if TYPE_CHECKING:
    from collections.abc import Callable

    from playwright.sync_api import Locator, Page, Route

    from tests.e2e.conftest import Visitor


def row(page: Page, title: str) -> Locator:
    """Return the row of a task."""
    return page.locator(".row", has_text=title)


def add(page: Page, text: str) -> None:
    """Write a task into quick add."""
    page.get_by_label("New task").first.fill(text)
    page.keyboard.press("Enter")


def test_a_task_without_a_title_is_refused_where_it_is_written(anna: Visitor) -> None:
    page = anna.register()

    add(page, "#home")

    expect(page.get_by_text("Give the task a title.")).to_be_visible()
    expect(page.locator(".row")).to_have_count(0)


def test_quick_add_understands_words_and_saves_them(anna: Visitor) -> None:
    page = anna.register()

    page.get_by_label("New task").first.fill("Water plants tomorrow at 9 #home !high every week")
    chips = page.get_by_role("list", name="Understood").get_by_role("button")
    expect(chips).to_have_count(4)
    page.keyboard.press("Enter")

    expect(row(page, "Water plants")).to_contain_text("Tomorrow 09:00")
    expect(page.get_by_text("Not sent yet")).to_have_count(0)
    [task] = anna.call("GET", "/api/tasks")["items"]
    assert (task["title"], task["priority"], task["tags"]) == ("Water plants", "high", ["home"])
    assert task["recurrence"]["rule"] == "FREQ=WEEKLY"


def test_the_31st_of_every_month_is_the_last_day_of_shorter_ones(anna: Visitor) -> None:
    page = anna.register()

    add(page, "Pay rent every month on the 31st")

    expect(row(page, "Pay rent")).to_be_visible()
    expect(page.get_by_text("Not sent yet")).to_have_count(0)
    [task] = anna.call("GET", "/api/tasks")["items"]
    assert (task["title"], task["recurrence"]["rule"]) == ("Pay rent", "FREQ=MONTHLY;BYMONTHDAY=31;SKIP=BACKWARD")
    for _ in range(3):  # one of three months in a row is shorter
        [task] = anna.call("GET", "/api/tasks?completed=false")["items"]
        day = date.fromisoformat(task["dueDate"])
        assert day.day == calendar.monthrange(day.year, day.month)[1]
        anna.call("POST", f"/api/tasks/{task['id']}/complete")


def test_fast_hands_need_not_wait_for_what_understands_words(visit: Callable[..., Visitor]) -> None:
    anna = visit(service_workers="block")
    anna.complaints_allowed = ("Service Worker registration blocked",)
    anna.context.route("**/core/parse.js", lambda _: None)
    page = anna.register()
    field = page.get_by_label("New task").first
    field.focus()

    for title in ("First", "Second !high", "Third"):
        page.keyboard.type(title)
        page.keyboard.press("Enter")
    page.keyboard.type("Fourth")
    wait_until_kept(page, "kv", "First\\nSecond !high\\nThird\\nFourth")
    anna.context.unroute("**/core/parse.js")
    page.reload()

    expect(page.locator(".row-title")).to_have_text(["Third", "Second", "First"])
    expect(field).to_have_value("Fourth")
    expect(page.get_by_text("Not sent yet")).to_have_count(0)
    priorities = {task["title"]: task["priority"] for task in anna.call("GET", "/api/tasks")["items"]}
    assert priorities == {"First": "medium", "Second": "high", "Third": "medium"}


@pytest.mark.parametrize(("key", "module"), [("?", "help"), ("Control+k", "palette"), ("p", "panel")])
def test_what_comes_late_does_not_come_between_a_person_and_the_line_being_typed(
    visit: Callable[..., Visitor], key: str, module: str
) -> None:
    anna = visit(service_workers="block")
    anna.complaints_allowed = ("Service Worker registration blocked",)
    held: list[Route] = []
    anna.context.route(f"**/views/{module}.js", lambda route: held.append(route))  # noqa: PLW0108 # Playwright marks what it is given
    page = anna.register()
    anna.call("POST", "/api/tasks", {"title": "Sweep"})
    page.get_by_role("link", name="Sweep").focus()

    page.keyboard.press(key)
    page.get_by_label("New task").first.focus()
    page.keyboard.type("Dust")
    expect(page.get_by_label("New task").first).to_have_value("Dust")
    with page.expect_event("requestfinished", lambda request: f"{module}.js" in request.url):
        held[0].continue_()
    page.wait_for_function("(name) => performance.getEntriesByName(name).length", arg=held[0].request.url)
    page.keyboard.type(" the shelf")
    page.keyboard.press("Enter")

    expect(page.get_by_role("link", name="Dust the shelf")).to_be_visible()
    expect(page.get_by_role("dialog")).to_have_count(0)


def test_what_was_understood_can_be_clicked_away(anna: Visitor) -> None:
    page = anna.register()

    page.get_by_label("New task").first.fill("Read Tomorrow and Tomorrow")
    page.get_by_role("button", name=re.compile("as plain text")).first.click()
    page.keyboard.press("Enter")

    expect(page.get_by_role("link", name="Read Tomorrow and Tomorrow")).to_be_visible()


def test_a_draft_survives_a_reload(anna: Visitor) -> None:
    page = anna.register()
    page.get_by_label("New task").first.fill("Half a thou")

    wait_until_kept(page, "kv", "Half a thou")
    page.reload()

    expect(page.get_by_label("New task").first).to_have_value("Half a thou")


def test_all_fields_can_be_edited_in_the_details(anna: Visitor) -> None:
    page = anna.register()
    add(page, "Pay rent")
    page.get_by_role("link", name="Pay rent").click()
    panel = page.get_by_role("complementary", name="Details")

    panel.get_by_label("Title").fill("Pay the rent")
    panel.get_by_label("Description").fill("To the new account.")
    panel.get_by_text("Urgent").click()
    panel.get_by_label("Add a tag").fill("money")
    page.keyboard.press("Enter")
    panel.locator("summary", has_text="Due").click()
    panel.get_by_label("Date", exact=True).fill("2030-05-01")
    panel.get_by_label("Time", exact=True).fill("08:30")
    panel.get_by_label("Time", exact=True).blur()

    expect(row(page, "Pay the rent")).to_contain_text("1 May 2030 08:30")
    expect(row(page, "Pay the rent").locator(".icon", has=page.locator("use[href='#i-cloud']"))).to_have_count(0)
    [task] = anna.call("GET", "/api/tasks")["items"]
    assert task["description"] == "To the new account."
    assert (task["priority"], task["tags"], task["dueDate"]) == ("urgent", ["money"], "2030-05-01T06:30:00Z")


def test_the_repeat_editor_shows_the_rule_in_words_and_the_next_five_dates(anna: Visitor) -> None:
    page = anna.register()
    anna.call("POST", "/api/tasks", {"title": "Back up the laptop", "dueDate": "2030-01-31"})
    page.get_by_role("link", name="Back up the laptop").click()
    panel = page.get_by_role("complementary", name="Details")
    panel.locator("summary", has_text="Repeat").click()

    panel.get_by_role("combobox", name="Repeat").select_option(label="Last day of every month")

    dates = panel.locator(".preview li")
    expect(dates).to_have_count(5)
    expect(dates.nth(1)).to_contain_text("28 Feb 2030")
    expect(panel.locator(".sentence")).to_contain_text(re.compile("last day", re.IGNORECASE))


def test_a_rule_that_cannot_be_read_is_said_at_the_field(anna: Visitor) -> None:
    page = anna.register()
    anna.complaints_allowed = ("status of 422",)
    anna.call("POST", "/api/tasks", {"title": "Odd one"})
    page.get_by_role("link", name="Odd one").click()
    panel = page.get_by_role("complementary", name="Details")
    panel.locator("summary", has_text="Repeat").click()

    panel.get_by_role("combobox", name="Repeat").select_option("custom")
    panel.get_by_label("Rule (RFC 5545)").fill("EVERY=FULL MOON")

    expect(panel.locator("#rule-error")).not_to_be_empty()
    assert anna.call("GET", "/api/tasks")["items"][0]["recurrence"] is None


def test_completing_can_be_undone(anna: Visitor) -> None:
    page = anna.register()
    add(page, "Call the dentist")

    page.get_by_role("checkbox", name="Complete “Call the dentist”").click()
    expect(page.locator(".row")).to_have_count(0)
    page.get_by_role("button", name="Undo").click()

    expect(row(page, "Call the dentist")).to_be_visible()
    page.get_by_role("link", name="Call the dentist").click()
    history = page.get_by_role("complementary", name="Details").locator("summary", has_text="History")
    history.click()
    expect(page.locator(".history")).to_contain_text("created it")


def test_deleting_waits_until_it_can_no_longer_be_undone(anna: Visitor) -> None:
    page = anna.register()
    anna.complaints_allowed = ("status of 404",)  # the request may leave with the old page and again with the new one
    add(page, "Keep me")
    add(page, "Forget me")
    expect(page.locator(".row")).to_have_count(2)

    page.get_by_role("link", name="Keep me").focus()
    page.keyboard.press("Delete")
    expect(page.locator(".row")).to_have_count(1)
    page.keyboard.press("u")
    expect(page.locator(".row")).to_have_count(2)
    page.get_by_role("link", name="Forget me").focus()
    page.keyboard.press("Delete")
    page.reload()

    expect(row(page, "Keep me")).to_be_visible()
    expect(page.locator(".row")).to_have_count(1)
    # The request left with the old page, and its answer is nobody's.
    wait_until(page, "async () => (await (await fetch('/api/tasks')).json()).items.length === 1")


def open_history(page: Page, title: str) -> None:
    """Open the details of a task, and its history in them."""
    page.get_by_role("link", name=title).click()
    page.get_by_role("complementary", name="Details").locator("summary", has_text="History").click()


def test_history_tells_old_and_new_and_restores(anna: Visitor) -> None:
    page = anna.register()
    task = anna.call("POST", "/api/tasks", {"title": "Old name"})
    anna.call("PATCH", f"/api/tasks/{task['id']}", {"title": "New name"})
    open_history(page, "New name")

    change = page.locator(".history li", has_text="changed it").first
    expect(change.locator("del")).to_have_text("Old name")
    expect(change.locator("ins")).to_have_text("New name")
    change.get_by_role("button", name=re.compile("Restore Title")).click()

    expect(row(page, "Old name")).to_be_visible()


def test_what_one_is_about_to_press_in_the_history_stays_when_it_grows(anna: Visitor) -> None:
    page = anna.register()
    task = anna.call("POST", "/api/tasks", {"title": "Old name"})
    anna.call("PATCH", f"/api/tasks/{task['id']}", {"title": "New name"})
    open_history(page, "New name")
    restore = page.locator(".history").get_by_role("button", name=re.compile("Restore Title"))
    restore.focus()
    button = restore.element_handle()

    anna.call("PATCH", f"/api/tasks/{task['id']}", {"priority": "high"})
    expect(page.locator(".history > li", has_text="changed it")).to_have_count(2)

    assert button.evaluate("(button) => button === document.activeElement")
    page.keyboard.press("Enter")
    expect(row(page, "Old name")).to_be_visible()


def test_older_pages_of_a_history_stay_when_it_grows(anna: Visitor) -> None:
    page = anna.register()
    task = anna.call("POST", "/api/tasks", {"title": "Old name"})
    for number in range(50):
        anna.call("PATCH", f"/api/tasks/{task['id']}", {"description": f"Draft {number}"})
    open_history(page, "Old name")
    entries = page.locator(".history > li", has_text="You")
    expect(entries).to_have_count(50)
    page.get_by_role("button", name="Show older").click()
    expect(entries).to_have_count(51)

    anna.call("PATCH", f"/api/tasks/{task['id']}", {"title": "New name"})

    expect(entries).to_have_count(52)
    expect(entries.first).to_contain_text("New name")
    expect(entries.last).to_contain_text("created it")


def test_a_tag_that_is_being_typed_goes_with_the_task_that_is_deleted_elsewhere(anna: Visitor) -> None:
    page = anna.register()
    task = anna.call("POST", "/api/tasks", {"title": "Gone soon"})
    page.get_by_role("link", name="Gone soon").click()
    panel = page.get_by_role("complementary", name="Details")
    panel.locator("[data-part=tagInput]").press_sequentially("home")

    anna.call("DELETE", f"/api/tasks/{task['id']}")

    expect(panel).to_be_hidden()  # and no browser complains
    assert anna.call("GET", "/api/tasks")["items"] == []


@pytest.fixture
def busy(anna: Visitor) -> Page:
    """A page with a few tasks of every kind."""
    page = anna.register()
    for task in (
        {"title": "Cherry", "priority": "low", "tags": ["fruit"], "dueDate": "2030-01-03"},
        {"title": "Apple", "priority": "urgent", "tags": ["fruit", "red"], "dueDate": "2030-01-01"},
        {"title": "Bread", "priority": "high", "description": "with seeds", "dueDate": "2030-01-02"},
    ):
        anna.call("POST", "/api/tasks", task)
    expect(page.locator(".row")).to_have_count(3)
    return page


def test_filters_and_order_live_in_the_address(busy: Page) -> None:
    busy.locator("#filter > summary").click()
    busy.get_by_label("Sort by").select_option("title")
    expect(busy.locator(".row-title")).to_have_text(["Apple", "Bread", "Cherry"])

    busy.locator("#filter").get_by_text("#fruit").click()
    expect(busy.locator(".row-title")).to_have_text(["Apple", "Cherry"])
    busy.reload()

    expect(busy.locator(".row-title")).to_have_text(["Apple", "Cherry"])
    assert "sort=title" in busy.url
    assert "tags=fruit" in busy.url


def test_search_finds_parts_of_words_while_one_types(busy: Page) -> None:
    busy.keyboard.press("/")
    busy.keyboard.type("SEED")

    expect(busy.locator(".row-title")).to_have_text(["Bread"])
    expect(busy.locator("#count")).to_have_text("1 match")
    busy.get_by_label("Search", exact=True).fill("")
    expect(busy.locator(".row")).to_have_count(3)


def test_what_is_wrong_with_a_registration_is_said_at_the_field(anna: Visitor) -> None:
    anna.complaints_allowed = ("status of 422",)
    page = anna.open("/register")
    page.get_by_label("Email").fill("nobody@example.org")
    page.get_by_label("Password", exact=True).fill("short")

    page.get_by_role("button", name="Create account").click()

    expect(page.locator("#password-error")).not_to_be_empty()
    expect(page.get_by_label("Password", exact=True)).to_be_focused()
    expect(page.get_by_label("Password", exact=True)).to_have_attribute("aria-invalid", "true")


def test_a_person_can_sign_out_and_in_again(anna: Visitor) -> None:
    page = anna.register()
    add(page, "Still here")
    expect(page.get_by_text("Not sent yet")).to_have_count(0)
    email = anna.call("GET", "/api/me")["email"]

    page.locator("#account > summary").click()
    page.get_by_role("button", name="Sign out").click()
    page.get_by_label("Email").fill(email)
    page.get_by_label("Password", exact=True).fill("a quiet place near the river")
    page.get_by_role("button", name="Sign in").click()

    expect(row(page, "Still here")).to_be_visible()
