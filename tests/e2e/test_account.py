"""The page of the account: profile, look, sessions, password, export, leaving."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import expect

from tests.e2e.conftest import PASSWORD, wait_until_kept
from tests.e2e.test_everyone_can_use_it import violations

if TYPE_CHECKING:
    from collections.abc import Callable

    from playwright.sync_api import Locator, Page, Route

    from tests.e2e.conftest import Visitor

NEW_PASSWORD = "a louder place by the sea"
WIDE, NARROW = {"width": 1440, "height": 900}, {"width": 360, "height": 740}

# Whether quiet hours were ticked, at every change of the page.
NOTE_THE_TICKS = """() => {
  globalThis.seen = [];
  new MutationObserver(() => seen.push(document.querySelector("[name=quiet]").checked))
    .observe(document.querySelector("#settings"), { subtree: true, childList: true, attributes: true });
}"""


def region(page: Page, name: str) -> Locator:
    """Return a part of the page."""
    return page.get_by_role("region", name=name)


def settings(visitor: Visitor) -> Page:
    """Register and open the page of the account from the menu."""
    page = visitor.register()
    page.locator("#account > summary").click()
    page.get_by_role("link", name="Settings").click()
    expect(page.get_by_role("heading", name="Settings")).to_be_visible()
    return page


def test_the_profile_saves_itself(anna: Visitor) -> None:
    page = settings(anna)
    you = region(page, "You")

    you.get_by_label("Name").fill("Anna Blume")
    you.get_by_label("Time zone").fill("America/New_York")
    you.get_by_label("First day of the week").select_option("Sunday")
    you.get_by_label("Quiet hours").check()
    expect(you.get_by_text("Saved")).to_be_visible()
    you.get_by_label("From").fill("21:15")
    you.get_by_label("To", exact=True).focus()

    expect(page.locator("#who")).to_have_text("Anna Blume")
    page.reload()
    expect(you.get_by_label("From")).to_have_value("21:15")
    me = anna.call("GET", "/api/me")
    assert (me["name"], me["timeZone"], me["weekStart"]) == ("Anna Blume", "America/New_York", "sunday")
    assert me["quietHours"] == {"from": "21:15", "to": "07:00"}


def test_what_was_just_chosen_is_not_taken_back_by_an_earlier_answer(anna: Visitor) -> None:
    page = settings(anna)
    you = region(page, "You")
    held: list[Route] = []
    page.route("**/api/me", lambda route: held.append(route))  # noqa: PLW0108 # Playwright marks what it is given
    you.get_by_label("First day of the week").select_option("Sunday")
    you.get_by_label("Quiet hours").check()
    page.evaluate(NOTE_THE_TICKS)

    held[0].continue_()
    expect(you.get_by_text("Saved")).to_be_visible()
    assert set(page.evaluate("seen")) == {True}
    while len(held) < 2:
        page.wait_for_timeout(20)
    held[1].continue_()

    expect(you.get_by_label("From")).to_have_value("22:00")
    assert set(page.evaluate("seen")) == {True}
    assert anna.call("GET", "/api/me")["quietHours"] == {"from": "22:00", "to": "07:00"}


def test_quiet_hours_that_cannot_be_saved_say_so(anna: Visitor) -> None:
    page = settings(anna)
    you = region(page, "You")
    anna.complaints_allowed = ("ERR_INTERNET_DISCONNECTED",)
    anna.context.set_offline(True)

    you.get_by_label("Quiet hours").check()
    expect(you.get_by_text("The server cannot be reached")).to_be_visible()
    anna.context.set_offline(False)
    you.get_by_label("Quiet hours").uncheck()
    you.get_by_label("Quiet hours").check()

    expect(you.get_by_label("From")).to_have_value("22:00")
    expect(you.get_by_text("The server cannot be reached")).to_have_count(0)


def test_a_time_zone_that_does_not_exist_is_said_at_the_field(anna: Visitor) -> None:
    page = settings(anna)
    anna.complaints_allowed = ("status of 422",)
    zone = region(page, "You").get_by_label("Time zone")

    zone.fill("Mars/Olympus")
    zone.blur()

    expect(page.get_by_text("Is not the IANA name of a time zone")).to_be_visible()
    expect(zone).to_have_attribute("aria-invalid", "true")


def test_the_theme_is_the_same_here_and_in_the_menu(anna: Visitor) -> None:
    page = settings(anna)

    region(page, "In this browser").get_by_text("Dark").click()

    expect(page.locator("html")).to_have_attribute("data-theme", "dark")
    page.locator("#account > summary").click()
    expect(page.locator("#theme").get_by_role("radio", name="Dark")).to_be_checked()
    page.reload()
    expect(page.locator("html")).to_have_attribute("data-theme", "dark")


def test_another_session_can_be_signed_out(anna: Visitor, visit: Callable[..., Visitor]) -> None:
    page = settings(anna)
    email = anna.call("GET", "/api/me")["email"]
    phone = visit()
    phone.call("POST", "/api/auth/login", {"email": email, "password": PASSWORD})
    there = phone.open("/")
    there.get_by_text("Live", exact=True).wait_for(state="attached")
    phone.complaints_allowed = ("status of 401",)
    page.reload()
    sessions = region(page, "Where you are signed in")
    expect(sessions.get_by_role("listitem")).to_have_count(2)
    expect(sessions.get_by_role("listitem").first).to_contain_text("Chrome on Linux · this one")

    sessions.get_by_role("button", name="Sign out Chrome on Linux").click()

    expect(there.get_by_text("You have been signed out.")).to_be_visible()
    expect(sessions.get_by_role("listitem")).to_have_count(1)
    expect(page.get_by_role("status").filter(has_text="Signed out Chrome on Linux")).to_be_visible()
    expect(sessions.get_by_role("heading")).to_be_focused()


def test_a_new_password_keeps_this_window_and_its_neighbours_going(anna: Visitor) -> None:
    page = settings(anna)
    neighbour = anna.open("/")
    neighbour.get_by_text("Live", exact=True).wait_for(state="attached")
    anna.complaints_allowed = ("status of 403", "status of 401")
    part = region(page, "Password")
    part.get_by_label("Current password").fill("something else entirely")
    part.get_by_label("New password").fill(NEW_PASSWORD)

    part.get_by_role("button", name="Change password").click()
    expect(part.get_by_text("The password is wrong.")).to_be_visible()
    expect(part.get_by_label("Current password")).to_be_focused()
    part.get_by_label("Current password").fill(PASSWORD)
    page.keyboard.press("Enter")

    expect(page.get_by_text("Password changed.")).to_be_visible()
    expect(part.get_by_label("New password")).to_have_value("")
    page.goto("/")
    page.get_by_label("New task").first.fill("Still here")
    page.keyboard.press("Enter")
    expect(neighbour.get_by_role("link", name="Still here")).to_be_visible(timeout=10_000)
    email = anna.call("GET", "/api/me")["email"]
    anna.call("POST", "/api/auth/login", {"email": email, "password": NEW_PASSWORD})


def test_who_signs_in_again_is_live_again(anna: Visitor) -> None:
    page = anna.register()
    email = anna.call("GET", "/api/me")["email"]
    anna.complaints_allowed = ("status of 401",)
    anna.call("POST", "/api/auth/logout")
    expect(page.get_by_text("You have been signed out.")).to_be_visible()

    page.get_by_label("Email").fill(email)
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()

    # Beneath the form stands what was last known: nobody sees it, and it may still say "Live".
    expect(page.get_by_text("You have been signed out.")).to_be_hidden()
    page.get_by_text("Live", exact=True).wait_for(state="attached")
    anna.call("POST", "/api/tasks", {"title": "From elsewhere"})
    expect(page.get_by_role("link", name="From elsewhere")).to_be_visible()


def test_leaving_takes_an_export_the_address_and_the_password(anna: Visitor) -> None:
    page = settings(anna)
    anna.complaints_allowed = ("status of 403", "status of 401")
    anna.call("POST", "/api/tasks", {"title": "To take along"})
    email = anna.call("GET", "/api/me")["email"]
    part = region(page, "Your data")
    part.get_by_text("Delete account…").click()
    confirm = part.get_by_role("button", name="Delete my account for good")
    expect(confirm).to_be_disabled()

    with page.expect_download() as exported:
        part.get_by_role("link", name="Export everything").nth(1).click()
    expect(part.get_by_label("I have a copy")).to_be_checked()
    part.get_by_label("Type your email address").fill(email)
    part.get_by_label("Your password").fill("not the right one")
    confirm.click()
    expect(part.get_by_text("The password is wrong.")).to_be_visible()
    part.get_by_label("Your password").fill(PASSWORD)
    confirm.click()

    expect(page.get_by_text("Your account is deleted, and everything in it.")).to_be_visible()
    assert exported.value.suggested_filename == "rondo-export.json"
    document = json.loads(Path(exported.value.path()).read_text(encoding="utf-8"))
    assert [task["title"] for task in document["tasks"]] == ["To take along"]
    page.goto("/")
    expect(page.get_by_role("heading", name="Welcome back")).to_be_visible()
    assert page.evaluate("indexedDB.databases().then((all) => all.length)") <= 1


def test_the_keys_lead_out_of_the_settings(anna: Visitor) -> None:
    page = settings(anna)
    page.keyboard.press("q")
    expect(page.get_by_label("New task").first).to_be_focused()
    page.keyboard.type("Written from the settings")
    page.keyboard.press("Enter")
    page.keyboard.press("Escape")

    page.go_back()
    expect(page.get_by_role("heading", name="Settings")).to_be_visible()
    page.keyboard.press("e")
    expect(page.get_by_role("complementary", name="Details")).to_be_hidden()
    page.keyboard.press("/")

    expect(page.get_by_role("searchbox", name="Search")).to_be_focused()
    expect(page.get_by_role("link", name="Written from the settings")).to_be_visible()


def test_the_page_says_what_needs_a_network(anna: Visitor) -> None:
    page = settings(anna)
    expect(region(page, "Where you are signed in").get_by_role("listitem")).to_have_count(1)
    page.get_by_role("link", name="Inbox").first.click()
    anna.set_offline(True)

    page.locator("#account > summary").click()
    page.get_by_role("link", name="Settings").click()
    expect(page.get_by_text("The list can be read when you are online.")).to_be_visible()
    you = region(page, "You")
    you.get_by_label("Name").fill("Offline")
    you.get_by_label("Name").blur()

    expect(you.get_by_text("The server cannot be reached.")).to_be_visible()
    expect(you.get_by_label("Name")).to_have_value("Offline")


@pytest.mark.parametrize(
    ("scheme", "viewport"), [("light", WIDE), ("dark", NARROW)], ids=["light, wide", "dark, narrow"]
)
def test_axe_finds_nothing_to_complain_about(
    visit: Callable[..., Visitor], scheme: str, viewport: dict[str, int]
) -> None:
    visitor = visit(color_scheme=scheme, viewport=viewport, reduced_motion="reduce")
    page = visitor.register()
    wait_until_kept(page, "kv", "Anna")
    page.goto("/settings")
    region(page, "You").get_by_label("Quiet hours").check()
    page.get_by_text("Delete account…").click()
    region(page, "Password").get_by_role("button", name="Change password").click()
    expect(page.get_by_text("Enter your password.")).to_be_visible()

    assert violations(page) == []
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_the_account_menu_is_not_cut_off_by_the_navigation(anna: Visitor) -> None:
    page = anna.register()

    page.locator("#account > summary").click()

    expect(page.locator("#theme span").last).to_be_in_viewport(ratio=1)
    assert page.evaluate("""() => {
      const last = [...document.querySelectorAll("#theme span")].at(-1);
      const { left, top, width, height } = last.getBoundingClientRect();
      return last.contains(document.elementFromPoint(left + width - 2, top + height / 2));
    }""")
