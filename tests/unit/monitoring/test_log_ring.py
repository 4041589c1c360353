"""The last lines of each actor, in memory."""

import orjson

from monitoring import logs
from monitoring.log_ring import MAX_CHARACTERS, MOST_KEYS, LogRing
from tests.unit.monitoring.conftest import Lines


def line(**fields: object) -> dict[str, object]:
    required = {"timestamp": "2026-11-23T12:00:00Z", "level": "info", "message": "Done.", "event": "a.b"}
    return {**required, "component": "relay", "service": "rondo", **fields}


def test_the_newest_lines_of_an_actor_are_kept() -> None:
    ring = LogRing(kept_lines=3)
    for number in range(5):
        ring.take(line(supervisor="events", actor="audit", number=number))

    shown = ring.recent("events/audit", 2)

    assert [item["fields"] for item in shown] == [{"number": 3}, {"number": 4}]
    assert shown[0] | {"fields": {}} == {
        "at": "2026-11-23T12:00:00Z",
        "level": "info",
        "message": "Done.",
        "event": "a.b",
        "component": "relay",
        "fields": {},
    }
    assert len(ring.recent("events/audit", 200)) == 3


def test_lines_without_an_actor_belong_to_their_component() -> None:
    ring = LogRing()
    ring.take(line())

    assert (len(ring.recent("relay", 9)), ring.recent("events/relay", 9)) == (1, [])


def test_memory_is_bounded_whatever_is_said() -> None:
    ring = LogRing()
    for number in range(MOST_KEYS + 10):
        ring.take(line(supervisor="events", actor=f"actor{number}"))
    stack = "\n".join(f"line {number}" for number in range(2_000))
    ring.take(line(supervisor="events", actor="actor0", stack=stack, text="x" * 9_999, odd="\ud800", huge=2**70))

    fields = ring.recent("events/actor0", 1)[0]["fields"]

    assert ring.recent(f"events/actor{MOST_KEYS}", 9) == []
    assert isinstance(fields, dict)
    assert (len(fields["stack"]), len(fields["text"])) == (MAX_CHARACTERS + 1, MAX_CHARACTERS + 1)
    assert (fields["stack"][-9:], fields["text"][-1]) == ("line 1999", "…")
    assert orjson.loads(orjson.dumps(fields))["huge"] == str(2**70)


def test_what_is_not_written_is_kept_as_well_and_redacted(lines: Lines) -> None:
    logs.setup("warning", format="json")
    log = logs.get_logger("relay")

    with logs.context(supervisor="events", actor="test of the ring"):
        log.debug("Quiet.", event="a.quiet", password="secret")

    (item,) = logs.ring.recent("events/test of the ring", 9)
    assert (item["level"], item["event"], item["fields"]) == ("debug", "a.quiet", {"password": "[redacted]"})
