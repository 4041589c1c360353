"""Accounts, sessions and the limits on trying."""

from collections.abc import Callable
from dataclasses import replace
from datetime import time, timedelta
from functools import partial
from typing import Any

import pytest
import trio

from app.adapters.passwords import ArgonHasher
from app.adapters.postgres import Database
from app.adapters.postgres.rate_limits import PostgresRateLimits
from app.domain.account import ProfileChanges, QuietHours, RegisterDraft
from app.domain.errors import (
    EmailTakenError,
    InvalidCredentialsError,
    NotFoundError,
    PasswordRefusedError,
    RateLimitedError,
    RegistrationClosedError,
    TaskError,
    ValidationFailedError,
)
from app.domain.task import TaskDraft
from app.services.context import Context
from app.services.rate_limits import MOST_OVERRUN, PER_ACCOUNT, delay_seconds
from app.services.results import SignedIn
from tests.integration.services.world import NOON, PASSWORD, Person, World, parsed


async def test_a_new_account_is_signed_in_and_has_an_inbox(world: World) -> None:
    draft = RegisterDraft(email=" Jo.Doe@Example.org ", password=PASSWORD, name="Jo", time_zone="Europe/Berlin")

    signed_in = await world.services.accounts.register(Context(address="198.51.100.1"), draft)

    assert parsed(signed_in.user_json) == {
        "id": str(signed_in.account_id),
        "email": "Jo.Doe@Example.org",
        "name": "Jo",
        "timeZone": "Europe/Berlin",
        "weekStart": "monday",
        "quietHours": None,
        "operator": parsed(signed_in.user_json)["operator"],
        "createdAt": "2026-11-23T12:00:00Z",
    }
    principal = await world.services.accounts.authenticate(signed_in.token)
    assert principal is not None
    assert (principal.account_id, principal.time_zone) == (signed_in.account_id, "Europe/Berlin")
    assert signed_in.expires_at == NOON + timedelta(days=30)
    assert len(signed_in.token) == len("rondo_") + 43
    event = await world.database.fetchrow("SELECT * FROM events WHERE account_id = $1", signed_in.account_id)
    assert (event["type"], event["project_id"]) == ("account.registered", principal.inbox_id)


async def test_no_token_and_no_password_is_kept(world: World) -> None:
    anna = await world.person()

    row = await world.database.fetchrow(
        "SELECT s.token_hash, a.password_hash FROM sessions s JOIN accounts a ON a.id = s.account_id WHERE a.id = $1",
        anna.principal.account_id,
    )

    assert anna.token.encode() not in row["token_hash"]
    assert row["password_hash"].startswith("$argon2id$")


async def test_of_ten_who_are_first_one_is_the_operator(postgres_url: str, nursery: trio.Nursery) -> None:
    world = await _fresh(postgres_url, nursery)
    people: list[Person] = []

    async def register() -> None:
        people.append(await world.person())

    async with trio.open_nursery() as strangers:
        for _ in range(10):
            strangers.start_soon(register)

    assert sorted(person.principal.operator for person in people) == [False] * 9 + [True]


async def test_a_closed_house_lets_only_the_first_one_in(postgres_url: str, nursery: trio.Nursery) -> None:
    world = await _fresh(postgres_url, nursery)
    world.services = world.built(registration_is_open=False)
    await world.person()

    with pytest.raises(RegistrationClosedError):
        await world.person()
    made = await world.services.accounts.create_user(RegisterDraft(email="guest@example.org", password=PASSWORD))

    assert await world.database.fetchval("SELECT operator FROM accounts WHERE id = $1", made) is False


async def test_an_account_from_the_command_line_has_no_session(world: World) -> None:
    made = await world.services.accounts.create_user(RegisterDraft(email="made@example.org", password=PASSWORD))

    sessions = await world.database.fetchval("SELECT count(*) FROM sessions WHERE account_id = $1", made)
    event = await world.database.fetchrow(
        "SELECT e.* FROM events e JOIN memberships m USING (project_id) WHERE m.account_id = $1", made
    )
    assert sessions == 0
    assert (event["type"], event["account_id"], event["session_id"]) == ("account.registered", None, None)
    assert (await _login(world, "made@example.org", address="198.51.100.14")).account_id == made


async def test_an_address_that_cannot_be_kept_is_nobodys(world: World) -> None:
    with pytest.raises(NotFoundError):
        await world.services.accounts.set_password("a\udcff@example.org", PASSWORD)


async def test_two_spellings_of_an_address_are_one(world: World) -> None:
    anna = await world.person()

    with pytest.raises(EmailTakenError):
        await world.services.accounts.register(
            Context(address="198.51.100.2"), RegisterDraft(email=anna.email.upper(), password=PASSWORD)
        )


@pytest.mark.accepts("X02")
async def test_all_faults_of_a_registration_are_told_at_once(world: World) -> None:
    draft = RegisterDraft(email="nobody", password="short", name="x" * 201, time_zone="Mars/Olympus")

    with pytest.raises(ValidationFailedError) as refusal:
        await world.services.accounts.register(Context(address="198.51.100.3"), draft)

    assert [error.field for error in refusal.value.errors] == ["email", "name", "timeZone", "password"]


@pytest.mark.accepts("X02")
async def test_a_bad_password_alone_is_refused_as_such(world: World) -> None:
    with pytest.raises(PasswordRefusedError):
        await world.services.accounts.register(
            Context(address="198.51.100.4"), RegisterDraft(email="x@example.org", password="password123")
        )


async def test_signing_in_starts_a_session_of_its_own(world: World) -> None:
    anna = await world.person()

    signed_in = await _login(world, anna.email.upper())

    assert signed_in.token != anna.token
    assert signed_in.account_id == anna.principal.account_id
    assert await world.services.accounts.authenticate(anna.token) is not None


@pytest.mark.accepts("X05")
async def test_signing_in_again_ends_the_session_before(world: World) -> None:
    anna = await world.person()

    await world.services.accounts.login(anna.context, anna.email, PASSWORD)

    assert await world.services.accounts.authenticate(anna.token) is None
    assert world.revoked == [anna.principal.session_id]


@pytest.mark.accepts("X03")
@pytest.mark.parametrize("password", ["wrong but long enough", "", "x" * 2000, "\0", "\ud800"])
async def test_an_unknown_address_and_a_wrong_password_are_refused_alike(world: World, password: str) -> None:
    anna = await world.person()
    refusals = []
    for email in (anna.email, "unknown@example.org", "\0", "\ud800"):
        with pytest.raises(InvalidCredentialsError) as refusal:
            await _login(world, email, password, address=f"address of {email!r} {password[:9]!r}")
        refusals.append((refusal.value.code, refusal.value.detail))

    assert len(set(refusals)) == 1


async def test_a_disabled_account_is_refused_like_a_wrong_password(world: World) -> None:
    anna = await world.person()
    await world.database.execute("UPDATE accounts SET disabled_at = now() WHERE id = $1", anna.principal.account_id)

    with pytest.raises(InvalidCredentialsError):
        await _login(world, anna.email)
    world.clock.advance(seconds=6)
    assert await world.services.accounts.authenticate(anna.token) is None


@pytest.mark.accepts("X01")
async def test_a_password_is_hashed_anew_when_the_parameters_rise(world: World) -> None:
    anna = await world.person()
    stronger = replace(world.services.accounts, hasher=ArgonHasher(time_cost=2, memory_kib=16))

    await stronger.login(Context(address="198.51.100.6"), anna.email, PASSWORD)

    sql = "SELECT password_hash FROM accounts WHERE id = $1"
    assert "m=16,t=2,p=1" in await world.database.fetchval(sql, anna.principal.account_id)
    assert (await stronger.login(Context(address="198.51.100.6"), anna.email, PASSWORD)).token


@pytest.mark.accepts("X05")
async def test_signing_out_ends_the_session_at_once(world: World) -> None:
    anna = await world.person()
    other = await _login(world, anna.email)

    await world.services.accounts.logout(anna.context)

    assert await world.services.accounts.authenticate(anna.token) is None
    assert await world.services.accounts.authenticate(other.token) is not None
    assert world.revoked == [anna.principal.session_id]


@pytest.mark.accepts("X05")
async def test_a_session_ended_by_another_process_ends_here_within_five_seconds(world: World) -> None:
    anna = await world.person()
    await world.built().accounts.logout(anna.context)

    remembered = await world.services.accounts.authenticate(anna.token)
    world.clock.advance(seconds=5)

    assert remembered is not None
    assert await world.services.accounts.authenticate(anna.token) is None


@pytest.mark.accepts("X05")
@pytest.mark.parametrize(("days", "uses", "end"), [(6.9, 4, "lives"), (7.1, 1, "unused"), (6, 5, "too old")])
async def test_sessions_end_when_unused_for_a_week_and_after_a_month(
    world: World, days: float, uses: int, end: str
) -> None:
    anna = await world.person()
    for _ in range(uses):
        world.clock.advance(days=days)
        found = await world.services.accounts.authenticate(anna.token)

    assert (found is not None) is (end == "lives")


async def test_being_seen_is_written_once_a_minute(world: World) -> None:
    anna, seen = await world.person(), []
    for seconds in (30, 40, 30):
        world.clock.advance(seconds=seconds)
        await world.services.accounts.authenticate(anna.token)
        sql = "SELECT last_seen_at FROM sessions WHERE id = $1"
        seen.append(await world.database.fetchval(sql, anna.principal.session_id) - NOON)

    assert [one.total_seconds() for one in seen] == [0, 70, 70]


@pytest.mark.accepts("X05")
async def test_a_new_password_ends_every_session(world: World) -> None:
    anna = await world.person()
    other = await _login(world, anna.email)

    await world.services.accounts.set_password(anna.email, "another honest sentence")

    assert await world.services.accounts.authenticate(anna.token) is None
    assert await world.services.accounts.authenticate(other.token) is None
    assert world.revoked == [anna.principal.account_id]
    with pytest.raises(InvalidCredentialsError):
        await _login(world, anna.email)
    assert (await _login(world, anna.email, "another honest sentence")).token


@pytest.mark.accepts("X05")
async def test_a_sign_in_that_was_overtaken_by_a_new_password_is_refused(world: World) -> None:
    anna = await world.person()

    class Overtaken(ArgonHasher):
        async def verify(self, password_hash: str | None, password: str) -> bool:
            is_right = await world.services.accounts.hasher.verify(password_hash, password)
            await world.services.accounts.set_password(anna.email, "another honest sentence")
            return is_right

    slow = replace(world.services.accounts, hasher=Overtaken())
    with pytest.raises(InvalidCredentialsError):
        await slow.login(_at("198.51.100.14"), anna.email, PASSWORD)


async def test_nobody_has_no_password(world: World) -> None:
    with pytest.raises(NotFoundError):
        await world.services.accounts.set_password("nobody@example.org", "another honest sentence")


@pytest.mark.parametrize("token", ["", "rondo_", "rondo_" + "A" * 43, "Bearer", "\ud800", "rondo_\ud800"])
async def test_what_is_no_token_is_nobodys(world: World, token: str) -> None:
    assert await world.services.accounts.authenticate(token) is None


async def test_the_profile_changes_where_it_is_named(world: World) -> None:
    anna = await world.person()
    quiet = QuietHours(start=time(22), end=time(7, 30))

    changed = parsed(
        await world.services.accounts.patch_profile(anna.context, ProfileChanges(name=" Anna ", quiet_hours=quiet))
    )
    again = parsed(
        await world.services.accounts.patch_profile(anna.context, ProfileChanges(quiet_hours=None, week_start="sunday"))
    )

    assert (changed["name"], changed["quietHours"], changed["weekStart"]) == (
        "Anna",
        {"from": "22:00", "to": "07:30"},
        "monday",
    )
    assert (again["name"], again["quietHours"], again["weekStart"]) == ("Anna", None, "sunday")
    assert parsed(await world.services.accounts.get_profile(anna.context)) == again
    sql = "SELECT type FROM events WHERE account_id = $1 ORDER BY seq"
    told = [row["type"] for row in await world.database.fetch(sql, anna.principal.account_id)]
    assert told == ["account.registered", "account.updated", "account.updated"]


async def test_a_profile_that_stays_the_same_is_not_written(world: World) -> None:
    anna = await world.person()
    world.rings.clear()

    await world.services.accounts.patch_profile(anna.context, ProfileChanges(name="", time_zone="UTC"))

    assert world.rings == []


async def test_a_new_time_zone_holds_from_the_next_request_on(world: World) -> None:
    anna = await world.person()

    await world.services.accounts.patch_profile(anna.context, ProfileChanges(time_zone="Asia/Tokyo"))

    principal = await world.services.accounts.authenticate(anna.token)
    assert principal is not None
    assert principal.time_zone == "Asia/Tokyo"


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        (ProfileChanges(time_zone="Mars/Olympus"), "timeZone"),
        (ProfileChanges(week_start="someday"), "weekStart"),
        (ProfileChanges(name="x" * 201), "name"),
        (ProfileChanges(quiet_hours=QuietHours(start=time(1), end=time(1))), "quietHours"),
    ],
)
async def test_a_profile_that_makes_no_sense_is_refused(world: World, changes: ProfileChanges, field: str) -> None:
    anna = await world.person()

    with pytest.raises(ValidationFailedError) as refusal:
        await world.services.accounts.patch_profile(anna.context, changes)

    assert [error.field for error in refusal.value.errors] == [field]


@pytest.mark.accepts("X04")
async def test_an_address_may_try_an_account_five_times_a_minute(world: World) -> None:
    anna = await world.person()
    outcomes = [await _outcome(world, anna.email, "wrong") for _ in range(7)]

    elsewhere = await _login(world, anna.email, address="198.51.100.8")
    world.clock.advance(seconds=12)

    assert outcomes == ["invalid_credentials"] * 5 + ["rate_limited"] * 2
    assert elsewhere.account_id == anna.principal.account_id
    assert (await _login(world, anna.email, address="198.51.100.7")).token


@pytest.mark.accepts("X04")
async def test_a_limit_says_when_to_come_back_and_survives_a_restart(world: World) -> None:
    anna = await world.person()
    for _ in range(5):
        await _outcome(world, anna.email, "wrong")
    world.services = world.built()

    with pytest.raises(RateLimitedError) as refusal:
        await _login(world, anna.email, address="198.51.100.7")

    assert (refusal.value.retry_after_seconds, refusal.value.scope) == (12, "account")


@pytest.mark.accepts("X04")
async def test_an_address_may_try_twenty_times_a_minute_in_all(world: World) -> None:
    address = "198.51.100.9"
    outcomes = [await _outcome(world, f"nobody{number}@example.org", "wrong", address) for number in range(22)]

    assert outcomes == ["invalid_credentials"] * 20 + ["rate_limited"] * 2


@pytest.mark.accepts("X04")
@pytest.mark.parametrize(
    "addresses",
    [[f"2001:db8:1::{number}" for number in range(4)], ["198.51.100.20", "::ffff:198.51.100.20"] * 2],
    ids=["a /64", "IPv4 in IPv6"],
)
async def test_the_addresses_of_one_household_may_try_as_often_as_one(world: World, addresses: list[str]) -> None:
    world.services = world.built(auth_rate=3)
    outcomes = [await _outcome(world, "nobody@example.org", "wrong", address) for address in addresses]

    assert outcomes == ["invalid_credentials"] * 3 + ["rate_limited"]


@pytest.mark.accepts("X04")
async def test_the_addresses_of_many_households_do_not_count_together(world: World) -> None:
    world.services = world.built(auth_rate=3)
    addresses = [f"2001:db8:2:{number}::1" for number in range(6)]
    outcomes = [await _outcome(world, "nobody@example.org", "wrong", address) for address in addresses]

    assert outcomes == ["invalid_credentials"] * 6


@pytest.mark.accepts("X04")
async def test_the_addresses_of_one_household_may_try_an_account_as_often_as_one(world: World) -> None:
    anna = await world.person()
    outcomes = [await _outcome(world, anna.email, "wrong", f"2001:db8:7::{number}") for number in range(1, 8)]

    assert outcomes == ["invalid_credentials"] * 5 + ["rate_limited"] * 2


@pytest.mark.accepts("X04")
async def test_the_setting_scales_what_an_address_may_try(world: World) -> None:
    world.services = world.built(auth_rate=3)
    address = "198.51.100.10"
    outcomes = [await _outcome(world, f"no{number}@example.org", "wrong", address) for number in range(4)]

    assert outcomes == ["invalid_credentials"] * 3 + ["rate_limited"]


@pytest.mark.accepts("X04")
async def test_who_signs_in_rightly_may_do_so_often(world: World) -> None:
    anna = await world.person()

    for _ in range(12):
        assert (await _login(world, anna.email, address="198.51.100.11")).token


@pytest.mark.accepts("X04")
async def test_an_account_tried_from_everywhere_becomes_slow_and_never_closed(world: World) -> None:
    anna = await world.person()
    accounts = world.services.accounts
    for number in range(101):
        await accounts.limits.sign_in(f"203.0.113.{number}", anna.email)
    limits = PostgresRateLimits(world.database)
    excess = [await limits.overrun("somebody's", PER_ACCOUNT, NOON, MOST_OVERRUN) for _ in range(150)]

    assert excess == [0] * 100 + list(range(1, 41)) + [40] * 10
    assert (await _login(world, anna.email, address="198.51.100.12")).token


@pytest.mark.accepts("X04")
def test_the_delay_grows_to_what_a_person_still_waits_for() -> None:
    delays = [delay_seconds(excess) for excess in range(1, MOST_OVERRUN + 1)]

    assert delays == sorted(delays)
    assert (delays[0] < 0.3, delays[-1]) == (True, 8.0)


@pytest.mark.accepts("X04")
async def test_registrations_are_limited_per_address(world: World) -> None:
    world.services = world.built(auth_rate=2)
    outcomes = [await _ended(partial(_register, world, f"new{number}@example.net")) for number in range(3)]

    assert outcomes == ["success", "success", "rate_limited"]


async def test_calls_are_limited_per_account_when_asked_for(world: World) -> None:
    anna, bert = await world.person(), await world.person()
    accounts = world.built(api_rate=3).accounts
    for _ in range(3):
        accounts.check_rate(anna.context)

    with pytest.raises(RateLimitedError) as refusal:
        accounts.check_rate(anna.context)

    assert (refusal.value.retry_after_seconds, refusal.value.scope) == (20, "user")
    accounts.check_rate(bert.context)
    world.clock.advance(seconds=20)
    accounts.check_rate(anna.context)


async def test_calls_are_not_limited_otherwise(world: World) -> None:
    anna = await world.person()

    for _ in range(1000):
        world.services.accounts.check_rate(anna.context)


async def test_sweeping_deletes_what_has_ended_and_nothing_else(world: World) -> None:
    anna, bert = await world.person(), await world.person()
    for person in (anna, bert):
        await person.world.services.tasks.create_task(person.with_key("k"), TaskDraft(title="Kept"))
    await world.services.accounts.logout(anna.context)
    world.clock.advance(hours=25)
    await _login(world, bert.email)

    await world.services.housekeeping.sweep()

    assert await _count(world, "sessions", anna) == 0
    assert await _count(world, "sessions", bert) == 2
    assert await _count(world, "idempotency_keys", bert) == 0


async def _count(world: World, table: str, person: Person) -> int:
    queries = {
        "sessions": "SELECT count(*) FROM sessions WHERE account_id = $1",
        "idempotency_keys": "SELECT count(*) FROM idempotency_keys WHERE account_id = $1",
    }
    count: int = await world.database.fetchval(queries[table], person.principal.account_id)
    return count


def _at(address: str) -> Context:
    return Context(address=address)


async def _register(world: World, email: str) -> SignedIn:
    draft = RegisterDraft(email=email, password=PASSWORD)
    return await world.services.accounts.register(_at("198.51.100.13"), draft)


async def _login(world: World, email: str, password: str = PASSWORD, address: str = "198.51.100.7") -> SignedIn:
    return await world.services.accounts.login(_at(address), email, password)


async def _outcome(world: World, email: str, password: str, address: str = "198.51.100.7") -> str:
    return await _ended(lambda: _login(world, email, password, address))


async def _ended(attempt: Callable[[], Any]) -> str:
    try:
        await attempt()
    except TaskError as refusal:
        return refusal.code  # noqa: ASYNC910 # the attempt had checkpoints
    return "success"


async def _fresh(postgres_url: str, nursery: trio.Nursery) -> World:
    pool = Database(postgres_url, size=5, name="test")
    await nursery.start(pool.run)
    return World(database=pool)
