"""Workflows five to seven: filtering by priority and by tags, and searching."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import expect

if TYPE_CHECKING:
    from tests.e2e.workflows.person import Person


@pytest.fixture
def shopper(person: Person) -> Person:
    """Somebody with a few tasks of every kind."""
    person.has(title="Cherry", priority="low", tags=["fruit"])
    person.has(title="Apple", priority="urgent", tags=["fruit", "red"])
    person.has(title="Bread", priority="high", description="with seeds")
    return person


def test_tasks_are_filtered_by_priority_and_the_way_back_is_back(shopper: Person) -> None:
    choices = shopper.open_filter().get_by_role("group", name="Priority")

    shopper.press(choices.get_by_text("Urgent"))
    expect(shopper.titles).to_have_text(["Apple"])
    shopper.press(choices.get_by_text("High"))
    expect(shopper.titles).to_have_text(["Bread", "Apple"])
    shopper.page.reload()
    expect(shopper.titles).to_have_text(["Bread", "Apple"])
    shopper.press(shopper.page.get_by_role("button", name="Remove filter Urgent"))
    expect(shopper.titles).to_have_text(["Bread"])
    expect(shopper.page).to_have_url(re.compile("priority=high$"))
    shopper.page.go_back()

    expect(shopper.titles).to_have_text(["Bread", "Apple"])


def test_tasks_are_filtered_by_tags_and_have_places_for_them(shopper: Person) -> None:
    choices = shopper.open_filter().get_by_role("group", name="Tags")

    shopper.press(choices.get_by_text("#fruit"))
    expect(shopper.titles).to_have_text(["Apple", "Cherry"])
    shopper.press(choices.get_by_text("#red"))
    expect(shopper.titles).to_have_text(["Apple"])
    shopper.page.keyboard.press("Escape")
    shopper.press(shopper.row("Apple").get_by_role("link", name="#fruit"))

    expect(shopper.page.get_by_role("heading", name="#fruit")).to_be_visible()
    expect(shopper.titles).to_have_text(["Apple", "Cherry"])
    shopper.add("Pear")
    expect(shopper.titles).to_have_text(["Pear", "Apple", "Cherry"])
    shopper.wait_until_saved()
    assert {task["title"]: task["tags"] for task in shopper.tasks()}["Pear"] == ["fruit"]


def test_search_finds_words_and_parts_of_them_while_one_types(shopper: Person) -> None:
    search = shopper.page.get_by_role("searchbox", name="Search")

    shopper.press(search)
    shopper.page.keyboard.type("SEED")
    expect(shopper.titles).to_have_text(["Bread"])
    expect(shopper.page.locator("#count")).to_have_text("1 match")
    search.fill("appl")
    expect(shopper.titles).to_have_text(["Apple"])
    search.fill("nothing like it")
    expect(shopper.titles).to_have_count(0)
    expect(shopper.page.get_by_text("Nothing matches")).to_be_visible()
    search.fill("")

    expect(shopper.page.get_by_role("heading", name="Inbox")).to_be_visible()
    expect(shopper.titles).to_have_text(["Bread", "Apple", "Cherry"])
