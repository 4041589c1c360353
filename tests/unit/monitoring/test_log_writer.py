import io
import os
import threading

from monitoring.log_writer import ROW, LineWriter
from tests.unit.monitoring.conftest import Value

SINK = {"sink": "stream"}


class _Blocked(io.StringIO):
    """A terminal somebody paused, until `resumed` is set."""

    def __init__(self) -> None:
        super().__init__()
        self.reached = threading.Event()
        self.resumed = threading.Event()

    def write(self, text: str) -> int:
        self.reached.set()
        assert self.resumed.wait(5)
        return super().write(text)


class _Failing(io.StringIO):
    def write(self, text: str) -> int:
        raise OSError(28, f"No space left on device for {len(text)} characters")


def test_lines_are_written_in_order() -> None:
    stream = io.StringIO()
    writer = LineWriter(stream)

    for number in range(100):
        writer.write(b"%d\n" % number)
    writer.close()

    assert stream.getvalue().split() == [str(number) for number in range(100)]


def test_a_file_is_written_to_directly() -> None:
    reading, writing = os.pipe()
    with os.fdopen(reading, encoding="utf-8") as reader, os.fdopen(writing, "w", encoding="utf-8") as stream:
        writer = LineWriter(stream)
        writer.write("grüß Gott\n".encode())
        writer.close()

        assert reader.readline() == "grüß Gott\n"


def test_a_stream_that_does_not_block_is_waited_for() -> None:
    reading, writing = os.pipe()
    os.set_blocking(writing, False)
    size = 512 * 1024  # more than any pipe holds
    with os.fdopen(reading, "rb") as reader, os.fdopen(writing, "w", encoding="utf-8") as stream:
        writer = LineWriter(stream)
        writer.write(b"x" * size)

        assert len(reader.read(size)) == size
        writer.close()


def test_a_blocked_stream_costs_lines_and_never_the_caller(value: Value) -> None:
    stream, dropped = _Blocked(), value("log_records_dropped_total", **SINK)
    writer = LineWriter(stream, capacity_bytes=10)

    writer.write(b"12345\n")
    assert stream.reached.wait(5)
    writer.write(b"too much\n")
    assert not writer.flush(0.01)
    stream.resumed.set()
    writer.close()

    assert stream.getvalue() == "12345\n"
    assert value("log_records_dropped_total", **SINK) == dropped + 1


def test_lines_that_are_made_later_keep_their_place() -> None:
    stream = io.StringIO()
    writer = LineWriter(stream)

    for number in range(300):
        if number % 7:
            writer.write_later("{}\n".format, number)
        else:
            writer.write(b"%d\n" % number)
    writer.close()

    assert stream.getvalue().split() == [str(number) for number in range(300)]


def test_a_quiet_times_few_lines_are_made_by_the_thread() -> None:
    stream, makers = io.StringIO(), []
    writer = LineWriter(stream)

    def make(text: str) -> str:
        makers.append(threading.current_thread().name)
        return text

    writer.write_later(make, "line\n")

    assert writer.flush()
    assert (makers, stream.getvalue()) == (["log writer"], "line\n")
    writer.close()


def test_a_blocked_stream_lets_no_more_wait_than_there_is_room_for(value: Value) -> None:
    stream, dropped = _Blocked(), value("log_records_dropped_total", **SINK)
    writer = LineWriter(stream, capacity_bytes=3 * ROW)
    writer.write(b"x")
    assert stream.reached.wait(5)

    for _ in range(4 * ROW):
        writer.write_later(str, "-\n")

    assert value("log_records_dropped_total", **SINK) == dropped + 4 * ROW - (3 * ROW - 1) // 2
    stream.resumed.set()
    writer.close()
    assert stream.getvalue() == "x" + "-\n" * ((3 * ROW - 1) // 2)


def test_what_is_made_later_is_made_at_the_end_even_if_nobody_reads() -> None:
    stream, made = _Blocked(), []
    writer = LineWriter(stream)
    writer.write(b"x")
    assert stream.reached.wait(5)

    def make(text: str) -> str:
        made.append(text)
        return text

    writer.write_later(make, "-\n")
    writer.close(0)

    assert made == ["-\n"]
    stream.resumed.set()


def test_a_full_disk_costs_lines_and_they_are_counted(value: Value) -> None:
    dropped = value("log_records_dropped_total", **SINK)
    writer = LineWriter(_Failing())

    writer.write(b"one\n")
    assert writer.flush()
    writer.write(b"two\n")
    writer.close()

    assert value("log_records_dropped_total", **SINK) == dropped + 2


def test_a_reader_that_went_away_costs_lines_and_they_are_counted(value: Value) -> None:
    dropped = value("log_records_dropped_total", **SINK)
    reading, writing = os.pipe()
    os.close(reading)
    with os.fdopen(writing, "w", encoding="utf-8") as stream:
        writer = LineWriter(stream)
        writer.write(b"anybody there?\n")
        writer.close()

    assert value("log_records_dropped_total", **SINK) == dropped + 1


def test_a_line_after_the_end_is_counted_as_lost(value: Value) -> None:
    dropped = value("log_records_dropped_total", **SINK)
    writer = LineWriter(io.StringIO())
    writer.close()

    writer.write(b"late\n")

    assert value("log_records_dropped_total", **SINK) == dropped + 1


def test_a_stream_that_is_closed_costs_lines_and_they_are_counted(value: Value) -> None:
    dropped, stream = value("log_records_dropped_total", **SINK), io.StringIO()
    stream.close()
    writer = LineWriter(stream)

    writer.write(b"anybody there?\n")
    writer.close()

    assert value("log_records_dropped_total", **SINK) == dropped + 1


def test_threads_do_not_mix_their_lines() -> None:
    stream = io.StringIO()
    writer = LineWriter(stream)

    def write(name: bytes) -> None:
        for _ in range(200):
            writer.write(name * 50 + b"\n")

    threads = [threading.Thread(target=write, args=(name,)) for name in (b"a", b"b", b"c", b"d")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    writer.close()

    lines = stream.getvalue().splitlines()
    assert len(lines) == 4 * 200
    assert all(len(set(line)) == 1 for line in lines)
