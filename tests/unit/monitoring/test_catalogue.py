from pathlib import Path

import pytest

from monitoring import catalogue

PAGE = "# Title\n\n<!-- metrics: written by `make metrics-table` -->\nyesterday\n<!-- end of metrics -->\nThe end.\n"


def test_the_table_replaces_what_is_between_the_marks(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text(PAGE)

    catalogue.main(page)

    written = page.read_text()
    assert written.startswith("# Title\n")
    assert written.endswith("<!-- end of metrics -->\nThe end.\n")
    assert "yesterday" not in written
    assert "| `tasks_open` | gauge | `state`: " in written


def test_writing_it_twice_changes_nothing() -> None:
    once = catalogue.write_into(PAGE)

    assert catalogue.write_into(once) == once


def test_a_page_without_marks_is_refused() -> None:
    with pytest.raises(ValueError, match="needs the lines"):
        catalogue.write_into("# Title\n")
