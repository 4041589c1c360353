"""What a monkey does to one tab. It looks at what is there and tries; what cannot be done just now is a miss."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from playwright.sync_api import TimeoutError as NotNowError

from tests.e2e.conftest import wait_until

if TYPE_CHECKING:
    import itertools
    from collections.abc import Callable
    from random import Random

    from playwright.sync_api import Locator, Page

# A row may be on its way out, or a panel over it: then something else is tried.
TRY_MS: Final = 700
LEVELS: Final = ("Low", "Medium", "High", "Urgent")
TAGS: Final = ("home", "work", "garden")
WORDS: Final = ("", " tomorrow", " today at 18:00", " #home", " #work !high", " !low", " next week #garden")
PLACES: Final = ("/", "/today", "/upcoming", "/completed", "/tag/home", "/?sort=title", "/?priority=high,urgent")
KEYS: Final = (*"jkjxuepXJ?", "Escape", "Escape", "Delete", "ArrowDown", "Alt+ArrowDown")


class Hands:
    """The hands at one tab."""

    def __init__(self, page: Page, random: Random, numbers: itertools.count[int], written: list[str]) -> None:
        """Take hold of a page.

        Args:
            page: The tab.
            random: Where choices come from.
            numbers: For texts that are all different.
            written: The first word of every task that was accepted, to which this adds.
        """
        self.page = page
        self._random = random
        self._numbers = numbers
        self._written = written

    def do(self) -> str:
        """Do something and say what."""
        return self._attempt(self._random.choice(self._deeds()))

    def decide(self) -> str:
        """Take a side where there is something to decide; the other tab may be faster."""
        return self._attempt(self._take_side)

    def _attempt(self, deed: Callable[[], object]) -> str:
        name = deed.__name__.strip("_")
        try:
            return f"{name} {deed() or ''}"
        except NotNowError:
            self.page.keyboard.press("Escape")
            return f"{name}: not now"

    def _deeds(self) -> list[Callable[[], object]]:
        return [
            *(self.add,) * 4,
            *(self.tick,) * 4,
            *(self.retitle,) * 3,
            *(self.describe, self.prioritise, self.tag, self.schedule, self.delete, self.undo, self.undo) * 2,
            *(self.go, self.go, self.back, self.search, self.filter, self.mash, self.mash, self.reload),
            self._take_side,
        ]

    def add(self) -> str:
        """Write a task down."""
        if self.page.locator("#add").is_hidden():
            self.go_to("/")
        name = f"m{next(self._numbers)}"
        text = f"{name} banana{self._random.choice(WORDS)}"
        field = self.page.locator("#add-text")
        field.fill(text, timeout=TRY_MS)
        if field.input_value() != text:
            self.page.keyboard.press("Escape")
            return "not now: something lies over it"
        field.press("Enter", timeout=TRY_MS)
        try:
            wait_until(self.page, "async () => document.querySelector('#add-text').value === ''")
        except AssertionError:
            focus = self.page.evaluate("document.activeElement?.outerHTML.slice(0, 200)")
            raise AssertionError(f"{text!r} was entered and stays in the field; the focus is on {focus}") from None
        self._written.append(name)
        return name

    def tick(self) -> str:
        """Complete a task, or reopen one where the completed are."""
        return self._press(self._some_row().locator(".ring"))

    def retitle(self) -> str:
        """Change a title, or begin to."""
        name = self._open()
        field = self.page.locator("#panel [data-part=title]")
        field.fill(f"{name.split()[0] if name else 'x'} mango {next(self._numbers)}", timeout=TRY_MS)
        if self._random.random() < 0.7:
            field.press("Enter", timeout=TRY_MS)
        return field.input_value(timeout=TRY_MS)

    def describe(self) -> None:
        """Write something about a task."""
        self._open()
        field = self.page.locator("#panel [data-part=description]")
        field.fill(f"about {next(self._numbers)}", timeout=TRY_MS)
        field.blur(timeout=TRY_MS)

    def prioritise(self) -> str:
        self._open()
        return self._press(self.page.locator("#panel").get_by_text(self._random.choice(LEVELS), exact=True))

    def tag(self) -> None:
        self._open()
        field = self.page.locator("#panel [data-part=tagInput]")
        field.fill(self._random.choice(TAGS), timeout=TRY_MS)
        field.press("Enter", timeout=TRY_MS)

    def schedule(self) -> str:
        self._open()
        fold = self.page.locator("#panel [data-part=due]")
        if fold.get_attribute("open", timeout=TRY_MS) is None:
            fold.locator("summary").click(timeout=TRY_MS)
        words = fold.locator(".choices button")
        return self._press(words.nth(self._random.randrange(max(1, words.count()))))

    def delete(self) -> str:
        name = self._open()
        self.page.locator("#panel [data-part=remove]").click(timeout=TRY_MS)
        return name

    def undo(self) -> str:
        button = self.page.locator(".toast-undo").last
        return self._press(button) if button.count() else "nothing"

    def go(self) -> str:
        return self.go_to(self._random.choice(PLACES))

    def go_to(self, path: str) -> str:
        """Go to a place as a click on a link does, without a new page load."""
        self.page.evaluate(
            """(path) => {
              const link = Object.assign(document.createElement("a"), { href: path, textContent: path });
              document.querySelector("#main").append(link);
              link.click();
              link.remove();
            }""",
            path,
        )
        return path

    def back(self) -> None:
        """Go back where there is something to go back to."""
        if self.page.evaluate("history.length > 3 && history.state !== null"):
            self.page.go_back(timeout=5000)

    def search(self) -> None:
        field = self.page.locator("#search")
        field.fill(self._random.choice(("m1", "mango", "", "banana")), timeout=TRY_MS)

    def filter(self) -> None:
        self.page.locator("#filter > summary").click(timeout=TRY_MS)
        choices = self.page.locator("#filter-pop label.choice")
        choices.nth(self._random.randrange(max(1, choices.count()))).click(timeout=TRY_MS)
        self.page.keyboard.press("Escape")

    def mash(self) -> str:
        """Press some keys, as if they had a meaning."""
        keys = self._random.choices(KEYS, k=self._random.randint(1, 5))
        for key in keys:
            self.page.keyboard.press(key)
        for _ in range(2):
            self.page.keyboard.press("Escape")
        return " ".join(keys)

    def reload(self) -> None:
        """Load the page anew, wherever it is; without a line the service worker gives it."""
        self.page.reload(timeout=20_000)
        self.page.locator("#app, #auth form").first.wait_for(timeout=20_000)

    def _take_side(self) -> str:
        """Take one side where both changed the same."""
        button = self.page.locator("#banner button")
        if button.is_hidden():
            return "nothing"
        button.click(timeout=TRY_MS)
        return self._press(self.page.locator(".clash .choices button").nth(self._random.randrange(2)))

    def _some_row(self) -> Locator:
        """Choose a row; where there are none, of the Inbox."""
        rows = self.page.locator("#list .row[data-id]:not([data-leaving])")
        if not rows.count():
            self.go_to("/")
        return rows.nth(self._random.randrange(max(1, rows.count())))

    def _open(self) -> str:
        """Open the details of some task, if none are; return its title."""
        if self.page.locator("#panel").is_hidden() or self._random.random() < 0.7:
            self._some_row().locator(".row-title").click(timeout=TRY_MS)
        return self.page.locator("#panel [data-part=title]").input_value(timeout=TRY_MS)

    def _press(self, target: Locator) -> str:
        words = target.get_attribute("aria-label", timeout=TRY_MS) or target.inner_text(timeout=TRY_MS)
        target.click(timeout=TRY_MS)
        return words
