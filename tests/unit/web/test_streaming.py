"""Answers that are written piece by piece."""

from typing import Any

import pytest

from app.ports.database import DatabaseUnavailableError
from tests.unit.web.conftest import Call
from tests.unit.web.fakes import FakeServices


async def test_a_long_answer_is_sent_as_it_is_made(call: Call) -> None:
    response = await call("GET", "/api/me/export")

    assert response.content == b'{"tasks":[]}'
    assert response.headers["content-type"] == "application/json"
    assert response.headers["content-disposition"] == 'attachment; filename="rondo-export.json"'
    assert "content-length" not in response.headers


async def test_head_makes_nothing(call: Call, services: FakeServices, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(FakeServices, "write_to", _fails)

    response = await call("HEAD", "/api/me/export")

    assert (response.status_code, response.content) == (200, b"")
    assert [name for name, _ in services.calls] == ["begin"]


async def test_what_fails_half_way_is_not_made_to_look_whole(call: Call, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(FakeServices, "write_to", _fails)

    with pytest.raises(DatabaseUnavailableError):  # the listener then cuts the connection
        await call("GET", "/api/me/export")


async def test_what_fails_before_the_first_piece_is_a_refusal(call: Call, services: FakeServices) -> None:
    services.error = DatabaseUnavailableError("away")

    response = await call("GET", "/api/me/export")

    assert response.status_code == 503


async def _fails(_: FakeServices, write: Any) -> None:
    await write(b'{"tasks":[')
    raise DatabaseUnavailableError("away")
