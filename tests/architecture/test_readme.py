"""The README must be true."""

from pathlib import Path

from app.config import TABLE, settings_table

README = (Path(__file__).parents[2] / "README.md").read_text(encoding="utf-8")


def test_the_readme_lists_every_setting_as_it_is_read() -> None:
    assert settings_table() in README


def test_every_linked_file_exists() -> None:
    root = Path(__file__).parents[2]
    links = [part.split(")")[0] for part in README.split("](")[1:]]

    missing = [link for link in links if not link.startswith("http") and not (root / link).exists()]

    assert missing == []


def test_every_setting_says_what_it_means_in_words() -> None:
    assert all(len(setting.meaning) > 15 for setting in TABLE)
