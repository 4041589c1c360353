import io
import logging
import re
import subprocess
import sys
from datetime import UTC, datetime, timedelta, timezone
from typing import Any
from uuid import UUID

import orjson
import pytest
import trio
from hypothesis import given
from hypothesis import strategies as st

from monitoring import log_record, logs, tracing
from monitoring.trace_context import TraceContext
from tests.unit.monitoring.conftest import Lines, Value

TRACE = TraceContext("1" * 32, "2" * 16, sampled=False).traceparent
CANARY = "canary-7f3a9c51e2"
_HEADER = f"Refused Bearer {CANARY}."
log = logs.get_logger("relay")


def _access(method: str = "GET", route: str = "/") -> logs.AccessLog:
    return logs.AccessLog(method, route, lambda *_: None)


def _fail(text: str) -> None:
    raise LookupError(text)


def test_a_line_has_every_required_field(lines: Lines) -> None:
    log.info("Published a batch.", event="relay.batch.published", count=12)

    line = lines()[0]
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z", line.pop("timestamp"))
    assert line == {
        "level": "info",
        "message": "Published a batch.",
        "logger": __name__,
        "component": "relay",
        "event": "relay.batch.published",
        "service": "rondo",
        "version": "1.2.3",
        "env": "test",
        "instance": "here",
        "count": 12,
    }


def test_an_event_without_a_name_gets_one(lines: Lines) -> None:
    log.info("Hello.")

    assert lines()[0]["event"] == "relay.message"


def test_fields_of_the_context_are_in_every_line_inside(lines: Lines) -> None:
    with logs.context(requestId="r-1"):
        with logs.context(userId="u-1"):
            log.info("Inner.")
        log.info("Outer.")
    log.info("Outside.")

    inner, outer, outside = lines()
    assert (inner["requestId"], inner["userId"]) == ("r-1", "u-1")
    assert outer["requestId"] == "r-1"
    assert "userId" not in outer
    assert "requestId" not in outside


async def test_the_context_follows_a_task_that_is_started_inside(lines: Lines) -> None:
    async def work() -> None:
        log.info("Working.")
        await trio.lowlevel.checkpoint()

    async with trio.open_nursery() as nursery:
        with logs.context(requestId="r-1"):
            nursery.start_soon(work)

    assert lines()[0]["requestId"] == "r-1"


def test_a_line_names_its_trace_even_if_that_is_not_kept(lines: Lines) -> None:
    with tracing.span("work"):
        log.info("Working.")
        ids = tracing.current_ids()

    line = lines()[0]
    assert (line["trace_id"], line["span_id"]) == ids
    assert line["trace_flags"] == "00"


def test_an_exception_is_told_in_three_fields(lines: Lines) -> None:
    try:
        _fail("nothing there")
    except LookupError:
        log.exception("It failed.", event="relay.failed")

    line = lines()[0]
    assert line["exception.type"] == "LookupError"
    assert line["exception.message"] == "nothing there"
    assert line["exception.stacktrace"].startswith("Traceback")
    assert line["level"] == "error"


def test_an_exception_of_a_library_is_named_with_its_module() -> None:
    fields = log_record.exception_fields(trio.TooSlowError())

    assert fields["exception.type"] == "trio.TooSlowError"


def test_no_canary_comes_through(lines: Lines) -> None:
    with logs.context(session={"cookie": CANARY}):
        log.warning(_HEADER, password=CANARY, url=f"/ws?token={CANARY}")
        logging.getLogger("library").warning("Sent authorization: %s", CANARY)
        _access().write(200, 0.1, 0, 2, f"Bearer {CANARY}", TRACE, "r-1")
        try:
            _fail(f"token={CANARY}")
        except LookupError:
            log.exception("It failed.")

    written = lines()
    assert len(written) == 4
    assert CANARY not in str(written)


def test_values_of_variables_are_not_in_a_stack_trace(lines: Lines) -> None:
    hidden = {"a": "canary", "b": 1 / 3}
    try:
        _ = hidden["c"]
    except KeyError:
        log.exception("It failed.")

    assert "0.33333" not in str(lines())


def test_libraries_come_out_the_same_way(lines: Lines) -> None:
    logging.getLogger("quart.app").info("Serving %s {braces}", "pages")
    logging.getLogger("urllib3.pool").info("Too talkative.")

    (line,) = lines()
    assert line["message"] == "Serving pages {braces}"
    assert (line["component"], line["logger"], line["event"]) == ("quart", "quart.app", "quart.message")


def test_an_exception_of_a_library_comes_out_the_same_way(lines: Lines) -> None:
    try:
        _fail("nothing there")
    except LookupError:
        logging.getLogger("hypercorn.error").exception("Error in ASGI Framework")

    assert lines()[0]["exception.type"] == "LookupError"


def test_a_process_writes_everything_to_standard_output_before_it_ends() -> None:
    program = (
        "import warnings; from monitoring import logs; logs.setup(); warnings.warn('old'); logs.get_logger('main')"
    )

    ended = subprocess.run([sys.executable, "-c", program + ".info('Bye.')"], capture_output=True, check=True)

    warning, farewell = (orjson.loads(line) for line in ended.stdout.splitlines())
    assert "UserWarning: old" in warning["message"]
    assert farewell["message"] == "Bye."
    assert ended.stderr == b""


def test_a_field_cannot_take_the_place_of_a_required_one(lines: Lines) -> None:
    log.info("Hello.", level="shouting", timestamp="yesterday", service="other")

    line = lines()[0]
    assert (line["level"], line["service"]) == ("info", "rondo")
    assert line["timestamp"] != "yesterday"


def test_the_access_line_says_what_a_request_was(lines: Lines) -> None:
    access = _access("GET", "/api/tasks/{id}")
    access.write(200, 0.0123456789, 7, 512, "::1", TRACE, "r-1", UUID(int=1), "gone")
    access.write(200, 0.1, 0, 2, "::1", TRACE, "r-2")

    line, plain = lines()
    assert (line["event"], line["component"]) == ("http.request.finished", "http")
    assert (line["method"], line["route"], line["status"], line["bytes"]) == ("GET", "/api/tasks/{id}", 200, 512)
    assert (line["duration"], line["duration_ms"]) == (0.012346, 12.346)
    assert (line["requestId"], line["userId"], line["client"]) == ("r-1", str(UUID(int=1)), "::1")
    assert (line["trace_id"], line["span_id"], line["trace_flags"]) == ("1" * 32, "2" * 16, "00")
    assert line["error.type"] == "gone"
    assert plain["requestId"] == "r-2"
    assert set(line) - set(plain) == {"userId", "error.type"}


def test_the_access_line_is_told_to_people_like_any_other() -> None:
    stream = io.StringIO()
    logs.setup(format="text", stream=stream)
    _access().write(200, 0.1, 0, 2, "::1", TRACE, "r-1")
    logs.shutdown()

    assert "http: Request finished.  method=GET route=/ status=200" in stream.getvalue()


@pytest.mark.uncovered
@given(
    status=st.integers(100, 599),
    seconds=st.floats(0, 1e6),
    client=st.text(),
    request_id=st.from_regex(r"[A-Za-z0-9._-]{1,128}", fullmatch=True),
)
def test_whatever_the_access_line_says_it_is_one_short_line_of_json(
    status: int, seconds: float, client: str, request_id: str
) -> None:
    stream = io.StringIO()
    logs.setup(format="json", stream=stream)
    _access().write(status, seconds, 0, 2, client, TRACE, request_id)
    logs.shutdown()

    [text] = stream.getvalue().split("\n")[:-1]
    line = orjson.loads(text)
    assert (line["status"], line["route"], line["requestId"]) == (status, "/", request_id)
    assert line["duration"] == pytest.approx(seconds, abs=1e-6)
    assert len(text) < 4_000


def test_a_client_as_long_as_no_address_is_cut(lines: Lines) -> None:
    _access().write(200, 0.1, 0, 2, "a" * 20_000, TRACE, "r-1")

    assert lines()[0]["client"] == "a" * 200


@pytest.mark.parametrize("level", ["info", "warning"])
def test_a_request_is_counted_whether_or_not_it_has_a_line(level: str) -> None:
    counted: list[tuple[int, float, int, int]] = []
    access = logs.AccessLog("GET", "/", lambda *told: counted.append(told))
    access.write(200, 0.1, 7, 2, "::1", TRACE, "r-1")
    logs.setup(level, format="json", stream=io.StringIO())
    access.write(404, 0.2, 0, 3, "::1", TRACE, "r-2")
    logs.shutdown()

    assert counted == [(200, 0.1, 7, 2), (404, 0.2, 0, 3)]


def test_the_access_line_heeds_the_level() -> None:
    stream = io.StringIO()
    logs.setup("warning", format="json", stream=stream)

    _access().write(200, 0.1, 0, 2, "::1", TRACE, "r-1")
    log.info("Not shown.")
    log.warning("Shown.")
    logs.shutdown()

    assert [orjson.loads(line)["message"] for line in stream.getvalue().splitlines()] == ["Shown."]


def test_an_unknown_level_is_refused() -> None:
    with pytest.raises(ValueError, match="LOUD"):
        logs.setup("loud")


def test_lines_are_counted_by_level(lines: Lines, value: Value) -> None:
    before = value("log_records_total", level="warning")

    log.warning("Careful.")

    assert len(lines()) == 1
    assert value("log_records_total", level="warning") == before + 1


def test_after_the_end_lines_are_only_counted(value: Value) -> None:
    logs.setup(stream=io.StringIO())
    logs.shutdown()
    before = value("log_records_total", level="info")

    log.info("Late.")

    assert value("log_records_total", level="info") == before + 1
    assert logs.flush()


@pytest.mark.parametrize(
    "fields",
    [
        {"text": "x" * 100_000},
        {f"field{number}": "y" * 1000 for number in range(100)},
        {"exception.stacktrace": "Traceback\n" * 10_000, "exception.message": "z" * 50_000},
        {"nested": {"list": ["ä" * 50_000]}},
    ],
)
def test_a_line_never_grows_over_16_kib(lines: Lines, fields: dict[str, Any]) -> None:
    log.info("Long.", event="long", **fields)

    (line,) = lines()
    assert len(orjson.dumps(line)) < log_record.MAX_LINE_BYTES
    assert line["truncated"] is True
    assert (line["message"], line["event"], line["version"]) == ("Long.", "long", "1.2.3")


def test_a_stack_trace_that_is_cut_keeps_its_end() -> None:
    line = log_record.to_json({"message": "Long.", "exception.stacktrace": "x" * 50_000 + "THE END"})

    assert orjson.loads(line)["exception.stacktrace"].endswith("THE END")


json_like: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters()) | st.binary(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=10,
)


@given(st.dictionaries(st.text(st.characters(), max_size=10), json_like, max_size=5))
def test_whatever_the_fields_are_it_is_one_line_of_json(fields: dict[str, Any]) -> None:
    line = log_record.to_json({"message": "Anything.", **fields})

    assert line.endswith(b"\n")
    assert line.count(b"\n") == 1
    assert isinstance(orjson.loads(line), dict)


def test_what_is_not_json_is_described_and_the_rest_stays_as_it_is() -> None:
    line = orjson.loads(log_record.to_json({"bad": "\ud800", "huge": 2**70, "count": 3, "ratio": 0.5}))

    assert line == {"bad": "\\ud800", "huge": str(2**70), "count": 3, "ratio": 0.5}


def test_an_instant_is_written_in_utc_with_microseconds() -> None:
    instant = datetime(2026, 11, 23, 12, 0, tzinfo=timezone(timedelta(hours=3)))

    assert log_record.timestamp(instant) == "2026-11-23T09:00:00.000000Z"
    assert log_record.timestamp(instant.astimezone(UTC)) == "2026-11-23T09:00:00.000000Z"


def test_people_get_a_sentence_and_the_stack_below() -> None:
    stream = io.StringIO()
    logs.setup(format="text", stream=stream)

    log.warning("Slow batch.", event="relay.slow", count=3)
    try:
        _fail("nothing there")
    except LookupError:
        log.exception("It failed.")
    logs.shutdown()

    first, second, *stack = stream.getvalue().splitlines()
    assert re.fullmatch(r"\d\d:\d\d:\d\d\.\d{3} warning  relay: Slow batch\.  count=3", first)
    assert second.endswith("error    relay: It failed.  exception.type=LookupError exception.message=nothing there")
    assert stack[0].startswith("Traceback")


def test_what_a_client_sent_can_neither_forge_a_line_nor_move_the_cursor() -> None:
    stream = io.StringIO()
    logs.setup(format="text", stream=stream)

    log.info("Hello.", agent="curl\n12:00:00.000 error forged\x1b[2J")
    logs.shutdown()

    assert len(stream.getvalue().splitlines()) == 1
    assert "\x1b" not in stream.getvalue()


class _Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize(("no_colour", "coloured"), [(None, True), ("1", False)])
def test_a_terminal_gets_text_and_colour(
    monkeypatch: pytest.MonkeyPatch, *, no_colour: str | None, coloured: bool
) -> None:
    monkeypatch.delenv("NO_COLOR", raising=False)
    if no_colour:
        monkeypatch.setenv("NO_COLOR", no_colour)
    stream = _Terminal()
    logs.setup(stream=stream)

    log.error("It failed.")
    logs.shutdown()

    assert ("\x1b[31m" in stream.getvalue()) is coloured
    assert "relay: It failed." in stream.getvalue()
