"""Workflows eleven and twelve: the keyboard alone, and everything for everyone."""

from __future__ import annotations

from typing import TYPE_CHECKING

from playwright.sync_api import expect

from tests.e2e.conftest import PASSWORD, new_email
from tests.e2e.test_everyone_can_use_it import violations

if TYPE_CHECKING:
    from playwright.sync_api import Page

    from tests.e2e.conftest import Visitor

# What a screen reader is told, in the order in which it reads.
FORM = """
- main:
  - heading "Make room in your head" [level=1]
  - textbox "Name optional"
  - textbox "Email"
  - textbox "Password"
  - paragraph:
    - checkbox "Show password"
    - text: Show password A sentence is better than a word.
  - button "Create account"
  - paragraph:
    - link "Have an account? Sign in"
- status
"""
WELCOME = """
- main:
  - heading "Inbox" [level=1]
  - text: 3 tasks
  - search:
    - searchbox "Search"
  - textbox "New task"
  - region "Welcome, Anna":
    - heading "Welcome, Anna" [level=2]
    - button "Remove the examples"
    - button "Keep them"
"""
REFUSED = """
- textbox "New task" [invalid]
- paragraph: Give the task a title.
"""
LIST = """
- main:
  - heading "Inbox" [level=1]
  - text: 2 tasks
  - textbox "New task"
  - list:
    - listitem:
      - checkbox "Complete “Third”"
      - link "Third"
    - listitem:
      - checkbox "Complete “First”"
      - link "First"
"""
TOAST = """
- status:
  - text: Completed “Second”
  - button /^Undo/
  - button "Close message"
"""
DETAILS = """
- complementary "Details":
  - checkbox "Complete “First”"
  - button "Close details"
  - textbox "Title": First
  - textbox "Description"
  - group: Due No date
  - group "Priority":
    - radio "Low"
    - radio "Medium" [checked]
    - radio "High"
    - radio "Urgent"
  - combobox "Add a tag"
  - button "Delete"
"""


def register(visitor: Visitor) -> Page:
    """Become somebody by keyboard."""
    page = visitor.open("/register")
    expect(page.get_by_label("Name")).to_be_focused()
    for text in ("Anna", new_email(), PASSWORD):
        page.keyboard.type(text)
        page.keyboard.press("Tab")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Inbox")).to_be_visible()
    expect(page.get_by_role("button", name="Remove the examples")).to_be_visible()
    return page


def remove_examples(page: Page) -> None:
    """Throw the three examples out by keyboard; the focus is then where a task is written."""
    page.keyboard.press("q")
    page.keyboard.press("Tab")
    expect(page.get_by_role("button", name="Remove the examples")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator(".row")).to_have_count(0)
    expect(page.get_by_role("textbox", name="New task")).to_be_focused()


def test_the_keyboard_is_enough_from_registering_to_the_first_done_task(anna: Visitor) -> None:
    page = register(anna)
    keys = page.keyboard

    remove_examples(page)
    for title in ("First", "Second", "Third"):
        keys.type(title)
        keys.press("Enter")
    expect(page.locator(".row-title")).to_have_text(["Third", "Second", "First"])
    keys.press("Escape")
    keys.press("j")
    expect(page.get_by_role("link", name="Second", exact=True)).to_be_focused()
    keys.press("x")
    expect(page.get_by_role("link", name="First", exact=True)).to_be_focused()
    expect(page.get_by_role("status")).to_contain_text("Completed “Second”")
    expect(page.locator(".row")).to_have_count(2)
    keys.press("u")
    expect(page.locator(".row")).to_have_count(3)
    keys.press("p")
    expect(page.get_by_role("radio", name="Medium")).to_be_focused()
    keys.press("ArrowRight")
    expect(page.locator(".row[data-priority=high]", has_text="First")).to_have_count(1)
    keys.press("Escape")
    keys.press("Escape")
    expect(page.get_by_role("link", name="First", exact=True)).to_be_focused()
    keys.press("e")
    expect(page.get_by_role("complementary", name="Details")).to_be_focused()
    keys.press("Tab")
    keys.press("Tab")
    keys.press("Tab")
    keys.type(" of all")
    keys.press("Escape")
    keys.press("Escape")
    expect(page.get_by_role("link", name="First of all", exact=True)).to_be_focused()
    keys.press("Delete")
    expect(page.get_by_role("link", name="Second", exact=True)).to_be_focused()
    keys.press("u")
    expect(page.locator(".row-title")).to_have_text(["Third", "Second", "First of all"])
    keys.press("/")
    keys.type("thi")
    expect(page.locator(".row-title")).to_have_text(["Third"])
    keys.press("Escape")
    keys.press("Escape")
    keys.press("g")
    keys.press("t")

    expect(page.get_by_role("heading", name="Today", exact=True)).to_be_focused()


def test_the_first_workflow_is_told_in_words_and_has_no_barrier(anna: Visitor) -> None:
    page = anna.open("/register")
    expect(page.get_by_role("heading", name="Make room in your head")).to_be_visible()
    expect(page.locator("body")).to_match_aria_snapshot(FORM)
    found = {"form": violations(page)}
    page.close()
    page = register(anna)
    keys = page.keyboard

    expect(page.locator("body")).to_match_aria_snapshot(WELCOME)
    found["welcome"] = violations(page)
    remove_examples(page)
    keys.press("Enter")
    expect(page.locator("#add")).to_match_aria_snapshot(REFUSED)
    found["refused"] = violations(page)
    for title in ("First", "Second", "Third"):
        keys.type(title)
        keys.press("Enter")
    expect(page.locator(".row-title")).to_have_text(["Third", "Second", "First"])
    keys.press("Escape")
    keys.press("j")
    expect(page.get_by_role("link", name="Second", exact=True)).to_be_focused()
    keys.press("x")
    expect(page.locator("body")).to_match_aria_snapshot(TOAST)
    expect(page.locator(".row")).to_have_count(2)
    expect(page.locator("body")).to_match_aria_snapshot(LIST)
    found["list, toast"] = violations(page)
    keys.press("e")
    expect(page.locator("body")).to_match_aria_snapshot(DETAILS)
    found["details"] = violations(page)

    assert {state: each for state, each in found.items() if each} == {}
