import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.architecture.tree import ROOMS, ROOT, modules

# Who may go on after any exception, and what it keeps from spreading.
BORDERS = {
    "supervisors/": "restarts what crashed",
    "app/web/api/application.py": "a fault in one request is that request's 500, and is reported",
    "app/web/server/": "a fault in one connection is not the next one's, and is reported",
}
ASYNCIO = {"aiokafka", "asyncio", "asyncpg", "trio_asyncio", "uvloop"}


def _imported(tree: ast.Module) -> Iterator[tuple[int, str]]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.lineno, node.module


def test_the_import_contracts_hold() -> None:
    checked = subprocess.run(
        [Path(sys.executable).with_name("lint-imports"), "--no-cache"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )

    assert checked.returncode == 0, checked.stdout + checked.stderr


def test_asyncio_stays_behind_one_door() -> None:
    found = [
        f"{path}:{line} imports {name}"
        for path, tree in modules(*ROOMS)
        if not path.startswith("app/adapters/")
        for line, name in _imported(tree)
        if name.partition(".")[0] in ASYNCIO
    ]

    assert found == []


@pytest.mark.parametrize("room", ["app/domain"])
def test_the_domain_needs_the_standard_library_only(room: str) -> None:
    found = [
        f"{path}:{line} imports {name}"
        for path, tree in modules(room)
        for line, name in _imported(tree)
        if name.partition(".")[0] not in sys.stdlib_module_names and not name.startswith("app.domain")
    ]

    assert found == []


# Tests about a loop that is held by somebody who blocks it, and that alone.
BLOCKING = "tests/unit/supervisors/test_on_trio.py"


def test_no_test_sleeps_to_wait() -> None:
    found = [
        f"{path}:{node.lineno}"
        for path, tree in modules("tests")
        if str(path) != BLOCKING
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and ast.unparse(node.func) in {"time.sleep", "sleep"}
    ]

    assert found == []


def test_only_supervisors_and_the_edge_catch_everything_and_go_on() -> None:
    found = [
        f"{path}:{node.lineno}"
        for path, tree in modules(*ROOMS)
        if not path.startswith(tuple(BORDERS))
        for node in ast.walk(tree)
        if isinstance(node, ast.ExceptHandler)
        and (node.type is None or ast.unparse(node.type) in {"Exception", "BaseException"})
        and not isinstance(node.body[-1], ast.Raise)
    ]

    assert found == []
