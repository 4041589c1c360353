"""The operators' page, against a real process with real faults: actors crash, messages are poison, the process dies."""

from __future__ import annotations

import json
import re
import threading
import urllib.request
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Self

import pytest
import trio
from playwright.sync_api import expect

from app.adapters.postgres import Database
from app.adapters.postgres.embedded import EmbeddedPostgres
from supervisors.tree import BACKOFF
from tests.e2e.conftest import PASSWORD, TIME_ZONE, new_email, wait_until
from tests.e2e.test_everyone_can_use_it import NARROW, WIDE, violations
from tests.fixtures.rondo import RondoProcess, running_rondo

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from playwright.sync_api import Locator, Page

    from tests.e2e.conftest import Visitor

OPERATOR = "operator@example.org"
LONGEST_WAIT_SECONDS = BACKOFF.maximum * (1 + BACKOFF.jitter)
# Chromium writes every answer that is no success to the console, and every one that never came.
UNREADY = "status of 503"
REFUSED = "Failed to load resource"
POISON = """
    CREATE FUNCTION poison() RETURNS trigger LANGUAGE plpgsql AS
        $$ BEGIN RAISE EXCEPTION 'no room for this occurrence'; END $$;
    CREATE TRIGGER poison BEFORE INSERT ON occurrences FOR EACH ROW EXECUTE FUNCTION poison()
"""
ANTIDOTE = "DROP TRIGGER poison ON occurrences; DROP FUNCTION poison"
NO_AUDIT = "ALTER FUNCTION append_audit(integer) RENAME TO gone"
AUDIT = "ALTER FUNCTION gone(integer) RENAME TO append_audit"
NEWEST_DEED = """async (action) => {
  const { items } = await (await fetch("/api/audit?limit=200")).json();
  return items.find((row) => row.action.startsWith("ops."))?.action === action;
}"""
WEEKLY = {"rule": "FREQ=WEEKLY", "mode": "schedule", "missed": "skip"}


@pytest.fixture(scope="module")
def rondo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RondoProcess]:
    """A Rondo of our own: its first account is the operator, and it is broken on purpose."""
    with running_rondo(tmp_path_factory.mktemp("ops") / "data") as process:
        account = {"name": "Olga", "email": OPERATOR, "password": PASSWORD, "timeZone": TIME_ZONE}
        post(process.url, "/api/auth/register", account)
        yield process


@pytest.fixture(scope="module")
def rondo_url(rondo: RondoProcess) -> str:
    return rondo.url


@pytest.fixture
def olga(visit: Callable[..., Visitor], rondo: RondoProcess) -> Visitor:
    """The operator, signed in when what the test before broke has healed."""
    rondo.wait_ready()
    return signed_in(visit())


def signed_in(visitor: Visitor) -> Visitor:
    visitor.call("POST", "/api/auth/login", {"email": OPERATOR, "password": PASSWORD})
    return visitor


def post(url: str, path: str, body: object, token: str = "") -> Any:
    headers = {"content-type": "application/json"} | ({"authorization": f"Bearer {token}"} if token else {})
    request = urllib.request.Request(url + path, json.dumps(body).encode(), headers)
    with urllib.request.urlopen(request) as response:
        return json.load(response)


def execute(rondo: RondoProcess, statements: str) -> None:
    """Change the database behind Rondo's back. In a thread, since Playwright holds this one's event loop."""

    async def main() -> None:
        database = Database(EmbeddedPostgres(rondo.data_dir).url, size=1, name="test")
        async with trio.open_nursery() as nursery:
            await nursery.start(database.run)
            async with database.connection() as connection:
                await connection.execute(statements)
            nursery.cancel_scope.cancel()

    with ThreadPoolExecutor(1) as thread:
        thread.submit(trio.run, main).result()


@contextmanager
def fault(rondo: RondoProcess, cause: str, cure: str) -> Iterator[None]:
    """Break something for the length of a block, whatever happens in it."""
    execute(rondo, cause)
    try:
        yield
    finally:
        execute(rondo, cure)


@dataclass
class Load:
    """Somebody who creates tasks as fast as they are taken, until the end of the block."""

    url: str
    created: list[str] = field(default_factory=list)
    _stop: threading.Event = field(default_factory=threading.Event)

    def __enter__(self) -> Self:
        self._thread = threading.Thread(target=self._run)
        self._thread.start()
        return self

    def __exit__(self, *_error: object) -> None:
        self._stop.set()
        self._thread.join()

    def _run(self) -> None:
        token = post(self.url, "/api/auth/login", {"email": OPERATOR, "password": PASSWORD})["token"]
        while not self._stop.wait(0.01):
            self.created.append(post(self.url, "/api/tasks", {"title": "Load"}, token)["id"])


def actor(page: Page, path: str) -> Locator:
    return page.locator(f'[role=treeitem][data-path="{path}"]')


def opened(visitor: Visitor, path: str = "/ops") -> Page:
    page = visitor.open(path)
    expect(actor(page, "events/audit")).to_be_visible()
    return page


def audit_rows(visitor: Visitor) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = []
    cursor = ""
    while True:
        answer = visitor.call("GET", f"/api/audit?limit=200{cursor}")
        rows += answer["items"]
        if not answer["nextCursor"]:
            return rows
        cursor = f"&cursor={answer['nextCursor']}"


def wait_recorded(visitor: Visitor, page: Page, tasks: list[str]) -> Counter[str]:
    """Return how often each task's creation is in the audit trail: soon after its answer, not with it."""
    created: Counter[str] = Counter()
    for _ in range(50):
        created = Counter(row["taskId"] for row in audit_rows(visitor) if row["action"] == "task.created")
        if all(map(created.get, tasks)):
            break
        page.wait_for_timeout(200)
    return created


def test_the_tree_is_shown_with_its_names_levels_and_states(olga: Visitor) -> None:
    page = olga.open("/")
    page.locator("#account > summary").click()
    page.get_by_role("link", name="Operations").click()

    tree = page.get_by_role("tree", name="Supervision tree")
    expect(tree.get_by_role("treeitem", name="root, running")).to_have_attribute("aria-level", "1")
    expect(tree.get_by_role("treeitem", name="events, running")).to_have_attribute("aria-expanded", "true")
    expect(tree.get_by_role("treeitem", name="audit, running")).to_have_attribute("aria-level", "3")
    expect(actor(page, "events/audit")).to_contain_text(re.compile(r"running.*/s", re.DOTALL))
    expect(page.locator("#headline")).to_have_text("Everything runs")
    expect(page.locator("#facts")).to_contain_text(re.compile(r"Version\d+\.\d+"))
    expect(page.locator("#checks")).to_contain_text("Database")
    expect(page).to_have_title("Operations · Rondo")


def test_an_audit_actor_that_crashes_under_load_is_shown_comes_back_and_misses_nothing(
    olga: Visitor, rondo: RondoProcess
) -> None:
    olga.complaints_allowed = (UNREADY,)
    page = opened(olga)
    audit = actor(page, "events/audit")

    with Load(rondo.url) as load:
        expect(audit.locator(".spark-line")).to_have_attribute("d", re.compile("L.*L"))
        with fault(rondo, NO_AUDIT, AUDIT):
            expect(audit).to_have_attribute("data-state", "backoff")
            expect(audit).to_contain_text(re.compile(r"crashed.*restarts (in|now)", re.DOTALL))
            expect(page.locator("#headline")).to_have_text("audit does not run")
            expect(page.locator("#happened")).to_contain_text("audit crashed.")
            audit.click()
            panel = page.get_by_role("region", name="audit")
            expect(panel.locator(".failure")).to_contain_text("append_audit")
            panel.get_by_text("Stack", exact=True).click()
            expect(panel.locator("pre")).to_contain_text("Traceback")
            expect(panel.get_by_role("region", name="Log")).to_contain_text("append_audit")
            (branch,) = (each for each in olga.call("GET", "/api/ops/actors")["children"] if each["id"] == "events")
            waits = [child["backoffSeconds"] or 0 for child in branch["children"]]
        expect(audit).to_have_attribute("data-state", "running", timeout=LONGEST_WAIT_SECONDS * 1000 + 5000)
        expect(audit).to_contain_text("restarted")
    expect(page.locator("#happened")).to_contain_text("audit runs again.")
    expect(page.locator("#headline")).to_have_text("Everything runs")
    expect(audit.locator(".box")).to_have_attribute("title", re.compile("^0 of"))

    assert max(waits) <= LONGEST_WAIT_SECONDS
    assert len(load.created) > 10
    created = wait_recorded(olga, page, load.created)
    assert {task: created[task] for task in load.created if created[task] != 1} == {}
    assert olga.call("POST", "/api/audit/verify")["ok"] is True


def test_operators_restart_pause_and_resume_with_the_keyboard_and_it_is_on_record(olga: Visitor) -> None:
    olga.complaints_allowed = (UNREADY,)
    page = opened(olga)
    keyboard = page.keyboard

    keyboard.press("Tab")
    expect(page.get_by_role("link", name="Skip to the tree")).to_be_focused()
    keyboard.press("Enter")
    keyboard.press("Tab")
    expect(actor(page, "root")).to_be_focused()
    keyboard.press("ArrowDown")
    expect(actor(page, "database")).to_be_focused()
    keyboard.press("ArrowLeft")
    expect(actor(page, "database/pool")).to_be_hidden()
    keyboard.press("ArrowDown")
    expect(actor(page, "events")).to_be_focused()
    keyboard.press("ArrowRight")
    expect(actor(page, "events/sync")).to_be_focused()
    keyboard.press("End")
    expect(actor(page, "edge/listener")).to_be_focused()
    keyboard.press("c")
    expect(actor(page, "events/clockwork")).to_be_focused()
    keyboard.press("Enter")
    expect(page.get_by_role("heading", name="clockwork")).to_be_focused()
    keyboard.press("Tab")
    keyboard.press("Tab")
    expect(page.get_by_role("button", name="Restart")).to_be_focused()
    keyboard.press("Enter")
    expect(page.get_by_text("Restart clockwork?")).to_be_visible()
    keyboard.press("Escape")
    expect(page.get_by_role("button", name="Restart")).to_be_focused()
    keyboard.press("Enter")
    keyboard.press("Enter")
    expect(page.get_by_role("log")).to_contain_text("You restarted clockwork.")
    expect(actor(page, "events/clockwork")).to_contain_text("restarted")
    expect(page.get_by_role("button", name="Restart")).to_be_focused()
    keyboard.press("Tab")
    keyboard.press("Enter")
    keyboard.press("Enter")
    expect(page.locator("#headline")).to_have_text("Paused: clockwork")
    expect(page.get_by_role("button", name="Resume")).to_be_focused()
    keyboard.press("Enter")
    keyboard.press("Enter")
    expect(page.locator("#headline")).to_have_text("Everything runs")
    expect(page.get_by_role("log")).to_contain_text("You resumed clockwork.")
    keyboard.press("Escape")
    expect(actor(page, "events/clockwork")).to_be_focused()

    me = olga.call("GET", "/api/me")["id"]
    wanted = [(f"ops.actor_{done}", me) for done in ("resumed", "paused", "restarted")]
    wait_until(page, NEWEST_DEED, wanted[0][0])  # the trail is written behind the answer
    found = [(row["action"], row["actor"]) for row in audit_rows(olga) if row["action"].startswith("ops.")]
    assert found[:3] == wanted


def test_what_everything_depends_on_has_no_buttons(olga: Visitor) -> None:
    page = opened(olga, "/ops#edge/listener")

    panel = page.get_by_role("region", name="listener")

    expect(panel).to_contain_text("cannot be restarted or paused from here")
    expect(panel.get_by_role("button")).to_have_count(1)  # the one that closes


def test_a_message_that_was_given_up_can_be_requeued(olga: Visitor, rondo: RondoProcess) -> None:
    olga.complaints_allowed = (UNREADY,)
    page = opened(olga)
    task = olga.call("POST", "/api/tasks", {"title": "Plants", "dueDate": "2026-01-02", "recurrence": WEEKLY})

    with fault(rondo, POISON, ANTIDOTE):
        olga.call("POST", f"/api/tasks/{task['id']}/complete")
        letter = page.locator(".letter")
        expect(letter).to_contain_text("no room for this occurrence", timeout=30_000)
        letter.get_by_text("Message and stack").click()
        expect(letter.locator("pre").first).to_contain_text(task["id"])
    letter.get_by_role("button", name="Requeue").click()

    expect(letter.locator(".letter-head")).to_contain_text("requeued")
    expect(letter.get_by_role("button")).to_have_count(0)
    expect(page.get_by_role("log")).to_contain_text("You requeued a message of recurring.")


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("viewport", [WIDE, NARROW], ids=["wide", "narrow"])
def test_axe_finds_nothing_to_complain_about_on_the_operators_page(
    visit: Callable[..., Visitor], scheme: str, viewport: dict[str, int]
) -> None:
    visitor = signed_in(visit(color_scheme=scheme, viewport=viewport, reduced_motion="reduce"))
    page = opened(visitor)
    expect(page.locator("#checks > li")).not_to_have_count(0)
    found = {"tree": violations(page)}
    actor(page, "events/recurring").click()
    page.get_by_role("button", name="Restart").click()
    expect(page.get_by_role("region", name="Log")).to_be_visible()
    found["actor"] = violations(page)

    assert {name: each for name, each in found.items() if each} == {}
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_strangers_sign_in_and_come_back_and_others_are_told_kindly(visit: Callable[..., Visitor]) -> None:
    stranger, ben = visit(), visit()
    stranger.complaints_allowed = ("status of 401",)
    page = stranger.open("/ops#events/audit")
    page.get_by_label("Email").fill(OPERATOR)
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    page.keyboard.press("Enter")
    expect(page.get_by_role("tree")).to_be_visible()

    ben.call("POST", "/api/auth/register", {"name": "Ben", "email": new_email(), "password": PASSWORD})
    other = ben.open("/ops")
    expect(other.get_by_role("heading", name="This page is for operators")).to_be_visible()
    expect(other.get_by_text("You are signed in as Ben.")).to_be_visible()
    other.get_by_role("link", name="Back to tasks").click()
    expect(other.get_by_role("heading", name="Inbox")).to_be_visible()
    other.locator("#account > summary").click()
    expect(other.get_by_role("link", name="Operations")).to_have_count(0)


def test_people_are_told_calmly_what_is_late_until_it_is_healed(olga: Visitor, visit: Callable[..., Visitor]) -> None:
    ben = visit()
    ben.call("POST", "/api/auth/register", {"name": "Ben", "email": new_email(), "password": PASSWORD})
    page = ben.context.new_page()
    page.clock.install()
    olga.call("POST", "/api/ops/actors/deliveries.email/pause")
    page.goto("/")
    banner = page.get_by_text("Email is delayed.")

    while "email" not in {each["part"] for each in ben.call("GET", "/api/status")["degraded"]}:
        page.clock.run_for(100)
    page.clock.fast_forward(60_000)
    expect(banner).to_be_visible()
    expect(page.locator("#banner")).to_have_class(re.compile("calm"))
    olga.call("POST", "/api/ops/actors/deliveries.email/resume")
    page.clock.fast_forward(20_000)

    expect(banner).to_be_hidden()


def test_a_process_that_dies_is_said_to_be_away_and_recognised_when_it_is_back(
    olga: Visitor, rondo: RondoProcess
) -> None:
    olga.complaints_allowed = (REFUSED,)
    page = opened(olga)

    rondo.kill()
    expect(page.locator("#headline")).to_have_text("Rondo does not answer")
    expect(actor(page, "events/audit")).to_be_visible()
    rondo.start()

    expect(page.locator("#headline")).to_have_text("Everything runs", timeout=15_000)
    expect(page.get_by_role("log")).to_contain_text("Rondo was restarted.")
