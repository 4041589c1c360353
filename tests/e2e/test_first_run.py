"""The first minutes of somebody who registers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from playwright.sync_api import expect

from tests.e2e.conftest import PASSWORD, new_email, wait_until_kept
from tests.e2e.test_everyone_can_use_it import violations

if TYPE_CHECKING:
    from collections.abc import Callable

    from playwright.sync_api import Page

    from tests.e2e.conftest import Visitor

PHONE = {"width": 390, "height": 780}


def register(visitor: Visitor) -> Page:
    """Register over the form, as a person does."""
    page = visitor.open("/register")
    page.locator("[name=name]").fill("Anna")
    page.locator("[name=email]").fill(new_email())
    page.locator("[name=password]").fill(PASSWORD)
    page.keyboard.press("Enter")
    expect(page.locator("#welcome")).to_be_visible()
    return page


def test_three_tasks_teach_the_keys_and_are_done_with_them(anna: Visitor) -> None:
    page = register(anna)
    titles = page.locator(".row-title")
    expect(titles).to_have_text(
        [
            "Press j and k to walk through the list, and x to complete a task",
            "Press e to open a task: d sets its date, r reminds, s repeats",
            "Press q and write “Water the plants tomorrow #home”",
        ]
    )
    assert violations(page) == []

    page.keyboard.press("j")
    for _ in range(3):
        page.keyboard.press("x")

    expect(page.get_by_text("That is all it takes.")).to_be_visible()
    expect(page.get_by_role("heading", name="Welcome, Anna")).to_be_hidden()
    page.reload()
    expect(page.get_by_text("A clear head")).to_be_visible()
    expect(page.get_by_role("heading", name="Welcome, Anna")).to_be_hidden()


def test_one_click_removes_them_and_one_brings_them_back(anna: Visitor) -> None:
    page = register(anna)
    expect(page.get_by_text("Not sent yet")).to_have_count(0)
    page.reload()

    page.get_by_role("button", name="Remove the examples").click()
    expect(page.locator(".row")).to_have_count(0)
    expect(page.get_by_label("New task").first).to_be_focused()
    page.get_by_role("button", name="Undo").click()

    expect(page.locator(".row")).to_have_count(3)
    assert len(anna.call("GET", "/api/tasks")["items"]) == 3
    expect(page.get_by_role("heading", name="Welcome, Anna")).to_be_hidden()


def test_they_are_made_once_and_only_for_somebody_new(anna: Visitor, visit: Callable[..., Visitor]) -> None:
    page = register(anna)
    expect(page.get_by_text("Not sent yet")).to_have_count(0)
    page.get_by_role("button", name="Keep them").click()
    page.reload()
    expect(page.locator(".row")).to_have_count(3)

    elsewhere = visit()
    email = anna.call("GET", "/api/me")["email"]
    elsewhere.call("POST", "/api/auth/login", {"email": email, "password": PASSWORD})
    there = elsewhere.open("/")

    expect(there.locator(".row")).to_have_count(3)
    expect(there.locator("#welcome")).to_be_hidden()
    assert len(anna.call("GET", "/api/tasks")["items"]) == 3


def test_without_a_network_they_wait_and_are_sent_once(anna: Visitor) -> None:
    page = anna.open("/register")
    anna.complaints_allowed = ("ERR_FAILED", "ERR_INTERNET_DISCONNECTED")
    anna.context.route("**/api/tasks", lambda route: route.abort())
    page.get_by_label("Email").fill(new_email())
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    page.get_by_role("button", name="Create account").click()
    expect(page.get_by_role("heading", name="Welcome", exact=True)).to_be_visible()
    wait_until_kept(page, "ops", "Press q")

    anna.context.unroute("**/api/tasks")
    page.reload()

    expect(page.locator(".row")).to_have_count(3)
    expect(page.get_by_text("Not sent yet")).to_have_count(0, timeout=10_000)
    assert len(anna.call("GET", "/api/tasks")["items"]) == 3
    expect(page.get_by_role("button", name="Remove the examples")).to_be_visible()


def test_a_thumb_is_told_of_taps(visit: Callable[..., Visitor]) -> None:
    page = register(visit(viewport=PHONE, has_touch=True, is_mobile=True))

    expect(page.locator(".row-title").first).to_contain_text("Tap a circle")
    assert violations(page) == []
