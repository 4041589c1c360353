"""Two tabs, a lost network, and what was changed on both sides."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import expect

from tests.e2e.conftest import wait_until, wait_until_kept

if TYPE_CHECKING:
    from playwright.sync_api import APIResponse, Page, Route

    from tests.e2e.conftest import Visitor

NOTHING_WAITS = """async () => {
  const done = (request) => new Promise((resolve) => { request.onsuccess = () => resolve(request.result); });
  const db = await done(indexedDB.open("rondo"));
  const waiting = await done(db.transaction("ops").objectStore("ops").count());
  db.close();
  return waiting === 0;
}"""

# Another window's change lets this one read the waiting changes anew, and just then its user goes on.
CHANGED_WHILE_READ = """async (id) => {
  const main = document.querySelector("script[type=module]").src;
  const { enqueue, reload } = await import(main.replace("main.js", "data/outbox.js"));
  enqueue("patch", id, { priority: "high" }, { version: 1, before: { priority: "medium" } });
  await reload();
  const reading = reload();
  enqueue("patch", id, { title: "After" }, { version: 1, before: { title: "Before" } });
  enqueue("create", "local-1", { title: "Also" });
  await reading;
}"""

# A reload may come before the position of the last event has been kept; that event comes once more then.
ONE_EVENT_BACK = """async () => {
  const main = document.querySelector("script[type=module]").src;
  const { state, set, flush } = await import(main.replace("main.js", "data/store.js"));
  set({ position: state.position - 1 });
  await flush();
}"""


def test_a_change_glides_into_the_other_tab_and_says_where_it_came_from(anna: Visitor) -> None:
    first = anna.register()
    second = anna.open("/")
    expect(second.locator("#link")).to_have_attribute("data-state", "live")

    first.get_by_label("New task").first.fill("Seen by both")
    first.keyboard.press("Enter")

    expect(second.locator(".row", has_text="Seen by both")).to_contain_text("Changed in another window")
    second.get_by_role("checkbox", name="Complete “Seen by both”").click()
    expect(first.locator(".row")).to_have_count(0)


def test_an_own_change_is_no_news_after_a_reload(anna: Visitor) -> None:
    page = anna.register()
    page.get_by_label("New task").first.fill("Made here")
    page.keyboard.press("Enter")
    wait_until(page, NOTHING_WAITS)
    wait_until_kept(page, "tasks", "Made here")
    page.evaluate(ONE_EVENT_BACK)

    page.reload()
    expect(page.locator("#link")).to_have_attribute("data-state", "live")
    anna.call("POST", "/api/tasks", {"title": "Made elsewhere"})

    expect(page.locator(".row", has_text="Made elsewhere")).to_contain_text("Changed in another window")
    expect(page.locator(".row", has_text="Made here")).not_to_contain_text("Changed in another window")


def test_everything_works_offline_and_is_sent_once_on_return(anna: Visitor) -> None:
    page = anna.register()
    anna.call("POST", "/api/tasks", {"title": "Was here before"})
    expect(page.locator(".row")).to_have_count(1)

    anna.set_offline(True)
    expect(page.get_by_text("You are offline.")).to_be_visible()
    page.get_by_label("New task").first.fill("Written on a train")
    page.keyboard.press("Enter")
    page.get_by_role("checkbox", name="Complete “Was here before”").click()
    expect(page.locator("#link")).to_contain_text("2 changes wait")
    anna.set_offline(False)

    expect(page.get_by_text("You are offline.")).to_be_hidden()
    expect(page.get_by_text("Not sent yet")).to_have_count(0)
    expect(page.locator("#link")).to_have_text("Live")
    tasks = {task["title"]: task["completed"] for task in anna.call("GET", "/api/tasks")["items"]}
    assert tasks == {"Was here before": True, "Written on a train": False}


def test_what_happened_meanwhile_is_resumed_exactly(anna: Visitor) -> None:
    page = anna.register()
    kept = anna.call("POST", "/api/tasks", {"title": "Before"})
    gone = anna.call("POST", "/api/tasks", {"title": "Goes away"})
    expect(page.locator(".row")).to_have_count(2)
    lists: list[str] = []

    anna.set_offline(True)
    expect(page.locator("#link")).to_have_attribute("data-state", "offline")
    anna.call("PATCH", f"/api/tasks/{kept['id']}", {"title": "After"})
    anna.call("DELETE", f"/api/tasks/{gone['id']}")
    anna.call("POST", "/api/tasks", {"title": "New"})
    page.on("request", lambda request: lists.append(request.url) if "/api/tasks?" in request.url else None)
    anna.set_offline(False)

    expect(page.locator(".row-title")).to_have_text(["New", "After"])
    assert lists == []


def test_the_page_opens_without_a_network(anna: Visitor) -> None:
    page = anna.register()
    anna.call("POST", "/api/tasks", {"title": "Read on the train"})
    expect(page.locator(".row")).to_have_count(1)
    wait_until_kept(page, "tasks", "Read on the train")
    wait_until(page, "async () => navigator.serviceWorker.controller !== null")
    wait_until(page, "async () => (await (await caches.open('rondo-shell')).keys()).length > 40")

    anna.set_offline(True)
    page.goto("/today")
    page.goto("/")

    expect(page.get_by_role("link", name="Read on the train")).to_be_visible()
    expect(page.get_by_text("You are offline.")).to_be_visible()


def test_both_sides_of_a_conflict_are_shown_and_the_user_decides(anna: Visitor) -> None:
    page = anna.register()
    anna.complaints_allowed = ("status of 412",)
    task = anna.call("POST", "/api/tasks", {"title": "Bring cake"})
    page.get_by_role("link", name="Bring cake").click()
    panel = page.get_by_role("complementary", name="Details")
    expect(panel.get_by_label("Title")).to_be_visible()  # its module is there

    anna.set_offline(True)
    panel.get_by_label("Title").fill("Bring apple cake")
    panel.get_by_label("Title").blur()
    anna.call("PATCH", f"/api/tasks/{task['id']}", {"title": "Bring cheese cake", "priority": "high"})
    anna.set_offline(False)

    clash = panel.locator(".clash")
    expect(clash.locator("td")).to_have_text(["", "Bring apple cake", "Bring cheese cake"])
    assert anna.call("GET", f"/api/tasks/{task['id']}")["title"] == "Bring cheese cake"
    clash.get_by_role("button", name="Keep mine").click()

    expect(clash).to_have_count(0)
    expect(page.get_by_text("Not sent yet")).to_have_count(0)
    task = anna.call("GET", f"/api/tasks/{task['id']}")
    assert (task["title"], task["priority"]) == ("Bring apple cake", "high")


def test_changes_of_different_fields_do_not_contradict_each_other(anna: Visitor) -> None:
    page = anna.register()
    anna.complaints_allowed = ("status of 412",)
    task = anna.call("POST", "/api/tasks", {"title": "Paint the door"})
    page.get_by_role("link", name="Paint the door").click()
    panel = page.get_by_role("complementary", name="Details")
    expect(panel.get_by_label("Title")).to_be_visible()  # its module is there

    anna.set_offline(True)
    panel.get_by_label("Title").fill("Paint the red door")
    panel.get_by_label("Title").blur()
    anna.call("PATCH", f"/api/tasks/{task['id']}", {"priority": "urgent"})
    anna.set_offline(False)

    expect(page.locator(".row[data-priority=urgent]", has_text="Paint the red door")).to_be_visible()
    expect(page.get_by_text("Not sent yet")).to_have_count(0)
    task = anna.call("GET", f"/api/tasks/{task['id']}")
    assert (task["title"], task["priority"]) == ("Paint the red door", "urgent")


@pytest.fixture
def undecided(anna: Visitor) -> tuple[Page, str]:
    """A page on which a conflict waits for a decision, and the address of its task."""
    page = anna.register()
    anna.complaints_allowed = ("status of 412", "status of 404")
    path = f"/api/tasks/{anna.call('POST', '/api/tasks', {'title': 'Bring cake'})['id']}"
    page.get_by_role("link", name="Bring cake").click()
    panel = page.get_by_role("complementary", name="Details")
    expect(panel.get_by_label("Title")).to_be_visible()  # its module is there
    anna.set_offline(True)
    panel.get_by_label("Title").fill("Bring apple cake")
    panel.get_by_label("Title").blur()
    anna.call("PATCH", path, {"title": "Bring cheese cake"})
    anna.set_offline(False)
    expect(page.get_by_text("1 change needs your decision")).to_be_visible()
    return page, path


def test_a_task_that_was_deleted_elsewhere_needs_no_decision(anna: Visitor, undecided: tuple[Page, str]) -> None:
    page, path = undecided

    anna.call("DELETE", path)

    expect(page.get_by_text("“Bring apple cake” was deleted elsewhere")).to_be_visible()
    expect(page.get_by_text("1 change needs your decision")).to_be_hidden()
    wait_until(page, NOTHING_WAITS)


def test_a_task_that_is_deleted_here_needs_no_decision(anna: Visitor, undecided: tuple[Page, str]) -> None:
    page, _ = undecided

    page.get_by_role("complementary", name="Details").get_by_role("button", name="Delete").click()
    expect(page.get_by_text("1 change needs your decision")).to_be_hidden()
    page.get_by_role("button", name="Undo").last.click()  # before it stands the one of the title
    expect(page.get_by_text("1 change needs your decision")).to_be_visible()
    page.get_by_role("link", name="Bring apple cake").press("Delete")
    page.reload()

    wait_until(page, NOTHING_WAITS)
    assert anna.call("GET", "/api/tasks")["items"] == []


def test_what_is_changed_while_the_waiting_changes_are_read_is_kept(anna: Visitor) -> None:
    page = anna.register()
    task = anna.call("POST", "/api/tasks", {"title": "Before"})
    expect(page.locator(".row")).to_have_count(1)
    anna.set_offline(True)
    expect(page.locator("#link")).to_have_attribute("data-state", "offline")

    page.evaluate(CHANGED_WHILE_READ, task["id"])
    anna.set_offline(False)

    wait_until(page, NOTHING_WAITS)
    expect(page.locator(".row-title")).to_have_text(["Also", "After"])
    [also, after] = anna.call("GET", "/api/tasks")["items"]
    assert (also["title"], after["title"], after["priority"]) == ("Also", "After", "high")


def test_a_task_that_is_listed_before_the_answer_about_it_comes_keeps_one_row(anna: Visitor) -> None:
    asked: list[Route] = []
    answered: list[tuple[Route, APIResponse]] = []

    def hold(route: Route) -> None:
        if route.request.method != "POST":
            return route.fallback()
        answered.append((route, route.fetch()))
        for each in asked:
            each.continue_()
        return None

    def when_it_is_there(route: Route) -> None:
        route.continue_() if answered else asked.append(route)

    anna.context.route_web_socket("**/ws*", lambda socket: socket.close())
    anna.context.route("**/api/tasks", hold)
    anna.context.route("**/api/tasks?*limit=200*", when_it_is_there)
    page = anna.register(live=False)
    page.get_by_label("New task").first.fill("Water plants")
    page.keyboard.press("Enter")
    expect(page.get_by_role("link", name="Water plants")).to_have_count(2)

    [(route, answer)] = answered
    route.fulfill(response=answer)

    expect(page.get_by_role("link", name="Water plants")).to_have_count(1)
    page.get_by_role("link", name="Water plants").click()
    expect(page.get_by_role("complementary", name="Details").get_by_label("Title")).to_have_value("Water plants")


@pytest.mark.parametrize("title", ["Water the plants", "Water all plants"])
def test_a_click_is_not_lost_to_a_change_that_arrives_while_the_button_is_down(anna: Visitor, title: str) -> None:
    page = anna.register()
    task = anna.call("POST", "/api/tasks", {"title": "Water the plants"})
    box = page.get_by_role("link", name="Water the plants").bounding_box()
    assert box is not None
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    page.mouse.down()
    anna.call("PATCH", f"/api/tasks/{task['id']}", {"title": title, "priority": "high"})
    expect(page.locator(".row[data-priority=high] .row-title")).to_have_text(title)
    page.mouse.up()
    expect(page.get_by_label("Title")).to_have_value(title)


def test_a_click_on_a_tag_is_not_lost_either(anna: Visitor) -> None:
    page = anna.register()
    task = anna.call("POST", "/api/tasks", {"title": "Water the plants", "tags": ["home"]})
    page.locator(".row .tag").hover()
    page.mouse.down()
    anna.call("PATCH", f"/api/tasks/{task['id']}", {"priority": "high"})
    page.locator(".row[data-priority=high]").wait_for()
    page.mouse.up()
    expect(page.get_by_role("heading", name="#home")).to_be_visible()
