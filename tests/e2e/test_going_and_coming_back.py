"""Lists one goes away from and comes back to, the task that is open, and the navigation beside them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import expect

from tests.e2e.conftest import PASSWORD, TIME_ZONE, new_email, wait_until
from tests.e2e.test_everyone_can_use_it import NARROW, WIDE, violations

if TYPE_CHECKING:
    from collections.abc import Callable

    from playwright.sync_api import Locator, Page

    from tests.e2e.conftest import Visitor

# The list draws 60 rows at first, so this one is not there until somebody has scrolled.
DEEP = "Task 100"
GROWN = """async (title) => {
  scrollTo(0, document.documentElement.scrollHeight);
  return [...document.querySelectorAll(".row-title")].some((link) => link.textContent === title);
}"""

# Rows have their true heights when they have been drawn.
CENTRED = """async (link) => {
  const top = () => link.getBoundingClientRect().top;
  for (let still = 0, last = NaN; still < 3; still = top() === last ? still + 1 : 0, last = top()) {
    link.scrollIntoView({ block: "center" });
    await new Promise(requestAnimationFrame);
  }
}"""


def long_list(visitor: Visitor) -> Page:
    """Return the page of somebody who has had 260 tasks, and one with a tag, for long."""
    account = {"email": new_email(), "password": PASSWORD, "timeZone": TIME_ZONE}
    visitor.call("POST", "/api/auth/register", account)
    visitor.call("POST", "/api/tasks", {"title": "Tagged", "tags": ["home"], "dueDate": "2020-01-01"})
    for number in range(260):
        visitor.call("POST", "/api/tasks", {"title": f"Task {number:03}"})
    page = visitor.open("/")
    expect(page.locator("#count")).to_have_text("261 tasks")
    return page


def scrolled(page: Page) -> Locator:
    """Scroll until a task deep down is in the middle, and return its link."""
    wait_until(page, GROWN, DEEP)
    link = page.get_by_role("link", name=DEEP)
    link.evaluate(CENTRED)
    return link


def height_of(link: Locator) -> float:
    """Return where on the screen something is."""
    return float(link.evaluate("(link) => link.getBoundingClientRect().top"))


def test_back_from_another_list_comes_to_the_same_row(anna: Visitor) -> None:
    page = long_list(anna)
    link = scrolled(page)
    link.evaluate("(link) => link.focus({ preventScroll: true })")
    height = height_of(link)

    page.keyboard.press("g")
    page.keyboard.press("t")
    expect(page.get_by_role("heading", name="Today", exact=True)).to_be_focused()
    page.go_back()

    expect(link).to_be_focused()
    assert height_of(link) == pytest.approx(height, abs=2)
    page.keyboard.press("j")
    expect(page.get_by_role("link", name="Task 099")).to_be_focused()


def test_back_and_forward_keep_the_place_for_a_mouse_too(anna: Visitor) -> None:
    page = long_list(anna)
    page.locator("#tags").get_by_role("link", name="home").click()
    expect(page.get_by_role("heading", name="#home")).to_be_focused()
    page.locator("#places").get_by_role("link", name="Inbox").click()
    link = scrolled(page)
    height = height_of(link)

    page.go_back()
    expect(page.get_by_role("heading", name="#home")).to_be_visible()
    page.go_forward()
    expect(link).to_be_in_viewport()
    assert height_of(link) == pytest.approx(height, abs=2)
    page.locator("#places").get_by_role("link", name="Today").click()
    expect(page.locator(".row")).to_have_count(1)
    page.go_back()

    expect(link).to_be_in_viewport()
    assert height_of(link) == pytest.approx(height, abs=2)


@pytest.mark.parametrize("viewport", [WIDE, NARROW], ids=["wide", "narrow"])
def test_back_from_the_details_comes_to_the_row_they_were_of(
    visit: Callable[..., Visitor], viewport: dict[str, int]
) -> None:
    page = long_list(visit(viewport=viewport))
    link = scrolled(page)
    height = height_of(link)

    link.click()
    expect(page.get_by_role("complementary", name="Details")).to_be_focused()
    page.go_back()

    expect(page.get_by_role("complementary", name="Details")).to_be_hidden()
    expect(link).to_be_focused()
    assert height_of(link) == pytest.approx(height, abs=2)


def test_a_reload_keeps_the_place(anna: Visitor) -> None:
    page = long_list(anna)
    link = scrolled(page)
    height = height_of(link)

    page.reload()

    expect(link).to_be_in_viewport()
    assert height_of(link) == pytest.approx(height, abs=2)


def test_a_new_place_begins_at_its_top(anna: Visitor) -> None:
    page = long_list(anna)
    scrolled(page)

    wait_until(page, GROWN, "Tagged")
    page.locator(".row").get_by_role("link", name="#home").click()
    expect(page.get_by_role("heading", name="#home")).to_be_in_viewport()
    page.go_back()
    expect(page.locator(".row", has_text="Tagged")).to_be_in_viewport()

    page.locator("#places").get_by_role("link", name="Today").click()
    page.locator("#places").get_by_role("link", name="Inbox").click()

    expect(page.get_by_role("link", name="Task 259")).to_be_in_viewport()
    expect(page.get_by_role("heading", name="Inbox")).to_be_focused()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_open_task_is_marked_in_the_list(visit: Callable[..., Visitor], scheme: str) -> None:
    anna = visit(color_scheme=scheme, reduced_motion="reduce")
    page = anna.register()
    for title, day in (("Bread", "2020-01-01"), ("Apple", None)):
        anna.call("POST", "/api/tasks", {"title": title, "tags": ["shop"], "dueDate": day})
    current = page.locator("#list [aria-current]")
    expect(page.locator(".row")).to_have_count(2)
    expect(current).to_have_count(0)

    page.get_by_role("link", name="Bread").click()
    expect(current).to_have_text(["Bread"])
    page.locator("#panel").get_by_label("Title").focus()
    assert [_has_a_bar(page.locator(".row", has_text=title)) for title in ("Bread", "Apple")] == [True, False]
    assert violations(page) == []
    page.get_by_role("link", name="Apple").click()
    expect(current).to_have_text(["Apple"])
    page.keyboard.press("Escape")

    expect(current).to_have_count(0)


def _has_a_bar(row: Locator) -> bool:
    """Return whether a coloured bar stands before a row."""
    return bool(
        row.evaluate("""(row) => {
          const { content, inlineSize, backgroundColor } = getComputedStyle(row, "::before");
          return content !== "none" && inlineSize === "3px" && backgroundColor !== "rgba(0, 0, 0, 0)";
        }""")
    )


@pytest.mark.parametrize("viewport", [{"width": 1440, "height": 700}, NARROW], ids=["wide", "narrow"])
def test_many_tags_leave_the_account_in_view(visit: Callable[..., Visitor], viewport: dict[str, int]) -> None:
    anna = visit(viewport=viewport)
    page = anna.register()
    for number in range(40):
        anna.call("POST", "/api/tasks", {"title": f"Task {number}", "tags": [f"tag{number}"]})
    for more in page.get_by_role("button", name="More").all():
        more.click()
    last = page.locator("#tags a").last
    expect(page.locator("#tags a")).to_have_count(40)

    expect(page.locator("#account > summary")).to_be_in_viewport(ratio=1)
    expect(page.locator("#link")).to_be_in_viewport(ratio=1)
    last.focus()
    expect(last).to_be_in_viewport(ratio=1)
    assert last.evaluate("""(link) => link.getBoundingClientRect().bottom
      <= document.querySelector(".nav-foot").getBoundingClientRect().top""")
    page.locator("#account > summary").click()
    expect(page.get_by_role("link", name="Settings")).to_be_in_viewport(ratio=1)


@pytest.mark.parametrize("key", ["ArrowDown", "Enter"])
def test_the_search_leads_to_the_first_match(anna: Visitor, key: str) -> None:
    page = anna.register()
    for title in ("Bread", "Apple pie", "Apple tree"):
        anna.call("POST", "/api/tasks", {"title": title})
    expect(page.locator(".row")).to_have_count(3)
    page.keyboard.press("/")
    page.keyboard.type("apple")

    page.keyboard.press(key)

    expect(page.get_by_role("link", name="Apple tree")).to_be_focused()
    expect(page.get_by_role("complementary", name="Details")).to_be_hidden()
    page.keyboard.press("ArrowDown")
    expect(page.get_by_role("link", name="Apple pie")).to_be_focused()


def test_a_search_that_finds_nothing_keeps_the_focus(anna: Visitor) -> None:
    page = anna.register()
    page.keyboard.press("/")
    page.keyboard.type("zebra")

    page.keyboard.press("Enter")

    expect(page.get_by_role("searchbox", name="Search")).to_be_focused()
