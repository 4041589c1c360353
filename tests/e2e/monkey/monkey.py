"""The monkey: two tabs of one account, a line that fails now and then, and somebody else who changes things as well."""

from __future__ import annotations

import itertools
import time
from random import Random
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from tests.e2e.conftest import PASSWORD, Visitor
from tests.e2e.monkey import truth
from tests.e2e.monkey.hands import Hands

if TYPE_CHECKING:
    from collections.abc import Callable

    from playwright.sync_api import Browser, Response

    from tests.fixtures.line import Line

# Of the tasks of one account; beyond it somebody else tidies up.
MANY: Final = 40
# Chances per step.
CUT, MEND, LOSE, OTHERS = 0.03, 0.15, 0.03, 0.12
# What a browser says of a line that fails, and of changes that were overtaken by others.
EXPECTED: Final = (
    "net::ERR_",
    "WebSocket connection to",
    "connection to the server at ws://",
    "status of 404",
    "status of 409",
    "status of 412",
)
REQUESTS: Final = (b"POST /api/tasks ", b"PATCH /api/tasks/", b"DELETE /api/tasks/", b"/complete ", b"/reopen ")


class Monkey:
    """Everything that takes part, and the order of what happens."""

    def __init__(self, browser: Browser, line: Line, url: str, seed: int, tell: Callable[[str], None]) -> None:
        """Prepare a new account and two tabs.

        Args:
            browser: Which one.
            line: Between the tabs and Rondo.
            url: Of Rondo itself, for somebody else.
            seed: Of all choices.
            tell: Is told every step.
        """
        self._random = Random(seed)
        self._line = line
        self._tell = tell
        self._browser, self._url = browser, url
        self.written: list[str] = []
        self.visitor = Visitor(browser, line.url)
        self.visitor.complaints_allowed = EXPECTED
        self.visitor.context.on("response", self._answered)
        self.visitor.context.on("requestfailed", lambda request: tell(f"  {request.method} {request.url}: no answer"))
        numbers = itertools.count(1)
        pages = [self.visitor.register(), self.visitor.open("/")]
        self.tabs = [Hands(page, self._random, numbers, self.written) for page in pages]
        self._email: str = self.visitor.call("GET", "/api/me")["email"]
        self.other = self._signed_in()
        self._offline = self._cut = False

    def _answered(self, response: Response) -> None:
        request = response.request
        if request.method != "GET":
            path = urlsplit(request.url).path
            self._tell(f"  {request.method} {path} {request.post_data or ''}: {response.status}")

    def _signed_in(self) -> Visitor:
        visitor = Visitor(self._browser, self._url)
        visitor.call("POST", "/api/auth/login", {"email": self._email, "password": PASSWORD})
        return visitor

    def play(self, seconds: float) -> None:
        """Do things for so long."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            self._weather()
            if self._random.random() < OTHERS:
                self._tell(f"other: {self._interfere()}")
            number = self._random.randrange(len(self.tabs))
            self._tell(f"tab {number + 1}: {self.tabs[number].do()}")

    def agree(self) -> None:
        """Let the line be good, wait until all is sent, and check that everybody sees the same."""
        self._set_line(offline=False, cut=False)
        self._send_everything()
        for number, tab in enumerate(self.tabs, 1):
            truth.wait_for_agreement(self.other, tab.page, tab.go_to, f"tab {number}")
        reloaded = self.tabs[0]
        reloaded.reload()
        truth.wait_for_agreement(self.other, reloaded.page, reloaded.go_to, "the reloaded tab")
        fresh = self._signed_in()
        page = fresh.open("/")
        page.get_by_text("Live", exact=True).wait_for(state="attached")
        truth.wait_for_agreement(
            self.other, page, Hands(page, self._random, itertools.count(), []).go_to, "a fresh browser"
        )
        truth.check_written_once(self.other, self.written)
        complaints = self.visitor.unexpected() + fresh.unexpected()
        fresh.context.close()
        assert not complaints, f"a browser complains: {complaints}"

    def close(self) -> None:
        """Close the tabs."""
        self.visitor.context.close()
        self.other.context.close()

    def _weather(self) -> None:
        """Let the line fail, or come back."""
        chance = self._random.random()
        if self._offline or self._cut:
            if chance < MEND:
                self._set_line(offline=False, cut=False)
        elif chance < CUT:
            self._set_line(offline=True, cut=False)
        elif chance < 2 * CUT:
            self._set_line(offline=False, cut=True)
        elif chance < 2 * CUT + LOSE:
            request = self._random.choice(REQUESTS)
            self._tell(f"line: loses the answer to {request!r}")
            self._line.lose_answer_to(request)

    def _set_line(self, *, offline: bool, cut: bool) -> None:
        self._tell(f"line: offline={offline} cut={cut}")
        self.visitor.set_offline(offline)
        if cut:
            self._line.cut()
        else:
            self._line.mend()
        self._offline, self._cut = offline, cut

    def _interfere(self) -> str:
        """Change something from elsewhere, past the line."""
        tasks = self.other.call("GET", "/api/tasks?limit=200")["items"]
        deeds = ["patch", "patch", "complete", "reopen", "delete", "create"]
        deed = "delete" if len(tasks) > MANY else self._random.choice(deeds)
        if deed == "create" or not tasks:
            self.other.call("POST", "/api/tasks", {"title": f"o{self._random.randrange(10**6)} coconut"})
            return "create"
        task = self._random.choice(tasks)
        path = f"/api/tasks/{task['id']}"
        if deed == "patch":
            self.other.call("PATCH", path, {"title": f"{task['title'].split()[0]} papaya {self._random.randrange(99)}"})
        elif deed == "delete":
            self.other.call("DELETE", path)
        elif task["completed"] == (deed == "reopen"):
            self.other.call("POST", f"{path}/{deed}")
        return f"{deed} {task['title']}"

    def _send_everything(self) -> None:
        """Wait until nothing waits, and decide what has to be decided."""
        deadline = time.monotonic() + truth.AGREE_SECONDS
        while ops := truth.waiting(self.tabs[0].page):
            assert time.monotonic() < deadline, f"never sent: {ops}"
            for tab in self.tabs:
                tab.page.keyboard.press("Escape")
                self._tell(f"decides: {tab.decide()}")
            self.tabs[0].page.wait_for_timeout(500)
