"""Workflow thirteen: the network fails in its ways, and nothing that was typed is lost or done twice."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import expect

from tests.e2e.conftest import wait_until, wait_until_kept
from tests.e2e.workflows.person import Person
from tests.fixtures.line import laid

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.e2e.conftest import Visitor
    from tests.fixtures.line import Line

# How browsers write to the console that nobody answered.
NOBODY_ANSWERED = (
    "net::ERR_",
    "WebSocket connection to",
    "connection to the server at ws://",
    "The connection to ws://",
)
# What is needed to open the page again without a server.
KEPT = """async () => navigator.serviceWorker.controller !== null
  && (await (await caches.open("rondo-shell")).keys()).length > 40"""


@pytest.fixture
def line(rondo_url: str) -> Iterator[Line]:
    """A line to Rondo that can be cut."""
    port = urlsplit(rondo_url).port
    assert port is not None
    with laid(port) as line:
        yield line


@pytest.fixture
def traveller(visit: Callable[..., Visitor], line: Line) -> Person:
    """Somebody at the other end of the line."""
    visitor = visit(url=line.url)
    visitor.complaints_allowed = NOBODY_ANSWERED
    return Person(visitor, visitor.register())


def test_without_a_server_everything_goes_on_and_arrives_once(traveller: Person, line: Line) -> None:
    traveller.has(title="Was here before")
    wait_until_kept(traveller.page, "tasks", "Was here before")
    wait_until(traveller.page, KEPT)

    line.cut()
    expect(traveller.page.get_by_text("Rondo cannot be reached right now.")).to_be_visible()
    traveller.add("Written in a tunnel #train")
    traveller.complete("Was here before")
    expect(traveller.row("Written in a tunnel")).to_contain_text("Not sent yet")
    expect(traveller.titles).to_have_count(1)
    traveller.add("Written the moment the page goes")
    traveller.page.reload()
    expect(traveller.row("Written in a tunnel")).to_contain_text("Not sent yet")
    traveller.open("Written in a tunnel").get_by_role("textbox", name="Title").fill("Written on a train")
    traveller.close()
    line.mend()

    expect(traveller.page.get_by_text("Rondo cannot be reached right now.")).to_be_hidden()
    traveller.wait_until_saved()
    expect(traveller.titles).to_have_text(["Written the moment the page goes", "Written on a train"])
    assert [(task["title"], task["completed"]) for task in traveller.tasks()] == [
        ("Written the moment the page goes", False),
        ("Written on a train", False),
        ("Was here before", True),
    ]


def test_a_lost_answer_makes_nothing_twice(traveller: Person, line: Line) -> None:
    line.lose_answer_to(b"POST /api/tasks ")

    traveller.add("Only once")
    traveller.wait_until_saved()
    traveller.add("And after it")
    traveller.wait_until_saved()

    expect(traveller.titles).to_have_text(["And after it", "Only once"])
    assert [task["title"] for task in traveller.tasks()] == ["And after it", "Only once"]


def test_offline_is_said_and_a_change_on_both_sides_is_decided_by_the_person(person: Person) -> None:
    person.visitor.complaints_allowed = ("status of 412",)
    task = person.has(title="Bring cake")
    panel = person.open("Bring cake")

    person.visitor.set_offline(True)
    panel.get_by_role("textbox", name="Title").fill("Bring apple cake")
    panel.get_by_role("textbox", name="Title").blur()
    expect(person.page.locator("#link")).to_contain_text("1 change waits")
    person.visitor.call("PATCH", f"/api/tasks/{task['id']}", {"title": "Bring cheese cake"})
    person.visitor.set_offline(False)
    clash = panel.locator(".clash")
    expect(clash.locator("td")).to_have_text(["", "Bring apple cake", "Bring cheese cake"])
    person.press(clash.get_by_role("button", name="Keep mine"))

    expect(clash).to_have_count(0)
    person.close()
    person.wait_until_saved()
    assert [each["title"] for each in person.tasks()] == ["Bring apple cake"]
