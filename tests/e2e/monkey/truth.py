"""What everybody has to agree on in the end: the server, the tabs, and a page that is loaded anew."""

from __future__ import annotations

import time
from collections import Counter
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from playwright.sync_api import Page

    from tests.e2e.conftest import Visitor

# Longer than a deletion is held back for its undo, and than the longest pause between two tries of a tab.
AGREE_SECONDS: Final = 60.0
Shown = dict[str, tuple[Any, ...]]

_WAITING: Final = """async () => {
  const done = (request) => new Promise((resolve) => { request.onsuccess = () => resolve(request.result); });
  const db = await done(indexedDB.open("rondo"));
  const ops = await done(db.transaction("ops").objectStore("ops").getAll());
  db.close();
  return ops.map((op) => ({ ...op, conflict: Boolean(op.conflict) }));
}"""
_ROWS: Final = """async () => {
  const more = document.querySelector("#more");
  for (let tries = 0; tries < 50 && !more.hidden; tries += 1) {
    more.scrollIntoView();
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  return [...document.querySelectorAll("#list .row[data-id]:not([data-leaving])")].map((row) => [row.dataset.id,
    row.querySelector(".row-title").textContent, row.matches(".done"), row.dataset.priority,
    [...row.querySelectorAll(".tag")].map((tag) => tag.textContent.slice(1)).sort().join(),
    row.querySelector(".due") !== null, row.querySelector("use[href='#i-note']") !== null]);
}"""


def waiting(page: Page) -> list[dict[str, Any]]:
    """Return the changes that this browser has not sent."""
    ops: list[dict[str, Any]] = page.evaluate(_WAITING)
    return ops


def known(api: Visitor) -> Shown:
    """Return what the server knows, as it would be shown."""
    tasks: list[dict[str, Any]] = _every_page(api, "/api/tasks")
    return {
        task["id"]: (
            task["title"],
            task["completed"],
            task["priority"],
            ",".join(sorted(task["tags"])),
            task["dueDate"] is not None,
            task["description"] != "",
        )
        for task in tasks
    }


def shown(page: Page, go: Callable[[str], object]) -> Shown:
    """Return what a tab shows in its places for open and for completed tasks."""
    rows: Shown = {}
    for path, name in (("/", "Inbox"), ("/completed", "Completed")):
        go(path)
        page.get_by_role("heading", name=name, exact=True).wait_for()
        rows |= {row[0]: tuple(row[1:]) for row in page.evaluate(_ROWS)}
    return rows


def wait_for_agreement(api: Visitor, page: Page, go: Callable[[str], object], whose: str) -> None:
    """Wait until a tab shows what the server knows; fail with the differences."""
    deadline = time.monotonic() + AGREE_SECONDS
    while (there := known(api)) != (here := shown(page, go)):
        if time.monotonic() > deadline:
            ids = [each for each in there.keys() | here.keys() if there.get(each) != here.get(each)]
            lines = "\n".join(f"  {each}: server {there.get(each)}, {whose} {here.get(each)}" for each in ids)
            raise AssertionError(f"{whose} does not show what the server knows:\n{lines}")
        page.wait_for_timeout(200)


def check_written_once(api: Visitor, written: Iterable[str]) -> None:
    """Check that each task that was written down has been created, and once.

    Raises:
        AssertionError: One was lost, or made twice.
    """
    created = Counter(
        str(entry["changes"].get("title", [None, ""])[1]).split(" ", 1)[0]
        for entry in _every_page(api, "/api/audit")
        if entry["action"] == "task.created"
    )
    wrong = {name: created[name] for name in written if created[name] != 1}
    assert not wrong, f"written once, but created so many times: {wrong}"


def _every_page(api: Visitor, path: str) -> list[dict[str, Any]]:
    items: list[dict[str, Any]] = []
    cursor = ""
    while True:
        page = api.call("GET", f"{path}?limit=200{cursor}")
        items += page["items"]
        if not page.get("nextCursor"):
            return items
        cursor = f"&cursor={page['nextCursor']}"
