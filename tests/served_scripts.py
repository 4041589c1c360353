"""Prints every script of the UI as it is written and as it is served, for ``same_syntax.js`` to compare."""

from __future__ import annotations

import json
import sys

from app.web.pages.assets import DIRECTORY, served


def main() -> None:
    """Write ``[[name, written, served], …]`` to the standard output."""
    scripts = [
        (name, path.read_text(), served(path.name, path.read_bytes()).decode())
        for path in sorted(DIRECTORY.rglob("*.js"))
        for name in [path.relative_to(DIRECTORY).as_posix()]
    ]
    json.dump(scripts, sys.stdout)


if __name__ == "__main__":
    main()
