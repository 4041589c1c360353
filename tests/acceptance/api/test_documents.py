"""Answers hold exactly what the contract lists, and bodies change nothing but what it lists."""

from __future__ import annotations

from types import UnionType
from typing import TYPE_CHECKING, Annotated, Any, Union, get_args, get_origin

import msgspec
import pytest
from msgspec import structs

from app.web.api import documents

if TYPE_CHECKING:
    import httpx2

    from tests.fixtures.client import Person

# Every column and every word of the wire that somebody might try to write.
FOREIGN = """
projectId project_id accountId account_id owner userId deletedAt deleted_at due_on dueAt due_at seriesId series_id
generatedFrom generated_from position role operator isOperator admin password passwordHash password_hash __proto__
constructor completed_at created_at updated_at time_zone due_date tag_keys search_text
"""


def differences(value: Any, kind: Any, path: str = "$") -> list[str]:
    """Return where a document has other fields than its type lists."""
    if get_origin(kind) is Annotated:
        return differences(value, get_args(kind)[0], path)
    if get_origin(kind) in {Union, UnionType}:
        members = [member for member in get_args(kind) if member is not type(None)]
        return [] if value is None else differences(value, members[0], path)
    if get_origin(kind) is tuple:
        return [found for item in value for found in differences(item, get_args(kind)[0], f"{path}[]")]
    if isinstance(kind, type) and issubclass(kind, msgspec.Struct):
        fields = {field.encode_name: field.type for field in structs.fields(kind)}
        if fields.keys() != value.keys():
            return [f"{path}: {sorted(fields.keys() ^ value.keys())}"]
        return [found for name, inner in fields.items() for found in differences(value[name], inner, f"{path}.{name}")]
    return []


@pytest.mark.accepts("X13")
async def test_every_answer_has_exactly_the_fields_that_are_listed(http: httpx2.AsyncClient, ada: Person) -> None:
    full: dict[str, Any] = {
        "title": "Water the plants",
        "tags": ["home"],
        "dueDate": "2030-01-04T09:00:00Z",
        "timeZone": "Europe/Berlin",
        "recurrence": {"rule": "FREQ=WEEKLY"},
    }
    task = await ada.create(**full)
    at = f"/api/tasks/{task['id']}"
    reminder = (await ada.call("POST", f"{at}/reminders", {"before": "PT15M"})).json()
    signed_in = await http.post(
        "/api/auth/login", json={"email": ada.email, "password": "correct horse battery staple 7"}
    )
    quiet = await ada.call("PATCH", "/api/me", {"quietHours": {"from": "22:00", "to": "07:00"}})
    preview = await ada.call("POST", "/api/recurrence/preview", {"rule": "FREQ=DAILY", "start": "2030-01-01"})
    listed = [
        (reminder, documents.Reminder),
        (await ada.get(at), documents.Task),
        (await ada.get("/api/tasks"), documents.TaskPage),
        (await ada.get(f"{at}/reminders"), documents.ReminderList),
        (await ada.get(f"/api/reminders/{reminder['id']}/deliveries"), documents.DeliveryList),
        ((await ada.call("POST", f"{at}/complete")).json(), documents.Completion),
        (signed_in.json(), documents.Session),
        (quiet.json(), documents.Account),
        (preview.json(), documents.RecurrencePreview),
        (await ada.get("/api/audit"), documents.AuditPage),
        ((await ada.call("POST", "/api/audit/verify")).json(), documents.Verification),
        (await ada.get("/health/ready"), documents.Readiness),
    ]

    assert [found for document, kind in listed for found in differences(document, kind)] == []


@pytest.mark.accepts("X13")
async def test_no_other_name_can_be_written(ada: Person) -> None:
    task = await ada.create("a")
    at = f"/api/tasks/{task['id']}"
    forged = dict.fromkeys(FOREIGN.split(), "00000000-0000-0000-0000-000000000000")

    for method, path in (("POST", "/api/tasks"), ("PATCH", at), ("PATCH", "/api/me")):
        response = await ada.call(method, path, forged | {"title": "b"})
        assert response.status_code == 422
        assert forged.keys() <= {error["field"] for error in response.json()["errors"]}
    assert await ada.get(at) == task


@pytest.mark.accepts("X13")
async def test_what_the_server_writes_is_skipped(ada: Person) -> None:
    task = await ada.create("a")
    forged = {
        "id": "00000000-0000-0000-0000-000000000000",
        "version": 99,
        "createdAt": "2000-01-01T00:00:00Z",
        "updatedAt": "2000-01-01T00:00:00Z",
        "completedAt": "2000-01-01T00:00:00Z",
        "reminders": [{"id": "x"}],
    }

    created = (await ada.call("POST", "/api/tasks", {"title": "b", **forged})).json()
    put = await ada.call("PUT", f"/api/tasks/{task['id']}", {**task, **forged, "title": "c"})

    assert put.status_code == 200
    for kept in (created, put.json()):
        assert (kept["completedAt"], kept["reminders"]) == (None, [])
        assert kept["id"] != forged["id"]
        assert kept["createdAt"] > "2026"
    assert put.json() == {**task, "title": "c", "version": 2, "updatedAt": put.json()["updatedAt"]}
