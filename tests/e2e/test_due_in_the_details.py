"""When a task is due, in its details: what is typed is saved when it is left, what is wrong is said at the field."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import expect

if TYPE_CHECKING:
    from playwright.sync_api import Locator, Page, Request

    from tests.e2e.conftest import Visitor

# The same wherever the month comes first.
TYPED = "12122031"
TASK = {"title": "Pay rent", "dueDate": "2030-05-01T06:30:00Z", "timeZone": "Europe/Berlin"}


@pytest.fixture
def page(anna: Visitor) -> Page:
    """A page with one task, and in its details what says when it is due."""
    page = anna.register()
    anna.call("POST", "/api/tasks", TASK)
    page.get_by_role("link", name="Pay rent").click()
    panel(page).locator("summary", has_text="Due").click()
    return page


def panel(page: Page) -> Locator:
    """Return the details."""
    return page.get_by_role("complementary", name="Details")


def date(page: Page) -> Locator:
    """Return the field of the day."""
    return panel(page).get_by_label("Date", exact=True)


def saved_by(page: Page) -> list[str | None]:
    """Return the list of the dates that are sent from now on."""
    sent: list[str | None] = []

    def seen(request: Request) -> None:
        if request.method == "PATCH":
            sent.append(json.loads(request.post_data or "{}")["dueDate"])

    page.on("request", seen)
    return sent


def all_sent(page: Page) -> None:
    """Wait until the server has everything that is shown."""
    expect(page.get_by_text("Not sent yet")).to_have_count(0)


@pytest.mark.parametrize("leaving", ["Enter", "Tab", "Escape"])
def test_a_date_that_is_typed_is_sent_once(anna: Visitor, page: Page, leaving: str) -> None:
    sent = saved_by(page)

    date(page).focus()
    page.keyboard.type(TYPED)
    page.keyboard.press(leaving)
    if leaving == "Tab":  # from the year to what opens the calendar, and on
        page.keyboard.press("Tab")

    expect(page.locator(".row")).to_contain_text("12 Dec 2031 08:30")
    all_sent(page)
    assert sent == ["2031-12-12T07:30:00Z"]


def test_a_date_that_is_being_typed_goes_with_the_page(anna: Visitor, page: Page) -> None:
    date(page).focus()
    page.keyboard.type(TYPED)
    page.reload()

    expect(page.locator(".row")).to_contain_text("12 Dec 2031 08:30")
    all_sent(page)


def test_a_day_that_is_picked_is_saved_at_once(page: Page) -> None:
    sent = saved_by(page)

    date(page).fill("2030-05-02")  # comes without a key, as a click in the calendar does

    expect(page.locator(".row")).to_contain_text("2 May 2030 08:30")
    expect(date(page)).to_be_focused()
    date(page).blur()
    all_sent(page)
    assert sent == ["2030-05-02T06:30:00Z"]


def test_half_a_date_changes_nothing(page: Page) -> None:
    sent = saved_by(page)

    date(page).focus()
    page.keyboard.press("Backspace")
    expect(date(page)).to_have_value("")
    date(page).blur()

    expect(date(page)).to_have_value("2030-05-01")
    expect(page.locator(".row")).to_contain_text("1 May 2030 08:30")
    assert sent == []


def test_a_year_that_nobody_means_is_said_at_the_field(page: Page) -> None:
    sent = saved_by(page)

    date(page).focus()
    page.keyboard.type("121231")
    date(page).blur()

    expect(panel(page).get_by_text("Is out of range.")).to_be_visible()
    expect(date(page)).to_have_attribute("aria-invalid", "true")
    panel(page).get_by_label("Time", exact=True).fill("09:30")
    expect(page.locator(".row")).to_contain_text("1 May 2030 09:30")
    date(page).focus()
    page.keyboard.type(TYPED)
    date(page).blur()
    expect(page.locator(".row")).to_contain_text("12 Dec 2031 09:30")
    expect(panel(page).get_by_text("Is out of range.")).to_have_count(0)
    all_sent(page)
    assert sent == ["2030-05-01T07:30:00Z", "2031-12-12T08:30:00Z"]


def test_a_date_that_is_taken_away_does_not_become_today(anna: Visitor, page: Page) -> None:
    date(page).fill("")
    date(page).blur()
    panel(page).get_by_label("Time", exact=True).focus()
    panel(page).get_by_label("Time", exact=True).blur()

    expect(panel(page).locator("[data-part=dueValue]")).to_have_text("No date")
    expect(panel(page).get_by_label("Time", exact=True)).to_have_value("")
    all_sent(page)
    assert anna.call("GET", "/api/tasks")["items"][0]["dueDate"] is None


def test_an_unknown_time_zone_is_said_at_the_field_and_dates_can_be_changed(anna: Visitor, page: Page) -> None:
    zone = panel(page).get_by_label("Time zone")
    zone.fill("Mars/Olympus")
    zone.blur()

    expect(panel(page).get_by_text("Is not the IANA name of a time zone")).to_be_visible()
    expect(zone).to_have_attribute("aria-invalid", "true")
    date(page).fill("2030-05-02")
    expect(page.locator(".row")).to_contain_text("2 May 2030 08:30")
    expect(zone).to_have_value("Mars/Olympus")

    zone.fill("Asia/Kolkata")
    zone.blur()
    expect(panel(page).get_by_text("Is not the IANA name of a time zone")).to_have_count(0)
    all_sent(page)
    [task] = anna.call("GET", "/api/tasks")["items"]
    assert (task["dueDate"], task["timeZone"]) == ("2030-05-02T03:00:00Z", "Asia/Kolkata")


def test_a_title_that_is_left_empty_is_the_old_one(page: Page) -> None:
    title = panel(page).get_by_label("Title")
    title.fill("")
    page.keyboard.press("Enter")
    expect(panel(page).get_by_text("Give the task a title.")).to_be_visible()
    title.blur()

    expect(title).to_have_value("Pay rent")
    expect(panel(page).get_by_text("Give the task a title.")).to_have_count(0)
    title.fill("")
    page.reload()
    expect(title).to_have_value("Pay rent")
