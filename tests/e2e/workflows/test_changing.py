"""Workflows three and four: editing all that a task has, and completing it with its moment."""

from __future__ import annotations

from typing import TYPE_CHECKING

from playwright.sync_api import expect

if TYPE_CHECKING:
    from tests.e2e.workflows.person import Person

# Writes down what moves in the list from now on.
WATCH = """() => {
  globalThis.moves = new Set();
  const list = document.querySelector("#list");
  list.addEventListener("animationstart", ({ animationName }) => globalThis.moves.add(animationName));
  new MutationObserver((changes) => {
    for (const { target, attributeName } of changes) if (target.matches(".row")) {
      if (attributeName === "class" && target.matches(".done")) globalThis.moves.add("stays, done");
      if (target.hasAttribute("data-leaving") && target.getAnimations().length) globalThis.moves.add("leaves");
    }
  }).observe(list, { subtree: true, attributes: true, attributeFilter: ["class", "data-leaving"] });
}"""


def test_everything_about_a_task_can_be_edited(person: Person) -> None:
    person.has(title="Pay rent")

    panel = person.open("Pay rent")
    panel.get_by_role("textbox", name="Title").fill("Pay the rent")
    panel.get_by_role("textbox", name="Description").fill("To the new account.")
    person.press(panel.get_by_text("Urgent"))
    panel.get_by_role("combobox", name="Add a tag").fill("money")
    person.page.keyboard.press("Enter")
    person.unfold("Due")
    panel.get_by_label("Date", exact=True).fill("2030-05-01")
    panel.get_by_label("Time", exact=True).fill("08:30")
    panel.get_by_label("Time", exact=True).blur()
    expect(panel.get_by_role("button", name="Remove tag money")).to_be_visible()
    person.close()

    expect(person.row("Pay the rent")).to_contain_text("1 May 2030 08:30")
    expect(person.row("Pay the rent")).to_contain_text("#money")
    person.wait_until_saved()
    [task] = person.tasks()
    assert (task["title"], task["description"]) == ("Pay the rent", "To the new account.")
    assert (task["priority"], task["tags"], task["dueDate"]) == ("urgent", ["money"], "2030-05-01T06:30:00Z")


def test_completing_has_its_moment_and_a_way_back(person: Person) -> None:
    person.has(title="Water the plants")
    person.has(title="Call the dentist")
    person.page.evaluate(WATCH)

    person.complete("Call the dentist")

    expect(person.page.get_by_role("status")).to_contain_text("Completed “Call the dentist”")
    expect(person.titles).to_have_text(["Water the plants"])
    assert set(person.page.evaluate("[...globalThis.moves]")) >= {"fill", "stays, done", "leaves"}
    person.go("Completed")
    done = person.page.get_by_role("checkbox", name="Reopen “Call the dentist”")
    expect(done).to_be_checked()
    person.wait_until_saved()
    assert {task["title"]: task["completed"] for task in person.tasks()}["Call the dentist"]
    person.press(person.page.get_by_role("button", name="Undo"))
    person.go("Inbox")
    expect(person.row("Call the dentist")).to_be_visible()
    person.wait_until_saved()
    assert not {task["title"]: task["completed"] for task in person.tasks()}["Call the dentist"]
