"""Reminders that rang: said where one looks, seen or put off with one touch, everywhere at once."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from playwright.sync_api import expect

from tests.e2e.conftest import wait_until
from tests.e2e.test_everyone_can_use_it import violations

if TYPE_CHECKING:
    from playwright.sync_api import Locator, Page

    from tests.e2e.conftest import Visitor

# An instant in the past fires at once.
PAST = {"remindAt": "2020-01-01T09:00:00Z"}
DUE = "2030-05-01T06:30:00Z"
# Whether the server has a task of this priority with so many reminders.
STORED = """async ([priority, count]) => {
  const { items: [task] } = await (await fetch("/api/tasks")).json();
  return task.priority === priority && task.reminders.length === count;
}"""


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


def details(visitor: Visitor, page: Page, *reminders: dict[str, str], due: str = DUE) -> Locator:
    """Make a task with reminders and open its details, and in them the reminders."""
    task = visitor.call("POST", "/api/tasks", {"title": "Call Grace", "dueDate": due})
    for each in reminders:
        visitor.call("POST", f"/api/tasks/{task['id']}/reminders", each)
    page.get_by_role("link", name="Call Grace", exact=True).first.click()
    panel = page.get_by_role("complementary", name="Details")
    panel.locator("summary", has_text="Reminders").click()
    expect(panel.locator(".reminders > li")).to_have_count(len(reminders))
    return panel


def stored(visitor: Visitor) -> list[dict[str, Any]]:
    """Return the reminders of the only task, as the server has them."""
    [task] = visitor.call("GET", "/api/tasks")["items"]
    found: list[dict[str, Any]] = visitor.call("GET", f"/api/tasks/{task['id']}/reminders")["items"]
    return found


def test_a_removed_reminder_comes_back_as_it_was(anna: Visitor) -> None:
    page = anna.register()
    panel = details(anna, page, {"before": "PT1H"}, PAST, {"before": "PT10M"})
    expect(panel.locator(".reminder small")).to_have_text(["scheduled", "reminded", "scheduled"])
    expect(bells(page)).to_have_count(1)
    before = stored(anna)

    for name, left in (("2020", ["1 hour", "10 minutes"]), ("1 hour", ["10 minutes"])):
        panel.get_by_role("button", name=re.compile(f"Remove reminder.*{name}")).click()
        expect(page.locator(".toast").last).to_contain_text(re.compile(f"Reminder removed: .*{name}"))
        expect(panel.locator(".reminder")).to_contain_text(left)
    expect(bells(page)).to_have_count(0)
    page.keyboard.press("u")
    page.keyboard.press("u")

    expect(panel.locator(".reminder")).to_contain_text(["1 hour", "2020", "10 minutes"])
    expect(bells(page)).to_have_count(1)
    expect(page.get_by_text("Not sent yet")).to_have_count(0)
    assert stored(anna) == before


def test_the_focus_goes_to_the_next_reminder_when_one_is_removed(anna: Visitor) -> None:
    page = anna.register()
    panel = details(anna, page, {"before": "PT1H"}, {"before": "PT10M"}, {"before": "P1D"})

    panel.get_by_role("button", name="Remove reminder 10 minutes before").press("Enter")
    expect(panel.get_by_role("button", name="Remove reminder 1 day before")).to_be_focused()
    page.keyboard.press("Enter")
    expect(panel.get_by_role("button", name="Remove reminder 1 hour before")).to_be_focused()
    page.keyboard.press("Enter")
    expect(panel.locator("summary", has_text="Reminders")).to_be_focused()


def test_a_removal_that_can_still_be_undone_holds_up_nothing_and_goes_with_the_page(anna: Visitor) -> None:
    page = anna.register()
    anna.complaints_allowed = ("status of 404",)  # the request may leave with the old page and again with the new one
    panel = details(anna, page, {"before": "PT1H"})
    expect(panel.locator(".reminder small")).to_have_text("scheduled")

    panel.get_by_role("button", name="Remove reminder").click()
    panel.get_by_text("Urgent").click()

    wait_until(page, STORED, ["urgent", 1])
    page.reload()
    wait_until(page, STORED, ["urgent", 0])
    expect(page.get_by_text("Not sent yet")).to_have_count(0)
    expect(page.get_by_text("Has a reminder")).to_have_count(0)


def test_what_is_removed_just_before_it_rings_does_not_ring(anna: Visitor) -> None:
    page = anna.register()
    soon = (datetime.now(tz=UTC) + timedelta(seconds=10)).isoformat()
    panel = details(anna, page, {"remindAt": soon})
    expect(panel.locator(".reminder small")).to_have_text("scheduled")

    panel.get_by_role("button", name="Remove reminder").click()

    wait_until(page, STORED, ["medium", 0])
    expect(page.get_by_role("button", name="Undo")).to_be_visible()


def test_the_same_reminder_is_not_set_twice(anna: Visitor) -> None:
    page = anna.register()
    panel = details(anna, page)

    for _ in range(3):
        panel.get_by_role("button", name="When it is due", exact=True).click()
    expect(panel.locator(".reminder")).to_have_count(1)
    expect(page.get_by_text("It already has this reminder.")).to_have_count(1)
    for count in (2, 2):
        panel.get_by_label("Remind at").fill("2030-04-30T18:00")
        panel.get_by_role("button", name="Set", exact=True).click()
        expect(panel.locator(".reminder")).to_have_count(count)

    expect(page.get_by_text("Not sent yet")).to_have_count(0)
    assert len(stored(anna)) == 2


def test_a_reminder_that_was_set_is_taken_back_by_key(anna: Visitor) -> None:
    page = anna.register()
    panel = details(anna, page, {"before": "PT1H"})

    panel.get_by_role("button", name="When it is due", exact=True).click()
    expect(page.locator(".toast")).to_contain_text("Reminder set: When it is due")
    page.keyboard.press("u")

    expect(panel.locator(".reminder")).to_contain_text(["1 hour before"])
    wait_until(page, STORED, ["medium", 1])


def test_a_removed_reminder_that_is_set_again_is_the_one_that_was(anna: Visitor) -> None:
    page = anna.register()
    panel = details(anna, page, {"before": "PT1H"})
    expect(panel.locator(".reminder small")).to_have_text("scheduled")
    before = stored(anna)

    panel.get_by_role("button", name="Remove reminder").click()
    panel.get_by_role("button", name="1 hour before", exact=True).click()
    page.keyboard.press("u")

    expect(panel.locator(".reminder")).to_have_count(1)
    expect(page.get_by_text("Not sent yet")).to_have_count(0)
    assert stored(anna) == before


def test_the_moment_that_is_offered_lies_ahead_and_one_that_has_passed_is_said(anna: Visitor) -> None:
    page = anna.register()
    panel = details(anna, page, due="2020-01-01T09:00:00Z")
    moment = panel.get_by_label("Remind at")
    now = page.evaluate("new Date().toLocaleString('sv').replace(' ', 'T')")
    assert moment.input_value() > now

    moment.fill("2020-01-01T09:00")
    panel.get_by_role("button", name="Set", exact=True).click()

    expect(panel.get_by_text("This moment has passed. Choose a later one.")).to_be_visible()
    expect(moment).to_have_attribute("aria-invalid", "true")
    expect(moment).to_be_focused()
    expect(panel.locator(".reminder")).to_have_count(0)
    moment.fill("2030-04-30T18:00")
    expect(panel.get_by_text("This moment has passed.")).to_have_count(0)
    moment.press("Enter")
    expect(panel.locator(".reminder")).to_contain_text(["2030"])


def test_the_moment_that_is_offered_is_when_it_is_due(anna: Visitor) -> None:
    panel = details(anna, anna.register())

    expect(panel.get_by_label("Remind at")).to_have_value("2030-05-01T08:30")
