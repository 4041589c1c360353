"""The Rondo that is measured is a process, and leaves none behind."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from loadtest import process

if TYPE_CHECKING:
    from pathlib import Path


def test_a_rondo_that_does_not_become_ready_is_ended(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(process, "START_SECONDS", 2.0)
    away = {"RONDO_DATABASE_URL": "postgresql://nobody@127.0.0.1:1/nothing"}
    rondo = process.Rondo(data_dir=tmp_path / "data", environment=away)

    with pytest.raises(process.StartError, match="not ready"):
        rondo.start()

    assert rondo.process is None
