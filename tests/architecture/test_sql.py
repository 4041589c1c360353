"""SQL is text that a person wrote: values go in as parameters, never as part of the text."""

import ast
import re
from collections.abc import Iterator

import pytest

from tests.architecture.tree import ROOMS, modules

_SQL = re.compile(
    r"^\s*(SELECT\s|INSERT\s+INTO\s|UPDATE\s+\S+\s+SET\s|DELETE\s+FROM\s|WITH\s+\w+\s+AS\s|MERGE\s+INTO\s|CREATE\s|ALTER\s|DROP\s|"
    r"TRUNCATE\s|COPY\s|SET\s+\w+\s*(=|TO)\s|ORDER\s+BY\s|WHERE\s)"
)
# Texts that a module wrote once and gave a name: `COLUMNS`, `_VISIBLE`.
_CONSTANT = re.compile(r"(\w+\.)*_?[A-Z][A-Z0-9_]*$")


def _text(node: ast.expr) -> str:
    """Return the literal text a string expression begins with."""
    match node:
        case ast.Constant(value=str(text)):
            return text
        case ast.JoinedStr(values=[first, *_]):
            return _text(first)
        case ast.BinOp(left=left):
            return _text(left)
        case _:
            return ""


def _is_written_here(node: ast.expr) -> bool:
    """Return whether nothing of the text comes from outside."""
    match node:
        case ast.Constant():
            return True
        case ast.JoinedStr(values=values):
            return all(map(_is_written_here, values))
        case ast.FormattedValue(value=value):
            return bool(_CONSTANT.match(ast.unparse(value)))
        case ast.BinOp(left=left, op=ast.Add(), right=right):
            return _is_written_here(left) and _is_written_here(right)
        case ast.Name() | ast.Attribute():
            return bool(_CONSTANT.match(ast.unparse(node)))
        case _:
            return False


def _built(tree: ast.Module) -> Iterator[int]:
    """Yield the lines where SQL is put together from more than constants."""
    for node in ast.walk(tree):
        match node:
            case ast.JoinedStr() | ast.BinOp() if _SQL.match(_text(node)) and not _is_written_here(node):
                yield node.lineno
            case ast.Call(func=ast.Attribute(value=value, attr="format" | "format_map" | "replace")) if _SQL.match(
                _text(value)
            ):
                yield node.lineno


@pytest.mark.accepts("X15")
def test_sql_is_never_put_together_from_values() -> None:
    found = [f"{path}:{line}" for path, tree in modules(*ROOMS, "migrations") for line in _built(tree)]

    assert found == []


@pytest.mark.parametrize(
    "source",
    [
        'f"SELECT {column} FROM tasks"',
        "f'UPDATE tasks SET title = {title}'",
        '"SELECT * FROM tasks WHERE id = " + task_id',
        '"SELECT * FROM tasks WHERE id = %s" % task_id',
        '"DELETE FROM tasks WHERE id = {}".format(task_id)',
        'f"  WITH found AS (SELECT {COLUMNS}) ORDER BY {order}"',
        '"SELECT a " "FROM b WHERE c = " + d',
    ],
)
@pytest.mark.accepts("X15")
def test_the_check_sees(source: str) -> None:
    assert list(_built(ast.parse(source))) != []


@pytest.mark.parametrize(
    "source",
    [
        '"SELECT 1"',
        'f"SELECT {COLUMNS} FROM tasks"',
        '"SELECT " + _COLUMNS + " FROM tasks"',
        'f"Select {number} things to do"',
        'f"{a} and {b}"',
    ],
)
def test_the_check_lets_pass(source: str) -> None:
    assert list(_built(ast.parse(source))) == []
