"""What a statement is called in metrics and traces: its operation and its table, read from its text once."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from monitoring import metrics

if TYPE_CHECKING:
    from collections.abc import Callable

# SQL texts are constants of the code, a few hundred of them. More means that someone builds SQL out of values.
MAX_TEXTS = 2_000

_COMMENT = re.compile(r"--[^\n]*|/\*.*?\*/", re.DOTALL)
_NAME = r'(?:only\s+)?(?:"?\w+"?\.)?"?(\w+)"?'
_WRITE = re.compile(rf"\b(?:(insert)\s+into|(update)|(delete)\s+from|(merge)\s+into)\s+{_NAME}", re.IGNORECASE)
_READ = re.compile(rf"\bfrom\s+{_NAME}", re.IGNORECASE)
_FIRST_WORD = re.compile(r"\w+")
# These change nothing, so nothing is unknown when their connection is lost.
_HARMLESS = frozenset({"SELECT", "SHOW", "EXPLAIN", "BEGIN", "ROLLBACK", "SAVEPOINT", "RELEASE", "LISTEN", ""})


@dataclass(frozen=True, slots=True)
class Statement:
    """How one SQL text is counted.

    Attributes:
        operation: The SQL verb, e.g. ``INSERT``; for a statement with CTEs, that of what it writes.
        table: The table it is about; empty if none can be seen.
        writes: Whether losing the connection leaves it unknown what happened.
        observe: Takes seconds.
    """

    operation: str
    table: str
    writes: bool
    observe: Callable[[float], None] = field(repr=False, compare=False)

    @property
    def summary(self) -> str:
        """Return ``INSERT tasks``: OpenTelemetry's db.query.summary."""
        return f"{self.operation} {self.table}".strip()


_known: dict[str, Statement] = {}


def name(sql: str, *, operation: str, table: str) -> str:
    """Say what a statement is called where its text does not tell; return the text, for use in constants."""
    _known[sql] = _statement(operation, table)
    return sql


def describe(sql: str) -> Statement:
    """Return how a statement is counted. Reads each text once."""
    known = _known.get(sql)
    if known is None:
        known = _statement(*_read(sql))
        if len(_known) < MAX_TEXTS:
            _known[sql] = known
    return known


def _statement(operation: str, table: str) -> Statement:
    observe = metrics.DATABASE_QUERY_DURATION_SECONDS.labels(operation, table).observe
    return Statement(operation, table, operation not in _HARMLESS, observe)


def _read(sql: str) -> tuple[str, str]:
    """Return operation and table of a SQL text."""
    bare = _COMMENT.sub(" ", sql)
    first = _FIRST_WORD.search(bare)
    operation = first.group().upper() if first else ""
    if operation in {"SELECT", "WITH", "INSERT", "UPDATE", "DELETE", "MERGE"}:
        written = _WRITE.search(bare)
        if written and operation != "SELECT":
            verb = next(group for group in written.groups()[:4] if group)
            return verb.upper(), written.group(5).lower()
        read = _READ.search(bare)
        return "SELECT", read.group(1).lower() if read else ""
    return operation, ""
