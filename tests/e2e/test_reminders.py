"""Reminders that rang: said where one looks, seen or put off with one touch, everywhere at once."""

from __future__ import annotations

from typing import TYPE_CHECKING

from playwright.sync_api import expect

from tests.e2e.test_everyone_can_use_it import violations

if TYPE_CHECKING:
    from playwright.sync_api import Locator, Page

    from tests.e2e.conftest import Visitor

# An instant in the past fires at once.
PAST = {"remindAt": "2020-01-01T09:00:00Z"}


def bells(page: Page) -> Locator:
    """Return the reminders above the list."""
    return page.get_by_role("region", name="Reminders").get_by_role("listitem")


def ring(visitor: Visitor, title: str) -> str:
    """Make a task whose reminder fires at once; return the reminder's address."""
    task = visitor.call("POST", "/api/tasks", {"title": title})
    reminder = visitor.call("POST", f"/api/tasks/{task['id']}/reminders", PAST)
    return f"/api/tasks/{task['id']}/reminders/{reminder['id']}"


def state(visitor: Visitor, address: str) -> str:
    """Return what became of a reminder."""
    path, _, wanted = address.rpartition("/")
    [found] = [each for each in visitor.call("GET", path)["items"] if each["id"] == wanted]
    return str(found["state"])


def test_what_rang_stays_until_it_is_seen_in_any_window(anna: Visitor) -> None:
    page = anna.register()
    address = ring(anna, "Take the cake out")
    expect(bells(page)).to_contain_text("Take the cake out")
    assert violations(page) == []
    other = anna.open("/today")
    expect(bells(other)).to_have_count(1)
    page.reload()
    expect(bells(page)).to_have_count(1)

    page.get_by_role("button", name="Seen: Take the cake out").click()

    expect(bells(page)).to_have_count(0)
    expect(bells(other)).to_have_count(0)
    assert state(anna, address) == "acknowledged"


def test_putting_off_works_offline_and_in_the_details(anna: Visitor) -> None:
    page = anna.register()
    address = ring(anna, "Call Grace")
    expect(bells(page)).to_have_count(1)
    anna.set_offline(True)
    page.get_by_role("button", name="In an hour: Call Grace").click()
    expect(bells(page)).to_have_count(0)
    anna.set_offline(False)
    expect(page.get_by_text("Not sent yet")).to_have_count(0)
    assert state(anna, address) == "scheduled"

    second = ring(anna, "Water the roses")
    bells(page).get_by_role("link", name="Water the roses").click()
    panel = page.get_by_role("complementary", name="Details")
    panel.locator("summary", has_text="Reminders").click()
    panel.get_by_role("button", name="Seen").click()
    expect(panel.locator(".reminder")).to_contain_text("seen")
    expect(bells(page)).to_have_count(0)
    assert state(anna, second) == "acknowledged"


def test_what_became_of_a_reminder_stays_unfolded_when_another_is_set(anna: Visitor) -> None:
    page = anna.register()
    ring(anna, "Call Grace")
    bells(page).get_by_role("link", name="Call Grace").click()
    panel = page.get_by_role("complementary", name="Details")
    panel.locator("summary", has_text="Reminders").click()
    fired = panel.locator(".reminders > li", has_text="2020")
    fired.locator("summary", has_text="Deliveries").click()
    expect(fired.locator(".deliveries > li")).not_to_have_count(0)

    panel.get_by_label("Remind at").fill("2030-04-30T18:00")
    panel.get_by_role("button", name="Set", exact=True).click()

    expect(panel.locator(".reminders > li")).to_have_count(2)
    expect(fired.locator(".deliveries > li").first).to_be_visible()


def test_a_moment_that_has_passed_waits_for_no_date(anna: Visitor) -> None:
    page = anna.register()
    due = {"title": "Call Grace", "dueDate": "2020-01-01T09:00:00Z"}
    for title, more in ((due["title"], due), ("Some day", {"title": "Some day"})):
        task = anna.call("POST", "/api/tasks", more)
        anna.call("POST", f"/api/tasks/{task['id']}/reminders", {"before": "PT1H"})
        page.get_by_role("link", name=title).click()
        page.get_by_role("complementary", name="Details").locator("summary", has_text="Reminders").click()
        said = "already past" if "dueDate" in more else "waits for a date"

        expect(page.locator(".reminder")).to_contain_text(said)
