"""docs/supervision.md leads to a test with each sentence."""

from __future__ import annotations

import re
from pathlib import Path

_ROOT = Path(__file__).parents[3]
_PAGE = _ROOT / "docs" / "supervision.md"
_IDS = [f"S{number:02}" for number in range(1, 69)]


def test_every_case_has_a_sentence_and_every_sentence_a_test() -> None:
    page = _PAGE.read_text()
    links = dict(re.findall(r"\[([SA]\d\d)\]\(\.\./([\w/.]+)\)", page))
    unlinked = [line for line in re.findall(r"^\d+\. (?:.|\n(?! *\d+\. |\n))*", page, re.MULTILINE) if "](" not in line]

    assert [case for case in _IDS if case not in links] == []
    assert unlinked == []
    for case, path in links.items():
        assert f'"{case}"' in (_ROOT / path).read_text(), f"{path} does not hold {case}"
