"""asyncpg may touch only those parts of asyncio that docs/postgres.md lists, because only those are there."""

from __future__ import annotations

import asyncio
import re
from pathlib import Path
from typing import TYPE_CHECKING

import asyncpg
import pytest

from app.adapters.postgres.loop import TrioLoop

if TYPE_CHECKING:
    from collections.abc import Iterator

    from app.adapters.postgres import Database

PACKAGE = Path(asyncpg.__file__).parent
# Its own pool and its test server, which we do not use.
NOT_USED = {"pool.py", "cluster.py"}
DOCUMENT = Path(__file__).parents[3] / "docs" / "postgres.md"
NOT_MET = {"run_in_executor"}


def sources() -> Iterator[str]:
    """Yield the code of asyncpg without its comments and docstrings."""
    for path in (*PACKAGE.glob("*.py"), *PACKAGE.glob("protocol/*.pyx")):
        if path.name not in NOT_USED:
            yield re.sub(r'""".*?"""|#[^\n]*', "", path.read_text(), flags=re.DOTALL)


def used(pattern: str) -> set[str]:
    return {name for source in sources() for name in re.findall(pattern, source)}


def listed(heading: str) -> set[str]:
    """Return the names in the first column of the document's table with this heading."""
    table = DOCUMENT.read_text().partition(f"| {heading} |")[2].partition("\n\n")[0]
    first_column = [line.split("|")[1] for line in table.splitlines()[2:]]
    return set(re.findall(r"`([\w.]+)`", " ".join(first_column)))


def test_asyncpg_ships_the_source_this_test_reads() -> None:
    assert len(list(PACKAGE.glob("protocol/*.pyx"))) >= 5


def test_every_use_of_a_loop_is_listed_and_no_other() -> None:
    indirect = {"call_at"}  # of asyncio.timeout

    assert used(r"\b_?loop\.(\w+)") | indirect == listed("of the loop")


def test_every_use_of_asyncio_is_listed_and_no_other() -> None:
    through_compat = {"timeout", "wait_for"}

    assert used(r"\basyncio\.([\w.]+)") | through_compat == listed("of the module `asyncio`")


def test_every_listed_part_of_a_loop_is_ours() -> None:
    inherited = {name for name in listed("of the loop") if not _is_ours(name)}

    assert inherited == NOT_MET


def _is_ours(name: str) -> bool:
    loop = TrioLoop()  # type: ignore[abstract] # what is missing raises NotImplementedError
    return name in vars(loop) or getattr(TrioLoop, name) is not getattr(asyncio.AbstractEventLoop, name)


@pytest.mark.parametrize("name", ["run_until_complete", "run_forever", "close", "shutdown_asyncgens"])
def test_what_is_not_listed_is_not_there(name: str) -> None:
    assert not _is_ours(name)


async def test_a_missing_surface_says_so(database: Database) -> None:
    async with database.connection() as connection:
        with pytest.raises(NotImplementedError):
            connection._loop.run_in_executor(None, print)
