"""Workflows one and two: creating a task, with validation, and creating one that comes back."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from playwright.sync_api import expect

from tests.e2e.conftest import TIME_ZONE

if TYPE_CHECKING:
    from tests.e2e.workflows.person import Person

HERE = ZoneInfo(TIME_ZONE)


def tomorrow_at_nine(days: int = 1) -> str:
    """Return nine o'clock where the visitor lives some days from now as the API writes it."""
    day = datetime.now(HERE).date() + timedelta(days=days)
    moment = datetime(day.year, day.month, day.day, 9, tzinfo=HERE)
    return moment.astimezone(ZoneInfo("UTC")).strftime("%Y-%m-%dT%H:%M:%SZ")


def test_a_task_is_created_and_what_cannot_be_one_is_refused_in_words(person: Person) -> None:
    field = person.page.get_by_role("textbox", name="New task")

    person.add("#home !high")
    expect(person.page.get_by_text("Give the task a title.")).to_be_visible()
    expect(field).to_have_attribute("aria-invalid", "true")
    person.add("x" * 501)
    expect(person.page.get_by_text("A title has at most 500 characters; this one has 501.")).to_be_visible()
    expect(field).to_have_value("x" * 501)
    person.add("Buy oat milk tomorrow at 9 #home !high")

    expect(field).to_have_value("")
    expect(person.page.locator("#add-error")).to_be_empty()
    expect(person.row("Buy oat milk")).to_contain_text("Tomorrow 09:00")
    expect(person.row("Buy oat milk")).to_have_attribute("data-priority", "high")
    person.wait_until_saved()
    [task] = person.tasks()
    assert (task["title"], task["dueDate"]) == ("Buy oat milk", tomorrow_at_nine())
    assert (task["priority"], task["tags"]) == ("high", ["home"])


def test_a_recurring_task_is_created_and_comes_back_when_it_is_completed(person: Person) -> None:
    person.page.get_by_role("textbox", name="New task").fill("Water plants tomorrow at 9 every week")
    understood = person.page.get_by_role("list", name="Understood").get_by_role("button")
    expect(understood).to_have_count(2)
    person.page.keyboard.press("Enter")
    expect(person.row("Water plants")).to_contain_text("Repeats")
    person.wait_until_saved()

    panel = person.open("Water plants")
    person.unfold("Repeat")
    expect(panel.locator(".sentence")).to_contain_text("every week")
    expect(panel.locator(".preview li")).to_have_count(5)
    person.close()
    person.complete("Water plants")

    expect(person.row("Tomorrow 09:00")).to_have_count(0)
    expect(person.titles).to_have_text(["Water plants"])
    person.wait_until_saved()
    due = {task["completed"]: task["dueDate"] for task in person.tasks()}
    assert due == {True: tomorrow_at_nine(), False: tomorrow_at_nine(days=8)}
