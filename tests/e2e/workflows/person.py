"""What a person does with Rondo, at a desk or on a phone, said once for all workflows."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from playwright.sync_api import expect

if TYPE_CHECKING:
    from playwright.sync_api import Locator, Page

    from tests.e2e.conftest import Visitor

# What does not fit beside the others in the bar of a phone.
BEHIND_MORE = ("Completed",)


class Person:
    """Somebody at one page."""

    def __init__(self, visitor: Visitor, page: Page) -> None:
        self.visitor = visitor
        self.page = page
        self.on_phone: bool = page.evaluate("matchMedia('(max-width: 759px)').matches")
        self.has_fingers: bool = page.evaluate("navigator.maxTouchPoints > 0")

    @property
    def panel(self) -> Locator:
        """The details of a task."""
        return self.page.get_by_role("complementary", name="Details")

    @property
    def titles(self) -> Locator:
        """The titles in the list."""
        return self.page.locator("#list .row-title")

    def row(self, title: str) -> Locator:
        return self.page.locator("#list .row", has_text=title)

    def press(self, target: Locator) -> None:
        """Click, or tap where there are fingers."""
        if self.has_fingers:
            target.tap()
        else:
            target.click()

    def add(self, text: str) -> None:
        """Write into quick add and send it."""
        if self.on_phone:
            self.press(self.page.locator("#bar").get_by_role("button", name="New task"))
        field = self.page.get_by_role("textbox", name="New task")
        field.fill(text)
        field.press("Enter")

    def complete(self, title: str) -> None:
        self.press(self.row(title).get_by_role("checkbox", name=f"Complete “{title}”"))

    def open(self, title: str) -> Locator:
        """Open the details of a task and return them."""
        self.press(self.row(title).get_by_role("link", name=title, exact=True))
        expect(self.panel.get_by_role("textbox", name="Title")).to_have_value(title)
        return self.panel

    def unfold(self, name: str) -> None:
        """Open a part of the details."""
        self.press(self.panel.locator("summary", has_text=name))

    def close(self) -> None:
        """Close the details."""
        self.press(self.panel.get_by_role("button", name="Close"))
        expect(self.panel).to_be_hidden()

    def go(self, place: str) -> None:
        """Go to a place in the navigation."""
        places = self.page.locator("#bar" if self.on_phone else "#nav")
        if self.on_phone and place in BEHIND_MORE:
            self.press(places.get_by_role("button", name="More"))
            places = self.page.locator("#nav")
        self.press(places.get_by_role("link", name=place))
        expect(self.page.get_by_role("heading", name=place, exact=True)).to_be_visible()

    def open_filter(self) -> Locator:
        """Open the filter and return it."""
        self.press(self.page.locator("#filter > summary"))
        return self.page.locator("#filter-pop")

    def wait_until_saved(self) -> None:
        """Wait until the server has everything that was done here."""
        expect(self.page.get_by_text("Not sent yet")).to_have_count(0)
        expect(self.page.locator("#link")).to_have_attribute("data-state", "live")

    def has(self, **fields: object) -> dict[str, Any]:
        """Put a task into the account, past the page, and wait until it is seen."""
        task: dict[str, Any] = self.visitor.call("POST", "/api/tasks", fields)
        expect(self.row(str(fields["title"]))).to_be_visible()
        return task

    def tasks(self) -> list[dict[str, Any]]:
        """Return what the server knows, newest first."""
        tasks: list[dict[str, Any]] = self.visitor.call("GET", "/api/tasks")["items"]
        return tasks
