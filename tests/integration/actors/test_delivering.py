"""The delivery ledger on PostgreSQL: claims that run out, zombies that are refused, attempts that stay on record."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
import trio

from app.adapters.postgres.delivering import CLAIM, MAX_RESPONSE_CHARACTERS, PostgresDeliveryLedger
from app.domain.reminder import ReminderDraft
from app.domain.task import TaskChanges
from app.ports.delivering import Outcome
from tests.integration.actors.firing import due_reminder, present_day, remind, schedule
from tests.integration.services.world import World, as_task

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from app.adapters.postgres import Database
    from app.domain.ids import ReminderId
    from app.ports.delivering import Delivery
    from tests.integration.services.world import Person

SENT = Outcome(result="sent", response="250 2.0.0 queued as 1")
LATER = Outcome(result="retry", response="451 4.7.1 greylisted", reason="refused")
NEVER = Outcome(result="failed", response="550 5.1.1 no such user", reason="refused")


async def fired(house: World, title: str = "Call mother") -> tuple[Person, Any, ReminderId]:
    """Return somebody with a task whose reminder has fired."""
    anna = await house.person("Europe/Berlin")
    task_id, reminder_id = await due_reminder(anna, title)
    await schedule(house).fire_due(10)
    return anna, task_id, reminder_id


async def claim(ledger: PostgresDeliveryLedger) -> Delivery:
    (delivery,) = await ledger.claim("email", 4, 90)
    return delivery


async def rows(person: Person, reminder_id: ReminderId) -> list[tuple[Any, ...]]:
    """Return the attempts as the API shows them."""
    listed = json.loads(await person.world.services.reminders.list_deliveries(person.context, reminder_id))
    return [(row["attempt"], row["outcome"], row["response"]) for row in listed["items"]]


async def let_the_claim_run_out(database: Database) -> None:
    await database.execute("UPDATE deliveries SET next_attempt_at = now() - interval '1 second'")


async def test_a_claim_carries_all_that_a_channel_needs(database: Database) -> None:
    house, ledger = present_day(database), PostgresDeliveryLedger(database=database)
    anna, task_id, reminder_id = await fired(house, "Call mother")

    delivery = await claim(ledger)

    assert (delivery.address, delivery.task_id, delivery.task_title) == (anna.email, task_id, "Call mother")
    assert (delivery.term, delivery.attempt, delivery.time_zone) == (1, 1, "Europe/Berlin")
    assert (delivery.message_id, delivery.late_seconds >= 1) == (f"{reminder_id}.1.email", True)
    assert await ledger.claim("email", 4, 90) == ()
    assert await ledger.claim("push", 4, 90) == ()


async def test_a_sent_delivery_is_on_record_and_over(database: Database) -> None:
    house, ledger = present_day(database), PostgresDeliveryLedger(database=database)
    anna, _, reminder_id = await fired(house)

    recorded = await ledger.record(await claim(ledger), SENT, 15)

    assert recorded
    assert await rows(anna, reminder_id) == [(1, "sent", SENT.response)]
    assert await ledger.seconds_to_next("email") is None


async def test_a_refusal_for_ever_is_on_record_and_over(database: Database) -> None:
    house, ledger = present_day(database), PostgresDeliveryLedger(database=database)
    anna, _, reminder_id = await fired(house)

    await ledger.record(await claim(ledger), NEVER, 15)

    assert await rows(anna, reminder_id) == [(1, "failed", NEVER.response)]
    assert await database.fetchval("SELECT finished_at IS NOT NULL FROM deliveries WHERE state = 'failed'")
    assert await ledger.claim("email", 4, 90) == ()


async def test_a_refusal_for_now_is_tried_again_after_the_pause_under_the_same_message_id(database: Database) -> None:
    house, ledger = present_day(database), PostgresDeliveryLedger(database=database)
    anna, _, reminder_id = await fired(house)
    first = await claim(ledger)

    await ledger.record(first, LATER, 15)
    seconds = await ledger.seconds_to_next("email")
    too_early = await ledger.claim("email", 4, 90)
    await let_the_claim_run_out(database)
    second = await claim(ledger)
    await ledger.record(second, SENT, 15)

    assert seconds == pytest.approx(15, abs=2)
    assert (too_early, second.attempt, second.message_id) == ((), 2, first.message_id)
    assert await rows(anna, reminder_id) == [(1, "retry", LATER.response), (2, "sent", SENT.response)]


@pytest.mark.accepts("R09")
async def test_a_claim_that_ran_out_is_taken_over_and_the_zombie_is_refused(database: Database) -> None:
    house, ledger = present_day(database), PostgresDeliveryLedger(database=database)
    anna, _, reminder_id = await fired(house)
    zombie = await claim(ledger)
    await let_the_claim_run_out(database)
    successor = await claim(ledger)

    refused = await ledger.record(zombie, NEVER, 15)
    recorded = await ledger.record(successor, SENT, 15)
    too_late = await ledger.record(zombie, LATER, 15)

    assert (zombie.term, successor.term) == (1, 2)
    assert (refused, recorded, too_late) == (False, True, False)
    assert await rows(anna, reminder_id) == [(1, None, ""), (2, "sent", SENT.response)]


async def test_two_workers_never_claim_the_same_delivery(database: Database) -> None:
    house, ledger = present_day(database), PostgresDeliveryLedger(database=database)
    anna = await house.person()
    for _ in range(12):
        await due_reminder(anna)
    await schedule(house).fire_due(20)
    claimed: list[Any] = []

    async def work() -> None:
        while mine := await ledger.claim("email", 2, 90):
            claimed.extend(delivery.id for delivery in mine)

    async with trio.open_nursery() as nursery:
        for _ in range(3):
            nursery.start_soon(work)

    assert (len(claimed), len(set(claimed))) == (12, 12)


@pytest.mark.accepts("R05")
@pytest.mark.parametrize("deed", ["done", "seen"])
async def test_what_is_over_before_its_next_attempt_is_not_sent_any_more(database: Database, deed: str) -> None:
    house, ledger = present_day(database), PostgresDeliveryLedger(database=database)
    anna, task_id, reminder_id = await fired(house)
    await ledger.record(await claim(ledger), LATER, 0)
    if deed == "done":
        await house.services.tasks.complete_task(anna.context, as_task(task_id))
    else:
        await house.services.reminders.acknowledge(anna.context, reminder_id)

    claimed = await ledger.claim("email", 4, 90)

    assert (claimed, await database.fetchval("SELECT state FROM deliveries")) == ((), "cancelled")


@pytest.mark.accepts("R05")
@pytest.mark.parametrize("deed", ["done", "seen", "put off", "deleted"])
async def test_what_is_over_by_the_moment_of_the_claim_is_not_claimed(database: Database, deed: str) -> None:
    house, ledger = present_day(database), PostgresDeliveryLedger(database=database)
    anna, task_id, reminder_id = await fired(house)
    tasks, reminders = house.services.tasks, house.services.reminders
    deeds: dict[str, Callable[[], Awaitable[object]]] = {
        "done": lambda: tasks.complete_task(anna.context, as_task(task_id)),
        "seen": lambda: reminders.acknowledge(anna.context, reminder_id),
        "put off": lambda: reminders.snooze(anna.context, reminder_id, house.clock.now() + timedelta(hours=1)),
        "deleted": lambda: reminders.delete_reminder(anna.context, reminder_id),
    }
    await deeds[deed]()

    by_the_claim_alone = await database.fetch(CLAIM, "email", 4, 90.0)  # as if it came after what cancels had looked
    state = await database.fetchval("SELECT state FROM deliveries")
    claimed = await ledger.claim("email", 4, 90)

    assert (by_the_claim_alone, state) == ([], "pending")
    assert (claimed, await database.fetchval("SELECT state FROM deliveries")) == ((), "cancelled")


@pytest.mark.accepts("R05")
async def test_a_claim_and_an_acknowledgement_never_pass_each_other(database: Database) -> None:
    house = present_day(database)
    _, task_id, reminder_id = await fired(house)

    async with database.transaction() as seeing:
        await seeing.execute("UPDATE reminders SET state = 'acknowledged' WHERE id = $1", reminder_id)
        while_it_is_being_seen = await database.fetch(CLAIM, "email", 4, 90.0)
        await seeing.execute("UPDATE reminders SET state = 'fired' WHERE id = $1", reminder_id)
    async with database.transaction() as claiming:
        claimed = await claiming.fetch(CLAIM, "email", 4, 90.0)
        # Whoever sees or completes it now waits for the claim.
        reminders = await database.fetch("SELECT id FROM reminders WHERE id = $1 FOR UPDATE SKIP LOCKED", reminder_id)
        tasks = await database.fetch("SELECT id FROM tasks WHERE id = $1 FOR UPDATE SKIP LOCKED", task_id)

    assert (while_it_is_being_seen, len(claimed), reminders, tasks) == ([], 1, [], [])


async def test_what_was_put_off_is_sent_for_its_new_moment_only(database: Database) -> None:
    house, ledger = present_day(database), PostgresDeliveryLedger(database=database)
    anna, _, reminder_id = await fired(house)
    await ledger.record(await claim(ledger), LATER, 0)
    until = house.clock.now() + timedelta(hours=1)
    await house.services.reminders.snooze(anna.context, reminder_id, until)

    meanwhile = await ledger.claim("email", 4, 90)
    await database.execute("UPDATE reminders SET fire_at = now() - interval '1 second'")
    await schedule(house).fire_due(10)
    afterwards = await claim(ledger)

    assert (meanwhile, afterwards.message_id) == ((), f"{reminder_id}.2.email")


async def test_a_reminder_that_was_planned_anew_is_not_sent_for_its_old_moment(database: Database) -> None:
    house, ledger = present_day(database), PostgresDeliveryLedger(database=database)
    anna = await house.person()
    now = house.clock.now()
    task = await anna.create("Call mother", due=now + timedelta(hours=1))
    await remind(anna, task.id, ReminderDraft(before="PT1H"))
    await database.execute("UPDATE reminders SET fire_at = now() - interval '1 second'")
    await schedule(house).fire_due(10)
    await ledger.record(await claim(ledger), LATER, 0)
    later = TaskChanges(due=now + timedelta(days=1))
    await house.services.tasks.patch_task(anna.context, as_task(task.id), later)

    claimed = await ledger.claim("email", 4, 90)

    assert (claimed, await database.fetchval("SELECT state FROM deliveries")) == ((), "cancelled")


async def test_what_a_provider_says_is_kept_in_bounds(database: Database) -> None:
    house, ledger = present_day(database), PostgresDeliveryLedger(database=database)
    anna, _, reminder_id = await fired(house)

    await ledger.record(await claim(ledger), Outcome(result="retry", response="\0" + "x" * 9000), 15)

    assert await rows(anna, reminder_id) == [(1, "retry", "x" * MAX_RESPONSE_CHARACTERS)]
