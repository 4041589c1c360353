"""Operators at work on a real Rondo: an actor that hangs, one that is killed under load, poison, mail that waits."""

from __future__ import annotations

import os
import signal
import time
from collections import Counter
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import pytest
import trio

from app.adapters.postgres import Database
from app.adapters.postgres.embedded import EmbeddedPostgres
from app.web.api import documents
from app.wiring import MAILBOX_CAPACITY
from tests.acceptance.api.test_documents import differences
from tests.fixtures.client import Person, client, register
from tests.fixtures.rondo import free_port, running_rondo

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Iterator

    import httpx2

    from tests.fixtures.rondo import RondoProcess

INSERT_EVENTS = """
    INSERT INTO events (id, type, project_id, task_id, account_id, occurred_at, detail)
    SELECT gen_random_uuid(), $1, m.project_id, gen_random_uuid(), m.account_id, now(), $3::jsonb
    FROM memberships m, generate_series(1, $2::int) WHERE m.account_id = $4
"""


@pytest.fixture(scope="module")
def rondo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RondoProcess]:
    """Run a Rondo of these tests' own, whose mail server is away."""
    smtp = f"smtp://127.0.0.1:{free_port()}"
    with running_rondo(tmp_path_factory.mktemp("operating") / "data", RONDO_SMTP_URL=smtp) as process:
        yield process


@dataclass(kw_only=True)
class Ward:
    """The operator, and the database that Rondo works on."""

    operator: Person
    database: Database

    async def tree(self) -> dict[str, dict[str, Any]]:
        """Return every worker by its path."""
        root = await self.operator.get("/api/ops/actors")
        return {worker["path"]: worker for branch in root["children"] for worker in branch["children"]}

    async def actor(self, path: str) -> dict[str, Any]:
        return (await self.tree())[path]

    async def order(self, path: str, verb: str) -> dict[str, Any]:
        response = await self.operator.call("POST", f"/api/ops/actors/{path}/{verb}")
        assert response.status_code == 202, response.text
        assert differences(response.json(), documents.Actor) == []
        actor: dict[str, Any] = response.json()
        return actor

    async def add_events(self, kind: str, count: int, detail: str = "{}") -> None:
        await self.database.execute(INSERT_EVENTS, kind, count, detail, self.operator.user["id"])

    async def verified(self) -> bool:
        """Return whether the trail is whole, once the audit actor has read all there is."""
        with trio.fail_after(20):
            while await self.database.fetchval(
                "SELECT EXISTS (SELECT FROM events e LEFT JOIN audit_log a USING (position) WHERE a.position IS NULL)"
            ):
                await trio.sleep(0.02)
        verdict = (await self.operator.call("POST", "/api/audit/verify")).json()
        return bool(verdict["ok"])


@pytest.fixture(scope="module")
def operator_session() -> dict[str, Person]:
    """Hold who registered first: the operator."""
    return {}


@pytest.fixture
async def ward(rondo: RondoProcess, operator_session: dict[str, Person]) -> AsyncIterator[Ward]:
    async with client(rondo.url) as http, trio.open_nursery() as nursery:
        if "operator" not in operator_session:
            operator_session["operator"] = await register(http)
        known = operator_session["operator"]
        operator = Person(http=http, email=known.email, user=known.user, token=known.token)
        database = Database(EmbeddedPostgres(rondo.data_dir).url, size=2, name="test", statement_seconds=30)
        await nursery.start(database.run)
        yield Ward(operator=operator, database=database)
        nursery.cancel_scope.cancel()


async def eventually(ask: Callable[[], Awaitable[Any]], holds: Callable[[Any], object], seconds: float = 15) -> Any:
    """Ask until the answer is as wanted; return it."""
    with trio.fail_after(seconds):
        while not holds(answer := await ask()):
            await trio.sleep(0.02)
    return answer


@pytest.mark.accepts("A12", "S57")
async def test_the_tree_is_whole_and_quick_while_the_audit_actor_hangs_with_a_full_mailbox(ward: Ward) -> None:
    async with ward.database.transaction() as holding:
        await holding.execute("SELECT FROM cursors WHERE consumer = 'audit' FOR UPDATE")
        await ward.operator.create("Whatever wakes the audit actor")
        await eventually(lambda: ward.actor("events/audit"), lambda audit: audit["inHandSeconds"])
        await ward.add_events("task.updated", MAILBOX_CAPACITY + 200)
        await ward.operator.create("Whatever wakes the relay")
        wedged = await eventually(
            lambda: ward.actor("events/audit"), lambda audit: audit["mailbox"]["length"] == MAILBOX_CAPACITY
        )
        times = [await seconds_of(ward) for _ in range(20)]
        root, tree = await ward.operator.get("/api/ops/actors"), await ward.tree()

    assert min(times) < 0.05  # a busy machine is not the tree's fault
    assert differences(root, documents.ActorTree) == []
    assert [found for worker in tree.values() for found in differences(worker, documents.Actor, worker["path"])] == []
    assert {worker["state"] for worker in tree.values()} == {"running"}
    assert wedged["inHandSeconds"] > 0
    assert wedged["mailbox"]["oldestSeconds"] >= 0
    assert wedged["mailbox"]["capacity"] == MAILBOX_CAPACITY
    assert (tree["database/pool"]["breaker"]["name"], tree["database/pool"]["breaker"]["state"]) == (
        "postgresql",
        "closed",
    )
    assert await ward.verified()


async def seconds_of(ward: Ward) -> float:
    began = time.perf_counter()
    await ward.operator.get("/api/ops/actors")
    return time.perf_counter() - began


async def test_an_audit_actor_that_is_killed_under_load_is_back_in_its_backoff_and_no_row_is_missing(
    ward: Ward,
) -> None:
    written: list[str] = []
    before = await ward.actor("events/audit")

    async def write(end: trio.Event) -> None:
        while not end.is_set():
            written.append((await ward.operator.create("Under load"))["id"])

    async with trio.open_nursery() as nursery:
        end = trio.Event()
        for _ in range(3):
            nursery.start_soon(write, end)
        restarted = await ward.order("events.audit", "restart")
        await ward.database.execute("ALTER FUNCTION append_audit(integer) RENAME TO gone")
        down = await eventually(lambda: ward.actor("events/audit"), lambda audit: audit["nextAttemptAt"])
        await ward.database.execute("ALTER FUNCTION gone(integer) RENAME TO append_audit")
        back = await eventually(
            lambda: ward.actor("events/audit"),
            lambda audit: audit["state"] == "running" and audit["incarnation"] > down["incarnation"],
        )
        end.set()

    assert await ward.verified()
    rows = [row for row in await ward.operator.all_audit() if row["taskId"] in set(written)]
    orders = [row for row in await ward.operator.all_audit() if row["action"] == "ops.actor_restarted"]
    log = (await ward.operator.get("/api/ops/actors/events.audit/log?limit=200"))["items"]
    assert len(written) > 3
    assert Counter(row["taskId"] for row in rows) == Counter(written)
    assert (orders[0]["actor"], orders[0]["changes"]) == (ward.operator.user["id"], {"actor": [None, "events/audit"]})
    assert restarted["incarnation"] > before["incarnation"]
    assert (down["attempt"] >= 1, 0 <= down["backoffSeconds"] <= 3.6) == (True, True)
    assert "append_audit" in down["lastError"]["message"]
    assert len(down["lastError"]["traceId"]) == 32
    assert "advance" in down["lastError"]["stack"]
    assert back["restarts"] > before["restarts"]
    assert {"ops.actor_restarted", "actor.exited", "actor.restarting", "actor.started"} <= {
        line["event"] for line in log
    }


async def test_a_paused_actor_is_on_readiness_and_in_the_trail_and_comes_back(
    ward: Ward, http: httpx2.AsyncClient
) -> None:
    paused = await ward.order("events.recurring", "pause")
    again = await ward.order("events.recurring", "pause")
    with_reason = await eventually(
        lambda: readiness(http), lambda found: "recurring" in found["reasons"].get("actors", "")
    )
    resumed = await ward.order("events.recurring", "resume")
    await eventually(lambda: readiness(http), lambda found: found["status"] == "ready")

    assert await ward.verified()
    actions = [row["action"] for row in await ward.operator.all_audit() if row["action"].startswith("ops.")]
    assert (paused["state"], paused["paused"], again["paused"], resumed["state"]) == ("stopped", True, True, "running")
    assert with_reason["status"] == "not ready"
    assert actions[:2] == ["ops.actor_resumed", "ops.actor_paused"]
    assert actions.count("ops.actor_paused") == 1


@pytest.fixture
async def http(rondo: RondoProcess) -> AsyncIterator[httpx2.AsyncClient]:
    async with client(rondo.url) as http:
        yield http


async def readiness(http: httpx2.AsyncClient) -> dict[str, Any]:
    answer: dict[str, Any] = (await http.get("/health/ready")).json()
    return answer


async def test_only_operators_and_only_what_may_be_touched(ward: Ward, http: httpx2.AsyncClient) -> None:
    somebody = await register(http)
    asked = [
        (somebody, "POST", "/api/ops/actors/events.audit/restart"),
        (somebody, "GET", "/api/ops/dead-letters"),
        (ward.operator, "POST", "/api/ops/actors/edge.listener/restart"),
        (ward.operator, "POST", "/api/ops/actors/database.postgres/pause"),
        (ward.operator, "POST", "/api/ops/actors/events.nobody/resume"),
        (ward.operator, "GET", "/api/ops/actors/events/log"),
        (ward.operator, "POST", f"/api/ops/dead-letters/{uuid4()}/requeue"),
    ]

    answers = [await who.call(method, path) for who, method, path in asked]

    codes = [answer.json()["code"] for answer in answers]
    assert codes == ["forbidden"] * 2 + ["not_controllable"] * 2 + ["not_found"] * 3


@pytest.mark.accepts("A13", "A03")
async def test_poison_is_listed_sent_again_when_it_can_be_handled_and_never_twice(ward: Ward) -> None:
    await ward.add_events("task.completed", 1, '{"seriesId": "none", "occurrence": "2026-11-23"}')
    await ward.operator.create("What comes after is handled")
    page = await eventually(lambda: ward.operator.get("/api/ops/dead-letters"), lambda found: found["items"])
    letter = page["items"][0]
    await ward.database.execute(
        "UPDATE events SET detail = jsonb_set(detail, '{seriesId}', to_jsonb(gen_random_uuid()::text))"
        " WHERE position = $1",
        letter["position"],
    )

    sent = await ward.operator.call("POST", f"/api/ops/dead-letters/{letter['id']}/requeue")
    twice = await ward.operator.call("POST", f"/api/ops/dead-letters/{letter['id']}/requeue")
    await eventually(
        lambda: ward.database.fetchval("SELECT count(*) FROM occurrences WHERE position = $1", letter["position"]),
        lambda count: count == 1,
    )
    after = await ward.operator.get("/api/ops/dead-letters?actor=recurring")
    metrics = (await ward.operator.call("GET", "/metrics")).text

    assert differences(page, documents.DeadLetterPage) == []
    assert differences(sent.json(), documents.Requeued) == []
    assert (letter["actor"], letter["reason"], letter["attempts"]) == ("recurring", "crashed", 5)
    assert page["counts"] == [{"actor": "recurring", "reason": "crashed", "count": 1}]
    assert "badly formed hexadecimal UUID" in letter["error"]
    assert (sent.status_code, sent.json()["letter"], sent.json()["position"]) == (202, letter["id"], letter["position"])
    assert (twice.status_code, twice.json()["code"]) == (409, "already_requeued")
    assert after["items"][0]["requeuedAs"] == sent.json()["id"]
    assert 'dead_letters_total{actor="recurring",reason="crashed"} 1.0' in metrics
    assert await ward.verified()
    rows = [row for row in await ward.operator.all_audit() if row["action"] == "ops.dead_letter_requeued"]
    assert rows[0]["changes"] == {"actor": [None, "events/recurring"], "letter": [None, letter["id"]]}


async def test_mail_that_waits_is_told_in_a_calm_sentence_and_uses_up_no_attempts(
    ward: Ward, http: httpx2.AsyncClient
) -> None:
    ada = await register(http)
    well = await ada.get("/api/status")
    task = await ada.create("Call mother")
    at_once = (datetime.now(UTC) + timedelta(seconds=0.4)).isoformat().replace("+00:00", "Z")
    for _ in range(9):
        await ada.call("POST", f"/api/tasks/{task['id']}/reminders", {"remindAt": at_once, "channels": ["email"]})

    told = await eventually(lambda: ada.get("/api/status"), lambda found: waiting(found) == 9)
    email = await ward.actor("deliveries/email")
    untried = await ward.database.fetchval(
        "SELECT count(*) FROM deliveries WHERE state = 'pending' AND attempts = 0 AND due_at <= now()"
    )

    assert well == {"degraded": []}
    assert differences(told, documents.Status) == []
    (degraded,) = told["degraded"]
    assert (degraded["part"], degraded["sentence"]) == ("email", "Email is delayed, 9 waiting.")
    assert (email["breaker"]["name"], email["breaker"]["state"]) == ("email", "open")
    assert email["breaker"]["retryAt"] is not None
    assert untried >= 1
    # A page is kept for a second, and somebody may have asked for one just before.
    assert await eventually(
        lambda: ward.operator.call("GET", "/metrics"),
        lambda page: 'circuit_breaker_state{breaker="email"} 2.0' in page.text,
    )


def waiting(status: dict[str, Any]) -> int | None:
    return next((part["waiting"] for part in status["degraded"] if part["part"] == "email"), None)


@pytest.mark.accepts("S66", "C25")
async def test_readiness_says_that_the_loop_was_held(ward: Ward, rondo: RondoProcess, http: httpx2.AsyncClient) -> None:
    """Comes last: Rondo is not ready for ten seconds afterwards."""
    assert rondo.process is not None
    os.kill(rondo.process.pid, signal.SIGSTOP)
    await trio.sleep(1.3)
    os.kill(rondo.process.pid, signal.SIGCONT)

    held = await eventually(lambda: readiness(http), lambda found: "loop" in found["reasons"])
    told = await eventually(
        lambda: trio.to_thread.run_sync(rondo.log_lines),
        lambda lines: [line for line in lines if line["event"] == "runtime.step.slow"],
    )

    assert held["status"] == "not ready"
    assert held["reasons"]["loop"].startswith("The event loop was held for 1.")
    assert told
    assert (await ward.actor("events/stalls"))["state"] == "running"
