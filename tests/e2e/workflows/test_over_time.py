"""Workflows eight to ten: live across tabs and devices, the history of a task, and its reminders."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from playwright.sync_api import expect

from tests.e2e.conftest import PASSWORD
from tests.e2e.workflows.person import Person

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.e2e.conftest import Visitor


def test_what_happens_in_one_tab_or_device_is_seen_in_the_others(person: Person, visit: Callable[..., Visitor]) -> None:
    tab = Person(person.visitor, person.visitor.open("/"))
    device = visit()
    email = person.visitor.call("GET", "/api/me")["email"]
    device.call("POST", "/api/auth/login", {"email": email, "password": PASSWORD})
    elsewhere = Person(device, device.open("/"))
    tab.wait_until_saved()
    elsewhere.wait_until_saved()

    person.add("Seen by all")
    for other in (tab, elsewhere):
        expect(other.row("Seen by all")).to_contain_text("Changed in another window")
    elsewhere.open("Seen by all").get_by_role("textbox", name="Title").fill("Known to all")
    elsewhere.close()
    for other in (person, tab):
        expect(other.titles).to_have_text(["Known to all"])
    tab.complete("Known to all")
    for other in (person, elsewhere):
        expect(other.titles).to_have_count(0)

    assert [(task["title"], task["completed"]) for task in person.tasks()] == [("Known to all", True)]


def test_the_history_tells_who_changed_what_and_sets_it_back(person: Person) -> None:
    task = person.has(title="Old name")
    person.visitor.call("PATCH", f"/api/tasks/{task['id']}", {"title": "New name", "priority": "high"})

    panel = person.open("New name")
    person.unfold("History")
    change = panel.locator(".history > li", has_text="changed it").first
    expect(change).to_contain_text("You changed it")
    expect(change.locator("li", has_text="Title").locator("del")).to_have_text("Old name")
    expect(change.locator("li", has_text="Title").locator("ins")).to_have_text("New name")
    expect(change.locator("li", has_text="Priority").locator("del")).to_have_text("Medium")
    expect(panel.locator(".history > li").last).to_contain_text("You created it")
    person.press(change.get_by_role("button", name=re.compile("Restore Title")))

    expect(panel.get_by_role("textbox", name="Title")).to_have_value("Old name")
    expect(panel.locator(".history > li", has_text="changed it")).to_have_count(2)
    person.close()
    person.wait_until_saved()
    assert [(each["title"], each["priority"]) for each in person.tasks()] == [("Old name", "high")]


def test_reminders_are_set_before_the_date_and_at_a_time_of_their_own(person: Person) -> None:
    task = person.has(title="Train to Hamburg", dueDate="2030-05-01T06:30:00Z")

    panel = person.open("Train to Hamburg")
    person.unfold("Reminders")
    person.press(panel.get_by_role("button", name="1 hour before", exact=True))
    panel.get_by_label("Remind at").fill("2030-04-30T18:00")
    person.press(panel.get_by_role("button", name="Set", exact=True))
    reminders = panel.locator(".reminders > li")
    expect(reminders).to_have_count(2)
    expect(panel.get_by_text("Deliveries")).to_have_count(2)
    expect(reminders.filter(has_text="1 hour before")).to_contain_text("1 May 2030")
    person.press(reminders.filter(has_text="1 hour before").get_by_text("Deliveries"))
    expect(panel.get_by_text("Nothing sent yet.")).to_be_visible()
    person.press(panel.get_by_role("button", name=re.compile("Remove reminder 1 hour before")))
    expect(reminders).to_have_count(1)
    person.close()

    expect(person.row("Train to Hamburg")).to_contain_text("Has a reminder")
    person.wait_until_saved()
    [left] = person.visitor.call("GET", f"/api/tasks/{task['id']}/reminders")["items"]
    assert (left["remindAt"], left["state"]) == ("2030-04-30T16:00:00Z", "scheduled")
