"""Tasks moved by hand: dragged onto days, places, tags and groups, swiped, and each of it by key."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import pytest
from playwright.sync_api import expect

from tests.e2e.conftest import TIME_ZONE, wait_until

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import date

    from playwright.sync_api import Locator, Page

    from tests.e2e.conftest import Visitor

PHONE = {"viewport": {"width": 390, "height": 780}, "has_touch": True, "is_mobile": True}


def date_in(count: int) -> date:
    """Return the date so many days from today, where the visitor lives."""
    return datetime.now(ZoneInfo(TIME_ZONE)).date() + timedelta(days=count)


def day(count: int) -> str:
    """Return it as the API says it."""
    return date_in(count).isoformat()


def with_tasks(visitor: Visitor) -> Page:
    """Register and make tasks due today, in two and in four days."""
    page = visitor.register()
    for title, count in (("Soon", 2), ("Later", 4), ("Now", 0)):
        visitor.call("POST", "/api/tasks", {"title": title, "dueDate": day(count)})
    expect(page.locator(".row")).to_have_count(3)
    return page


def row(page: Page, title: str) -> Locator:
    """Return the row of a task."""
    return page.locator(".row", has_text=title)


def drag(page: Page, title: str, target: Locator) -> None:
    """Drag a row with the mouse; the target may appear only while something is dragged."""
    box = row(page, title).bounding_box()
    assert box
    page.mouse.move(box["x"] + 150, box["y"] + 18)
    page.mouse.down()
    wait_until(page, "async () => (await import(document.querySelector('link[href$=\"pointing.js\"]').href)) !== null")
    page.mouse.move(box["x"] + 170, box["y"] + 30, steps=3)
    expect(page.locator(".ghost")).to_be_visible()
    found = target.bounding_box()
    assert found
    page.mouse.move(found["x"] + found["width"] / 2, found["y"] + found["height"] / 2, steps=3)
    expect(page.locator("[data-over]")).to_have_count(1)
    page.mouse.up()


def due(visitor: Visitor, page: Page) -> dict[str, str | None]:
    """Return the days as the API has them, once everything was sent."""
    expect(page.get_by_text("Not sent yet")).to_have_count(0)
    return {task["title"]: task["dueDate"] for task in visitor.call("GET", "/api/tasks")["items"]}


def test_dragged_onto_a_day_a_place_and_a_near_day(anna: Visitor) -> None:
    page = with_tasks(anna)
    page.get_by_role("link", name="Upcoming").first.click()
    expect(page.locator(".group")).to_have_count(2)

    drag(page, "Soon", page.locator(".group").nth(1))
    expect(page.locator(".group")).to_have_count(1)
    page.get_by_role("button", name="Undo").click()
    expect(page.locator(".group")).to_have_count(2)
    drag(page, "Later", page.locator("#places [data-drop='due:today']"))
    expect(page.locator(".row")).to_have_count(1)
    drag(page, "Soon", page.locator(".dock-day", has_text="Tomorrow"))

    expect(page.get_by_role("status")).to_contain_text("Moved “Soon” to Tomorrow")
    assert due(anna, page) == {"Soon": day(1), "Later": day(0), "Now": day(0)}
    expect(page).to_have_url(f"{anna.url}/upcoming")


def test_dragged_onto_a_tag_and_onto_a_priority(anna: Visitor) -> None:
    page = with_tasks(anna)
    anna.call("POST", "/api/tasks", {"title": "Burning", "priority": "urgent", "tags": ["fire"]})
    page.goto("/?sort=priority")
    expect(page.locator(".group h2")).to_have_text(["Urgent", "Medium"])

    drag(page, "Now", page.locator("#tags [data-drop='tag:fire']"))
    expect(row(page, "Now")).to_contain_text("#fire")
    drag(page, "Now", page.locator(".group").first)

    expect(page.locator(".row[data-priority=urgent]")).to_have_count(2)


def test_all_picked_tasks_go_together_and_escape_lets_them_stay(anna: Visitor) -> None:
    page = with_tasks(anna)
    page.get_by_role("link", name="Now", exact=True).focus()
    page.keyboard.press("Control+a")
    box = row(page, "Now").bounding_box()
    assert box
    page.mouse.move(box["x"] + 150, box["y"] + 18)
    page.mouse.down()
    page.mouse.move(box["x"] + 170, box["y"] + 60, steps=3)
    expect(page.locator(".ghost")).to_contain_text("3 tasks")
    page.keyboard.press("Escape")
    expect(page.locator(".ghost")).to_have_count(0)
    page.mouse.up()
    expect(page.locator(".row.picked")).to_have_count(3)

    drag(page, "Now", page.locator("#places [data-drop='done:']"))

    expect(page.locator(".row")).to_have_count(0)
    expect(page.get_by_role("status")).to_contain_text("Completed 3 tasks")


def test_every_way_of_dragging_has_a_key(anna: Visitor) -> None:
    page = with_tasks(anna)
    page.get_by_role("link", name="Upcoming").first.click()
    page.get_by_role("link", name="Soon", exact=True).focus()

    page.keyboard.press("Alt+ArrowDown")
    expect(page.locator(".group").first.locator("h2")).to_contain_text(f"{date_in(3):%A}")
    expect(page.get_by_role("link", name="Soon", exact=True)).to_be_focused()
    page.keyboard.press("Alt+ArrowDown")
    expect(page.locator(".group")).to_have_count(1)
    expect(page.get_by_role("link", name="Soon", exact=True)).to_be_focused()
    page.keyboard.press("Alt+ArrowUp")
    expect(page.locator(".group")).to_have_count(2)
    assert due(anna, page)["Soon"] == day(3)

    page.goto("/?sort=priority")
    page.get_by_role("link", name="Soon", exact=True).focus()
    page.keyboard.press("Alt+ArrowUp")
    expect(page.locator(".row[data-priority=high]")).to_contain_text("Soon")


def swipe(page: Page, title: str, distance: int) -> None:
    """Move a thumb over a row, like Chromium's own touch input."""
    box = row(page, title).bounding_box()
    assert box
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    touch = page.context.new_cdp_session(page)
    page.evaluate("""() => import(document.querySelector('link[href$="pointing.js"]').href)""")
    touch.send("Input.dispatchTouchEvent", {"type": "touchStart", "touchPoints": [{"x": x, "y": y}]})
    for step in range(1, 6):
        points = [{"x": x + distance * step / 5, "y": y}]
        touch.send("Input.dispatchTouchEvent", {"type": "touchMove", "touchPoints": points})
    touch.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})


@pytest.mark.parametrize("motion", ["no-preference", "reduce"])
def test_a_thumb_completes_to_the_right_and_schedules_to_the_left(visit: Callable[..., Visitor], motion: str) -> None:
    visitor = visit(reduced_motion=motion, **PHONE)
    page = with_tasks(visitor)

    swipe(page, "Now", 40)
    expect(page.locator(".row[data-swipe]")).to_have_count(0)
    swipe(page, "Now", 130)
    expect(page.get_by_role("status")).to_contain_text("Completed “Now”")
    expect(page.locator(".row")).to_have_count(2)
    swipe(page, "Soon", -130)
    page.get_by_role("region", name="Selected tasks").get_by_role("button", name="Tomorrow").click()

    expect(row(page, "Soon")).to_contain_text("Tomorrow")
    assert due(visitor, page)["Soon"] == day(1)
    assert page.url == f"{visitor.url}/"


def test_a_thumb_that_rests_picks_and_then_every_touch_does(visit: Callable[..., Visitor]) -> None:
    visitor = visit(**PHONE)
    page = with_tasks(visitor)
    box = row(page, "Now").bounding_box()
    assert box
    touch = page.context.new_cdp_session(page)
    points = [{"x": box["x"] + 120, "y": box["y"] + 20}]
    touch.send("Input.dispatchTouchEvent", {"type": "touchStart", "touchPoints": points})
    expect(page.get_by_role("region", name="Selected tasks")).to_contain_text("1 selected")
    touch.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})

    page.get_by_role("link", name="Soon", exact=True).tap()

    expect(page.locator(".row.picked")).to_have_count(2)
    page.get_by_role("region", name="Selected tasks").get_by_role("button", name="Complete").tap()
    expect(page.locator(".row")).to_have_count(1)
