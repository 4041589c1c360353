"""Committed rows in versions, so that a statement reads what was committed when it began (READ COMMITTED)."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Hashable, Iterator, Mapping

# (table, primary key)
Place = tuple[str, "Hashable"]


class Store:
    """Tables of rows by primary key. A row is a frozen value; None says that it was removed.

    Attributes:
        newest: The number of the newest commit: the snapshot that a statement takes.
    """

    def __init__(self) -> None:
        self.newest = 0
        self._tables: defaultdict[str, dict[Hashable, list[tuple[int, Any]]]] = defaultdict(dict)

    def read(self, place: Place, snapshot: int) -> Any:
        """Return a row as a snapshot shows it, None if it is not there."""
        table, key = place
        for commit, row in reversed(self._tables[table].get(key, ())):
            if commit <= snapshot:
                return row
        return None

    def keys(self, table: str) -> list[Hashable]:
        """Return every key of a table, in the order in which they were first committed."""
        return list(self._tables[table])

    def rows(self, table: str) -> Iterator[Any]:
        """Return the newest rows of a table."""
        for versions in self._tables[table].values():
            if versions[-1][1] is not None:
                yield versions[-1][1]

    def versions(self, table: str) -> Iterator[list[Any]]:
        """Return each row of a table as all that it has ever been, oldest first."""
        for versions in self._tables[table].values():
            yield [row for _, row in versions]

    def apply(self, writes: Mapping[Place, Any]) -> int:
        """Commit; return the number of the commit."""
        self.newest += 1
        for (table, key), row in writes.items():
            if row is None:
                # Nothing that is read across a wait is ever removed, so no older snapshot misses it.
                self._tables[table].pop(key, None)
            else:
                self._tables[table].setdefault(key, []).append((self.newest, row))
        return self.newest
