"""What no browser is needed for: the shell, the module map and the catalogue of words agree with the files."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
STATIC = ROOT / "app" / "web" / "static"
MODULES = sorted(path.relative_to(STATIC).as_posix() for path in (STATIC / "js").rglob("*.js"))
SHELL = (STATIC / "index.html").read_text()
OPERATORS = (STATIC / "ops.html").read_text()
SOURCES = SHELL + OPERATORS + "".join((STATIC / name).read_text() for name in MODULES)
WORDS = json.loads((STATIC / "messages" / "en.json").read_text())
# Keys that are put together from a name: `priority.` and the priority.
FAMILIES = (
    "action",
    "channel",
    "due",
    "empty",
    "field",
    "help",
    "link",
    "opsAbout",
    "opsAsk",
    "opsAsked",
    "opsBreaker",
    "opsCheck",
    "opsDead",
    "opsExit",
    "opsHappened",
    "opsOrder",
    "opsPolicy",
    "opsRestart",
    "opsState",
    "opsStrategy",
    "opsStrategyMore",
    "place",
    "priority",
    "problem",
    "refusal",
    "remind",
    "sort",
    "state",
    "status",
    "welcome",
)


@pytest.mark.parametrize("module", MODULES)
def test_the_shell_names_every_module_so_that_it_is_there_offline(module: str) -> None:
    page, other = (OPERATORS, SHELL) if module.startswith("js/ops/") else (SHELL, "")

    assert f'"{{{{static}}}}/{module}"' in page
    assert module not in other


@pytest.mark.parametrize("module", MODULES)
def test_the_module_map_names_every_module(module: str) -> None:
    assert f"`{Path(module).name}`" in (ROOT / "docs" / "ui.md").read_text()


def test_the_shell_names_only_files_that_exist() -> None:
    named = re.findall(r'"\{\{static\}\}/([^"]+)"', SHELL + OPERATORS)

    assert [name for name in named if not (STATIC / name).is_file()] == []


def test_every_word_that_is_asked_for_is_in_the_catalogue() -> None:
    asked = re.findall(r'\bt\("([^"]+)"', SOURCES) + re.findall(r'data-(?:t|hint|label)="([^"]+)"', SHELL + OPERATORS)

    assert sorted(set(asked) - set(WORDS)) == []


def test_no_word_in_the_catalogue_is_left_over() -> None:
    unused = [key for key in WORDS if f'"{key}"' not in SOURCES and key.partition(".")[0] not in (*FAMILIES, "theme")]

    assert unused == []


def test_no_markup_is_made_of_strings() -> None:
    forbidden = re.findall(
        r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\(|style=\"|\son\w+=\"", SOURCES
    )

    assert forbidden == []
