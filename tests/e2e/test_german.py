"""Rondo in German: chosen by the browser or by hand, offline too, and understood when it is typed."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from playwright.sync_api import expect

from tests.e2e.conftest import TIME_ZONE, Visitor, wait_until

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from playwright.sync_api import Browser, Page

STATIC = Path(__file__).parents[2] / "app" / "web" / "static"
# A Monday, 11:00 in Berlin.
NOW = "2026-11-23T10:00:00Z"

PARSED = """async (text) => {
  const main = document.querySelector("script[type=module]").src;
  const { parse } = await import(main.replace("main.js", "core/parse.js"));
  const { title, dueDate, recurrence, priority, tags } = parse(text).fields;
  return [title, dueDate, recurrence?.rule, priority, tags?.join()].filter((each) => each !== undefined);
}"""
SAID = """async ([rule, mode, missed]) => {
  const main = document.querySelector("script[type=module]").src;
  return (await import(main.replace("main.js", "core/rules-de.js"))).ruleWords(rule, mode, missed);
}"""


@pytest.fixture(scope="module")
def reading(browser: Browser, rondo_url: str) -> Iterator[Callable[[str], Page]]:
    """Return a page per language on which nothing happens, at a time that stands still."""
    pages: dict[str, Page] = {}

    def page_in(locale: str) -> Page:
        if locale not in pages:
            context = browser.new_context(base_url=rondo_url, locale=locale, timezone_id=TIME_ZONE)
            pages[locale] = context.new_page()
            pages[locale].clock.set_fixed_time(NOW)
            pages[locale].goto("/sign-in")
            pages[locale].locator("#auth form").wait_for()
        return pages[locale]

    yield page_in
    for page in pages.values():
        page.context.close()


UNDERSTOOD = [
    (
        "Blumen gießen morgen um 9 #zuhause !hoch jede Woche",
        ["Blumen gießen", "2026-11-24T08:00:00Z", "FREQ=WEEKLY", "high", "zuhause"],
    ),
    ("Zahnarzt übermorgen halb 10", ["Zahnarzt", "2026-11-25T08:30:00Z"]),
    ("Miete jeden Monat", ["Miete", "2026-11-23", "FREQ=MONTHLY;SKIP=BACKWARD"]),
    ("Miete jeden Monat am 31.", ["Miete", "2026-11-30", "FREQ=MONTHLY;BYMONTHDAY=31;SKIP=BACKWARD"]),
    ("Lohn jeden 28.", ["Lohn", "2026-11-28", "FREQ=MONTHLY;BYMONTHDAY=28"]),
    ("Filter alle drei Monate am 15", ["Filter", "2026-12-15", "FREQ=MONTHLY;INTERVAL=3;BYMONTHDAY=15"]),
    ("Zähler am 1. jedes Monats", ["Zähler", "2026-12-01", "FREQ=MONTHLY;BYMONTHDAY=1"]),
    ("monatlich am letzten Tag Kasse", ["Kasse", "2026-11-30", "FREQ=MONTHLY;BYMONTHDAY=-1"]),
    ("Runde jeden ersten Montag im Monat", ["Runde", "2026-12-07", "FREQ=MONTHLY;BYDAY=1MO"]),
    ("Runde am 2. Dienstag jeden Monats", ["Runde", "2026-12-08", "FREQ=MONTHLY;BYDAY=2TU"]),
    ("Markt jeden letzten Samstag", ["Markt", "2026-11-28", "FREQ=MONTHLY;BYDAY=-1SA"]),
    (
        "Bericht jeden letzten Werktag um 9",
        ["Bericht", "2026-11-30T08:00:00Z", "FREQ=MONTHLY;BYDAY=MO,TU,WE,TH,FR;BYSETPOS=-1"],
    ),
    ("Treffen jeden Monat am 24.12.", ["Treffen", "2026-12-24", "FREQ=MONTHLY;SKIP=BACKWARD"]),
    ("gießen jeden 2. Tag", ["gießen", "2026-11-23", "FREQ=DAILY;INTERVAL=2"]),
    ("Bericht jeden zweiten Freitag", ["Bericht", "2026-11-27", "FREQ=WEEKLY;INTERVAL=2;BYDAY=FR"]),
    ("Wäsche alle zwei Wochen", ["Wäsche", "2026-11-23", "FREQ=WEEKLY;INTERVAL=2"]),
    ("werktags Mails !dringend", ["Mails", "2026-11-23", "FREQ=WEEKLY;BYDAY=MO,TU,WE,TH,FR", "urgent"]),
    ("Kaffee sonntags", ["Kaffee", "2026-11-29", "FREQ=WEEKLY;BYDAY=SU"]),
    ("Steuer am 24.12.", ["Steuer", "2026-12-24"]),
    ("Geschenk 24. Dezember 2027", ["Geschenk", "2027-12-24"]),
    ("Anruf in 3 Tagen um 14 Uhr 30", ["Anruf", "2026-11-26T13:30:00Z"]),
    ("Anruf in einer Woche", ["Anruf", "2026-11-30"]),
    ("Termin am Do um 8", ["Termin", "2026-11-26T07:00:00Z"]),
    ("Werkstatt nächsten Montag 9 Uhr", ["Werkstatt", "2026-11-30T08:00:00Z"]),
    ("Urlaub nächsten Monat", ["Urlaub", "2026-12-01"]),
    ("bis Freitag Bericht", ["Bericht", "2026-11-27"]),
    ("am Wochenende Rad putzen", ["Rad putzen", "2026-11-28"]),
    # English stays understood.
    ("call mum tomorrow at 9 every week", ["call mum", "2026-11-24T08:00:00Z", "FREQ=WEEKLY"]),
    # What only looks like a time is left alone.
    ("Guten Morgen sagen", ["Guten Morgen sagen"]),
    ("am Morgen joggen", ["am Morgen joggen"]),
    ("So machen wir das", ["So machen wir das"]),
    ("Version 3.5 installieren", ["Version 3.5 installieren"]),
    ("Treffen 3 am Bahnhof", ["Treffen 3 am Bahnhof"]),
    ("Tod in Venedig lesen", ["Tod in Venedig lesen"]),
    ("Sport jeden Montag und Donnerstag", ["Sport", "2026-11-23", "FREQ=WEEKLY;BYDAY=MO,TH"]),
    ("Sport jeden Mo und Do", ["Sport", "2026-11-23", "FREQ=WEEKLY;BYDAY=MO,TH"]),
    ("Training montags und donnerstags um 8", ["Training", "2026-11-26T07:00:00Z", "FREQ=WEEKLY;BYDAY=MO,TH"]),
    ("Essen heute Abend um 8", ["Essen", "2026-11-23T19:00:00Z"]),
    ("Essen Freitagabend um 7", ["Essen", "2026-11-27T18:00:00Z"]),
    ("Pille jeden Tag um 5", ["Pille", "2026-11-24T04:00:00Z", "FREQ=DAILY"]),
    ("Pille jeden Abend um 8", ["Pille", "2026-11-23T19:00:00Z", "FREQ=DAILY"]),
    ("Müll alle 2 Wochen am Freitag", ["Müll", "2026-11-27", "FREQ=WEEKLY;INTERVAL=2;BYDAY=FR"]),
    ("Steuer 5. Mai 2027", ["Steuer", "2027-05-05"]),
    ("Treffen um 9.30", ["Treffen", "2026-11-24T08:30:00Z"]),
    ("Anruf in zwölf Wochen", ["Anruf", "2027-02-15"]),
    ("Putzen dieses Wochenende", ["Putzen", "2026-11-28"]),
    ("Plan nächstes Jahr", ["Plan", "2027-01-01"]),
    ("morgen: Milch", ["Milch", "2026-11-24"]),
    ("Montag Morgen um 9 Bericht", ["Bericht", "2026-11-30T08:00:00Z"]),
    ("Tue Gutes", ["Tue Gutes"]),
    ("Tom anrufen", ["Tom anrufen"]),
    ("Rad putzen nächstes Wochenende", ["Rad putzen", "2026-12-05"]),
    ("Am nächsten Wochenende wandern", ["wandern", "2026-12-05"]),
    ("Miete am 5.", ["Miete", "2026-12-05"]),
    ("Miete am 23. um 18 Uhr", ["Miete", "2026-11-23T17:00:00Z"]),
    ("Bericht bis zum 31.", ["Bericht", "2026-12-31"]),
    ("am 5.: Miete", ["Miete", "2026-12-05"]),
    ("Miete am 5. jeden Monat", ["Miete", "2026-12-05", "FREQ=MONTHLY;SKIP=BACKWARD"]),
    ("Lampe am 5. Mast prüfen", ["Lampe am 5. Mast prüfen"]),
    ("Lampe am 32.", ["Lampe am 32."]),
    ("Kapitel 3 bis 5.", ["Kapitel 3 bis 5."]),
    ("Training montags, mittwochs und Fr", ["Training", "2026-11-23", "FREQ=WEEKLY;BYDAY=MO,WE,FR"]),
    ("Training dienstags und Do um 8", ["Training", "2026-11-24T07:00:00Z", "FREQ=WEEKLY;BYDAY=TU,TH"]),
    ("Sport jeden Montag und Do", ["Sport", "2026-11-23", "FREQ=WEEKLY;BYDAY=MO,TH"]),
    ("Sport jeden Montag, so oft es geht", ["Sport, so oft es geht", "2026-11-23", "FREQ=WEEKLY;BYDAY=MO"]),
    ("Sport montags und so", ["Sport und so", "2026-11-23", "FREQ=WEEKLY;BYDAY=MO"]),
]


@pytest.mark.parametrize(("text", "fields"), UNDERSTOOD)
def test_quick_add_understands_german(reading: Callable[[str], Page], text: str, fields: list[str]) -> None:
    assert reading("de-DE").evaluate(PARSED, text) == fields


@pytest.mark.parametrize(
    ("text", "fields"),
    [
        ("Miete jeden Monat morgen um 9", ["Miete jeden Monat morgen um 9"]),
        ("Read the mass on Sat", ["Read the mass", "2026-11-28"]),
        ("buy 3 marbles", ["buy 3 marbles"]),
        ("pay may 5", ["pay", "2027-05-05"]),
        ("pay 5 December at 3pm", ["pay", "2026-12-05T14:00:00Z"]),
        ("standup every other day", ["standup", "2026-11-23", "FREQ=DAILY;INTERVAL=2"]),
        ("water every 3rd day", ["water", "2026-11-23", "FREQ=DAILY;INTERVAL=3"]),
        ("bins every second Tuesday", ["bins", "2026-11-24", "FREQ=WEEKLY;INTERVAL=2;BYDAY=TU"]),
        ("rent 31 Jan every month", ["rent", "2027-01-31", "FREQ=MONTHLY;SKIP=BACKWARD"]),
        ("birthday 29 Feb every year", ["birthday", "2028-02-29", "FREQ=YEARLY;SKIP=BACKWARD"]),
        ("pay 31 November", ["pay 31 November"]),
        ("rent every month on the 31st", ["rent", "2026-11-30", "FREQ=MONTHLY;BYMONTHDAY=31;SKIP=BACKWARD"]),
        ("rent every 15th at 9", ["rent", "2026-12-15T08:00:00Z", "FREQ=MONTHLY;BYMONTHDAY=15"]),
        ("tax every other month on the 10th", ["tax", "2026-12-10", "FREQ=MONTHLY;INTERVAL=2;BYMONTHDAY=10"]),
        ("invoice monthly on the last day", ["invoice", "2026-11-30", "FREQ=MONTHLY;BYMONTHDAY=-1"]),
        ("club every 2nd Tuesday of the month", ["club", "2026-12-08", "FREQ=MONTHLY;BYDAY=2TU"]),
        ("backup every last Friday", ["backup", "2026-11-27", "FREQ=MONTHLY;BYDAY=-1FR"]),
        (
            "report every month on the last workday",
            ["report", "2026-11-30", "FREQ=MONTHLY;BYDAY=MO,TU,WE,TH,FR;BYSETPOS=-1"],
        ),
        ("plan every month on the 32nd", ["plan on the 32nd", "2026-11-23", "FREQ=MONTHLY;SKIP=BACKWARD"]),
        ("look every first and last time", ["look every first and last time"]),
        ("Gym every Monday and Thursday", ["Gym", "2026-11-23", "FREQ=WEEKLY;BYDAY=MO,TH"]),
        ("Physio every mon, wed, fri at 8am", ["Physio", "2026-11-25T07:00:00Z", "FREQ=WEEKLY;BYDAY=MO,WE,FR"]),
        ("Party tonight at 8", ["Party", "2026-11-23T19:00:00Z"]),
        ("Film tonight at 1", ["Film", "2026-11-24T00:00:00Z"]),
        ("Call mum at 7 in the evening", ["Call mum", "2026-11-23T18:00:00Z"]),
        ("Pill every day at 5", ["Pill", "2026-11-24T04:00:00Z", "FREQ=DAILY"]),
        ("Visa day after tomorrow", ["Visa", "2026-11-25"]),
        ("bins every 2 weeks on Friday", ["bins", "2026-11-27", "FREQ=WEEKLY;INTERVAL=2;BYDAY=FR"]),
        ("Weekly thing every 2 weeks on Friday", ["Weekly thing", "2026-11-27", "FREQ=WEEKLY;INTERVAL=2;BYDAY=FR"]),
        ("Pay tax on 5 May 2027", ["Pay tax", "2027-05-05"]),
        ("Pay tax May 5, 2027", ["Pay tax", "2027-05-05"]),
        ("Send report by Friday", ["Send report", "2026-11-27"]),
        ("Lunch on 5 May", ["Lunch", "2027-05-05"]),
        ("Party 5th May", ["Party", "2027-05-05"]),
        ("Party 5th of May", ["Party", "2027-05-05"]),
        ("Meet at 9.30", ["Meet", "2026-11-24T08:30:00Z"]),
        ("Call in two weeks", ["Call", "2026-12-07"]),
        ("Clean this weekend", ["Clean", "2026-11-28"]),
        ("Plan next year", ["Plan", "2027-01-01"]),
        ("tomorrow: buy milk", ["buy milk", "2026-11-24"]),
        ("Dinner, tomorrow", ["Dinner", "2026-11-24"]),
        ("pay may 15 at 9am", ["pay", "2027-05-15T07:00:00Z"]),
        ("Lunch fri", ["Lunch", "2026-11-27"]),
        ("Lunch sat at 1pm", ["Lunch", "2026-11-28T12:00:00Z"]),
        ("Buy sun cream", ["Buy sun cream"]),
        ("Call Tom about rent", ["Call Tom about rent"]),
        ("I may 5 times", ["I may 5 times"]),
        ("Clean next weekend", ["Clean", "2026-12-05"]),
        ("on the next weekend hike", ["hike", "2026-12-05"]),
        ("rent on the 5th", ["rent", "2026-12-05"]),
        ("rent on the 23rd at 6pm", ["rent", "2026-11-23T17:00:00Z"]),
        ("report by the 31st!", ["report!", "2026-12-31"]),
        ("On the 5th: rent", ["rent", "2026-12-05"]),
        ("rent on the 5th every month", ["rent", "2026-12-05", "FREQ=MONTHLY;SKIP=BACKWARD"]),
        ("fix the lamp on the 5th floor", ["fix the lamp on the 5th floor"]),
        ("ask on the 32nd", ["ask on the 32nd"]),
        ("march 5 miles", ["march 5 miles"]),
        ("March 5 laps, then rest", ["March 5 laps, then rest"]),
        ("March 5 pay rent", ["pay rent", "2027-03-05"]),
    ],
)
def test_english_is_understood(reading: Callable[[str], Page], text: str, fields: list[str]) -> None:
    assert reading("en-GB").evaluate(PARSED, text) == fields


@pytest.mark.parametrize(
    ("rule", "mode", "missed", "sentence"),
    [
        ("FREQ=DAILY;INTERVAL=3", "schedule", "keep", "alle 3 Tage, verpasste bleiben"),
        ("FREQ=WEEKLY;BYDAY=MO,TU,WE,TH,FR", "schedule", "skip", "jeden Werktag (Montag bis Freitag)"),
        (
            "FREQ=WEEKLY;INTERVAL=2;BYDAY=MO,FR;COUNT=10",
            "schedule",
            "skip",
            "alle 2 Wochen am Montag und Freitag, 10-mal",
        ),
        ("FREQ=MONTHLY;SKIP=BACKWARD", "schedule", "skip", "jeden Monat, in kürzeren Monaten am letzten Tag"),
        ("FREQ=MONTHLY;BYMONTHDAY=-1", "schedule", "skip", "jeden Monat am letzten Tag"),
        ("FREQ=MONTHLY;BYDAY=2TU", "schedule", "skip", "jeden Monat am 2. Dienstag"),
        ("FREQ=MONTHLY;BYDAY=MO,TU,WE,TH,FR;BYSETPOS=-1", "schedule", "skip", "jeden Monat am letzten Werktag"),
        ("FREQ=YEARLY;BYMONTH=11;BYDAY=4TH", "schedule", "skip", "jedes Jahr am 4. Donnerstag im November"),
        (
            "FREQ=YEARLY;BYMONTH=12;BYMONTHDAY=24;UNTIL=20301224",
            "schedule",
            "skip",
            "jedes Jahr am 24. Dezember, bis Di., 24. Dez. 2030",
        ),
        ("FREQ=WEEKLY", "afterCompletion", "skip", "eine Woche nach dem Erledigen"),
        ("FREQ=WEEKLY;BYDAY=MO", "afterCompletion", "skip", "jede Woche am Montag, gezählt ab dem Erledigen"),
        # Too strange to say: the server's words stay.
        ("FREQ=HOURLY", "schedule", "skip", ""),
        ("FREQ=YEARLY;BYWEEKNO=20", "schedule", "skip", ""),
    ],
)
def test_rules_are_said_in_german(
    reading: Callable[[str], Page], rule: str, mode: str, missed: str, sentence: str
) -> None:
    assert reading("de-DE").evaluate(SAID, [rule, mode, missed]) == sentence


def test_a_german_browser_gets_german(visit: Callable[..., Visitor]) -> None:
    hans = visit(locale="de-AT")
    page = hans.open("/register")
    expect(page.get_by_role("button", name="Konto anlegen")).to_be_visible()
    assert page.evaluate("[document.documentElement.lang, document.documentElement.dir]") == ["de-AT", "ltr"]
    page.close()

    account = {"name": "Hans", "email": f"hans-{id(hans)}@example.org", "password": "ein ruhiger Ort am Fluss"}
    hans.call("POST", "/api/auth/register", {**account, "timeZone": "Europe/Vienna"})
    page = hans.open("/")
    expect(page.get_by_role("heading", name="Eingang")).to_be_visible()
    page.get_by_label("Neue Aufgabe").first.fill("Blumen gießen morgen um 9 !hoch jeden Montag")
    expect(page.get_by_role("list", name="Verstanden").get_by_role("button")).to_have_count(3)
    page.keyboard.press("Enter")

    expect(page.locator(".row")).to_contain_text("Morgen 09:00")
    page.get_by_role("link", name="Blumen gießen").click()
    panel = page.get_by_role("complementary", name="Einzelheiten")
    panel.locator("summary", has_text="Wiederholung").click()
    expect(panel.locator(".sentence")).to_have_text("jede Woche am Montag")
    assert _english_left(page) == []


def test_a_language_can_be_chosen_and_is_there_offline(anna: Visitor) -> None:
    page = anna.register()
    wait_until(page, "() => navigator.serviceWorker.ready.then((ready) => ready.active?.state === 'activated')")
    page.goto("/settings")
    with page.expect_navigation():
        page.get_by_role("region", name="In this browser").get_by_text("Deutsch").click()
    expect(page.get_by_role("heading", name="Einstellungen")).to_be_visible()
    assert page.evaluate("document.documentElement.lang") == "de"
    assert _english_left(page) == []
    wait_until(page, "() => caches.open('rondo-shell').then((cache) => cache.match('/')).then(Boolean)")

    anna.set_offline(True)
    page.goto("/")

    expect(page.get_by_role("heading", name="Eingang")).to_be_visible()
    expect(page.get_by_text("Du bist offline.")).to_be_visible()
    page.get_by_label("Neue Aufgabe").first.fill("Offline übermorgen")
    page.keyboard.press("Enter")
    expect(page.locator(".row")).to_contain_text("Offline")


def test_refusals_are_in_german_too(visit: Callable[..., Visitor]) -> None:
    hans = visit(locale="de-DE")
    hans.complaints_allowed = ("status of 401", "status of 422")
    page = hans.open("/sign-in")
    page.get_by_label("E-Mail").fill("niemand@example.org")
    page.get_by_label("Passwort", exact=True).fill("falsch falsch falsch")
    page.get_by_role("button", name="Anmelden").click()
    expect(page.get_by_text("Die E-Mail-Adresse oder das Passwort ist falsch.")).to_be_visible()

    page.get_by_role("link", name="Neu hier? Konto anlegen").click()
    expect(page.get_by_label("Name")).to_be_focused()  # typing any sooner would go into two forms
    page.get_by_label("E-Mail").fill("niemand")
    page.get_by_label("Passwort", exact=True).fill("kurz")
    page.get_by_role("button", name="Konto anlegen").click()

    expect(page.get_by_text("Das ist keine E-Mail-Adresse.")).to_be_visible()
    expect(page.get_by_text("Mindestens 8 Zeichen.")).to_be_visible()


def test_the_page_runs_from_right_to_left(anna: Visitor) -> None:
    page = anna.register()
    anna.call("POST", "/api/tasks", {"title": "שלום rondo", "tags": ["home"], "dueDate": "2020-01-01"})
    row = page.locator(".row").first
    row.wait_for()

    page.evaluate("document.documentElement.dir = 'rtl'")
    places = page.evaluate(
        """() => Object.fromEntries([["nav", ".nav"], ["ring", ".row .ring"], ["title", ".row-title"]]
           .map(([name, selector]) => [name, document.querySelector(selector).getBoundingClientRect().x]))"""
    )

    assert places["nav"] > places["ring"] > places["title"]
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def _english_left(page: Page) -> list[str]:
    """Return English sentences of the catalogue that are on the page although German says something else."""
    words: dict[str, dict[str, str]] = {
        language: json.loads((STATIC / "messages" / f"{language}.json").read_text(encoding="utf-8"))
        for language in ("en", "de")
    }
    shown: list[Any] = page.evaluate(
        """() => [...document.querySelectorAll("body *")].flatMap((element) => [
             ...[...element.childNodes].filter((node) => node.nodeType === 3).map((node) => node.data.trim()),
             ...["aria-label", "title", "placeholder"].map((name) => element.getAttribute(name) ?? "")])"""
    )
    german = {form for text in words["de"].values() for form in text.split("|")}
    english = {form for text in words["en"].values() for form in text.split("|")} - german
    return sorted({text for text in shown if text in english and re.search(r"[a-z]{2}", text)})
