"""Pictures of the list in every state: commands, picked, dragged, swiped, filtered, empty, offline, in conflict."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from playwright.sync_api import expect

from tests.e2e.conftest import Visitor
from tests.e2e.test_everyone_can_use_it import STILL

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from playwright.sync_api import Browser, Page

    Fill = Callable[[Visitor], None]

WIDE: dict[str, Any] = {"viewport": {"width": 1280, "height": 800}}
PHONE: dict[str, Any] = {"viewport": {"width": 390, "height": 780}, "has_touch": True, "is_mobile": True}
ROW = ".row[data-id]"
PLACES = {"inbox": "/", "completed": "/completed", "tag": "/tag/travel", "search": "/search?q=the"}


def show_states(browser: Browser, url: str, target: Path, fill: Fill) -> None:
    """Write a picture of each state, in turns light and dark, into a folder."""
    for scheme, options in (("light", WIDE), ("dark", PHONE)):
        look = {"color_scheme": scheme, **options}
        visitor = Visitor(browser, url, **look)
        page = visitor.register()
        _States(visitor, page, target, "phone" if options is PHONE else "wide").show(fill, browser, look)
        visitor.context.close()


class _States:
    def __init__(self, visitor: Visitor, page: Page, target: Path, size: str) -> None:
        self.visitor = visitor
        self.page = page
        self.target = target
        self.size = size

    def show(self, fill: Fill, browser: Browser, look: dict[str, Any]) -> None:
        self.keep("empty")
        self.refused(Visitor(browser, self.visitor.url, **look))
        fill(self.visitor)
        self.page.goto("/upcoming")
        self.page.locator(ROW).first.wait_for()
        self.keep("upcoming")
        if self.size == "wide":
            self.dragged()
        else:
            self.swiped()
        self.places()
        self.commands()
        self.picked()
        self.filtered()
        self.rang()
        self.offline()

    def keep(self, name: str) -> None:
        """Take a picture when everything stands still."""
        self.page.evaluate(STILL)
        self.page.screenshot(path=self.target / f"state-{name}-{self.size}.png")

    def refused(self, stranger: Visitor) -> None:
        """Somebody else mistypes."""
        self.page, mine = stranger.open("/"), self.page
        self.page.get_by_label("Email").fill("anna@example.org")
        self.page.get_by_label("Password", exact=True).fill("not the right one")
        self.page.get_by_role("button", name="Sign in").click()
        self.page.get_by_role("alert").first.wait_for()
        self.keep("refused")
        self.page = mine
        stranger.context.close()

    def places(self) -> None:
        """Visit the other places, with something done in them."""
        expect(self.page.get_by_text("Changed in another window")).to_have_count(0, timeout=20_000)
        [task] = self.visitor.call("GET", "/api/tasks?search=chapter")["items"]
        self.visitor.call("POST", f"/api/tasks/{task['id']}/complete")
        for name, path in PLACES.items():
            self.page.goto(path)
            self.page.locator(ROW).first.wait_for()
            self.keep(name)

    def dragged(self) -> None:
        box = self.page.locator(ROW).first.bounding_box()
        assert box
        self.page.evaluate("""() => import(document.querySelector('link[href$="pointing.js"]').href)""")
        self.page.mouse.move(box["x"] + 200, box["y"] + 15)
        self.page.mouse.down()
        self.page.mouse.move(box["x"] + 220, box["y"] + 60, steps=4)
        self.page.locator(".ghost").wait_for()
        self.page.mouse.move(100, 120, steps=4)
        self.keep("dragged")
        self.page.keyboard.press("Escape")
        self.page.mouse.up()

    def swiped(self) -> None:
        box = self.page.locator(ROW).first.bounding_box()
        assert box
        self.page.evaluate("""() => import(document.querySelector('link[href$="pointing.js"]').href)""")
        touch = self.page.context.new_cdp_session(self.page)
        for distance in range(0, 150, 15):
            kind = "touchMove" if distance else "touchStart"
            points = [{"x": 150 + distance, "y": box["y"] + 20}]
            touch.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})
        self.keep("swiped")
        touch.send("Input.dispatchTouchEvent", {"type": "touchCancel", "touchPoints": []})

    def commands(self) -> None:
        self.page.goto("/")
        self.page.locator(".row-title").nth(1).focus()
        self.page.keyboard.press("Control+k")
        self.page.get_by_role("option").first.wait_for()
        self.keep("commands")
        self.page.keyboard.press("Escape")

    def picked(self) -> None:
        self.page.locator(".row-title").nth(1).focus()
        self.page.keyboard.press("Shift+X")
        self.page.keyboard.press("Shift+ArrowDown")
        self.page.keyboard.press("d")
        self.page.locator("#bulk details[open]").wait_for()
        self.keep("picked")
        self.page.keyboard.press("Escape")
        self.page.keyboard.press("Escape")

    def filtered(self) -> None:
        self.page.goto("/?tags=home&sort=priority")
        self.page.locator("#filter > summary").click()
        self.page.get_by_label("Save this view as").fill("At home")
        self.keep("filtered")
        self.page.keyboard.press("Enter")

    def rang(self) -> None:
        self.page.goto("/today")
        self.page.locator(ROW).first.wait_for()
        [task] = self.visitor.call("GET", "/api/tasks?search=plumber")["items"]
        self.visitor.call("POST", f"/api/tasks/{task['id']}/reminders", {"remindAt": "2020-01-01T09:00:00Z"})
        self.page.locator(".bell").wait_for()
        self.keep("reminded")

    def offline(self) -> None:
        """Two sides change one title while the line is down; first the wait, then the choice."""
        [task] = self.visitor.call("GET", "/api/tasks?search=rent")["items"]
        self.page.get_by_role("link", name="Pay the rent").click()
        panel = self.page.get_by_role("complementary", name="Details")
        self.visitor.set_offline(True)
        panel.get_by_label("Title").fill("Pay the rent and the power")
        panel.get_by_label("Title").blur()
        expect(self.page.get_by_text("You are offline.")).to_be_attached()
        self.keep("offline")
        self.visitor.call("PATCH", f"/api/tasks/{task['id']}", {"title": "Pay rent to the new landlord"})
        self.visitor.set_offline(False)
        panel.locator(".clash").wait_for()
        self.keep("conflict")
