"""Reminders reach a real mail server, on time and after a downtime."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
import trio
from aiosmtpd.controller import Controller

from tests.fixtures.client import client, register
from tests.fixtures.rondo import RondoProcess, free_port

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.fixtures.client import Person


class Mailroom:
    """Collects what a real SMTP server takes in."""

    def __init__(self) -> None:
        self.mails: list[tuple[datetime, str, str]] = []

    async def handle_DATA(self, _server: Any, _session: Any, envelope: Any) -> str:  # noqa: N802 - aiosmtpd's name
        self.mails.append((datetime.now(UTC), envelope.rcpt_tos[0], envelope.content.decode()))
        return "250 2.0.0 queued as mail-room"

    async def wait_for(self, count: int, seconds: float) -> None:
        with trio.fail_after(seconds):
            while len(self.mails) < count:
                await trio.sleep(0.02)


@pytest.fixture
def mailroom() -> Iterator[tuple[Mailroom, str]]:
    room = Mailroom()
    controller = Controller(room, hostname="127.0.0.1", port=free_port())
    controller.start()
    try:
        yield room, f"smtp://127.0.0.1:{controller.port}"
    finally:
        controller.stop()


async def remind(person: Person, task_id: str, moment: datetime) -> str:
    body = {"remindAt": moment.isoformat().replace("+00:00", "Z"), "channels": ["email"]}
    response = await person.call("POST", f"/api/tasks/{task_id}/reminders", body)
    assert response.status_code == 201, response.text
    reminder_id: str = response.json()["id"]
    return reminder_id


async def ledger(person: Person, reminder_id: str) -> list[dict[str, Any]]:
    with trio.fail_after(5):
        while True:
            items = (await person.get(f"/api/reminders/{reminder_id}/deliveries"))["items"]
            if items and items[0]["outcome"]:
                return list(items)
            await trio.sleep(0.02)


async def test_reminders_arrive_in_time_and_after_a_downtime(tmp_path: Path, mailroom: tuple[Mailroom, str]) -> None:
    room, smtp_url = mailroom
    rondo = RondoProcess(data_dir=tmp_path / "data", environment={"RONDO_SMTP_URL": smtp_url})
    rondo.start()
    try:
        async with client(rondo.url) as http:
            ada = await register(http)
            task = await ada.create("Café: call\nmother")
            due = datetime.now(UTC) + timedelta(seconds=2)
            first = await remind(ada, task["id"], due)
            await room.wait_for(1, 5)
            missed = await remind(ada, task["id"], datetime.now(UTC) + timedelta(seconds=1))
            first_rows = await ledger(ada, first)
        rondo.kill()
        await trio.sleep(1.2)
        before = len(room.mails)
        rondo.start()
        await room.wait_for(2, 5)
        async with client(rondo.url) as http:
            ada.http = http
            missed_rows = await ledger(ada, missed)
    finally:
        if rondo.process is not None:
            rondo.stop()

    assert timedelta(0) <= room.mails[0][0] - due <= timedelta(seconds=1)
    assert (room.mails[0][1], before, len(room.mails)) == (ada.email, 1, 2)
    assert [(row["channel"], row["outcome"], row["attempt"]) for row in first_rows] == [("email", "sent", 1)]
    assert "mail-room" in first_rows[0]["response"]
    assert [(row["channel"], row["outcome"]) for row in missed_rows] == [("email", "sent")]
