"""What somebody can do about their own account: sessions, password, export, leaving."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import time, timedelta
from functools import partial
from typing import TYPE_CHECKING, Any

import pytest
import trio

from app.adapters.postgres import Database, exporting
from app.adapters.postgres.unit_of_work import PostgresUnitsOfWork
from app.domain import events
from app.domain.account import ProfileChanges, QuietHours, QuietHoursChanges, RegisterDraft
from app.domain.errors import (
    LastOperatorError,
    NotAuthenticatedError,
    NotFoundError,
    PasswordRefusedError,
    RateLimitedError,
    ValidationFailedError,
    WrongPasswordError,
)
from app.domain.ids import SessionId
from app.domain.reminder import ReminderDraft
from app.services.context import Context
from app.services.recording import new_event
from tests.integration.services.world import PASSWORD, Person, World, as_task, parsed

if TYPE_CHECKING:
    from app.services.results import SignedIn

NEW_PASSWORD = "another long and honest sentence"


async def test_the_sessions_of_an_account_are_listed_this_one_first(world: World) -> None:
    anna = await world.person()
    world.clock.advance(seconds=60)
    later = await _sign_in(anna, client="Laptop", address="198.51.100.9")

    listed = await _sessions(anna)

    assert [(each["current"], each["client"], each["address"]) for each in listed] == [
        (True, "", anna.context.address),
        (False, "Laptop", "198.51.100.9"),
    ]
    assert listed[1] == {
        "id": str(later.session_id),
        "current": False,
        "createdAt": "2026-11-23T12:01:00Z",
        "lastSeenAt": "2026-11-23T12:01:00Z",
        "client": "Laptop",
        "address": "198.51.100.9",
        "expiresAt": "2026-12-23T12:01:00Z",
    }


async def test_sessions_that_have_ended_are_not_listed(world: World) -> None:
    anna = await world.person()
    signed_out, unused = await _sign_in(anna), await _sign_in(anna)
    principal = await world.services.accounts.authenticate(signed_out.token)
    await world.services.accounts.logout(Context(principal=principal))
    world.clock.advance(days=6)
    await world.services.accounts.authenticate(anna.token)
    world.clock.advance(days=2)

    assert [each["id"] for each in await _sessions(anna)] == [str(anna.principal.session_id)]
    assert await world.services.accounts.authenticate(unused.token) is None


async def test_a_session_can_be_ended_and_its_sockets_with_it(world: World) -> None:
    anna = await world.person()
    lost = await _sign_in(anna)

    await world.services.own_sessions.end_session(anna.context, lost.session_id)

    assert await world.services.accounts.authenticate(lost.token) is None
    assert await world.services.accounts.authenticate(anna.token) is not None
    assert world.revoked == [lost.session_id]


async def test_nobody_ends_the_sessions_of_others(world: World) -> None:
    anna, bert = await world.person(), await world.person()

    with pytest.raises(NotFoundError):
        await world.services.own_sessions.end_session(anna.context, bert.principal.session_id)
    with pytest.raises(NotFoundError):
        await world.services.own_sessions.end_session(anna.context, SessionId(anna.principal.account_id))

    assert await world.services.accounts.authenticate(bert.token) is not None
    assert world.revoked == []


async def test_all_other_sessions_can_be_ended_at_once(world: World) -> None:
    anna, bert = await world.person(), await world.person()
    others = [await _sign_in(anna), await _sign_in(anna)]

    await world.services.own_sessions.end_other_sessions(anna.context)

    assert [await world.services.accounts.authenticate(other.token) for other in others] == [None, None]
    assert {*world.revoked} == {other.session_id for other in others}
    assert await world.services.accounts.authenticate(anna.token) is not None
    assert await world.services.accounts.authenticate(bert.token) is not None


@pytest.mark.accepts("X05")
async def test_a_new_password_ends_every_session_and_begins_one(world: World) -> None:
    anna = await world.person()
    other = await _sign_in(anna)

    signed_in = await world.services.own_sessions.change_password(anna.context, PASSWORD, NEW_PASSWORD)

    assert await world.services.accounts.authenticate(anna.token) is None
    assert await world.services.accounts.authenticate(other.token) is None
    assert (await _authenticated(world, signed_in)).account_id == anna.principal.account_id
    assert world.revoked == [anna.principal.account_id]
    assert [each["id"] for each in await _sessions(anna, signed_in)] == [str(signed_in.session_id)]
    with pytest.raises(Exception, match="wrong"):
        await _sign_in(anna)
    await _sign_in(anna, password=NEW_PASSWORD)
    told = await world.database.fetchval(
        "SELECT type FROM events WHERE account_id = $1 ORDER BY seq DESC LIMIT 1", anna.principal.account_id
    )
    assert told == "account.password_changed"


@pytest.mark.accepts("X06")
async def test_a_new_password_needs_the_old_one(world: World) -> None:
    anna = await world.person()

    with pytest.raises(WrongPasswordError):
        await world.services.own_sessions.change_password(anna.context, "not the password", NEW_PASSWORD)

    assert await world.services.accounts.authenticate(anna.token) is not None
    await _sign_in(anna)


async def test_a_new_password_must_be_as_good_as_any(world: World) -> None:
    anna = await world.person()

    with pytest.raises(PasswordRefusedError) as refusal:
        await world.services.own_sessions.change_password(anna.context, PASSWORD, "password123")

    assert [error.field for error in refusal.value.errors] == ["newPassword"]


@pytest.mark.accepts("X04")
async def test_guessing_the_password_of_an_open_session_is_limited_like_signing_in(world: World) -> None:
    anna = await world.person()
    outcomes = [await _refused(world.services.leaving.delete_account(anna.context, "a guess")) for _ in range(6)]

    world.clock.advance(seconds=13)
    await world.services.own_sessions.change_password(anna.context, PASSWORD, NEW_PASSWORD)

    assert outcomes == [WrongPasswordError] * 5 + [RateLimitedError]


async def test_of_two_who_change_the_password_at_once_one_does(world: World) -> None:
    anna = await world.person()
    outcomes: list[type[BaseException] | None] = []

    async def change(new: str) -> None:
        outcomes.append(await _refused(world.services.own_sessions.change_password(anna.context, PASSWORD, new)))

    async with trio.open_nursery() as both:
        both.start_soon(change, NEW_PASSWORD)
        both.start_soon(change, f"{NEW_PASSWORD} too")

    assert sorted(outcomes, key=str) == [WrongPasswordError, None]


async def test_quiet_hours_are_merged(world: World) -> None:
    anna = await world.person()
    await _patch(anna, QuietHours(start=time(22), end=time(7)))

    changed = await _patch(anna, QuietHoursChanges(start=time(21, 30)))
    same = await _patch(anna, QuietHoursChanges())
    off = await _patch(anna, None)

    assert changed == same == {"from": "21:30", "to": "07:00"}
    assert off is None


@pytest.mark.parametrize(
    ("changes", "fields"),
    [
        (QuietHoursChanges(start=time(22)), ["quietHours.to"]),
        (QuietHoursChanges(), ["quietHours.from", "quietHours.to"]),
        (QuietHoursChanges(start=time(7), end=time(7)), ["quietHours"]),
    ],
)
async def test_quiet_hours_need_both_ends(world: World, changes: QuietHoursChanges, fields: list[str]) -> None:
    anna = await world.person()

    with pytest.raises(ValidationFailedError) as refusal:
        await _patch(anna, changes)

    assert [error.field for error in refusal.value.errors] == fields


@pytest.mark.accepts("X27")
async def test_an_export_has_everything(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(exporting, "PAGE", 2)  # so that every section has more than one page
    anna, bert = await _busy(world), await _busy(world)

    document = await _export(anna)

    assert (document["format"], document["version"]) == ("rondo-export", 1)
    assert document["account"]["email"] == anna.email
    assert {task["title"] for task in document["tasks"]} == {"Open", "Done", "Weekly"}
    assert [gone["task"]["title"] for gone in document["deletedTasks"]] == ["Gone"]
    assert len(document["sessions"]) == 2
    assert [reminder["before"] for reminder in document["reminders"]] == ["PT15M"]
    assert document["deliveries"][0]["attempts"] == []
    assert {row["state"] for row in document["occurrences"]} == {"done"}
    assert document["audit"][0]["action"] == "account.registered"
    positions = [row["position"] for row in document["audit"]]
    assert positions == sorted({*positions})
    assert bert.email not in json.dumps(document)
    assert "$argon2id$" not in json.dumps(document)


@pytest.mark.accepts("X27")
async def test_nothing_is_left_of_somebody_who_leaves(world: World) -> None:
    await world.person()
    anna = await _busy(world)
    anna_session = str(anna.principal.session_id)

    await world.services.leaving.delete_account(anna.context, PASSWORD)

    for word in (str(anna.principal.account_id), anna.email, anna_session):
        assert await _tables_with(world, word) == []
    assert await _tables_with(world, str(anna.principal.inbox_id)) == ["removed_chains"]
    assert await world.services.accounts.authenticate(anna.token) is None
    assert anna.principal.account_id in world.revoked


@pytest.mark.accepts("X27")
async def test_the_chains_of_the_others_still_verify(world: World) -> None:
    anna, bert = await _busy(world), await _busy(world)
    length = await world.database.fetchval("SELECT seq FROM audit_heads WHERE project_id = $1", anna.principal.inbox_id)

    await world.services.leaving.delete_account(anna.context, PASSWORD)
    await bert.create("Goes on")
    await world.publish()

    everything = await world.database.fetchrow("SELECT * FROM verify_audit(NULL)")
    assert everything["first_break"] is None
    assert parsed(await world.services.audit.verify(bert.context))["ok"] is True
    left = await world.database.fetchrow("SELECT * FROM removed_chains WHERE project_id = $1", anna.principal.inbox_id)
    assert (left["seq"], len(left["hash"])) == (length, 32)


CHANGE = """
    WITH changed AS (UPDATE {table} SET updated_at = updated_at WHERE project_id = $1 RETURNING {task_id} AS id)
    INSERT INTO events (id, type, project_id, task_id, occurred_at)
    SELECT gen_random_uuid(), '{table}.changed', $1, id, now() FROM changed
"""
EVENT_OF_NO_TASK = """
    INSERT INTO events (id, type, project_id, occurred_at) VALUES (gen_random_uuid(), 'account.updated', $1, now())
"""


@pytest.mark.parametrize(
    "write",
    [
        pytest.param(CHANGE.format(table="tasks", task_id="id"), id="of a task"),
        pytest.param(CHANGE.format(table="reminders", task_id="task_id"), id="of a reminder"),
        pytest.param(EVENT_OF_NO_TASK, id="of neither"),
    ],
)
async def test_what_is_being_written_is_waited_for_by_who_leaves(
    world: World, nursery: trio.Nursery, write: str
) -> None:
    await world.person()
    anna, left = await _busy(world), trio.Event()

    async def leave() -> None:
        await world.services.leaving.delete_account(anna.context, PASSWORD)
        left.set()

    async with world.database.transaction() as other:
        await other.execute(write, anna.principal.inbox_id)
        nursery.start_soon(leave)
        await world.somebody_waits()
        assert not left.is_set()
    await left.wait()

    assert await _tables_with(world, str(anna.principal.inbox_id)) == ["removed_chains"]


async def test_who_has_left_leaves_no_event_behind(world: World, nursery: trio.Nursery) -> None:
    await world.person()
    anna, refused = await _busy(world), trio.Event()

    async def intervene() -> None:
        event = new_event(anna.context, world.clock.now(), events.ACTOR_RESTARTED, anna.principal.inbox_id)
        with pytest.raises(NotAuthenticatedError):
            async with PostgresUnitsOfWork(world.database)() as work:
                work.record(event)
        refused.set()

    async with world.database.transaction() as leaving:
        await leaving.execute("SELECT forget_account($1, now())", anna.principal.account_id)
        nursery.start_soon(intervene)
        await world.somebody_waits()
    await refused.wait()

    assert await _tables_with(world, str(anna.principal.inbox_id)) == ["removed_chains"]


async def test_a_chain_cannot_be_removed_later_or_in_secret(world: World) -> None:
    anna = await _busy(world)
    inbox_id = anna.principal.inbox_id
    declare = "INSERT INTO removed_chains (project_id, seq, hash, removed_at) VALUES ($1, 1, '', now())"

    with pytest.raises(Exception, match="append-only"):
        await world.database.execute("DELETE FROM audit_log WHERE project_id = $1", inbox_id)
    await world.database.execute(declare, inbox_id)
    with pytest.raises(Exception, match="append-only"):
        await world.database.execute("DELETE FROM audit_log WHERE project_id = $1", inbox_id)
    with pytest.raises(Exception, match="append-only"):
        await world.database.execute("DELETE FROM removed_chains WHERE project_id = $1", inbox_id)


@pytest.mark.accepts("X06")
async def test_leaving_needs_the_password(world: World) -> None:
    anna = await world.person()

    with pytest.raises(WrongPasswordError):
        await world.services.leaving.delete_account(anna.context, "not the password")

    assert await world.services.accounts.authenticate(anna.token) is not None


async def test_the_address_is_free_again(world: World) -> None:
    anna = await world.person()
    await world.services.leaving.delete_account(anna.context, PASSWORD)

    draft = RegisterDraft(email=anna.email, password=PASSWORD)
    again = await world.services.accounts.register(Context(address="198.51.100.77"), draft)

    assert again.account_id != anna.principal.account_id


async def test_a_request_that_was_under_way_finds_nobody(world: World) -> None:
    anna = await world.person()
    await world.services.leaving.delete_account(anna.context, PASSWORD)

    with pytest.raises(NotAuthenticatedError):
        await anna.create("Too late")
    with pytest.raises(NotAuthenticatedError):
        await world.services.accounts.get_profile(anna.context)
    with pytest.raises(NotAuthenticatedError):
        await _patch(anna, None)


async def test_the_only_operator_cannot_leave_the_others_alone(postgres_url: str, nursery: trio.Nursery) -> None:
    world = await _fresh(postgres_url, nursery)
    operator, guest = await world.person(), await world.person()

    with pytest.raises(LastOperatorError):
        await world.services.leaving.delete_account(operator.context, PASSWORD)
    await world.services.leaving.delete_account(guest.context, PASSWORD)
    await world.services.leaving.delete_account(operator.context, PASSWORD)

    assert (await world.person()).principal.operator is True


async def test_of_two_operators_who_leave_at_once_one_stays(postgres_url: str, nursery: trio.Nursery) -> None:
    world = await _fresh(postgres_url, nursery)
    people = [await world.person() for _ in range(3)]
    await world.database.execute("UPDATE accounts SET operator = true WHERE id = $1", people[1].principal.account_id)
    outcomes: list[type[BaseException] | None] = []

    async def leave(person: Person) -> None:
        outcomes.append(await _refused(world.services.leaving.delete_account(person.context, PASSWORD)))

    async with trio.open_nursery() as both:
        for person in people[:2]:
            both.start_soon(leave, person)

    assert sorted(outcomes, key=str) == [LastOperatorError, None]
    assert await world.database.fetchval("SELECT count(*) FROM accounts WHERE operator") == 1


async def test_leaving_and_writing_at_the_same_time_leaves_nothing_behind(world: World) -> None:
    anna = await world.person()
    outcomes: list[type[BaseException] | None] = []

    async def write(number: int) -> None:
        outcomes.append(await _refused(anna.create(f"Task {number}")))

    async with trio.open_nursery() as all_at_once:
        for number in range(5):
            all_at_once.start_soon(write, number)
        all_at_once.start_soon(partial(world.services.leaving.delete_account, anna.context, PASSWORD))

    assert {*outcomes} <= {None, NotAuthenticatedError}
    assert await _tables_with(world, str(anna.principal.account_id)) == []


async def _busy(world: World) -> Person:
    """Return somebody with something in every table."""
    anna = await world.person()
    await _sign_in(anna)
    tasks = world.services.tasks
    await anna.create("Open")
    done, gone = await anna.create("Done"), await anna.create("Gone")
    await tasks.complete_task(anna.context, as_task(done.id), None)
    await tasks.delete_task(anna.context, as_task(gone.id), None)
    weekly = await anna.create("Weekly", due=world.clock.now() + timedelta(days=1))
    reminder = await world.services.reminders.add_reminder(
        anna.with_key("once"), as_task(weekly.id), ReminderDraft(before="PT15M", channels=("email",))
    )
    await world.database.execute(
        """
        INSERT INTO deliveries (id, reminder_id, occurrence, channel, address, due_at, message_id, created_at)
        VALUES ($1, $1, 1, 'email', $2, $3, 'm', $3)
        """,
        reminder.id,
        anna.email,
        world.clock.now(),
    )
    await world.database.execute(
        """
        INSERT INTO occurrences (series_id, occurrence, project_id, task_id, state, due, account_id, position)
        SELECT $1, number::text, $2, $1, 'done', 'x', $3, 1 FROM generate_series(1, 3) AS number
        """,
        weekly.id,
        anna.principal.inbox_id,
        anna.principal.account_id,
    )
    await world.publish()
    await world.database.execute(
        """
        INSERT INTO dead_letters (id, actor, reason, position, payload, error, attempts, created_at)
        SELECT e.id, 'audit', 'crashed', e.position, jsonb_build_object('account', e.account_id), 'x', 1, now()
        FROM events e WHERE e.account_id = $1 LIMIT 1
        """,
        anna.principal.account_id,
    )
    return anna


async def _tables_with(world: World, word: str) -> list[str]:
    """Return the tables in which a text occurs anywhere."""
    tables = await world.database.fetch("SELECT tablename FROM pg_tables WHERE schemaname = 'public' ORDER BY 1")
    found = []
    for (table,) in tables:
        sql = f'SELECT count(*) FROM "{table}" AS t WHERE t::text LIKE $1'  # noqa: S608 # a name from the catalogue
        if await world.database.fetchval(sql, f"%{word}%"):
            found.append(table)
    return found


async def _sessions(anna: Person, signed_in: SignedIn | None = None) -> list[dict[str, Any]]:
    context = anna.context
    if signed_in is not None:
        context = replace(context, principal=await _authenticated(anna.world, signed_in))
    items: list[dict[str, Any]] = parsed(await anna.world.services.own_sessions.list_sessions(context))["items"]
    return items


async def _sign_in(anna: Person, *, password: str = PASSWORD, client: str = "", address: str = "") -> SignedIn:
    context = Context(address=address or anna.context.address, client=client)
    return await anna.world.services.accounts.login(context, anna.email, password)


async def _authenticated(world: World, signed_in: SignedIn) -> Any:
    principal = await world.services.accounts.authenticate(signed_in.token)
    assert principal is not None
    return principal


async def _patch(anna: Person, quiet: Any) -> Any:
    accounts = anna.world.services.accounts
    return parsed(await accounts.patch_profile(anna.context, ProfileChanges(quiet_hours=quiet)))["quietHours"]


async def _export(anna: Person) -> dict[str, Any]:
    pieces: list[bytes] = []

    async def write(piece: bytes) -> None:
        await trio.lowlevel.checkpoint()
        pieces.append(piece)

    await (await anna.world.services.exports.begin(anna.context)).write_to(write)
    document: dict[str, Any] = json.loads(b"".join(pieces))
    return document


async def _refused(call: Any) -> type[BaseException] | None:
    """Return the kind of refusal, None if it was none."""
    try:
        await call
    except (WrongPasswordError, RateLimitedError, LastOperatorError, NotAuthenticatedError) as refusal:
        return type(refusal)
    return None


async def _fresh(url: str, nursery: trio.Nursery) -> World:
    pool = Database(url, size=5, name="test")
    await nursery.start(pool.run)
    return World(database=pool)
