"""One real Rondo for all tests that do not need one of their own."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.fixtures.rondo import running_rondo

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.fixtures.rondo import RondoProcess


@pytest.fixture(scope="session")
def rondo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RondoProcess]:
    """Run Rondo as a user does."""
    with running_rondo(tmp_path_factory.mktemp("rondo") / "data") as process:
        yield process
