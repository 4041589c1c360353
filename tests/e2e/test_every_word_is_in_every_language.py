"""What no browser is needed for: the catalogues say the same, and nothing that a person reads stands anywhere else."""

from __future__ import annotations

import json
import re
from collections import Counter
from html.parser import HTMLParser
from pathlib import Path

import pytest

STATIC = Path(__file__).parents[2] / "app" / "web" / "static"
SHELLS = ("index.html", "ops.html")
CATALOGUES: dict[str, dict[str, str]] = {
    path.stem: json.loads(path.read_text(encoding="utf-8")) for path in (STATIC / "messages").glob("*.json")
}
ENGLISH = CATALOGUES["en"]
OTHERS = sorted({*CATALOGUES} - {"en"})
STYLES = sorted(path.name for path in (STATIC / "css").glob("*.css"))
# The same in every language.
NAMES = {"Rondo", "Esc", "Ctrl K"}
SHORTHAND = re.compile(r"(?<![\w-])(?:padding|margin|inset): *([^;]+);")
PHYSICAL = re.compile(r"[\s;{](?:(?:padding|margin|border)-(?:left|right)|left|right)\s*:|: *(?:left|right)\s*;")
# What follows the pointer has its place in the window, whichever way one reads.
POINTED = {"inset: 0 auto auto 0;"}


@pytest.mark.parametrize("language", OTHERS)
def test_every_language_has_every_sentence(language: str) -> None:
    assert sorted(CATALOGUES[language]) == sorted(ENGLISH)


@pytest.mark.parametrize("language", OTHERS)
def test_every_sentence_has_the_same_placeholders(language: str) -> None:
    def placeholders(text: str) -> set[str]:
        return {*re.findall(r"\{(\w+)\}", text)}

    differing = [key for key, text in CATALOGUES[language].items() if placeholders(text) != placeholders(ENGLISH[key])]

    assert differing == []


@pytest.mark.parametrize("language", sorted(CATALOGUES))
def test_what_counts_has_a_form_for_one_and_for_many(language: str) -> None:
    forms = Counter({key: len(text.split("|")) for key, text in CATALOGUES[language].items()})

    assert {key for key, count in forms.items() if count > 1} <= {key for key in forms if "{n}" in ENGLISH[key]}
    assert {*forms.values()} <= {1, 2}  # both languages know "one" and "other"


@pytest.mark.parametrize("language", sorted(CATALOGUES))
def test_no_sentence_is_empty_or_framed_by_space(language: str) -> None:
    assert [key for key, text in CATALOGUES[language].items() if not text or text != text.strip()] == []


@pytest.mark.parametrize("language", sorted(CATALOGUES))
def test_the_shell_knows_every_language(language: str) -> None:
    shell = (STATIC / "index.html").read_text(encoding="utf-8")

    assert language in re.findall(r'data-languages="([^"]+)"', shell)[0].split()
    assert f"{{{{static}}}}/messages/{language}.json" in shell


class Reader(HTMLParser):
    """Collects what a person would read in a page as it is written."""

    SILENT = ("script", "style", "noscript", "title")
    SPOKEN = ("title", "placeholder", "aria-label", "alt")

    def __init__(self) -> None:
        super().__init__()
        self.inside: list[str] = []
        self.said: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in self.SILENT:
            self.inside.append(tag)
        self.said += [value or "" for name, value in attrs if name in self.SPOKEN]

    def handle_endtag(self, tag: str) -> None:
        if tag in self.SILENT:
            self.inside.pop()

    def handle_data(self, data: str) -> None:
        if not self.inside and re.search(r"[^\W\d_]{2}", data):
            self.said.append(data.strip())


@pytest.mark.parametrize("shell", SHELLS)
def test_nothing_that_a_person_reads_stands_in_the_markup(shell: str) -> None:
    reader = Reader()
    reader.feed((STATIC / shell).read_text(encoding="utf-8"))

    assert {*reader.said} <= NAMES


@pytest.mark.parametrize("style", STYLES)
def test_no_style_knows_left_from_right(style: str) -> None:
    text = (STATIC / "css" / style).read_text(encoding="utf-8")
    one_sided = [found[0] for found in SHORTHAND.finditer(text) if _differ(_values(found[1]))]
    # There is no logical origin; where there is one, `:dir(rtl)` has the other.
    physical = PHYSICAL.findall(re.sub(r"transform-origin: (left|right);", "", text))

    assert {*one_sided} <= POINTED
    assert physical == []


def _differ(sides: list[str]) -> bool:
    """Return whether a shorthand says something else of its right side than of its left one."""
    return len(sides) == 4 and sides[1] != sides[3]  # top, right, bottom, left


def _values(text: str) -> list[str]:
    """Return the values of a declaration; what is in parentheses stays together."""
    values, depth = [""], 0
    for character in text.strip():
        depth += (character == "(") - (character == ")")
        if character == " " and depth == 0:
            values.append("")
        else:
            values[-1] += character
    return values
